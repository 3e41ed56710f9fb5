"""How a job gets its workspace."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
from pathlib import Path

import pytest

from windlass.core.errors import UserError
from windlass.git.checkout import checkout_commands, checkout_environment
from windlass.git.mirror import Mirror
from windlass.git.program import Git


def check_out(mirror: Mirror, commit: str, into: Path) -> Path:
    for command in checkout_commands(mirror.path, commit, into):
        subprocess.run(command, check=True, env=checkout_environment(), timeout=60)
    return into


def in_it(place: Path, *args: str) -> str:
    """What a step of the job would see."""
    done = subprocess.run(
        ["git", "-c", "user.name=step", "-c", "user.email=step@localhost", *args],
        cwd=place,
        env=checkout_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_workspace_is_a_normal_work_tree(origin, with_mirror, tmp_path, link):
    """Right files, a clean status, the history, other branches and tags."""
    first = origin.commit({"a": b"1\n", "d/b": b"1\n", "l": link("a")})
    second = origin.commit({"a": b"2\n"})
    origin.git("update-ref", "refs/tags/v1", first)
    origin.commit({"c": b"1\n"}, branch="FB1/x", parents=(second,))

    async def play(mirror):
        place = check_out(mirror, second, tmp_path / "job")
        assert (place / "a").read_text() == "2\n"
        assert (place / "l").is_symlink()
        assert in_it(place, "status", "--porcelain", "--ignored") == ""
        assert in_it(place, "log", "--format=%H").split() == [second, first]
        assert in_it(place, "describe", "--tags", "--long").startswith("v1-1-g")
        assert in_it(place, "diff", "--name-only", "origin/FB1/x") == "c"
        assert in_it(place, "config", "remote.origin.url") == str(origin.path)
        in_it(place, "fsck", "--connectivity-only")

    with_mirror(play)


def test_a_merge_that_no_branch_has_can_be_checked_out(origin, with_mirror, tmp_path):
    """Pull requests are tested as their merge."""
    start = origin.commit({"a": b"1", "b": b"1"})
    head = origin.commit({"a": b"2"}, branch="FB1", parents=(start,))
    base = origin.commit({"b": b"2"})

    async def play(mirror):
        merged = await mirror.merge(base, head)
        place = check_out(mirror, merged.commit, tmp_path / "job")
        assert ((place / "a").read_bytes(), (place / "b").read_bytes()) == (b"2", b"2")
        assert in_it(place, "rev-parse", "HEAD") == merged.commit

    with_mirror(play)


def test_a_step_writes_to_its_own_repository_only(origin, with_mirror, tmp_path):
    """Commits, branches, tags, gc and a broken-up .git leave the mirror byte for byte."""
    sha = origin.commit({"a": b"1\n"})

    async def play(mirror):
        before = digest(mirror.path)
        place = check_out(mirror, sha, tmp_path / "job")
        (place / "a").write_text("changed\n")
        in_it(place, "commit", "-qam", "mine")
        in_it(place, "branch", "-f", "main")
        in_it(place, "tag", "v1")
        in_it(place, "update-ref", "-d", "refs/remotes/origin/main")
        in_it(place, "gc", "--prune=now", "-q")
        in_it(place, "repack", "-a", "-d", "-q")
        (place / ".git" / "packed-refs").write_text("nonsense")
        (place / ".git" / "objects" / "info" / "alternates").write_text("/nowhere\n")
        assert digest(mirror.path) == before
        assert (check_out(mirror, sha, tmp_path / "next") / "a").read_text() == "1\n"

    with_mirror(play)


@pytest.mark.parametrize("name", ["-dash", "sp ace", "ü", "--upload-pack=x", "a;b"])
def test_a_workspace_may_have_any_name(origin, with_mirror, tmp_path, name):
    """The path is never taken for an option or a command."""
    sha = origin.commit({"a": b"1"})

    async def play(mirror):
        assert (check_out(mirror, sha, tmp_path / name) / "a").exists()

    with_mirror(play)


def test_sha256_repositories_are_checked_out(make_origin, tmp_path):
    """The workspace has the object format of its commit."""
    origin = make_origin("wide", "sha256")
    sha = origin.commit({"a": b"1"})

    async def play():
        git = Git(tmp_path / "home")
        git.allow(origin.path)
        async with Mirror(git, tmp_path / "m.git", str(origin.path)) as mirror:
            await mirror.fetch()
            place = check_out(mirror, sha, tmp_path / "job")
            assert in_it(place, "rev-parse", "HEAD") == sha
            head = origin.commit({"b": b"1"}, branch="FB1", parents=(sha,))
            await mirror.fetch()
            assert len((await mirror.merge(sha, head)).commit) == 64

    asyncio.run(play())


def test_only_whole_ids_are_checked_out(tmp_path):
    """No name, no option."""
    for bad in ("main", "--detach", "HEAD", "a" * 39):
        with pytest.raises(UserError):
            checkout_commands(tmp_path, bad, tmp_path)
