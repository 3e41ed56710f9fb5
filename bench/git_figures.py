"""
What repositories cost: a fetch, a read, changed paths, a merge, a checkout, a state commit.

    python bench/git_figures.py

5,000 files; each figure is a median, beside the plain git commands that do the same.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from table import Row, markdown

from windlass.git.checkout import checkout_commands, checkout_environment
from windlass.git.mirror import Mirror
from windlass.git.program import Git
from windlass.git.state import StateRepository
from windlass.git.statecommit import Signature

FILES = 5000
ROUNDS = 15
READ = "d7/e3/f107.txt"
WHO = "committer Ada <ada@example.org> 1700000000 +0000\ndata 6\nchange\n"


class Origin:
    """A bare repository that gets commits."""

    def __init__(self, path: Path, files: int) -> None:
        self.path = path
        self.number = 0
        plain("init", "-q", "--bare", "-b", "main", str(path))
        names = [f"d{n % 50}/e{n % 7}/f{n}.txt" for n in range(files - 1)] + [READ]
        self.commit({name: f"file {name}\n" * 40 for name in names})

    def commit(self, files: dict[str, str]) -> str:
        """One more commit on main."""
        after = "from refs/heads/main^0\n" if self.number else ""
        self.number += 1
        body = "".join(f"M 100644 inline {n}\ndata {len(c)}\n{c}\n" for n, c in files.items())
        text = (
            f"feature done\ncommit refs/heads/main\nmark :1\n{WHO}{after}{body}get-mark :1\ndone\n"
        )
        return plain(
            f"--git-dir={self.path}", "fast-import", "--quiet", "--done", given=text
        ).strip()


def plain(*args: str, given: str = "") -> str:
    """Git as one would type it."""
    done = subprocess.run(
        ["git", *args],
        input=given,
        check=True,
        capture_output=True,
        text=True,
        env=checkout_environment() | {"GIT_ALLOW_PROTOCOL": "file"},
    )
    return done.stdout


def clock(work: Callable[[], object], before: Callable[[], object]) -> float:
    """The median of the rounds, in milliseconds."""
    return statistics.median(_once(work, before) for _ in range(ROUNDS))


def _once(work: Callable[[], object], before: Callable[[], object]) -> float:
    before()
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


async def aclock(
    work: Callable[[], Awaitable[object]], before: Callable[[], object], rounds: int = ROUNDS
) -> float:
    """The same of something that is awaited."""
    found: list[float] = []
    for _ in range(rounds):
        before()
        began = time.perf_counter()
        await work()
        found.append((time.perf_counter() - began) * 1e3)
    return statistics.median(found)


def row(what: str, value: float, beside: str, reference: float, most: float | None = None) -> Row:
    """One figure in milliseconds; `most` is how many times the other it may take."""
    return Row(
        id="P-07" if most else "P-03",
        what=what,
        value=value,
        unit="ms",
        beside=beside,
        reference=reference,
        target=f"at most {most} times" if most else "",
        met=value <= most * reference if most else None,
    )


async def reading(folder: Path, origin: Origin) -> list[Row]:
    """What one event costs: fetch, read, changed paths, merge."""
    git = Git(folder / "home")
    git.allow(origin.path)
    bare = folder / "bare.git"
    plain("clone", "-q", "--mirror", str(origin.path), str(bare))

    def push() -> None:
        origin.commit({READ: f"{origin.number}\n"})

    async with Mirror(git, folder / "mirror.git", str(origin.path)) as mirror:
        await mirror.fetch()
        fetched = await aclock(lambda: mirror.fetch("main"), push)
        sha = (await mirror.heads())["main"]
        before = (await mirror.commit(sha)).parents[0]
        read = await aclock(lambda: mirror.objects.read(sha, READ), nothing, 500)
        changed = await aclock(lambda: mirror.changed(before, sha), nothing)
        merged = await aclock(lambda: mirror.merge(before, sha), nothing)
        where = f"--git-dir={mirror.path}"
        show = clock(lambda: plain(where, "cat-file", "blob", f"{sha}:{READ}"), nothing)
        diff = clock(lambda: plain(where, "diff", "--name-only", before, sha), nothing)
        tree = clock(lambda: plain(where, "merge-tree", "--write-tree", before, sha), nothing)
        fetch = clock(lambda: plain(f"--git-dir={bare}", "fetch", "-q"), push)
    return [
        row("fetch one new commit into a warm mirror", fetched, "git fetch", fetch),
        row("read a file at a commit", read, "git cat-file", show),
        row("paths changed by a commit", changed, "git diff --name-only", diff),
        row("merge of two commits, with its commit", merged, "git merge-tree alone", tree),
    ]


async def checking_out(folder: Path, origin: Origin, name: str) -> Row:
    """A workspace beside `git clone --shared` and a checkout."""
    git = Git(folder / "home")
    git.allow(origin.path)
    place = folder / "place"
    async with Mirror(git, folder / f"{name}.git", str(origin.path)) as mirror:
        await mirror.fetch()
        sha = (await mirror.heads())["main"]
        path = mirror.path

    def ours() -> None:
        for command in checkout_commands(path, sha, place):
            subprocess.run(command, check=True, env=checkout_environment())

    def theirs() -> None:
        plain("clone", "-q", "--shared", "--no-checkout", str(path), str(place))
        plain("-C", str(place), "checkout", "-q", "--detach", sha)

    def clean() -> None:
        shutil.rmtree(place, ignore_errors=True)
        # What the last round left to write is not this round's work.
        os.sync()

    mine, other = clock(ours, clean), clock(theirs, clean)
    return row(f"checkout of {name} files", mine, "git clone --shared, checkout", other, 1.5)


async def deploying(folder: Path) -> Row:
    """A durable commit of the state repository."""
    who = Signature("Ada", "ada@example.org", 1_700_000_000)
    heads: list[str | None] = [None]
    git = Git(folder / "home")
    async with StateRepository(git, folder / "state.git", folder / "work") as state:

        async def deploy() -> None:
            number = len(heads)
            files = {f"acme/dev/s{number % 20}.yaml": b"digest: %d\n" % number}
            trailers = {"Windlass-Deployment": f"d{number}"}
            heads.append(
                await state.commit(
                    files, message="Deploy", trailers=trailers, expect=heads[-1], author=who
                )
            )

        ours = await aclock(deploy, nothing)
        where = f"--git-dir={folder / 'state.git'}"
        theirs = clock(
            lambda: plain(where, "-c", "core.fsync=all", "hash-object", "-w", "--stdin", given="x"),
            nothing,
        )
    return row("a durable state commit", ours, "git hash-object -w alone", theirs)


def nothing() -> None:
    """Nothing to prepare."""


def measure() -> list[Row]:
    """All figures about repositories."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large, small = Origin(folder / "large.git", FILES), Origin(folder / "small.git", 10)
        return [
            *asyncio.run(reading(folder, large)),
            asyncio.run(checking_out(folder, large, "5,000")),
            asyncio.run(checking_out(folder, small, "10")),
            asyncio.run(deploying(folder)),
        ]


if __name__ == "__main__":
    print(markdown(measure()))
