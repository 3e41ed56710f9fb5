"""The state repository, on disk and behind a URL."""

from __future__ import annotations

import asyncio
import contextlib
import os

import pytest

from windlass.core.errors import Conflict, NotFound, Transient, UserError
from windlass.git.program import Git
from windlass.git.state import StateRepository
from windlass.git.statecommit import Signature
from windlass.reach import Reach

# A host on this machine stands in for a public one.
HERE = Reach(frozenset({"127.0.0.1"}))

ADA = Signature("Ada Example", "ada@example.org", 1_700_000_000)
TRAILER = "Windlass-Deployment"


def put(state, expect, files, number=1, message="Deploy api to dev"):
    return state.commit(
        files, message=message, trailers={TRAILER: f"d{number}"}, expect=expect, author=ADA
    )


@pytest.fixture(params=["local", "url"])
def opened(request, origin, host, tmp_path):
    """Open the same state repository any number of times, each as another server would."""
    numbers = iter(range(100))
    origin.git("config", "http.receivepack", "true")
    address = host.url.replace("://", "://windlass:hunter2@") + "/origin.git"

    @contextlib.asynccontextmanager
    async def open_it():
        number = next(numbers)
        git = Git(tmp_path / f"home{number}", reach=HERE)
        where = origin.path if request.param == "local" else address
        async with StateRepository(git, where, tmp_path / f"work{number}.git") as state:
            yield state

    return open_it


def test_a_commit_is_durable_and_readable(origin, opened):
    """Files are put, replaced and removed; the rest stays."""

    async def play():
        async with opened() as state:
            assert await state.head() is None
            assert await state.log() == ()
            assert await state.find(TRAILER, "d1") is None
            one = await put(state, None, {"acme/dev/api.yaml": b"1", "acme/dev/web.yaml": b"1"})
            assert await state.head() == one == origin.git("rev-parse", "main")
            files = {"acme/dev/api.yaml": b"\0\xff", "acme/dev/web.yaml": None, 'q "ü\\': b""}
            two = await put(state, one, files, 2)
            assert await state.read(two, "acme/dev/api.yaml") == b"\0\xff"
            assert await state.read(two, "acme/dev/web.yaml") is None
            assert await state.read(two, 'q "ü\\') == b""
            assert await state.read(one, "acme/dev/web.yaml") == b"1"
            assert origin.git("rev-parse", "main") == two
            assert origin.git("rev-parse", "main^") == one
            origin.git("fsck", "--strict")

    asyncio.run(play())


def test_who_is_late_gets_a_conflict_and_retries(opened):
    """Of two servers that saw the same head, one commits; the other fetches and succeeds."""

    async def play():
        async with opened() as one, opened() as two:
            assert await one.head() is await two.head() is None
            first = await put(one, None, {"a": b"1"})
            with pytest.raises(Conflict) as caught:
                await put(two, None, {"b": b"1"}, 2)
            assert "fetch" in caught.value.hint
            await two.fetch()
            assert await two.head() == first
            second = await put(two, first, {"b": b"1"}, 2)
            with pytest.raises(Conflict):
                await put(one, first, {"c": b"1"}, 3)
            with pytest.raises(Conflict):
                await put(one, "1" * 40, {"c": b"1"}, 3)
            await one.fetch()
            assert await one.head() == second
            assert await one.read(second, "a") == b"1"
            assert await one.read(second, "c") is None

    asyncio.run(play())


def test_of_many_at_once_exactly_one_wins_each_round(opened):
    """However they interleave, no commit is lost and none is doubled."""

    async def deploy(state, number):
        while True:
            await state.fetch()
            try:
                return await put(state, await state.head(), {f"f{number}": b"1"}, number)
            except (Conflict, Transient):
                continue

    async def play():
        async with opened() as one, opened() as two:
            await asyncio.gather(one.head(), two.head())
            shas = await asyncio.gather(*(deploy((one, two)[n % 2], n) for n in range(6)))
            await one.fetch()
            history = await one.log()
            assert sorted(commit.sha for commit in history) == sorted(shas)
            assert {dict(c.trailers)[TRAILER] for c in history} == {f"d{n}" for n in range(6)}

    asyncio.run(play())


def test_a_deployment_is_found_by_its_whole_id(opened):
    """A retry finds its own commit: not a prefix, not the same words in a message."""

    async def play():
        async with opened() as state:
            one = await put(state, None, {"a": b"1"}, 12)
            two = await put(state, one, {"a": b"2"}, 3, f"Say\n\n{TRAILER}: d99\nin the text")
            three = await put(state, two, {"a": b"2"}, 4)
            assert await state.find(TRAILER, "d12") == one
            assert await state.find(TRAILER, "d3") == two
            assert await state.find(TRAILER, "d4") == three
            for absent in ("d1", "d", "d99", "12"):
                assert await state.find(TRAILER, absent) is None

    asyncio.run(play())


def test_history_is_told_newest_first(opened):
    """Of all, or of what changed one path, with whom, when, why and the trailers."""

    async def play():
        async with opened() as state:
            head = None
            for number in range(4):
                head = await put(state, head, {f"f{number % 2}": b"%d" % number}, number)
            every = await state.log()
            assert [dict(c.trailers)[TRAILER] for c in every] == ["d3", "d2", "d1", "d0"]
            assert (every[0].sha, every[0].author, every[0].at) == (head, ADA, ADA.at)
            assert every[0].subject == "Deploy api to dev"
            assert [dict(c.trailers)[TRAILER] for c in await state.log("f0", 1)] == ["d2"]
            assert await state.log("absent") == ()
            assert await state.log("*") == ()

    asyncio.run(play())


def test_a_repository_is_made_where_there_is_none(tmp_path):
    """The first start needs no preparation; another folder's content is not touched."""

    async def play():
        git = Git(tmp_path / "home")
        async with StateRepository(git, tmp_path / "deep" / "state.git", tmp_path / "w") as state:
            assert await state.head() is None
            assert await put(state, None, {"a": b"1"}) == await state.head()
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "x").touch()
        async with StateRepository(git, tmp_path / "full", tmp_path / "w") as state:
            with pytest.raises(NotFound, match="is not a Git repository"):
                await state.head()

    asyncio.run(play())


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a//b", "", "a/.git/config", ".GIT/x", "a\nb", "a/../b", ".git. /x"]
)
def test_no_path_leaves_the_repository(path, tmp_path):
    """A path that git or a file system could misread is refused before git starts."""

    async def play():
        async with StateRepository(
            Git(tmp_path / "h"), tmp_path / "s.git", tmp_path / "w"
        ) as state:
            with pytest.raises(UserError):
                await put(state, None, {path: b"1"})
            assert await state.head() is None

    asyncio.run(play())


def test_no_text_becomes_a_command_or_a_second_trailer(origin, tmp_path):
    """Names, messages and values are stored as they are, or refused."""
    evil = "x\ndeleteall\nM 100644 inline evil\ndata 1\nx\n"

    async def play():
        async with StateRepository(Git(tmp_path / "h"), origin.path, tmp_path / "w") as state:
            who = Signature("A <x>\nB", "e>\nfrom refs/heads/x", 5)
            sha = await state.commit(
                {"a": evil.encode()}, message=evil, trailers={}, expect=None, author=who
            )
            assert [entry.name for entry in await state.objects.entries(sha)] == ["a"]
            assert (await state.log())[0].author.name == "A x B"
            for key, value in (("A", "b\nC: d"), ("A b", "c"), ("A", " "), ("A", " b"), ("", "b")):
                with pytest.raises(UserError):
                    await state.commit(
                        {}, message="m", trailers={key: value}, expect=sha, author=ADA
                    )

    asyncio.run(play())


def test_a_lock_of_a_killed_git_does_not_stop_deployments(origin, tmp_path):
    """A young lock is respected, an old one is taken away."""

    async def play():
        async with StateRepository(Git(tmp_path / "h"), origin.path, tmp_path / "w") as state:
            head = await put(state, None, {"a": b"1"})
            lock = origin.path / "refs" / "heads" / "main.lock"
            lock.touch()
            with pytest.raises(Transient):
                await put(state, head, {"a": b"2"})
            assert lock.exists()
            os.utime(lock, (1, 1))
            with pytest.raises(Transient):
                await put(state, head, {"a": b"2"})
            assert await put(state, head, {"a": b"2"}) == await state.head()

    asyncio.run(play())


def test_hooks_of_the_state_repository_do_not_run(origin, tmp_path):
    """Neither its hooks nor its own hooks path are used."""
    for name in ("reference-transaction", "update", "post-receive"):
        hook = origin.path / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    origin.git("config", "core.hooksPath", str(origin.path / "hooks"))

    async def play():
        async with StateRepository(Git(tmp_path / "h"), origin.path, tmp_path / "w") as state:
            await put(state, None, {"a": b"1"})

    (tmp_path / "ran").unlink(missing_ok=True)
    asyncio.run(play())
    assert not (tmp_path / "ran").exists()
