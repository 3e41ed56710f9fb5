"""
A shell so small that it fits into a fake: enough for the scripts of tests.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path

KILLED = 137
_VARIABLE = re.compile(r"\$(\w+|\$)")


class Script:
    """Runs one script in a folder; what it prints stands in `printed` as (stream, line)."""

    def __init__(
        self, folder: Path, variables: Mapping[str, str], stopped: Callable[[], bool]
    ) -> None:
        self._folder = folder
        self._variables = variables
        self._stopped = stopped
        self.printed: list[tuple[str, str]] = []

    async def run(self, text: str) -> int:
        """Its exit code."""
        for line in re.split(r"[\n;]", text):
            words = shlex.split(line, comments=True)
            if not words:
                continue
            if words[0] == "exit":
                return int(words[1]) if len(words) > 1 else 0
            if words[0] == "kill":
                return 128 + int(words[1].lstrip("-"))
            code = await self._command([_VARIABLE.sub(self._value, word) for word in words])
            if code:
                return code
        return 0

    def _value(self, found: re.Match[str]) -> str:
        return self._variables.get(found[1], "")

    async def _command(self, words: list[str]) -> int:
        match words:
            case ["false", *_]:
                return 1
            case ["sleep", seconds, *_]:
                return await self._sleep(float(seconds))
            case ["mkdir", *names]:
                for name in names:
                    if not name.startswith("-"):
                        (self._folder / name).mkdir(parents=True, exist_ok=True)
            case ["echo", *said, ">&2"]:
                self.printed.append(("e", " ".join(said)))
            case ["echo", *said, (">" | ">>") as how, name]:
                mode = "a" if how == ">>" else "w"
                with (self._folder / name).open(mode, encoding="utf-8") as file:
                    file.write(" ".join(said) + "\n")
            case ["echo", *said]:
                self.printed.append(("o", " ".join(said)))
            case _:
                pass
        return 0

    async def _sleep(self, seconds: float) -> int:
        """As long as that, or until the job is stopped."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._stopped():
                return KILLED
            await asyncio.sleep(0.002)
        return 0
