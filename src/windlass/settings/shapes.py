"""
How the text of a setting is read, and how its value is written again.

A shape raises `ValueError` with what it expected; who asked says for which
setting and where the text stands.

>>> SIZE.read("25 MiB", Path("/")), SIZE.write(26214400)
(26214400, '25 MiB')
>>> DURATION.read("90m", Path("/")), DURATION.write(5400.0)
(5400.0, '90m')
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)

SIZES = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "B": 1}
DURATIONS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # recognised, not bound


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """`read(text, folder)` (relative paths begin in `folder`) and `write(value)`, its inverse."""

    read: Callable[[str, Path], T]
    write: Callable[[T], str]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens; port 0 is any that is free."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Where a browser on the same machine finds it."""
        host = "127.0.0.1" if self.host in EVERYWHERE else self.host
        return f"http://{Address(host, self.port)}"


def number(*, least: int) -> Shape[int]:
    """A whole number, `least` or more."""

    def read(text: str, _: Path) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
            raise ValueError(f"a whole number, {least} or more")
        return int(text)

    return Shape(read, str)


def word(words: type[Word]) -> Shape[Word]:
    """One of the words of an enumeration."""

    def read(text: str, _: Path) -> Word:
        if text not in set(words):
            raise ValueError("one of " + ", ".join(words))
        return words(text)

    return Shape(read, str)


def _read_switch(text: str, _: Path) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("true or false")
    return text == "true"


def _read_size(text: str, _: Path) -> int:
    found = re.fullmatch(r"([0-9]{1,12}) ?(B|KiB|MiB|GiB)?", text)
    if not found or not int(found[1]):
        raise ValueError("a size such as `25 MiB` (B, KiB, MiB, GiB)")
    return int(found[1]) * SIZES[found[2] or "B"]


def _read_duration(text: str, _: Path) -> float:
    found = re.fullmatch(r"([0-9]{1,9}) ?([smhd])", text)
    if not found or not int(found[1]):
        raise ValueError("a duration such as `15m` (s, m, h, d)")
    return float(int(found[1]) * DURATIONS[found[2]])


def _write_unit(value: int, units: dict[str, int], gap: str) -> str:
    """The value in the largest unit that divides it."""
    unit = next(unit for unit, size in units.items() if value % size == 0)
    return f"{value // units[unit]}{gap}{unit}"


def _read_path(text: str, folder: Path) -> Path:
    if "\0" in text or not text:
        raise ValueError("a path")
    try:
        # An absolute path replaces what it is joined to.
        return folder / Path(text).expanduser()
    except RuntimeError:
        raise ValueError("a path; there is no home folder for `~`") from None


def _read_place(text: str, folder: Path) -> str:
    remote = "://" in text or re.match(r"[\w.-]+@[\w.-]+:", text)
    return text if remote else str(_read_path(text, folder))


def _read_address(text: str, _: Path) -> Address:
    wrong = "an address HOST:PORT, such as 127.0.0.1:8470 or [::1]:8470"
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):([0-9]{1,5})", text, re.ASCII)
    if not found or int(found[2]) > 65535:
        raise ValueError(wrong)
    host = found[1]
    if host.startswith("["):
        host = host[1:-1]
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(wrong) from None
    return Address(host, int(found[2]))


def _read_url(text: str, _: Path) -> str:
    wrong = "an address such as https://windlass.example, without query and credentials"
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise ValueError(wrong) from None
    extra = url.query or url.fragment or url.username is not None or port == 0
    if url.scheme not in {"http", "https"} or not url.hostname or extra or not text.isprintable():
        raise ValueError(wrong)
    return text.rstrip("/")


def _read_hosts(text: str, _: Path) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(text.split()))
    for one in found:
        if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:[0-9]{1,5})?", one, re.ASCII):
            raise ValueError("hosts such as `git.corp 10.0.0.7:3000`, with spaces between")
    return found


def _read_secret(text: str, _: Path) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("text without spaces")
    return text


def _read_paths(text: str, folder: Path) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(_read_path(one, folder) for one in text.split(":") if one))


SWITCH: Shape[bool] = Shape(_read_switch, lambda value: str(value).lower())
SIZE: Shape[int] = Shape(_read_size, lambda value: _write_unit(value, SIZES, " "))
DURATION: Shape[float] = Shape(_read_duration, lambda value: _write_unit(int(value), DURATIONS, ""))
PATH: Shape[Path] = Shape(_read_path, str)
PATHS: Shape[tuple[Path, ...]] = Shape(_read_paths, lambda value: ":".join(map(str, value)))
PLACE: Shape[str] = Shape(_read_place, str)
ADDRESS: Shape[Address] = Shape(_read_address, str)
URL: Shape[str] = Shape(_read_url, str)
HOSTS: Shape[tuple[str, ...]] = Shape(_read_hosts, " ".join)
SECRET: Shape[str] = Shape(_read_secret, lambda value: "***" if value else "")
