"""
Ids that sort by the time they were made.

26 characters of Crockford's base 32, as a ULID: 48 bits of milliseconds, then 80
bits that begin at random in each millisecond and rise by one. Within a process
each id is above the one before it, also when the clock steps back.

>>> ids = Ids(now=lambda: 1700000000.0, entropy=lambda size: bytes(size))
>>> ids.new()
'01HF7YAT000000000000000000'
>>> ids.new()
'01HF7YAT000000000000000001'
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_bytes

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in ALPHABET for low in ALPHABET)
_LAST = (1 << 80) - 1


class Ids:
    """A source of ids; one for each process, used on one thread."""

    def __init__(
        self, now: Callable[[], float], entropy: Callable[[int], bytes] = token_bytes
    ) -> None:
        """`now` is UTC seconds, `entropy` gives so many random bytes."""
        self._now = now
        self._entropy = entropy
        self._moment = -1
        self._prefix = ""
        self._tail = 0

    def new(self) -> str:
        """The next id."""
        moment = int(self._now() * 1000)
        if moment > self._moment:
            self._turn_to(moment)
        elif self._tail == _LAST:
            self._turn_to(self._moment + 1)
        else:
            self._tail += 1
        tail = self._tail
        return self._prefix + "".join(
            [_PAIRS[(tail >> shift) & 1023] for shift in (70, 60, 50, 40, 30, 20, 10, 0)]
        )

    def _turn_to(self, moment: int) -> None:
        self._moment = moment
        self._prefix = "".join(_PAIRS[(moment >> shift) & 1023] for shift in (40, 30, 20, 10, 0))
        # The top bit is left clear, so that a millisecond has room for as many as ever come.
        self._tail = int.from_bytes(self._entropy(10), "big") >> 1
