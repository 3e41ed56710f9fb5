"""
Where settings are looked for: flags, variables, files named by variables, `windlass.toml`.

`windlass.toml` is never looked for in the current folder: there it may belong
to a checkout of somebody else's repository, who could then choose the server
that the token is sent to.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from windlass.settings.table import TABLE, Known

NAMES = tuple(setting.name for setting in TABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What the defaults depend on; `home` is None for a user without one."""

    home: Path | None
    folder: Path
    cores: int
    python: Path

    @classmethod
    def here(cls) -> Host:
        """This machine and this process."""
        try:
            home = Path.home()
        except RuntimeError:
            home = None
        return cls(
            home=home,
            folder=Path.cwd(),
            cores=len(os.sched_getaffinity(0)),
            python=Path(sys.executable),
        )


class Found(NamedTuple):
    """The text of a setting, where it stands, and the folder in which relative paths begin."""

    text: str
    origin: str
    folder: Path


@dataclass(slots=True, kw_only=True)
class Sources:
    """All places in order; `faults` gathers what is wrong with any of them."""

    flags: Mapping[str, str]
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    file: Path | None
    faults: list[str] = field(default_factory=list)
    content: Mapping[str, object] = field(default_factory=dict, repr=False)
    rows: tuple[str, ...] = field(default=(), repr=False)

    def open(self) -> None:
        """Read `windlass.toml`, and find what is unknown in it and among the flags."""
        for name in sorted(self.flags.keys() - set(NAMES)):
            self.faults.append(f"--{name}: there is no such setting{_meant(name, NAMES)}")
        if self.file is None:
            return
        try:
            text = self.file.read_text(encoding="utf-8")
            self.content = tomllib.loads(text)
            self.rows = tuple(text.splitlines())
        except OSError as error:
            self.faults.append(f"{self.file}: {error.strerror}")
        except UnicodeDecodeError:
            self.faults.append(f"{self.file}: this is not UTF-8 text")
        except tomllib.TOMLDecodeError as error:
            self.faults.append(f"{self.file}: {error}")
        for name in self.content:
            if name not in NAMES:
                self.faults.append(
                    f"{self._place(name)}: there is no setting {name!r}{_meant(name, NAMES)}"
                )

    def find(self, setting: Known) -> Found | None:
        """The first text that there is for a setting; a variable that is empty does not count."""
        if (text := self.flags.get(setting.name)) is not None:
            if setting.secret:
                self.faults.append(
                    f"--{setting.name}: others can read a command line; use {setting.variable}_FILE"
                )
            return Found(text, setting.flag, self.folder)
        if text := self.environ.get(setting.variable, ""):
            return Found(text, setting.variable, self.folder)
        if path := self.environ.get(f"{setting.variable}_FILE", ""):
            return self._named(f"{setting.variable}_FILE", path)
        return self._written(setting) if setting.name in self.content else None

    def _named(self, variable: str, path: str) -> Found | None:
        """The text of a file that a variable names, without the line end that editors add."""
        try:
            text = Path(self.folder, path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self.faults.append(f"{variable}: {path} cannot be read: {reason}")
            return None
        text = text.removesuffix("\n").removesuffix("\r")
        return Found(text, f"{variable} ({path})", self.folder)

    def _written(self, setting: Known) -> Found | None:
        """The text in `windlass.toml`; a number may stand there without quotes."""
        value, place = self.content[setting.name], self._place(setting.name)
        if self.file is None or isinstance(value, bool) or not isinstance(value, str | int):
            self.faults.append(f"{place}: {setting.name} is neither text nor a whole number")
            return None
        if setting.secret and stat.S_IMODE(self.file.stat().st_mode) & 0o077:
            self.faults.append(
                f"{place}: others can read this file; type `chmod 600 {self.file}`, "
                f"or use {setting.variable}_FILE"
            )
        return Found(str(value), place, self.file.parent)

    def _place(self, name: str) -> str:
        """FILE:LINE of a key; TOML readers do not tell lines, so the text is searched."""
        key = re.compile(rf"\s*\[*\s*[\"']?{re.escape(name)}[\"']?\s*[=.\]]")
        row = next((count for count, row in enumerate(self.rows, 1) if key.match(row)), None)
        return f"{self.file}:{row}" if row else str(self.file)


def settings_file(explicit: str, environ: Mapping[str, str], host: Host) -> Path | None:
    """The `windlass.toml` that counts: the named one, the user's, the machine's, or none."""
    if named := explicit or environ.get("WINDLASS_SETTINGS", ""):
        return host.folder / named
    below = environ.get("XDG_CONFIG_HOME", "")
    homes = [Path(below)] if below.startswith("/") else [host.home / ".config"] if host.home else []
    places = [folder / "windlass/windlass.toml" for folder in (*homes, Path("/etc"))]
    return next((place for place in places if place.exists()), None)


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.lower().replace("-", "_"), list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else "; `windlass settings` lists all"
