"""
The folder of one place on disk: who it belongs to, what was done, what is going on.

`PATH/.windlass/state.json` says what runs, `journal.json` what is being
changed; every file is replaced as a whole and synced, so a reader finds the old
or the new one. Only what these two files name is ever removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec

from windlass.core.errors import Conflict, Permanent, Transient
from windlass.targets.directory.manifest import Manifest

T = TypeVar("T")

OURS = ".windlass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release that ran here: its folder, what it holds, and how it is started again."""

    folder: str
    digest: str
    generation: int
    after: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """
    What is known of a place.

    `seen` is the highest generation that was ever begun, and `seen_digest` what it
    wanted. `running` is the folder of the release that was last started with
    success; `releases` are all that are kept, oldest first.
    """

    place: str
    seen: int = 0
    seen_digest: str = ""
    running: str = ""
    releases: tuple[Release, ...] = ()

    def release(self, folder: str) -> Release | None:
        """The release in this folder, None when it is not one of ours."""
        return next((known for known in self.releases if known.folder == folder), None)


class Phase(StrEnum):
    """How far a change has come."""

    UNPACKING = "unpacking"
    SWITCHING = "switching"
    RETURNING = "returning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A change that is going on, or was cut off; `folders` are what it made, the newest last."""

    phase: Phase
    generation: int
    digest: str
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of one place."""

    path: Path

    @property
    def ours(self) -> Path:
        """Where Windlass keeps what it knows of the place."""
        return self.path / OURS

    @property
    def current(self) -> Path:
        """The link to the release that runs."""
        return self.path / "current"

    def release(self, folder: str) -> Path:
        """Where a release is."""
        return self.path / "releases" / folder

    def log(self, name: str) -> Path:
        """Where what a command says is kept."""
        return self.ours / f"{name}.log"

    # ------------------------------------------------------------ whose it is

    def state(self, place: str) -> State | None:
        """What is known, None when nothing was deployed here; `Conflict` when it is not ours."""
        state = _load(self.ours / "state.json", State)
        if state is None:
            self._refuse_strangers()
        elif state.place != place:
            raise Conflict(
                f"{self.path} belongs to {state.place}, so {place} cannot be deployed there",
                hint="give every service of every environment a path of its own",
            )
        return state

    def claim(self, place: str) -> State:
        """Make the folder ours, or find that it is; under the lock."""
        state = self.state(place)
        if state is None:
            state = State(place=place)
            self.save(state)
        _open_folder(self.release(""))
        for entry, right in ((self.release(""), "folder"), (self.current, "link")):
            if entry.is_symlink() is (right == "folder") and os.path.lexists(entry):
                raise Conflict(
                    f"{entry} is not the {right} that Windlass made",
                    hint="move it away, then deploy again",
                )
        return state

    def _refuse_strangers(self) -> None:
        try:
            names = {entry.name for entry in self.path.iterdir()} - {OURS}
            if self.ours.is_dir() and not self.ours.is_symlink():
                names |= {entry.name for entry in self.ours.iterdir()} - {"lock", "state.json.new"}
            elif os.path.lexists(self.ours):
                names.add(OURS)
        except FileNotFoundError:
            return
        except NotADirectoryError:
            raise Conflict(f"{self.path} is not a folder") from None
        if names:
            raise Conflict(
                f"{self.path} holds files that Windlass did not make: {_some(names)}",
                hint="give the target an empty folder, or one that does not exist yet",
            )

    @contextmanager
    def locked(self, place: str) -> Iterator[None]:
        """Hold the place; `Transient` when another deployment does."""
        self.state(place)
        _open_folder(self.path)
        self.ours.mkdir(mode=0o700, exist_ok=True)
        file = os.open(self.ours / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._hold(file)
            yield
        finally:
            os.close(file)

    def _hold(self, file: int) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            here = (self.ours / "lock").stat()
        except (BlockingIOError, FileNotFoundError):
            here = None
        # A lock file that was removed in the meantime is held by nobody else, and protects nothing.
        if here is None or not os.path.samestat(here, os.fstat(file)):
            raise Transient(f"another deployment to {self.path} is going on", retry_after=5.0)

    # ------------------------------------------------------------ what is known

    def save(self, state: State) -> None:
        """Replace what is known."""
        _store(self.ours / "state.json", state)

    def journal(self) -> Journal | None:
        """The change that is going on or was cut off."""
        return _load(self.ours / "journal.json", Journal)

    def note(self, journal: Journal) -> None:
        """Say what is being changed, before it is."""
        _store(self.ours / "journal.json", journal)

    def close_journal(self) -> None:
        """The change has come to an end, good or bad."""
        (self.ours / "journal.json").unlink(missing_ok=True)
        _sync(self.ours)

    def manifest(self, folder: str) -> Manifest | None:
        """What a release consists of."""
        return _load(self.ours / f"{folder}.manifest.json", Manifest)

    def describe(self, folder: str, manifest: Manifest) -> None:
        """Keep what a release consists of."""
        _store(self.ours / f"{folder}.manifest.json", manifest)

    # ------------------------------------------------------------ the link and the releases

    def linked(self) -> str:
        """The folder that `current` leads to, empty when to none of ours."""
        try:
            to = self.current.readlink()
        except OSError:
            return ""
        return to.name if to.parent == Path("releases") else ""

    def switch(self, folder: str) -> None:
        """Make `current` lead to this release, in one step; to none when empty."""
        if folder:
            new = self.path / ".current.new"
            new.unlink(missing_ok=True)
            new.symlink_to(Path("releases") / folder)
            new.rename(self.current)
        else:
            self.current.unlink(missing_ok=True)
        _sync(self.path)

    def free_name(self, digest: str, generation: int) -> str:
        """A name for a new release that no release has."""
        short = digest.rpartition(":")[2][:12]
        name = first = f"{short}-{generation}"
        number = 1
        while os.path.lexists(self.release(name)):
            number += 1
            name = f"{first}-{number}"
        return name

    def discard(self, folder: str) -> bool:
        """Remove a release; false when the service made something in it that cannot be removed."""
        shutil.rmtree(self.release(folder), ignore_errors=True)
        (self.ours / f"{folder}.manifest.json").unlink(missing_ok=True)
        return not os.path.lexists(self.release(folder))

    def leave(self, passing: Callable[[str], None]) -> None:
        """Give the folder back; what is not ours stays."""
        (self.path / ".current.new").unlink(missing_ok=True)
        rest = {entry.name for entry in self.ours.iterdir()} - {"state.json", "lock"}
        for name in sorted(rest):
            passing("leaving")
            (self.ours / name).unlink(missing_ok=True)
        # What is in there now is somebody else's.
        with suppress(OSError):
            self.release("").rmdir()
        # state.json goes when nothing else is left, so that a removal cut off can be repeated.
        for name in ("state.json", "lock"):
            passing("leaving")
            (self.ours / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.ours.rmdir()
            self.path.rmdir()


def _open_folder(path: Path) -> None:
    """Make a folder that everybody may read, whatever the umask is."""
    if not os.path.lexists(path):
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o755)


def _load(path: Path, shape: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=shape)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Permanent(
            f"{path} cannot be read ({error}); if nobody can mend it, move {path.parent.parent} "
            "away and deploy again"
        ) from error


def _store(path: Path, value: object) -> None:
    new = path.with_name(path.name + ".new")
    with open(new, "wb", opener=_private) as file:  # Path.open knows no opener
        file.write(msgspec.json.encode(value))
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    _sync(path.parent)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    """Make renames in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _some(names: set[str]) -> str:
    shown = sorted(map(ascii, names))[:3]
    return ", ".join(shown) + (" ..." if len(names) > len(shown) else "")
