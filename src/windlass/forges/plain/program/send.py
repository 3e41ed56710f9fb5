"""
The sender: posts the outbox in order until it is empty or a minute has passed.

One at a time per repository. A webhook is removed when it was taken, laid aside
when it was refused for good, and stays otherwise; whoever kills the sender loses
nothing, since the next one begins where the files say.
"""

from __future__ import annotations

import os
import time

from windlass.forges.plain.program import spool
from windlass.forges.plain.program.compose import compose, refuse
from windlass.forges.plain.program.folder import Busy, Folder
from windlass.forges.plain.program.post import Answer, Endpoint, NoAnswer
from windlass.forges.plain.program.signing import headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.forges.plain.program.git import Git

PATIENCE = 60.0
FIRST, LONGEST = 0.2, 8.0
LOOK = 0.2


def send(folder: Folder, git: Git) -> None:
    """Send what waits; returns at once when another sender is at work."""
    while True:
        try:
            with folder.sending():
                emptied = _Sender(folder, git).work()
        except Busy:
            return
        except OSError as error:
            _complain(folder, error)
            return
        # What was spooled after our last look found us still holding the lock, and left it to us.
        if not emptied or not (spool.waiting(folder) or outbox(folder)):
            return


def _complain(folder: Folder, error: OSError) -> None:
    try:
        folder.write(folder.path("trouble"), str(error).encode("utf-8", "replace"))
    except OSError:
        pass


def outbox(folder: Folder) -> list[str]:
    """The paths of webhooks to send, oldest first."""
    names = (name for name in os.listdir(folder.path("outbox")) if not name.startswith("."))
    return [folder.path("outbox", name) for name in sorted(names)]


def identity(path: str) -> str:
    """The id of a webhook in the outbox."""
    return os.path.basename(path).split("-")[2].split(".")[0]


class _Sender:
    """One run of the sender, with its patience."""

    def __init__(self, folder: Folder, git: Git) -> None:
        self.folder = folder
        self.git = git
        self.endpoint = Endpoint(folder.settings())
        with open(folder.path("secret"), "rb") as file:
            self.secret = file.read()
        self.until = time.monotonic() + PATIENCE
        self.pause = FIRST

    def work(self) -> bool:
        """Send until nothing waits (True) or patience ends (False)."""
        while time.monotonic() < self.until:
            if spool.waiting(self.folder):
                with self.folder.state():
                    if compose(self.folder, self.git):
                        self.until = time.monotonic() + PATIENCE
            paths = outbox(self.folder)
            if not paths:
                self.folder.drop(self.folder.path("trouble"))
                return True
            for path in paths:
                wait = self._deliver(path)
                if wait is not None:
                    self._rest(wait)
                    break
        return False

    def _deliver(self, path: str) -> float | None:
        """Post one webhook; the seconds to wait when it has to stay."""
        with open(path, "rb") as file:
            body = file.read()
        signed = headers(self.secret, identity(path), time.time(), body)
        try:
            answer = self.endpoint.post(signed, body)
        except NoAnswer as error:
            return self._stays(str(error), None)
        if answer.taken:
            self.folder.drop(path)
            self.pause = FIRST
            return None
        if answer.final:
            refuse(self.folder, path, _told(answer))
            return None
        return self._stays(_told(answer), answer.retry_after)

    def _stays(self, why: str, retry_after: float | None) -> float:
        self.folder.write(self.folder.path("trouble"), why.encode("utf-8", "replace"))
        wait, self.pause = self.pause, min(self.pause * 2, LONGEST)
        return wait if retry_after is None else max(wait, retry_after)

    def _rest(self, seconds: float) -> None:
        """Wait; something new in the spool is a reason to try again at once."""
        until = min(time.monotonic() + seconds, self.until)
        while time.monotonic() < until and not spool.waiting(self.folder):
            time.sleep(LOOK)


def _told(answer: Answer) -> str:
    return f"answered {answer.status}: {answer.text}"
