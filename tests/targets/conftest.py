"""What the tests of the directory target deploy."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile

import pytest

from windlass.core.environment import TargetSpec
from windlass.ports.target import Desired
from windlass.targets.directory import DirectoryTarget


@pytest.fixture
def srv(tmp_path):
    """The folder that is deployed to; it does not exist yet."""
    return tmp_path / "srv"


@pytest.fixture
def target():
    """The target under test."""
    return DirectoryTarget.make(os.environ)


@pytest.fixture
def wanted(tmp_path, srv):
    """How to make what shall run: `wanted(2, "text", after=..., health=...)`."""

    def make(generation, text="one", *, after="", health=None, files=None, **more):
        file = tmp_path / f"{text}.tar"
        with tarfile.open(file, "w") as tar:
            for name, content in (files or {"app/version.txt": text, "run.sh": "true"}).items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                member.mode = 0o755 if name.endswith(".sh") else 0o644
                tar.addfile(member, io.BytesIO(content.encode()))
        return Desired(
            generation=generation,
            digest="sha256:" + hashlib.sha256(file.read_bytes()).hexdigest(),
            package=file,
            spec=TargetSpec(kind="directory", options={"path": str(srv), "after": after}),
            health=health,
            **{"place": "acme/shop/dev/api", "env": {"CI_COMMIT_SHA": "c0ffee"}} | more,
        )

    return make
