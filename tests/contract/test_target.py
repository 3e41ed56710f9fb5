"""Every target, real or fake, keeps the contract."""

from __future__ import annotations

import os

import pytest

from windlass.core.environment import TargetSpec
from windlass.targets.directory import DirectoryTarget
from windlass.testing.contracts.target import TargetContract
from windlass.testing.fakes.target import FakeTarget


class TestDirectory(TargetContract):
    @pytest.fixture
    def target(self):
        return DirectoryTarget.make(os.environ)

    @pytest.fixture
    def spec(self, tmp_path):
        return lambda place: TargetSpec(
            kind="directory", options={"path": str(tmp_path / "srv" / place), "after": "true"}
        )

    @pytest.fixture
    def spoil(self, tmp_path):
        return lambda desired: (
            tmp_path / "srv" / desired.place / "current/app/version.txt"
        ).write_text("mine")


class TestFake(TargetContract):
    @pytest.fixture
    def target(self):
        return FakeTarget()

    @pytest.fixture
    def spec(self):
        return lambda place: TargetSpec(kind="fake")

    @pytest.fixture
    def spoil(self, target):
        return lambda desired: target.spoil(desired.place)
