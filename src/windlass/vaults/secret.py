"""
A value that must not be printed.

It is `bytes` for whoever uses it on purpose, and `***` for every log line,
error text and debugger that comes across it.

>>> token = SecretValue(b"hunter2")
>>> print(token, [token], f"{token}", token == b"hunter2")
*** [***] *** True
"""

from __future__ import annotations


class SecretValue(bytes):
    """Bytes that show themselves as `***`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"

    def __str__(self) -> str:
        return "***"

    def __format__(self, wanted: str) -> str:
        return format("***", wanted)
