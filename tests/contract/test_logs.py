"""The log stores, real and fake, keep the same promises."""

from __future__ import annotations

import pytest

from windlass.logs.local import LocalLogs
from windlass.testing.contracts.logs import LogsContract
from windlass.testing.fakes.logs import FakeLogs


class TestLocalLogs(LogsContract):
    """Logs as files."""

    @pytest.fixture
    def logs(self, tmp_path):
        return LocalLogs(tmp_path / "logs")


class TestFakeLogs(LogsContract):
    """Logs in memory."""

    @pytest.fixture
    def logs(self):
        return FakeLogs()
