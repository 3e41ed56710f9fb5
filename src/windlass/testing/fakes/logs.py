"""
Logs in memory that insist on the port's rules, as the real ones do.
"""

from __future__ import annotations

from windlass.core.errors import Bug, Conflict
from windlass.testing.fakes.memory_logs import MemoryLogs


class FakeLogs(MemoryLogs):
    """`Logs` for tests: refuses half a line, and a line after the end."""

    def append(self, key: str, data: bytes) -> None:
        """Add whole lines."""
        if not data.endswith(b"\n"):
            raise Bug(f"log {key}: half a line was to be appended")
        if key in self._closed:
            raise Conflict(f"log {key} is closed")
        super().append(key, data)
