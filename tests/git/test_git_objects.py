"""Reads at a commit, and the configuration among them."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from windlass.core.errors import ConfigError, NotFound, UserError
from windlass.git.configuration import LARGEST
from windlass.git.objects import Objects
from windlass.git.program import Git
from windlass.git.tree import Kind


@pytest.fixture
def reading(git, origin):
    """Run a coroutine function on the objects of the origin."""

    def run(play):
        async def main():
            async with Objects(git, origin.path) as objects:
                return await play(objects)

        return asyncio.run(main())

    return run


def test_a_file_is_read_as_it_is_stored(origin, reading):
    """Any bytes, any name, at any commit; what is not there is None."""
    odd = 'ä "q"\
 '
    first = origin.commit({"a": b"1", "d/e/f": b"\0\xff\r\n", odd: b"odd", "empty": b""})
    second = origin.commit({"a": b"2"})

    async def play(objects):
        assert await objects.read(first, "a") == b"1"
        assert await objects.read(second, "a") == b"2"
        assert await objects.read(first, "d/e/f") == b"\0\xff\r\n"
        assert await objects.read(first, odd) == b"odd"
        assert await objects.read(first, "empty") == b""
        for absent in (
            "b",
            "a/b",
            "d",
            "d/e",
            "",
            "/a",
            "../a",
            "d/../a",
            "a\n",
            "-x",
            ".",
            "d//e/f",
        ):
            assert await objects.read(first, absent) is None

    reading(play)


def test_a_file_over_the_limit_is_refused(origin, reading):
    """The limit is exact, and the next read works."""
    sha = origin.commit({"a": b"x" * 1000, "b": b"1"})

    async def play(objects):
        assert len(await objects.read(sha, "a", 1000)) == 1000
        with pytest.raises(UserError, match="more than 999"):
            await objects.read(sha, "a", 999)
        assert await objects.read(sha, "b", 999) == b"1"

    reading(play)


def test_links_are_seen_and_not_followed(origin, reading, link):
    """A link, and a path through one, are errors that say so."""
    sha = origin.commit({"l": link("/etc/passwd"), "d": link("real"), "real/a": b"1"})

    async def play(objects):
        for path in ("l", "d", "d/a"):
            with pytest.raises(UserError, match="symbolic link"):
                await objects.read(sha, path)
        assert [one.kind for one in await objects.entries(sha)] == [
            Kind.LINK,
            Kind.LINK,
            Kind.FOLDER,
        ]

    reading(play)


def test_a_folder_has_an_id_that_is_its_content(origin, reading):
    """The same files give the same tree; another file another."""
    first = origin.commit({"services/api/a": b"1", "b": b"1"})
    second = origin.commit({"b": b"2"})
    third = origin.commit({"services/api/a": b"2"})

    async def play(objects):
        trees = [await objects.tree(sha, "services/api") for sha in (first, second, third)]
        assert trees[0] == trees[1] != trees[2]
        assert await objects.tree(first, "b") is None
        assert await objects.tree(first, "absent") is None
        assert await objects.tree(first) == origin.git("rev-parse", f"{first}^{{tree}}")
        (entry,) = await objects.entries(first, "services")
        assert (entry.mode, entry.kind, entry.name) == ("40000", Kind.FOLDER, "api")
        assert await objects.entries(first, "absent") == ()

    reading(play)


def test_commits_that_arrive_later_are_seen(origin, reading):
    """The open child finds new loose objects and new packs."""
    first = origin.commit({"a": b"1"})

    async def play(objects):
        assert await objects.has(first)
        second = origin.commit({"a": b"2"})
        assert await objects.read(second, "a") == b"2"
        origin.git("repack", "-a", "-d", "-q")
        third = origin.commit({"a": b"3"})
        assert await objects.read(third, "a") == b"3"
        assert await objects.read(first, "a") == b"1"

    reading(play)


def test_a_killed_child_is_replaced(origin, reading):
    """The reader does not notice."""
    sha = origin.commit({"a": b"1"})

    async def play(objects):
        assert await objects.read(sha, "a") == b"1"
        first = objects._child.pid
        os.kill(first, signal.SIGKILL)
        assert await objects.read(sha, "a") == b"1"
        assert objects._child.pid != first

    reading(play)


def test_a_cancelled_read_does_not_spoil_the_next(origin, reading):
    """No reader ever gets another's answer."""
    files = {f"f{number}": b"%d" % number * 1000 for number in range(50)}
    sha = origin.commit(files)

    async def play(objects):
        for turns in range(40):
            task = asyncio.create_task(objects.read(sha, "f7"))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            (answer,) = await asyncio.gather(task, return_exceptions=True)
            assert answer == files["f7"] or isinstance(answer, asyncio.CancelledError)
            assert await objects.read(sha, "f8") == files["f8"]

    reading(play)


def test_an_idle_child_ends_and_comes_back(origin, git):
    """A thousand quiet repositories need no thousand processes."""
    sha = origin.commit({"a": b"1"})

    async def play():
        async with Objects(git, origin.path, idle=0.01) as objects:
            assert await objects.read(sha, "a") == b"1"
            await objects._child.wait()
            assert await objects.read(sha, "a") == b"1"

    asyncio.run(play())


def test_a_repository_that_is_not_there_is_named(tmp_path):
    """Reading before the first fetch is a clear error."""

    async def play():
        async with Objects(Git(tmp_path / "home"), tmp_path / "absent.git") as objects:
            with pytest.raises(NotFound, match="is not a Git repository"):
                await objects.has("a" * 40)

    asyncio.run(play())


def test_the_configuration_is_one_file_or_a_folder(origin, with_mirror):
    """The file in the root, the YAML files directly in the folder, or both; nothing else."""
    one = origin.commit({".windlass.yaml": b"1", "x.yaml": b"0"})
    both = origin.commit(
        {
            ".windlass/a.yaml": b"2",
            ".windlass/b.yml": b"3",
            ".windlass/notes.md": b"0",
            ".windlass/deep/c.yaml": b"0",
            ".windlass/folder.yaml/c": b"0",
        }
    )
    none = origin.commit({"x": b"1"}, branch="none")

    async def play(mirror):
        assert await mirror.config_files(one) == {".windlass.yaml": b"1"}
        assert await mirror.config_files(both) == {
            ".windlass.yaml": b"1",
            ".windlass/a.yaml": b"2",
            ".windlass/b.yml": b"3",
        }
        assert await mirror.config_files(none) == {}

    with_mirror(play)


def test_every_unusable_configuration_file_is_a_fault(origin, with_mirror, link):
    """Links, files in place of the folder, too much, and names that differ only in case."""
    cases = [
        ({".windlass.yaml": link("/etc/passwd")}, "symbolic link"),
        ({".windlass": link("elsewhere")}, "symbolic link"),
        ({".windlass": b"a file"}, "where a folder is expected"),
        ({".windlass/a.yaml": link("../x")}, "symbolic link"),
        ({".windlass/a.yaml": b"1", ".windlass/A.yaml": b"2"}, "only in case"),
        ({".windlass.yaml": b"x" * (LARGEST + 1)}, "more than 1048576"),
    ]
    shas = [origin.commit(files, branch=f"b{n}") for n, (files, _) in enumerate(cases)]

    async def play(mirror):
        for sha, (_, reason) in zip(shas, cases, strict=True):
            with pytest.raises(ConfigError, match=reason) as caught:
                await mirror.config_files(sha)
            assert caught.value.faults[0].place.file.startswith(".windlass")

    with_mirror(play)
