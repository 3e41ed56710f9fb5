"""What the commits of one repository have to do with each other."""

from __future__ import annotations

import asyncio

import pytest

from windlass.core.errors import NotFound, UserError
from windlass.git.history import Conflicts, MergedTree
from windlass.git.mirror import Mirror
from windlass.git.program import Git

ZERO = "0" * 40


def test_the_same_merge_is_the_same_commit_everywhere(origin, git, tmp_path):
    """Two servers that merge the same two commits get the same id."""
    start = origin.commit({"a": b"1\n", "b": b"1\n"})
    head = origin.commit({"a": b"2\n"}, branch="FB1", parents=(start,))
    base = origin.commit({"b": b"2\n"})

    async def merged(number):
        async with Mirror(git, tmp_path / f"m{number}.git", str(origin.path)) as mirror:
            await mirror.fetch()
            merge = await mirror.merge(base, head)
            info = await mirror.commit(merge.commit)
            assert info.parents == (base, head)
            assert info.at == (await mirror.commit(head)).at
            assert (info.tree, info.author) == (merge.tree, "Windlass")
            assert await mirror.objects.read(merge.commit, "a") == b"2\n"
            assert await mirror.objects.read(merge.commit, "b") == b"2\n"
            return merge

    one, two = asyncio.run(merged(1)), asyncio.run(merged(2))
    assert isinstance(one, MergedTree)
    assert one == two


def test_a_conflict_is_an_answer(origin, with_mirror):
    """The files both sides changed are named, each once, whatever their names."""
    odd = 'ä "q"\\\n.txt'
    start = origin.commit({odd: b"1\n", "same": b"1\n"})
    head = origin.commit({odd: b"2\n"}, branch="FB1", parents=(start,))
    base = origin.commit({odd: b"3\n"})

    async def play(mirror):
        assert await mirror.merge(base, head) == Conflicts((odd,))

    with_mirror(play)


def test_ancestors(origin, with_mirror):
    """A commit contains itself and what came before; strangers have nothing in common."""
    first = origin.commit({"a": b"1"})
    second = origin.commit({"a": b"2"})
    side = origin.commit({"b": b"1"}, branch="side", parents=(first,))
    stranger = origin.commit({"z": b"1"}, branch="stranger")

    async def play(mirror):
        assert await mirror.is_ancestor(first, second)
        assert await mirror.is_ancestor(first, first)
        assert not await mirror.is_ancestor(second, first)
        assert await mirror.merge_base(second, side) == first
        assert await mirror.merge_base(second, stranger) is None

    with_mirror(play)


def test_changed_paths_are_complete(origin, with_mirror):
    """Both names of a rename, deletions, and names with any bytes in them."""
    big = b"line\n" * 100
    before = origin.commit({"old": big, "gone": b"1", "kept": b"1", "d/x": b"1"})
    odd = [
        "new\nline",
        "tab\t",
        'quo"te',
        "back\\slash",
        "ü",
        "raw\udcff",
        "-dash",
        " space ",
        "[*]",
    ]
    after = origin.commit(
        {"old": None, "new": big, "gone": None, "d/x": None, "d/x/y": b"1"}
        | dict.fromkeys(odd, b"1")
    )

    async def play(mirror):
        expected = {"old", "new", "gone", "d/x", "d/x/y", *odd}
        changed = await mirror.changed(before, after)
        assert set(changed) == expected
        assert len(changed) == len(expected)
        assert await mirror.changed(after, after) == ()

    with_mirror(play)


def test_thousands_of_changed_paths_are_all_there(origin, with_mirror):
    """Where a forge cuts its list short, git does not."""
    before = origin.commit({"a": b"1"})
    names = {f"d{number % 97}/f{number}" for number in range(6000)}
    after = origin.commit(dict.fromkeys(names, b"1"))

    async def play(mirror):
        assert set(await mirror.changed(before, after)) == names

    with_mirror(play)


def test_a_new_branch_changes_what_it_adds(origin, with_mirror):
    """With no commit before, or one that is lost, a branch is compared with where it left main."""
    start = origin.commit({"a": b"1"})
    head = origin.commit({"b": b"1"}, branch="FB1", parents=(start,))
    origin.commit({"c": b"1"})

    async def play(mirror):
        assert await mirror.changed(ZERO, head) == ("b",)
        assert await mirror.changed("1" * 40, head, branch="FB1", default="main") == ("b",)
        assert await mirror.changed(ZERO, start, branch="FB2", default="main") == ()

    with_mirror(play)


def test_the_first_push_changes_everything(origin, with_mirror):
    """Nothing to compare with (default branch itself, or no common history) is everything."""
    first = origin.commit({"a": b"1", "d/b": b"1"})
    stranger = origin.commit({"z": b"1"}, branch="stranger")

    async def play(mirror):
        assert await mirror.changed(ZERO, first, branch="main", default="main") == ("a", "d/b")
        assert await mirror.changed(ZERO, stranger, branch="stranger", default="main") == ("z",)
        assert await mirror.changed(ZERO, first, default="absent") == ("a", "d/b")

    with_mirror(play)


def test_the_commit_behind_a_tag_is_found(origin, with_mirror):
    """The id of an annotated tag leads to its commit."""
    sha = origin.commit({"a": b"1"})
    origin.git("-c", "user.name=a", "-c", "user.email=b", "tag", "-a", "v1", "-m", "one", sha)
    tag = origin.git("rev-parse", "refs/tags/v1")

    async def play(mirror):
        assert tag != sha
        assert (await mirror.commit(tag)).sha == sha
        assert await mirror.objects.resolve("refs/tags/v1") == sha
        assert await mirror.has(tag)

    with_mirror(play)


def test_what_is_no_commit_never_reaches_git(origin, tmp_path):
    """Options, names and short ids are refused before a process starts."""
    git = Git(tmp_path / "home", search=str(tmp_path))

    async def play():
        async with Mirror(git, tmp_path / "m.git", "/nowhere.git") as mirror:
            for bad in ("--output=x", "main", "HEAD", "abc123", ""):
                for call in (mirror.is_ancestor, mirror.merge_base, mirror.merge, mirror.changed):
                    with pytest.raises(UserError):
                        await call(bad, "a" * 40)
                with pytest.raises(UserError):
                    await mirror.commit(bad)

    asyncio.run(play())


def test_an_unknown_commit_is_not_found(origin, with_mirror):
    """The text names it."""
    origin.commit({"a": b"1"})

    async def play(mirror):
        with pytest.raises(NotFound, match="1" * 40):
            await mirror.commit("1" * 40)
        assert not await mirror.has("1" * 40)

    with_mirror(play)
