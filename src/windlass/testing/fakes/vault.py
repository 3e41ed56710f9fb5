"""
A vault in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field


class _Stars(bytes):
    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, wanted: str) -> str:
        return format("***", wanted)


@dataclass(slots=True)
class FakeVault:
    """Keeps values by (scope, name)."""

    values: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False)

    def put(self, name: str, scope: str, value: bytes) -> None:
        """Keep a value."""
        self.values[scope, name] = value

    def get(self, name: str, scope: str) -> bytes | None:
        """The value that was kept."""
        value = self.values.get((scope, name))
        return None if value is None else _Stars(value)
