"""The executors, real and fake, keep the same promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sandboxes import sandbox

from windlass.executors.process import ProcessExecutor, ProcessLimits
from windlass.logs.local import LocalLogs
from windlass.testing.contracts.executor import ExecutorContract, Ground
from windlass.testing.contracts.isolation import IsolationContract
from windlass.testing.fakes.executor import FakeExecutor, FakeJob
from windlass.testing.fakes.logs import FakeLogs


class TestProcessExecutor(ExecutorContract):
    """Jobs as processes."""

    @pytest.fixture
    def ground(self, tmp_path):
        logs = LocalLogs(tmp_path / "logs")
        limits = ProcessLimits(grace=0.5)
        return Ground(lambda: ProcessExecutor(tmp_path / "jobs", logs, limits), logs)


class Isolating(ProcessExecutor):
    """Takes every job for a stranger's."""

    async def start(self, order):
        """Begin it in a sandbox."""
        await super().start(replace(order, isolated=True, network=False))


class TestSandbox(ExecutorContract, IsolationContract):
    """Jobs as processes in a sandbox."""

    @pytest.fixture
    def ground(self, tmp_path):
        logs = LocalLogs(tmp_path / "logs")
        limits = ProcessLimits(grace=0.5, sandbox=sandbox())
        return Ground(lambda: Isolating(tmp_path / "jobs", logs, limits), logs)


class TestFakeExecutor(ExecutorContract):
    """Jobs in memory."""

    @pytest.fixture
    def ground(self, tmp_path):
        logs = FakeLogs()
        jobs: dict[str, FakeJob] = {}
        return Ground(lambda: FakeExecutor(tmp_path / "jobs", logs, jobs=jobs), logs)
