"""
When to leave a forge alone: it asked for a pause, its budget is spent, or it is out of reach.

Kept in memory only. A restart forgets it and asks once too often, which is harmless.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.core.errors import Transient
from windlass.forges.http.answers import Answer, left, pause, reset

# So many failures in a row open the circuit; then a pause, doubled each time, in seconds.
FAILURES = 3
FIRST, LONGEST = 15.0, 300.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """A forge that is not asked, `since` when and `until` when (UTC seconds), and why."""

    origin: str
    since: float
    until: float
    reason: str


class Pace:
    """What is known of each forge's patience, by origin; budgets by origin and credential."""

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}
        self._open: dict[str, Circuit] = {}
        self._spent: dict[str, Circuit] = {}

    def circuits(self, now: float) -> tuple[Circuit, ...]:
        """Those that are left alone now."""
        every = (*self._open.values(), *self._spent.values())
        return tuple(one for one in every if one.until > now)

    def ask(self, origin: str, who: str, now: float) -> None:
        """`Transient` when this forge is to be left alone."""
        for circuit in (self._open.get(origin), self._spent.get(who)):
            if circuit and circuit.until > now:
                raise Transient(circuit.reason, retry_after=circuit.until - now)

    def failed(self, origin: str, why: str, now: float) -> None:
        """It could not be asked, or could not answer."""
        count = self._failures[origin] = self._failures.get(origin, 0) + 1
        if count >= FAILURES:
            wait = min(FIRST * 2.0 ** min(count - FAILURES, 20), LONGEST)
            since = self._open[origin].since if origin in self._open else now
            self._open[origin] = Circuit(origin, since, now + wait, why)

    def answered(self, origin: str, who: str, answer: Answer, now: float) -> None:
        """It answered; what it says of its patience is remembered."""
        if answer.status >= 500:
            self.failed(origin, f"{origin} answers {answer.status}", now)
        else:
            self._failures.pop(origin, None)
            self._open.pop(origin, None)
        wait = pause(answer, now)
        if wait is None and left(answer) == 0:
            wait = reset(answer) - now
        if wait is not None and wait > 0:
            reason = f"{origin} asked for a pause (its rate limit)"
            before = self._spent.get(who)
            since = before.since if before and before.until > now else now
            self._spent[who] = Circuit(origin, since, now + wait, reason)
        else:
            self._spent.pop(who, None)
