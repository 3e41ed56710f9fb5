"""What logs as files promise beyond the contract of all logs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from windlass.core.errors import Permanent, Transient
from windlass.logs import growth, local
from windlass.logs.local import LocalLogs


@pytest.fixture
def logs(tmp_path):
    """Logs in the test's folder."""
    return LocalLogs(tmp_path / "logs")


def _open_files():
    """How many descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def everything(logs, key, offset=0):
    """The whole log, once it is closed."""
    return b"".join([part.data async for part in logs.follow(key, offset)])


def test_many_viewers_share_one_read(logs, monkeypatch):
    """Five hundred that keep up with each other cost as many reads as one."""
    reads = []
    real = local._read
    monkeypatch.setattr(local, "_read", lambda *words: reads.append(1) or real(*words))

    async def work(viewers):
        reads.clear()
        key = f"log{viewers}"
        tasks = [asyncio.create_task(everything(logs, key)) for _ in range(viewers)]
        await asyncio.sleep(0)
        for number in range(20):
            logs.append(key, b"%d 0 o text\n" % number * 1000)
            await asyncio.sleep(0.03)
        logs.close(key)
        whole = logs.read(key, 0, 1 << 30).data
        assert set(await asyncio.gather(*tasks)) == {whole}
        return len(reads)

    one = asyncio.run(work(1))
    # Each viewer looks once at what is there and once at the end; parts are read once for all.
    assert asyncio.run(work(500)) < one + 30 * 500


def test_what_another_program_writes_is_followed(logs):
    """A runner appends to the file itself, half lines and all; only whole lines are given out."""
    program = (
        "import sys,time\n"
        "with open(sys.argv[1],'ab',buffering=0) as f:\n"
        "  for n in range(300): f.write(b'1 0 o fir'); f.write(b'st %d\\n' % n)\n"
    )

    async def work():
        reader = asyncio.create_task(everything(logs, "a/b"))
        await asyncio.sleep(0)
        argv = [sys.executable, "-c", program, str(logs.path("a/b"))]
        await asyncio.to_thread(subprocess.run, argv, check=True)
        logs.close("a/b")
        return await reader

    assert asyncio.run(work()) == b"".join(b"1 0 o first %d\n" % n for n in range(300))


def test_followers_do_without_the_kernels_help(logs, monkeypatch):
    """Where no watch is to be had, they look by themselves."""
    monkeypatch.setattr(growth._libc, "inotify_init1", lambda _: -1)
    monkeypatch.setattr(growth._libc, "inotify_add_watch", lambda *_: -1)

    async def work():
        reader = asyncio.create_task(everything(logs, "a"))
        await asyncio.sleep(0)
        logs.append("a", b"1 0 o x\n")
        logs.close("a")
        return await reader

    assert asyncio.run(work()) == b"1 0 o x\n"


def test_a_follower_that_leaves_takes_its_watch_along(logs):
    """Nothing stays open when nobody follows."""

    async def work():
        before = _open_files()
        logs.append("a", b"1 0 o x\n")
        parts = logs.follow("a")
        await anext(parts)
        assert _open_files() > before
        await parts.aclose()
        assert _open_files() == before
        assert not logs._growths

    asyncio.run(work())


def test_an_append_after_half_a_line_begins_a_new_one(logs):
    """A killed runner may leave half a line; what comes after it is whole."""
    logs.path("a").write_bytes(b"1 0 o half")
    assert logs.read("a").data == b""
    logs.append("a", b"2 0 w end\n")
    assert logs.read("a").data.splitlines() == [b"1 0 o half", b"2 0 w end"]


def test_a_closed_log_is_closed_for_the_next_server(logs, tmp_path):
    """The mark is a file."""
    logs.append("a", b"1 0 o x\n")
    logs.close("a")
    assert asyncio.run(everything(LocalLogs(tmp_path / "logs"), "a")) == b"1 0 o x\n"


def test_trouble_is_told_in_our_own_errors(logs):
    """A full disk may have room later; a folder in the place of a file will not go away."""
    logs.path("full").symlink_to("/dev/full")
    with pytest.raises(Transient):
        logs.append("full", b"1 0 o x\n")
    logs.path("folder").mkdir()
    with pytest.raises(Permanent):
        logs.append("folder", b"1 0 o x\n")
