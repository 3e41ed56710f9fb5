"""
The server of the story: `windlass up`, a process of its own.

It runs with settings of ours alone, whatever the environment or a settings file
of this machine says, and ends when the demonstration does, however that ends.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from windlass.cli.demo.asking import Api, Web
from windlass.cli.demo.looking import Missed, NotYet, until
from windlass.cli.demo.stage import SERVER, Stage

_DEATH = 1
_TAIL = 15
_LOGIN = re.compile(r"http://\S+/login\?\S+")


@dataclass(slots=True)
class Server:
    """The server on this stage."""

    stage: Stage
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def command(self) -> list[str]:
        """What starts it, without the interpreter."""
        address = f"127.0.0.1:{self.stage.server}"
        return ["up", "--data", str(self.stage.data), "--address", address]

    def start(self) -> None:
        """Start it; it is not ready when this returns."""
        settings = self.stage.folder / "windlass.toml"
        settings.touch()
        log = os.open(self.stage.log, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "windlass", *self.command],
                cwd=self.stage.folder,
                env=_environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with(os.getpid()),  # noqa: PLW1509 - there is one thread
            )
        finally:
            os.close(log)
        note = self.stage.folder / SERVER
        note.write_text(f"{self._process.pid}\n", encoding="ascii")

    def ready(self) -> Api:
        """Wait until it can take webhooks; its API."""
        web = Web(self.stage.url("server"))
        until("the server to be ready", lambda: self._look(web))
        token = (self.stage.data / "api-token").read_text(encoding="ascii").strip()
        return Api(web, token)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it in good order."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=8)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait(self) -> int:
        """Wait until it ends; its exit code."""
        return self._process.wait() if self._process else 0

    def login(self) -> str:
        """The link that signs a browser in, once."""
        found = _LOGIN.findall(self._said())
        return found[-1] if found else self.stage.url("server") + "/"

    def tail(self) -> list[str]:
        """The last lines that it said."""
        return self._said().splitlines()[-_TAIL:]

    def _said(self) -> str:
        with suppress(OSError):
            return self.stage.log.read_text(encoding="utf-8", errors="replace")
        return ""

    def _look(self, web: Web) -> None:
        if self._process is not None and (code := self._process.poll()) is not None:
            raise Missed("the server to be ready", f"it ended with exit code {code}")
        if not (self.stage.data / "server.json").exists():
            raise NotYet("it is still starting")
        web.fetch("/readyz")


def _environment(settings: Path) -> dict[str, str]:
    """The environment of this process, without what could change how the server works."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WINDLASS_", "GIT_"))
    }
    return kept | {"WINDLASS_SETTINGS": str(settings), "WINDLASS_LOG_FORMAT": "text"}


def _end_with(parent: int) -> Callable[[], None]:
    """What the child does first: ask to be ended when we are, even by SIGKILL."""
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_DEATH, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask
