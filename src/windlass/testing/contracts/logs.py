"""
What every log store does.

Subclass `LogsContract` and give it the fixture `logs`. `logs` must be made inside
`tmp_path` when it writes files, for the contract looks whether any lie elsewhere.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from windlass.core.errors import Bug, Conflict
from windlass.ports.executor import LogPart, Logs

LINES = [f"{n} 0 o line {n}\n".encode() for n in range(200)]
STRANGE = [
    "../../up",
    "/etc/passwd",
    "a/../../b",
    ".",
    "",
    "a//b",
    "x" * 400,
    "a b\n",
    "ü",
    "a.log",
]


class LogsContract:
    """Promises of the port `Logs`."""

    @pytest.fixture
    def logs(self, tmp_path: Path) -> Logs:
        """The store under test."""
        raise NotImplementedError

    def test_what_was_appended_is_read(self, logs: Logs) -> None:
        """Whole, in order, and with the offset of its end."""
        for line in LINES:
            logs.append("7/test", line)
        whole = b"".join(LINES)
        assert logs.read("7/test") == LogPart(whole, len(whole))

    def test_offsets_are_exact(self, logs: Logs) -> None:
        """Read in parts of any size, from each part's `next` on, nothing is missing or twice."""
        whole = b"".join(LINES)
        logs.append("7/test", whole)
        for limit in (1, 7, 64, 1000, 1 << 20):
            seen, offset = b"", 0
            while (part := logs.read("7/test", offset, limit)).data:
                assert part.data.endswith(b"\n")
                assert part.next == offset + len(part.data)
                seen, offset = seen + part.data, part.next
            assert (seen, offset) == (whole, len(whole))

    def test_a_log_that_is_not_there_is_empty(self, logs: Logs) -> None:
        """And one read at its end too, with the offset unchanged."""
        assert logs.read("none", 12) == LogPart(b"", 12)
        logs.append("7/test", LINES[0])
        assert logs.read("7/test", len(LINES[0])) == LogPart(b"", len(LINES[0]))

    def test_half_a_line_is_not_appended(self, logs: Logs) -> None:
        """It is a fault of ours."""
        with pytest.raises(Bug):
            logs.append("7/test", b"1 0 o half")

    def test_following_sees_everything(self, logs: Logs) -> None:
        """What was there, what comes, until the log is closed; from any offset."""

        async def follow(offset: int) -> bytes:
            return b"".join([part.data async for part in logs.follow("7/test", offset)])

        async def work() -> list[bytes]:
            logs.append("7/test", LINES[0])
            readers = [asyncio.create_task(follow(offset)) for offset in [0] * 20 + [len(LINES[0])]]
            for line in LINES[1:]:
                await asyncio.sleep(0)
                logs.append("7/test", line)
            logs.close("7/test")
            return await asyncio.wait_for(asyncio.gather(*readers), 60)

        *whole, rest = asyncio.run(work())
        assert set(whole) == {b"".join(LINES)}
        assert rest == b"".join(LINES[1:])

    def test_following_wakes_for_what_comes(self, logs: Logs) -> None:
        """A follower that has seen everything gets the next line when it comes."""

        async def work() -> list[LogPart]:
            parts = logs.follow("7/test")
            seen = []
            for line in LINES[:3]:
                coming = asyncio.ensure_future(anext(aiter(parts)))
                await asyncio.sleep(0.01)
                logs.append("7/test", line)
                seen.append(await asyncio.wait_for(coming, 60))
            return seen

        assert [part.data for part in asyncio.run(work())] == LINES[:3]

    def test_a_closed_log_stays_closed(self, logs: Logs) -> None:
        """It takes no more, followers end, and closing twice is closing once."""
        logs.append("7/test", LINES[0])
        logs.close("7/test")
        logs.close("7/test")
        with pytest.raises(Conflict):
            logs.append("7/test", LINES[1])

        async def work() -> list[LogPart]:
            return [part async for part in logs.follow("7/test")]

        assert [part.data for part in asyncio.run(asyncio.wait_for(work(), 60))] == [LINES[0]]

    def test_keys_share_nothing(self, logs: Logs) -> None:
        """Neither a key that contains another, nor one that looks like a file of another."""
        keys = ["a", "a/b", "a.log", "a.closed", "a%2Elog", "A", *STRANGE]
        for number, key in enumerate(keys):
            logs.append(key, f"1 0 o {number}\n".encode())
        for number, key in enumerate(keys[:-1]):
            assert logs.read(key).data.startswith(f"1 0 o {number}\n".encode())

    @pytest.mark.parametrize("key", STRANGE)
    def test_no_key_leads_out(self, logs: Logs, tmp_path: Path, key: str) -> None:
        """Every key is a log of its own inside the store."""
        before = set(tmp_path.parent.iterdir())
        logs.append(key, LINES[0])
        assert logs.read(key).data == LINES[0]
        assert set(tmp_path.parent.iterdir()) == before
