"""
The rules that every text of the project keeps.

A rule is a function from one file to its faults, beside a planted fault that
it must find, so that no rule can rest unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

LINES = 400
# Words that name a pattern instead of a thing.
VAGUE = frozenset({"manager", "handler", "helper", "util", "common", "base", "impl", "misc"})
# In brackets, so that this file does not say what it forbids.
MACHINE = re.compile(r"(?<![\w./>-])/(?:wor[k]|roo[t])(?![\w-])")
INDEX = re.compile(
    r"pyp[i]\.(?:org|python)|pythonhoste[d]|npmj[s]\.|crate[s]\.io|rubygem[s]\.", re.IGNORECASE
)
ADDRESS = re.compile(
    r"://|^\s*(?:-[if]\b|--(?:extra-)?index-url|--find-links|--trusted)", re.MULTILINE
)
PIN = re.compile(r"[\w.\[\]-]+==[\w.+!-]+ .*--hash=sha256:[0-9a-f]{64}")

# Written elsewhere and kept as it was.
FOREIGN = re.compile(r"LICENSE$|.*/vendor/|.*\.min\.(?:js|css)$")
ALL = re.compile(r".")
CODE = re.compile(r"(?:src|tests|tools|bench)/.*\.(?:py|sh)$|try$|check$|\.ci/run$")
# A revision of the schema is written by tools/revision.py, and read once.
READ = re.compile(rf"(?!.*/migrations/versions/\d+_)(?:{CODE.pattern})")
LOCKS = re.compile(r"requirements[\w-]*\.txt$")


class Rule(NamedTuple):
    """What a text must not do, the files it is about, and a file that does it."""

    find: Callable[[str, str], Iterator[str]]
    about: re.Pattern[str]
    planted: tuple[str, str]


def long_file(_path: str, text: str) -> Iterator[str]:
    """More lines than a reader keeps in mind."""
    if (lines := text.count("\n")) > LINES:
        yield f"{lines} lines; above {LINES}, make it a package of the same name"


def vague_name(path: str, _text: str) -> Iterator[str]:
    """A name that says the pattern and not the thing."""
    for word in re.split(r"[/_.]", path.lower()):
        if word.rstrip("s") in VAGUE:
            yield f"{word!r} says nothing; name the thing"


def where(pattern: re.Pattern[str]) -> Callable[[str, str], Iterator[str]]:
    """The rule that a pattern occurs nowhere."""

    def find(_path: str, text: str) -> Iterator[str]:
        for found in pattern.finditer(text):
            yield f"line {text.count(chr(10), 0, found.start()) + 1}: {found[0]!r}"

    return find


def loose_pin(_path: str, text: str) -> Iterator[str]:
    """A line of a lock that is not held by version and hash."""
    for entry in text.replace("\\\n", " ").splitlines():
        if not PIN.match(entry):
            yield f"not held by version and hash: {entry[:60]!r}"


RULES = {
    "no file is too long to read": Rule(long_file, READ, ("src/windlass/run.py", "pass\n" * 401)),
    "names say the thing": Rule(vague_name, CODE, ("src/windlass/web/auth_helpers.py", "")),
    "no text knows one machine": Rule(where(MACHINE), ALL, ("x.md", "see /{}/main".format("work"))),
    "no text names a package host": Rule(where(INDEX), ALL, ("x.md", "at pypi.{}".format("org"))),
    "no lock holds an address": Rule(
        where(ADDRESS), LOCKS, ("requirements.txt", "a==1\n--index-url x")
    ),
    "a lock holds by hash": Rule(loose_pin, LOCKS, ("requirements-dev.txt", "a==1.0\n")),
}


def faults(rule: Rule, texts: dict[str, str]) -> list[str]:
    """Every fault that a rule finds, with its file."""
    return [
        f"{path}: {fault}"
        for path, text in sorted(texts.items())
        if rule.about.match(path) and not FOREIGN.match(path)
        for fault in rule.find(path, text)
    ]


@pytest.mark.parametrize("promise", RULES)
def test_every_text_keeps_the_rules(promise, project):
    """Sizes, names, paths, hosts and locks are as ARCHITECTURE.md says."""
    found = faults(RULES[promise], project)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("promise", RULES)
def test_a_planted_fault_in_a_text_is_found(promise):
    """No rule about texts rests unnoticed."""
    rule = RULES[promise]
    assert faults(rule, dict([rule.planted]))


def test_the_project_is_looked_at(project):
    """The rules see the code, the tests, the tools and the files of the root."""
    assert {"src/windlass/core/errors.py", "tests/conftest.py", "try", "LICENSE"} <= set(project)
    assert not any(path.startswith(".venv") for path in project)
