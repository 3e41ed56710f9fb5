"""
How often a report may be sent.

Forges take a thousand statuses for one commit and context, and count every call. So what
has been said already is not said again, and a report that changes all the time is sent at
once the first few times, then every other second, and in the end more and more seldom.
It carries a key and no value, so whenever it is sent it says how things are then, and the
end is always said.

>>> [wait(sent) for sent in (0, 9, 10, 49, 50, 53, 90)]
[0.0, 0.0, 2.0, 2.0, 2.0, 16.0, 300.0]
"""

from __future__ import annotations

import hashlib

# So many times a report is sent as soon as it changes, and so many with a short pause.
FREE, BRISK = 10, 50
FIRST, LONGEST = 2.0, 300.0


def wait(sent: int) -> float:
    """Seconds that have to lie between two sendings, of a report that was sent so often."""
    if sent < FREE:
        return 0.0
    return min(FIRST * 2.0 ** min(max(sent - BRISK, 0), 20), LONGEST)


def digest(said: object) -> str:
    """What tells one thing to say from another; `said` is plain data."""
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]
