"""
The rules that every Python file of the project keeps, read from its syntax tree.

What a linter can be told to pass over by a comment, and must not be, is here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import pytest

METHODS = 5
RUN_TEXT = frozenset({"eval", "exec", "compile", "__import__", "os.system", "os.popen"})
UNSAFE_MODULES = frozenset({"pickle", "shelve", "dill", "cloudpickle"})
IMPURE = frozenset({"print", "open", "input", "breakpoint"})
IMPURE_ENDS = re.compile(r"(?:datetime\.(?:now|utcnow|today)|date\.today)$")
BROAD = frozenset({"Exception", "BaseException"})
VAGUE = re.compile(r"(?i:^|_)(?:manager|handler|helper|utils?|impl|misc)s?(?:_|$)")
VAGUE_CLASS = re.compile(r"(?:Manager|Handler|Helper|Util|Impl|Misc)s?(?![a-z])")
# After the linter's own words, a reason of at least two.
REASON = re.compile(r"#\s*(?:noqa: [A-Z0-9, ]+?)?\s*[-(:]?\s*[A-Za-z`'_.]+\s+\S+")

SRC = re.compile(r"(?:src/windlass|tools)/.*\.py$")
RULE_CODE = re.compile(r"src/windlass/(?:core|config)/.*\.py$")
PORTS = re.compile(r"src/windlass/ports(?:\.py|/.*\.py)$")
PACKAGES = re.compile(r"src/windlass/.*__init__\.py$|src/windlass/__init__\.py$")
TESTS = re.compile(r"tests/.*test_\w+\.py$|src/windlass/testing/contracts/.*\.py$")

Find = Callable[[ast.Module, str], Iterator[tuple[int, str]]]


class Rule(NamedTuple):
    """What a file must not do, the files it is about, a file that does it and one that does not."""

    find: Find
    about: re.Pattern[str]
    planted: str
    fine: str


@cache
def parsed(text: str) -> ast.Module:
    """Its syntax tree, for every rule the same."""
    return ast.parse(text)


def called(node: ast.Call) -> str:
    """The name that is called, as written, from its last part that is no name on."""
    parts, at = [], node.func
    while isinstance(at, ast.Attribute):
        parts.append(at.attr)
        at = at.value
    parts.append(at.id if isinstance(at, ast.Name) else "")
    return ".".join(reversed(parts))


def runs_text(tree: ast.Module, _text: str) -> Iterator[tuple[int, str]]:
    """Text that becomes a program, or data that does."""
    for node in ast.walk(tree):
        match node:
            case ast.Call() if called(node) in RUN_TEXT:
                yield node.lineno, called(node)
            case ast.Call():
                for word in node.keywords:
                    if word.arg == "shell" and ast.unparse(word.value) != "False":
                        yield node.lineno, "shell"
            case ast.Import(names=names):
                for name in names:
                    if name.name.split(".")[0] in UNSAFE_MODULES:
                        yield node.lineno, name.name
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in UNSAFE_MODULES:
                yield node.lineno, module


def impure(tree: ast.Module, _text: str) -> Iterator[tuple[int, str]]:
    """A rule that reads or writes something it was not given."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = called(node)
            if name in IMPURE or IMPURE_ENDS.search(name):
                yield node.lineno, name


def silent_catch(tree: ast.Module, text: str) -> Iterator[tuple[int, str]]:
    """Every error caught and kept, without a word why; to clean up and raise again is fine."""
    lines = text.splitlines()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = "BaseException" if node.type is None else ast.unparse(node.type)
        again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
        if BROAD & set(re.findall(r"\w+", caught)) and not again:
            written = lines[node.lineno - 1]
            if not REASON.search(written):
                yield node.lineno, written.strip()


def unspoken_promise(tree: ast.Module, _text: str) -> Iterator[tuple[int, str]]:
    """A test that does not tell a person what it promises."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("test_") and not ast.get_docstring(node):
            yield node.lineno, node.name


def wide_port(tree: ast.Module, _text: str) -> Iterator[tuple[int, str]]:
    """A port with more methods than one thing needs; then it is two ports."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        if any(ast.unparse(base).startswith("Protocol") for base in node.bases):
            count = sum(isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef) for m in node.body)
            if count > METHODS:
                yield node.lineno, f"{node.name} has {count} methods, more than {METHODS}"


def full_package(tree: ast.Module, _text: str) -> Iterator[tuple[int, str]]:
    """A package that does something when it is imported."""
    for number, node in enumerate(tree.body):
        match node:
            case ast.Expr(value=ast.Constant(value=str())) if number == 0:
                continue
            # A module that became a package of the same name goes on giving what it gave.
            case ast.ImportFrom(module=str(module)) if module.startswith(
                ("windlass.", "__future__")
            ):
                continue
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                continue
            case _:
                yield node.lineno, ast.unparse(node)[:60]


def vague_name(tree: ast.Module, _text: str) -> Iterator[tuple[int, str]]:
    """A class or function that is named by a pattern and not by what it is."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) if VAGUE_CLASS.search(name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if VAGUE.search(name):
                yield node.lineno, name


RULES = {
    "no text becomes a program": Rule(
        runs_text, SRC, "import subprocess\nsubprocess.run('x', shell=True)", "eval_(1)"
    ),
    "no data becomes a program": Rule(runs_text, SRC, "from pickle import loads", "import json"),
    "rules read no clock": Rule(
        impure, RULE_CODE, "import datetime as dt\ndt.datetime.now()", "datetime.fromisoformat(x)"
    ),
    "rules open nothing": Rule(impure, RULE_CODE, "open('x')", "reopen('x')"),
    "who catches everything says why": Rule(
        silent_catch,
        SRC,
        "try:\n    f()\nexcept (ValueError, Exception):  # noqa: BLE001\n    pass",
        "try:\n    f()\nexcept Exception:  # noqa: BLE001 - a bad row stays one\n    pass",
    ),
    "every test says its promise": Rule(
        unspoken_promise, TESTS, "def test_a():\n    pass", 'def test_a():\n    """It holds."""'
    ),
    "no port is wide": Rule(
        wide_port,
        PORTS,
        "class P(Protocol):\n" + "".join(f"    def m{n}(self): ...\n" for n in range(6)),
        "class P(Protocol):\n" + "".join(f"    def m{n}(self): ...\n" for n in range(5)),
    ),
    "packages do nothing": Rule(
        full_package,
        PACKAGES,
        "import os",
        '"""A package."""\nfrom windlass.core.run import advance',
    ),
    "classes and functions say the thing": Rule(
        vague_name, SRC, "class JobManager: ...\ndef _url_helper(): ...", "class Utility: ..."
    ),
}


def faults(rule: Rule, texts: dict[str, str]) -> list[str]:
    """Every fault that a rule finds, with its place."""
    return [
        f"{path}:{line}: {fault}"
        for path, text in sorted(texts.items())
        if rule.about.match(path)
        for line, fault in rule.find(parsed(text), text)
    ]


@pytest.mark.parametrize("promise", RULES)
def test_every_python_file_keeps_the_rules(promise, project):
    """What is dangerous, impure, silent or wide is nowhere in the code."""
    found = faults(RULES[promise], project)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("promise", RULES)
def test_a_planted_fault_in_code_is_found(promise):
    """No rule about code rests unnoticed, and none cries at what is fine."""
    rule = RULES[promise]
    assert list(rule.find(ast.parse(rule.planted), rule.planted))
    assert not list(rule.find(ast.parse(rule.fine), rule.fine))


@pytest.mark.parametrize("promise", RULES)
def test_a_rule_about_code_has_files_to_look_at(promise, project):
    """A rule whose files have moved away would pass for ever."""
    assert any(RULES[promise].about.match(path) for path in project)
