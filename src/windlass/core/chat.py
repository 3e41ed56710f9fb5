r"""
Commands in a comment on a pull request.

A command is a line that begins with `/word`. What a reader sees as quoted, as code or
not at all commands nothing: fences, indented lines, quotes with the lines that belong to
them, HTML comments. Other slashes (paths, commands of other programs) are left alone; a
word that is nearly one of ours is answered, once in a comment.

>>> parse("Fine now.\n/retest")
(Command(verb=<Verb.RETEST: 'retest'>, arguments=(), text='/retest'),)
>>> parse("/usr/bin is full\n> /deploy production")
()
>>> parse("/retset")[0].reason
'there is no /retset; did you mean /retest? /help shows all commands'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum


class Verb(StrEnum):
    """What may be asked for in a comment."""

    TEST = "test"
    RETEST = "retest"
    CANCEL = "cancel"
    OK_TO_TEST = "ok-to-test"
    DEPLOY = "deploy"
    APPROVE = "approve"
    ROLLBACK = "rollback"
    EXPLAIN = "explain"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Shape:
    """
    What follows a verb: how it is written, and the fewest and most words.

    Behind the most there may be `values`: each `key=value`, and no key twice.
    """

    written: str
    fewest: int = 0
    most: int = 0
    values: bool = False

    def fits(self, words: tuple[str, ...]) -> bool:
        """Whether a command with these words is written so."""
        if not self.values:
            return self.fewest <= len(words) <= self.most
        keys = [word.partition("=")[0] for word in words[self.most :]]
        pairs = all("=" in word for word in words[self.most :])
        names = not any("=" in word for word in words[: self.most])
        return len(words) >= self.fewest and names and pairs and len({*keys}) == len(keys)


SHAPES: Mapping[Verb, Shape] = {
    Verb.TEST: Shape("/test [name [key=value ...]]", 0, 1, values=True),
    Verb.RETEST: Shape("/retest"),
    Verb.CANCEL: Shape("/cancel"),
    # Alone it is answered with the commit that is there.
    Verb.OK_TO_TEST: Shape("/ok-to-test <commit>", 0, 1),
    Verb.DEPLOY: Shape("/deploy <environment> [service]", 1, 2),
    Verb.APPROVE: Shape("/approve <environment>", 1, 1),
    Verb.ROLLBACK: Shape("/rollback <environment> [service]", 1, 2),
    Verb.EXPLAIN: Shape("/explain"),
    Verb.HELP: Shape("/help"),
}
HELP = ", ".join(shape.written for shape in SHAPES.values())

# Commands in one comment; characters of a comment that are read, and of a line.
MOST = 10
LONGEST, LONGEST_LINE = 64 * 1024, 300
# How like one of ours a word must be to be taken for it, and the longest that is compared.
LIKE, LONGEST_WORD = 0.75, 24
# The fewest digits that name a commit.
DIGITS = 7


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `text` is its line as it was written."""

    verb: Verb
    arguments: tuple[str, ...]
    text: str

    @property
    def values(self) -> dict[str, str]:
        """What is given behind the other words, by its keys."""
        pairs = self.arguments[SHAPES[self.verb].most :]
        return {key: value for key, _, value in (one.partition("=") for one in pairs)}


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that was meant as a command, and what is wrong with it, for the person."""

    text: str
    reason: str


Said = Command | Mistake

_COMMAND = re.compile(r" {0,3}/([A-Za-z][A-Za-z-]*)(?:[ \t]+(.*))?")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_QUOTE = re.compile(r" {0,3}>")
_HIDDEN = re.compile(r" {0,3}<!--")
_LINE = re.compile(r"\r\n|\n|\r")
_SHA = re.compile(rf"[0-9a-f]{{{DIGITS},64}}")


def parse(body: str) -> tuple[Said, ...]:
    """The commands of a comment, in their order; at most `MOST`, and a mistake for the rest."""
    found: list[Said] = []
    unknown = False
    for line in _spoken(body[:LONGEST]):
        said = _read(line)
        if said is None or (isinstance(said, str) and unknown):
            continue
        if len(found) == MOST:
            reason = f"a comment takes {MOST} commands; this one and what follows is left alone"
            return (*found, Mistake(_cut(line), reason))
        if isinstance(said, str):
            unknown = True
            said = Mistake(_cut(line), said)
        found.append(said)
    return tuple(found)


def names(given: str, head: str) -> bool:
    """Whether these are the first digits of this commit, and enough of them."""
    return _SHA.fullmatch(given.lower()) is not None and head.startswith(given.lower())


def _spoken(body: str) -> Iterator[str]:
    """The lines that speak: no code, no quote, nothing hidden."""
    fence, quoted, hidden = "", False, False
    for line in _LINE.split(body):
        if fence:
            closing = _FENCE.fullmatch(line)
            if closing and closing[1].startswith(fence) and not closing[2].strip():
                fence = ""
        elif hidden:
            hidden = "-->" not in line
        elif (opening := _FENCE.fullmatch(line)) and not (
            opening[1][0] == "`" and "`" in opening[2]
        ):
            fence, quoted = opening[1], False
        elif _HIDDEN.match(line):
            hidden, quoted = "-->" not in line, False
        elif _QUOTE.match(line):
            quoted = True
        elif not line.strip():
            quoted = False
        elif not quoted:  # a line right below a quote still belongs to it
            yield line


def _read(line: str) -> Said | str | None:
    """A command, a mistake, the answer to an unknown word, or nothing that is ours."""
    match = _COMMAND.fullmatch(line)
    if match is None:
        return None
    word = match[1].lower()
    if word not in SHAPES:
        if len(word) > LONGEST_WORD:
            return None
        near = get_close_matches(word, [str(verb) for verb in Verb], 1, LIKE)
        meant = f"did you mean /{near[0]}? /help shows all commands" if near else ""
        return f"there is no /{word}; {meant}" if near else None
    verb = Verb(word)
    if len(line) > LONGEST_LINE:
        return Mistake(_cut(line), f"it is longer than {LONGEST_LINE} characters")
    arguments = tuple((match[2] or "").split())
    shape = SHAPES[verb]
    if not shape.fits(arguments):
        return Mistake(_cut(line), f"it is written {shape.written}")
    return Command(verb, arguments, line.strip())


def _cut(line: str) -> str:
    text = line.strip()
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"
