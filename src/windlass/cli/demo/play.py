"""
The demonstration as a whole: a stage, the story on it, and what stays up afterwards.

Whatever happens, nothing keeps running: the server ends with this process, and
the shops are ended by it, or by the next demonstration in the same folder.
"""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from windlass.cli.demo.developer import Developer
from windlass.cli.demo.looking import Missed, NotYet
from windlass.cli.demo.server import Server
from windlass.cli.demo.stage import played_before, remove, stage
from windlass.cli.demo.story import Story
from windlass.cli.demo.telling import Teller
from windlass.cli.demo.watching import NAME
from windlass.cli.exits import Exit

FOLDER = "windlass-demo"
ENDING = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What is wanted: where (None: a folder of its own), `once` or until Ctrl-C, and
    with `kill` the server is killed in the middle of the second beat.
    """

    folder: Path | None = None
    once: bool = False
    kill: bool = False


def play(wish: Wish) -> int:
    """Tell the story; 0 only when every beat was verified."""
    teller = Teller(sys.stdout)
    own = wish.folder is None and wish.once
    folder = _folder(wish)
    teller.heading("Windlass: from a push to production, on this machine")
    if played_before(folder):
        teller.say("This folder holds an earlier demonstration, which is thrown away.")
    good = True
    try:
        with _ended_by_signals(), stage(folder) as place:
            teller.pairs([("everything is in", str(folder)), ("the server says", str(place.log))])
            story = Story(place, Server(place), Developer(place), teller, kill=wish.kill)
            try:
                good = _tell(story)
                if good and not wish.once:
                    return _stay(story)
            finally:
                story.server.stop()
    finally:
        # What failed is kept, to be looked at.
        if own and good:
            with suppress(OSError):
                remove(folder)
    return Exit.OK if good else Exit.ERROR


def _folder(wish: Wish) -> Path:
    if wish.folder is not None:
        return wish.folder.absolute()
    if wish.once:
        return Path(tempfile.mkdtemp(prefix=f"{FOLDER}-")).resolve()
    return Path.cwd() / FOLDER


def _tell(story: Story) -> bool:
    """Every beat in order, until one fails."""
    for beat in story.beats():
        try:
            beat()
        except (Missed, NotYet) as error:
            _failed(story, error)
            return False
    story.teller.heading("Every beat was verified by fetching what the environments serve")
    story.teller.summary()
    return True


def _failed(story: Story, error: Missed | NotYet) -> None:
    expected = error.expected if isinstance(error, Missed) else "an answer"
    found = error.found if isinstance(error, Missed) else str(error)
    story.teller.fail(
        [
            *_below("expected", expected),
            *_below("found", found),
            *_below("log", str(story.stage.log)),
            "its last lines:",
            *(f"  | {line}" for line in story.server.tail()),
        ]
    )


def _below(name: str, text: str) -> list[str]:
    """A name and a text that may have several lines, aligned."""
    first, *rest = text.splitlines() or [""]
    return [f"{name:10}{first}", *(f"{'':10}{line}" for line in rest)]


def _stay(story: Story) -> int:
    """Stay up for the browser until Ctrl-C."""
    tell, place = story.teller, story.stage
    tell.heading("It stays up")
    tell.pairs(
        [
            ("dashboard", place.url("server")),
            ("sign in (once)", story.server.login()),
            ("dev", place.url("dev")),
            ("production", place.url("production")),
        ]
    )
    tell.heading("Try next, in another terminal")
    tell.typed(f"export WINDLASS_DATA={shlex.quote(str(place.data))}")
    programs = str(Path(sys.executable).parent)
    if shutil.which("windlass") != f"{programs}/windlass":
        tell.typed(f'export PATH={shlex.quote(programs)}:"$PATH"')
    for command in (
        "windlass environments list",
        f"windlass unpin {NAME} production",
        f"windlass pr show {NAME} 1",
        f"windlass explain {story.pushed}",
        f"cd {shlex.quote(str(place.work))} && git switch --create FB2",
        "git push origin FB2   # when you have changed something and committed it",
    ):
        tell.typed(command)
    try:
        tell.heading("Ctrl-C ends the server and both shops; the folder stays.")
        code = story.server.wait()
    except KeyboardInterrupt:
        tell.heading("Ended.")
        return Exit.OK
    tell.fail([f"the server ended by itself with exit code {code}", *story.server.tail()])
    return Exit.ERROR


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let other signals that end a program clean up as Ctrl-C does."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in ENDING}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
