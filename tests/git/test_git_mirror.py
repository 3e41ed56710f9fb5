"""A bare copy of one repository, kept close to its origin."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from windlass.core.errors import NotFound, Permanent, Transient
from windlass.git.mirror import Mirror
from windlass.git.program import Git
from windlass.ports.forge import Login
from windlass.reach import Reach

# A host on this machine stands in for a public one.
HERE = Reach(frozenset({"127.0.0.1"}))


class Counting(Git):
    """Git that keeps what it was asked, and can be held."""

    asked: list[tuple[str, ...]]
    held: asyncio.Event | None = None
    began: asyncio.Event

    async def ask(self, *args, **more):
        self.asked.append(args)
        if self.held and args[0] == "for-each-ref":
            self.began.set()
            await self.held.wait()
        return await super().ask(*args, **more)

    def count(self, command: str) -> int:
        return sum(args[0] == command for args in self.asked)


@pytest.fixture
def counting(tmp_path, origin):
    git = Counting(tmp_path / "home")
    git.asked = []
    git.allow(origin.path)
    return git


@pytest.fixture(params=["path", "http"])
def with_either(request, with_mirror, host, tmp_path):
    """The same promises for a repository on this disk and for one behind a URL."""
    if request.param == "path":
        return with_mirror

    def run(play):
        async def main():
            git = Git(tmp_path / "home", reach=HERE)
            url = host.url.replace("://", "://windlass:hunter2@") + "/origin.git"
            async with Mirror(git, tmp_path / "m.git", url) as mirror:
                await mirror.fetch()
                return await play(mirror)

        return asyncio.run(main())

    return run


def test_a_mirror_has_every_branch_and_follows(origin, with_either):
    """New commits, new branches and deletions arrive."""
    first = origin.commit({"a": b"1"})

    async def play(mirror):
        assert await mirror.heads() == {"main": first}
        assert await mirror.default() == "main"
        second = origin.commit({"a": b"2"})
        odd = origin.commit({"b": b"1"}, branch='zzz";echo${IFS}x;#')
        await mirror.fetch()
        assert await mirror.heads() == {"main": second, 'zzz";echo${IFS}x;#': odd}
        assert await mirror.has(second)
        origin.git("update-ref", "-d", 'refs/heads/zzz";echo${IFS}x;#')
        await mirror.fetch()
        assert await mirror.heads() == {"main": second}
        assert await mirror.has(odd)

    with_either(play)


@pytest.mark.parametrize("width", ["sha1", "sha256"])
def test_an_empty_repository_is_a_repository(make_origin, tmp_path, width):
    """No branch is no error, and the first commit arrives, in either object format."""
    origin = make_origin("empty", width)

    async def play():
        git = Git(tmp_path / "home")
        git.allow(origin.path)
        async with Mirror(git, tmp_path / "m.git", str(origin.path)) as mirror:
            await mirror.fetch()
            assert await mirror.heads() == {}
            sha = origin.commit({"a": b"1"})
            await mirror.fetch()
            assert await mirror.heads() == {"main": sha}
            assert await mirror.objects.read(sha, "a") == b"1"
            assert await mirror.changed("0" * len(sha), sha, branch="main", default="main") == (
                "a",
            )

    asyncio.run(play())


def test_one_commit_is_enough(origin, with_mirror):
    """A repository with a single commit can be asked everything."""
    sha = origin.commit({"a": b"1"})

    async def play(mirror):
        info = await mirror.commit(sha)
        assert (info.parents, info.author, info.email) == ((), "Ada Example", "ada@example.org")
        assert (info.subject, info.at) == ("change", 1_700_000_001)
        assert await mirror.changed("0" * 40, sha, branch="main", default="main") == ("a",)

    with_mirror(play)


def test_a_single_ref_or_commit_can_be_fetched(origin, with_either):
    """A pull request's ref, a branch by its short name, and a commit no branch has."""
    origin.commit({"a": b"1"})

    async def play(mirror):
        pull = origin.commit({"a": b"2"}, branch="tmp")
        origin.git("update-ref", "refs/pull/1/head", pull)
        origin.git("update-ref", "-d", "refs/heads/tmp")
        await mirror.fetch("refs/pull/1/head")
        assert await mirror.has(pull)
        lost = origin.commit({"a": b"3"}, branch="lost")
        origin.git("update-ref", "-d", "refs/heads/lost")
        await mirror.fetch(lost)
        assert await mirror.has(lost)
        await mirror.fetch("main")

    with_either(play)


def test_what_the_origin_has_no_more_is_not_found(origin, with_either):
    """A deleted branch and an unknown commit are named; the mirror goes on."""
    origin.commit({"a": b"1"})

    async def play(mirror):
        for wanted in ("gone", "refs/pull/9/head", "1" * 40):
            with pytest.raises(NotFound, match=wanted):
                await mirror.fetch(wanted)
        await mirror.fetch()

    with_either(play)


def test_who_waits_shares_the_next_fetch(origin, counting, tmp_path):
    """Any number of callers during one fetch are served by one more."""
    origin.commit({"a": b"1"})

    async def play():
        async with Mirror(counting, tmp_path / "m.git", str(origin.path)) as mirror:
            await mirror.fetch()
            counting.asked.clear()
            counting.held, counting.began = asyncio.Event(), asyncio.Event()
            first = asyncio.create_task(mirror.fetch("main"))
            await counting.began.wait()
            # This commit is younger than the fetch under way.
            sha = origin.commit({"a": b"2"})
            rest = [asyncio.create_task(mirror.fetch("main")) for _ in range(50)]
            await asyncio.sleep(0)
            counting.held.set()
            await asyncio.gather(first, *rest)
            assert counting.count("for-each-ref") == 2
            assert await mirror.heads() == {"main": sha}

    asyncio.run(play())


def test_a_repository_on_this_disk_needs_few_processes(origin, counting, tmp_path):
    """One new commit costs four starts of git, and nothing new costs one."""
    origin.commit({"a": b"1"})

    async def play():
        async with Mirror(counting, tmp_path / "m.git", str(origin.path)) as mirror:
            await mirror.fetch()
            origin.commit({"a": b"2"})
            counting.asked.clear()
            await mirror.fetch("main")
            assert len(counting.asked) == 4
            await mirror.fetch()
            assert len(counting.asked) == 5
            assert not counting.count("fetch")

    asyncio.run(play())


def test_a_rewritten_history_is_followed(origin, with_mirror):
    """Also when the origin has already thrown away the commits that the mirror knows."""
    old = origin.commit({"a": b"1"})

    async def play(mirror):
        origin.git("update-ref", "-d", "refs/heads/main")
        new = origin.commit({"b": b"1"})
        origin.git("repack", "-a", "-d", "-q")
        origin.git("prune", "--expire=now")
        await mirror.fetch()
        assert await mirror.heads() == {"main": new}
        assert await mirror.has(old)
        assert await mirror.objects.read(new, "b") == b"1"

    with_mirror(play)


def test_the_fault_of_one_is_not_the_fault_of_another(origin, with_mirror):
    """Callers who share a fetch get their own answers."""
    origin.commit({"a": b"1"})

    async def play(mirror):
        wanted = ("main", "gone", "main")
        answers = await asyncio.gather(*map(mirror.fetch, wanted), return_exceptions=True)
        assert [type(answer) for answer in answers] == [type(None), NotFound, type(None)]

    with_mirror(play)


def test_a_cancelled_caller_does_not_cancel_the_others(origin, counting, tmp_path):
    """Giving up concerns only who gives up."""
    origin.commit({"a": b"1"})

    async def play():
        async with Mirror(counting, tmp_path / "m.git", str(origin.path)) as mirror:
            one, two = (asyncio.create_task(mirror.fetch()) for _ in range(2))
            await asyncio.sleep(0)
            one.cancel()
            await two
            assert one.cancelled()
            assert await mirror.heads()

    asyncio.run(play())


def test_a_branch_may_become_a_folder_of_branches(origin, with_either):
    """`a` is deleted and `a/b` is pushed: fetching `a/b` alone works."""
    sha = origin.commit({"x": b"1"}, branch="a")

    async def play(mirror):
        origin.git("update-ref", "-d", "refs/heads/a")
        origin.git("update-ref", "refs/heads/a/b", sha)
        await mirror.fetch("a/b")
        assert await mirror.heads() == {"a/b": sha}

    with_either(play)


def test_locks_of_a_killed_git_do_not_stop_us(origin, git, tmp_path):
    """After a crash the next start fetches."""
    origin.commit({"a": b"1"})
    path = tmp_path / "m.git"

    async def fetch():
        async with Mirror(git, path, str(origin.path)) as mirror:
            await mirror.fetch()
            return await mirror.heads()

    asyncio.run(fetch())
    sha = origin.commit({"a": b"2"})
    for lock in ("packed-refs.lock", "refs/heads/main.lock"):
        (path / lock).parent.mkdir(parents=True, exist_ok=True)
        (path / lock).touch()
    assert asyncio.run(fetch()) == {"main": sha}


def test_a_damaged_mirror_is_made_again(origin, git, tmp_path):
    """A copy with broken objects is replaced, not given up."""
    origin.commit({"a": b"1"})
    path = tmp_path / "m.git"

    async def fetch():
        async with Mirror(git, path, str(origin.path)) as mirror:
            await mirror.fetch()
            head = (await mirror.heads())["main"]
            return await mirror.objects.read(head, "a")

    assert asyncio.run(fetch()) == b"1"
    for pack in (path / "objects" / "pack").iterdir():
        pack.unlink()
    origin.commit({"a": b"2"})
    assert asyncio.run(fetch()) == b"2"


def test_an_interrupted_clone_leaves_no_half_mirror(origin, git, tmp_path):
    """What a killed clone left beside the place is thrown away."""
    sha = origin.commit({"a": b"1"})
    (tmp_path / "m.git.part").mkdir()
    (tmp_path / "m.git.part" / "HEAD").write_text("ref: refs/heads/main\n")

    async def play():
        async with Mirror(git, tmp_path / "m.git", str(origin.path)) as mirror:
            assert not await mirror.has(sha)
            await mirror.fetch()
            assert await mirror.has(sha)

    asyncio.run(play())


def test_tidying_joins_packs_and_loses_nothing(origin, with_either, monkeypatch):
    """Commits that only workspaces still need survive, and the number of packs is bounded."""
    monkeypatch.setattr("windlass.git.mirror.MOST_PACKS", 8)
    first = origin.commit({"a": b"0"})

    async def play(mirror):
        lost = origin.commit({"a": b"lost"}, branch="lost", parents=(first,))
        await mirror.fetch()
        merged = await mirror.merge(first, lost)
        origin.git("update-ref", "-d", "refs/heads/lost")
        for number in range(11):
            origin.commit({"a": b"%d" % number})
            await mirror.fetch()
        await mirror.fetch()
        packs = list((mirror.path / "objects" / "pack").glob("*.pack"))
        assert len(packs) <= 8
        assert await mirror.has(lost)
        assert await mirror.has(merged.commit)

    with_either(play)


def test_nothing_can_be_pushed_to_a_mirror(origin, with_mirror, tmp_path):
    """A step that finds the mirror cannot move its branches."""
    sha = origin.commit({"a": b"1"})

    async def play(mirror):
        return mirror.path

    done = subprocess.run(
        ["git", f"--git-dir={origin.path}", "push", str(with_mirror(play)), f"{sha}:refs/heads/x"],
        capture_output=True,
        text=True,
    )
    assert done.returncode
    assert "hidden ref" in done.stderr


def test_a_login_reaches_the_host_and_nothing_else(origin, host, tmp_path):
    """It is sent to the host, stored nowhere, and not in the error for a wrong one."""
    sha = origin.commit({"a": b"1"})
    address = host.url.replace("://", "://windlass:hunter2@")

    async def play():
        git = Git(tmp_path / "home", reach=HERE)
        async with Mirror(git, tmp_path / "m.git", f"{address}/origin.git") as mirror:
            await mirror.fetch()
            assert await mirror.heads() == {"main": sha}

        async def wrong():
            return Login("windlass", "swordfish")

        url = f"{host.url}/origin.git"
        async with Mirror(git, tmp_path / "n.git", url, login=wrong) as mirror:
            with pytest.raises(Permanent, match="check the credential") as caught:
                await mirror.fetch()
            assert "swordfish" not in str(caught.value)

    asyncio.run(play())
    stored = b"".join(f.read_bytes() for f in (tmp_path / "m.git").rglob("*") if f.is_file())
    assert b"hunter2" not in stored


def test_a_redirect_is_not_followed(origin, host, tmp_path):
    """A host cannot lead us elsewhere; the text says what to do."""
    origin.commit({"a": b"1"})
    address = host.url.replace("://", "://windlass:hunter2@")

    async def play():
        git = Git(tmp_path / "home", reach=HERE)
        async with Mirror(git, tmp_path / "m.git", f"{address}/moved/origin.git") as mirror:
            with pytest.raises(Permanent, match="use the address that it redirects to"):
                await mirror.fetch()

    asyncio.run(play())


def test_a_host_that_is_down_is_worth_another_try(tmp_path):
    """Connection refused is Transient."""

    async def play():
        git = Git(tmp_path / "home", reach=HERE)
        async with Mirror(git, tmp_path / "m.git", "http://127.0.0.1:1/a.git") as mirror:
            with pytest.raises(Transient):
                await mirror.fetch()

    asyncio.run(play())
