"""The artifact stores, real and fake, keep the same promises."""

from __future__ import annotations

import pytest

from windlass.artifacts.local import LocalArtifacts
from windlass.testing.contracts.artifacts import ArtifactsContract
from windlass.testing.fakes.artifacts import FakeArtifacts


class TestLocalArtifacts(ArtifactsContract):
    """Artifacts as files named by their digest."""

    @pytest.fixture
    def artifacts(self, tmp_path):
        return LocalArtifacts(tmp_path / "artifacts")


class TestFakeArtifacts(ArtifactsContract):
    """Artifacts of tests."""

    @pytest.fixture
    def artifacts(self, tmp_path):
        return FakeArtifacts(tmp_path / "artifacts")
