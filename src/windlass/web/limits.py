"""
What one sender may ask of the webhook route, so that the others are still served.
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTE = 60.0
WATCHED = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    Sizes in bytes, times in seconds.

    `body` is the largest body, `held` what all bodies under way may take together,
    `slow` the time for a body to arrive, `store` the time to make it durable (the most
    impatient forge hangs up after five). `refusals` is how many requests of one source
    may be refused at one endpoint within a minute before it is asked to wait.
    """

    body: int = 25 * 1024 * 1024
    held: int = 256 * 1024 * 1024
    slow: float = 10.0
    store: float = 4.0
    refusals: int = 120


class Throttle:
    """Counts refusals by (source, endpoint), minute by minute; a bounded memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._minute = 0
        self._counts: dict[tuple[str, str], int] = {}

    def count(self, source: str, endpoint: str, now: float) -> None:
        """One more refusal."""
        self._turn_to(now)
        key = (source, endpoint)
        if key in self._counts or len(self._counts) < WATCHED:
            self._counts[key] = self._counts.get(key, 0) + 1

    def wait(self, source: str, endpoint: str, now: float) -> float:
        """Seconds until this source may try again at this endpoint; 0 when it may."""
        if self._counts.get((source, endpoint), 0) < self._most:
            return 0.0
        self._turn_to(now)
        return 0.0 if not self._counts else MINUTE - now % MINUTE

    def _turn_to(self, now: float) -> None:
        if self._minute != (minute := int(now // MINUTE)):
            self._minute = minute
            self._counts.clear()
