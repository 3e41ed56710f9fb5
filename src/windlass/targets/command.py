"""
The commands of a target, such as `after: ./restart.sh`.

A command may leave a service behind that runs on for months. So it gets a
session of its own, and writes to a file and never to a pipe of ours: a pipe
would keep us waiting for the service, and end the service when we close it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from windlass.child import Child

TAIL = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A script for `sh`, where it runs, with which variables, and the file for what it says."""

    script: str
    folder: Path
    env: Mapping[str, str]
    log: Path
    timeout: float


async def run(command: Command) -> str:
    """Run it to its end; empty when it exited 0, else what happened and the tail of its output."""
    # A service that an earlier command left behind goes on writing to the file it was given.
    command.log.unlink(missing_ok=True)
    output = os.open(command.log, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return await _run(command, output)
    except (OSError, ValueError) as error:
        return f"`{command.script}` cannot be started: {error}"
    finally:
        os.close(output)


async def _run(command: Command, output: int) -> str:
    process = await Child.start(
        ("sh", "-c", command.script),
        cwd=command.folder,
        env=command.env,
        stdout=output,
        stderr=output,
    )
    try:
        async with asyncio.timeout(command.timeout):
            code = await process.wait()
    except TimeoutError:
        await _end(process)
        return f"`{command.script}` ran longer than {command.timeout:g} s{_tail(output)}"
    except asyncio.CancelledError:
        await _end(process)
        raise
    if code == 0:
        return ""
    how = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
    return f"`{command.script}` {how}{_tail(output)}"


async def _end(process: Child) -> None:
    """End the command and what it started in its session's group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _tail(output: int) -> str:
    """The last lines of a command's output, as text that can be shown."""
    start = max(0, os.fstat(output).st_size - TAIL)
    text = os.pread(output, TAIL, start).decode(errors="replace")
    shown = "".join(letter for letter in text if letter in "\n\t" or letter.isprintable()).strip()
    return f"; its last output:\n{shown}" if shown else "; it said nothing"
