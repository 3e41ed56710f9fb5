"""
A program at work, with its pipes as streams of the event loop.

Not `asyncio.create_subprocess_exec`: uvloop forks for it, which copies the memory
tables of the whole server and takes 10 ms where `subprocess`, which does not, takes 2.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from asyncio.streams import FlowControlMixin
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO, Self


class Child:
    """Made by `start`; `wait` for it, or it leaves a zombie and open pipes behind."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._transports: list[asyncio.BaseTransport] = []
        self.pid = process.pid
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None

    @classmethod
    async def start(  # noqa: PLR0913 - what a process has, each with a default
        cls,
        argv: Sequence[str],
        *,
        cwd: str | Path,
        env: Mapping[str, str] | None = None,
        stdin: int = DEVNULL,
        stdout: int = PIPE,
        stderr: int = PIPE,
    ) -> Self:
        """
        Start it in a session of its own; raises `OSError`.

        Without `env` it has ours. Of the three what is `PIPE` becomes a stream here.
        """

        def spawn() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                argv,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                bufsize=0,
                cwd=cwd,
                env=env,
                start_new_session=True,
            )

        child = cls(await asyncio.to_thread(spawn))
        await child._connect()
        return child

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    async def wait(self) -> int:
        """Its exit code, once it has ended; its pipes are closed then, read or not."""
        code = self._process.poll()
        if code is None:
            await _ended(self.pid)
            code = self._process.wait()
        for transport in self._transports:
            transport.close()
        return code

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        if self._process.stdin:
            pipe = Pipe(self._process.stdin, loop)
            writing, protocol = await loop.connect_write_pipe(_Flow, pipe)
            self._transports.append(writing)
            self.stdin = asyncio.StreamWriter(writing, protocol, None, loop)
        self.stdout = await self._reader(self._process.stdout)
        self.stderr = await self._reader(self._process.stderr)

    async def _reader(self, pipe: IO[bytes] | None) -> asyncio.StreamReader | None:
        if pipe is None:
            return None
        reader, loop = asyncio.StreamReader(), asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), Pipe(pipe, loop)
        )
        self._transports.append(transport)
        return reader


class Pipe:
    """
    One end of a pipe, closed once.

    uvloop closes the descriptor and then the file as well, which closes the number again:
    by then it may be what another thread has just opened, whose pipe goes silent for ever.
    """

    def __init__(self, file: IO[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._number = os.dup(file.fileno())
        file.close()
        self._ours = type(loop).__module__.partition(".")[0] != "uvloop"

    def fileno(self) -> int:
        """The descriptor."""
        return self._number

    def close(self) -> None:
        """Close it, unless the loop has done so."""
        if self._ours:
            os.close(self._number)


async def _ended(pid: int) -> None:
    """Wait for the end of a child that nobody else collects; no thread waits with us."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    watched = os.pidfd_open(pid)
    loop.add_reader(watched, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(watched)
        os.close(watched)


class _Flow(FlowControlMixin):
    """Lets a writer wait until the pipe has room, and until it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end is gone, or we have closed."""
        super().connection_lost(exc)
        if not self._closed.done():
            self._closed.set_result(None)

    def _get_close_waiter(self, _: asyncio.StreamWriter) -> asyncio.Future[None]:
        return self._closed
