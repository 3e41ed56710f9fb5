"""
An apply that is killed, at every point at which it matters.

A process applies and kills itself at point number N; then this one looks, and
applies again.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from windlass.core.errors import Permanent, Transient
from windlass.ports.target import Desired
from windlass.targets.directory import DirectoryTarget

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
import msgspec
from windlass.ports.target import Desired
from windlass.targets.directory import DirectoryTarget

left = int(sys.argv[2])

def passing(point):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

desired = msgspec.convert(msgspec.json.decode(sys.argv[1]), Desired, dec_hook=lambda t, v: t(v))
asyncio.run(getattr(DirectoryTarget.make(os.environ, passing=passing), sys.argv[3])(desired))
"""

# What is passed by an apply that succeeds, and by one whose `after` fails.
GOOD = ["journalled", "unpacked", "switching", "switched", "started", "healthy"]
GOOD += ["settled", "recorded", "closed", "pruned"]
BAD = [*GOOD[:4], "returning", "returned"]


def killed_at(number: int, wanted: Desired, ask: str = "apply") -> None:
    """Ask in a process of its own that kills itself at its point `number`."""
    words = [sys.executable, "-c", KILLED, msgspec.json.encode(wanted, enc_hook=str), str(number)]
    done = subprocess.run([*words, ask], capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def observe(target: DirectoryTarget, wanted: Desired):
    return asyncio.run(target.observe(wanted))


@pytest.fixture
def points():
    """A target that tells where it passes, and where it passed."""
    passed: list[str] = []
    return DirectoryTarget.make(os.environ, passing=passed.append), passed


def test_the_points_are_those_that_are_tried(points, wanted):
    """Nobody adds a point that the tests below do not kill at."""
    target, passed = points
    asyncio.run(target.apply(wanted(1)))
    assert passed == GOOD
    passed.clear()
    with pytest.raises(Permanent):
        asyncio.run(target.apply(wanted(2, "two", after="false")))
    assert passed == BAD


@pytest.mark.parametrize("point", GOOD)
def test_a_killed_apply_is_old_new_or_unknown(target, wanted, srv, point):
    """Before the switch it is the old, after the record the new, and between them unknown."""
    old, new = wanted(1), wanted(2, "two")
    asyncio.run(target.apply(old))
    number = GOOD.index(point)
    killed_at(number + 1, new)
    seen = observe(target, new)
    switching, recorded = GOOD.index("switching"), GOOD.index("recorded")
    assert seen.unknown is (switching <= number < recorded)
    assert seen.digest == (old if number < recorded else new).digest
    asyncio.run(target.apply(new))
    _clean(target, new, srv)


@pytest.mark.parametrize("point", GOOD)
def test_a_killed_apply_gives_way_to_a_later_one(target, wanted, srv, point):
    """After any kill a higher generation is deployed, and nothing of the killed one is left."""
    asyncio.run(target.apply(wanted(1)))
    killed_at(GOOD.index(point) + 1, wanted(2, "two"))
    later = wanted(3, "three")
    asyncio.run(target.apply(later))
    _clean(target, later, srv)


@pytest.mark.parametrize("point", BAD)
def test_a_killed_return_is_old_or_unknown(target, wanted, srv, point):
    """An apply that fails and is killed on its way back is never taken for a success."""
    old, new = wanted(1), wanted(2, "two", after="false")
    asyncio.run(target.apply(old))
    killed_at(BAD.index(point) + 1, new)
    seen = observe(target, new)
    assert seen.digest == old.digest
    assert seen.unknown is (BAD.index(point) >= BAD.index("switching"))
    with pytest.raises(Permanent):
        asyncio.run(target.apply(new))
    _clean(target, old, srv)


@pytest.mark.parametrize("again", GOOD)
def test_a_second_kill_does_not_make_the_first_forgotten(target, wanted, srv, again):
    """What was unknown stays so until an apply has come to its end."""
    asyncio.run(target.apply(wanted(1)))
    new = wanted(2, "two")
    killed_at(GOOD.index("started") + 1, new)
    killed_at(GOOD.index(again) + 1, new)
    seen = observe(target, new)
    assert seen.unknown is (GOOD.index(again) < GOOD.index("recorded"))
    asyncio.run(target.apply(new))
    _clean(target, new, srv)


def test_a_bad_package_does_not_make_a_kill_forgotten(target, wanted, srv):
    """An apply that ends before its switch leaves what was unknown unknown."""
    asyncio.run(target.apply(wanted(1)))
    new = wanted(2, "two")
    killed_at(GOOD.index("switched") + 1, new)
    with pytest.raises(Permanent):
        asyncio.run(target.apply(replace(new, package=wanted(1).package)))
    assert observe(target, new).unknown
    asyncio.run(target.apply(new))
    _clean(target, new, srv)


@pytest.mark.parametrize("number", range(1, 6))
def test_a_killed_removal_can_be_repeated(target, wanted, srv, number):
    """A removal that was cut off shows nothing that runs, and ends when it is asked for again."""
    one = wanted(1, after="true")
    asyncio.run(target.apply(one))
    killed_at(number, one, "remove")
    assert observe(target, one).digest == ""
    asyncio.run(target.apply(wanted(2, "two")) if number == 5 else target.remove(one))
    assert srv.exists() is (number == 5)


def test_a_cancelled_apply_holds_the_place_while_it_writes(target, wanted):
    """The lock is given back when nothing writes any more, and not before."""
    reached, let = threading.Event(), threading.Event()

    def passing(point):
        if point == "unpacked":
            reached.set()
            let.wait()

    async def go():
        slow = DirectoryTarget.make(os.environ, passing=passing)
        applying = asyncio.create_task(slow.apply(wanted(1)))
        await asyncio.to_thread(reached.wait)
        applying.cancel()
        await asyncio.wait([applying], timeout=0.05)
        try:
            with pytest.raises(Transient):
                await target.apply(wanted(2, "two"))
        finally:
            let.set()
        with pytest.raises(asyncio.CancelledError):
            await applying
        await target.apply(wanted(2, "two"))

    asyncio.run(go())


def test_what_a_killed_server_started_does_not_hold_the_lock(target, wanted, tmp_path):
    """A service that `after` left behind must not keep the next deployment waiting."""
    os.mkfifo(tmp_path / "gate")
    after = f"read line < {tmp_path}/gate &"
    asyncio.run(target.apply(wanted(1)))
    killed_at(GOOD.index("started") + 1, wanted(2, "two", after=after))
    asyncio.run(target.apply(wanted(3, "three")))
    (tmp_path / "gate").write_text("go\n")


def _clean(target: DirectoryTarget, wanted: Desired, srv: Path) -> None:
    """It runs, it is whole, and on disk is nothing but what is recorded."""
    seen = observe(target, wanted)
    assert (seen.digest, seen.intact, seen.unknown) == (wanted.digest, True, False), seen.detail
    state = json.loads((srv / ".windlass/state.json").read_bytes())
    recorded = {release["folder"] for release in state["releases"]}
    assert {path.name for path in (srv / "releases").iterdir()} == recorded
    assert not (srv / ".windlass/journal.json").exists()
