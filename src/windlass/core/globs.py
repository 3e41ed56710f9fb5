"""
Patterns for names and for paths, in the words of `.gitignore`.

A name (a branch, a tag, a label) is matched as a whole: `main` is `main` and
nothing else. A path is matched as Git would: a pattern without a slash fits at
any depth, and what fits a folder fits everything below it. `*` stays within one
part, `**` crosses `/`, the last pattern that fits decides, a leading `!` takes
back; a list that begins with `!` starts from everything.

Not regular expressions: those of a glob such as `*a*a*a*b` may take time that
grows with a power of the text. Here it grows with pattern times text at most.

>>> names(["FB*", "feature/**"]).decide("feature/a/b")
Decision(matched=True, pattern='feature/**')
>>> paths(["services/api/**", "!**/*.md"]).decide("services/api/README.md")
Decision(matched=False, pattern='!**/*.md')
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Part = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a text fits, and the pattern that said so; None when no pattern had a word."""

    matched: bool
    pattern: str | None


@dataclass(frozen=True, slots=True)
class _Glob:
    """One pattern: its parts between slashes (None is `**`), and whether more may follow."""

    text: str
    parts: tuple[Part | None, ...]
    takes_back: bool
    below: bool

    def fits(self, pieces: Sequence[str]) -> bool:
        """Greedy, with one way back: the latest `**`."""
        parts, at, piece, deep, mark = self.parts, 0, 0, -1, 0
        while True:
            if at == len(parts):
                if piece == len(pieces) or self.below:
                    return True
            elif (part := parts[at]) is None:
                if at == len(parts) - 1:
                    return piece < len(pieces)
                deep, mark = at, piece
                at += 1
                continue
            elif piece < len(pieces) and part(pieces[piece]):
                at += 1
                piece += 1
                continue
            if deep < 0 or mark >= len(pieces):
                return False
            mark += 1
            at, piece = deep + 1, mark


@dataclass(frozen=True, slots=True)
class Globs:
    """A list of patterns, ready to decide."""

    patterns: tuple[str, ...]
    globs: tuple[_Glob, ...]

    def decide(self, text: str) -> Decision:
        """Whether `text` fits, by the last pattern that has a word in it."""
        at = self._deciding(text.split("/"))
        if at >= 0:
            return Decision(not self.globs[at].takes_back, self.globs[at].text)
        return Decision(bool(self.globs) and self.globs[0].takes_back, None)

    def matches(self, text: str) -> bool:
        """Whether `text` fits."""
        return self.decide(text).matched

    def taker(self, text: str) -> str:
        """The pattern that takes back what fitted before it; empty when nothing was taken back."""
        pieces = text.split("/")
        at = self._deciding(pieces)
        if at < 0 or not self.globs[at].takes_back:
            return ""
        # A list that begins with `!` starts from everything.
        had = self.globs[0].takes_back or any(
            one.fits(pieces) for one in self.globs[:at] if not one.takes_back
        )
        return self.globs[at].text if had else ""

    def _deciding(self, pieces: Sequence[str]) -> int:
        """Where the last pattern that fits stands; -1 when none does."""
        for at in range(len(self.globs) - 1, -1, -1):
            if self.globs[at].fits(pieces):
                return at
        return -1


def names(patterns: Iterable[str]) -> Globs:
    """Patterns for branches, tags and labels: anchored at both ends."""
    written = tuple(patterns)
    return Globs(written, tuple(_glob(text, path=False) for text in written))


def paths(patterns: Iterable[str]) -> Globs:
    """Patterns for files, relative to the root of the repository."""
    written = tuple(patterns)
    return Globs(written, tuple(_glob(text, path=True) for text in written))


def match(patterns: Iterable[str], name: str) -> bool:
    """Whether a name fits these patterns, which are used only this once."""
    return names(patterns).matches(name)


def _glob(text: str, *, path: bool) -> _Glob:
    takes_back = text.startswith("!")
    body = text[1:] if takes_back else text
    if path:
        anchored = "/" in body.rstrip("/")
        body = body.removeprefix("/")
        if body.endswith("**/"):
            # Any folder, which is not to say any file: `b` is not in one.
            body += "*/**"
        elif body.endswith("/"):
            body += "**"
        pieces = body.split("/") if anchored else ["**", *body.split("/")]
    else:
        pieces = body.split("/")
    return _Glob(text, tuple(_part(piece) for piece in pieces), takes_back, below=path)


def _part(piece: str) -> Part | None:
    if piece == "**":
        return None
    if not any(sign in piece for sign in "*?[\\"):
        return piece.__eq__
    if not any(sign in piece for sign in "?[\\"):
        return _stars(piece.split("*"))
    return _signs(_tokens(piece))


def _stars(texts: Sequence[str]) -> Part:
    """Fixed texts with `*` between them: the first and last at the ends, the others in order."""
    first, *middle, last = texts

    def fits(text: str) -> bool:
        end = len(text) - len(last)
        if end < len(first) or not text.startswith(first) or not text.endswith(last):
            return False
        at = len(first)
        for part in middle:
            found = text.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    return fits


def _signs(tokens: Sequence[Part | None]) -> Part:
    """One test for each character (None is `*`), with one way back: the latest `*`."""

    def fits(text: str) -> bool:
        at, char, star, mark = 0, 0, -1, 0
        while char < len(text):
            token = tokens[at] if at < len(tokens) else _never
            if token is None:
                star, mark = at, char
                at += 1
            elif token(text[char]):
                at += 1
                char += 1
            elif star < 0:
                return False
            else:
                mark += 1
                at, char = star + 1, mark
        return all(token is None for token in tokens[at:])

    return fits


def _tokens(piece: str) -> tuple[Part | None, ...]:
    found: list[Part | None] = []
    at = 0
    while at < len(piece):
        sign = piece[at]
        if sign == "*":
            found.append(None)
        elif sign == "?":
            found.append(_any)
        elif sign == "[" and (end := _class_end(piece, at)) > 0:
            found.append(_class(piece[at + 1 : end]))
            at = end
        elif sign == "\\" and at + 1 < len(piece):
            at += 1
            found.append(piece[at].__eq__)
        else:
            found.append(sign.__eq__)
        at += 1
    return tuple(found)


def _class_end(piece: str, start: int) -> int:
    """Where `[...]` ends, -1 when it does not; a `]` that comes first is one of its characters."""
    at = start + 1
    if piece[at : at + 1] in {"!", "^"}:
        at += 1
    return piece.find("]", at + 1)


def _class(body: str) -> Part:
    other_than = body[:1] in {"!", "^"}
    signs = body[1:] if other_than else body
    ranges: list[tuple[str, str]] = []
    at = 0
    while at < len(signs):
        if signs[at + 1 : at + 2] == "-" and at + 2 < len(signs):
            ranges.append((signs[at], signs[at + 2]))
            at += 3
        else:
            ranges.append((signs[at], signs[at]))
            at += 1
    return lambda char: any(low <= char <= high for low, high in ranges) != other_than


def _any(_char: str) -> bool:
    return True


def _never(_char: str) -> bool:
    return False
