"""
What every artifact store does.

Subclass `ArtifactsContract` and give it the fixture `artifacts`; `tamper` when what
is stored can be changed behind its back.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from windlass.core.errors import NotFound, Permanent
from windlass.ports.executor import Artifact, Artifacts

BAD = ["", "sha256:", "sha256:../../etc/passwd", "sha256:" + "A" * 64, "md5:" + "0" * 64, "0" * 64]


class ArtifactsContract:
    """Promises of the port `Artifacts`."""

    @pytest.fixture
    def artifacts(self, tmp_path: Path) -> Artifacts:
        """The store under test."""
        raise NotImplementedError

    def tamper(self, artifact: Artifact) -> None:
        """Change what is stored; the default goes by the file."""
        artifact.path.chmod(0o600)
        artifact.path.write_bytes(b"something else")

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        """A file to store."""
        path = tmp_path / "package.tar"
        path.write_bytes(b"content of a build" * 1000)
        return path

    def test_what_was_put_is_got(self, artifacts: Artifacts, source: Path) -> None:
        """By the digest of its bytes."""
        data = source.read_bytes()
        stored = artifacts.put(source)
        assert stored.digest == "sha256:" + hashlib.sha256(data).hexdigest()
        assert artifacts.get(stored.digest) == stored
        assert (stored.size, stored.path.read_bytes()) == (len(data), data)

    def test_the_same_content_twice_is_one(self, artifacts: Artifacts, source: Path) -> None:
        """And the source may go."""
        first = artifacts.put(source)
        assert artifacts.put(source) == first
        source.unlink()
        assert artifacts.list() == (first.digest,)
        assert artifacts.get(first.digest) == first

    def test_all_are_listed(self, artifacts: Artifacts, source: Path) -> None:
        """Empty at first."""
        assert artifacts.list() == ()
        digests = set()
        for number in range(5):
            source.write_text(str(number))
            digests.add(artifacts.put(source).digest)
        assert set(artifacts.list()) == digests

    def test_what_was_tampered_with_is_not_given_out(
        self, artifacts: Artifacts, source: Path
    ) -> None:
        """Until it is stored again."""
        stored = artifacts.put(source)
        self.tamper(stored)
        with pytest.raises(Permanent):
            artifacts.get(stored.digest)
        assert artifacts.put(source) == stored
        assert artifacts.get(stored.digest) == stored

    @pytest.mark.parametrize("digest", BAD)
    def test_what_is_no_digest_is_not_found(self, artifacts: Artifacts, digest: str) -> None:
        """However it is written; it is no path."""
        with pytest.raises(NotFound):
            artifacts.get(digest)

    def test_an_unknown_digest_is_not_found(self, artifacts: Artifacts) -> None:
        """Nor a file that is not there to be stored."""
        with pytest.raises(NotFound):
            artifacts.get("sha256:" + "0" * 64)
        with pytest.raises(NotFound):
            artifacts.put(Path("/no/such/file"))
