"""S-36: no pattern and no expression costs more than it is long, or becomes a program."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest

import windlass
from windlass.config.schema import faults, load
from windlass.core.errors import Place
from windlass.core.event import Event, Kind
from windlass.core.expression import Failure, compile_condition, evaluate
from windlass.core.filters import Context
from windlass.core.listener import Miss, select

PACKAGE = Path(windlass.__file__).parent
HERE = Place(".windlass.yaml", 1, 1)
LISTENER = "listeners: {{l: {{on: push, {} do: [{{pipeline: p}}]}}}}\n"
PIPELINE = "pipelines: {p: {jobs: {a: {steps: [{run: x}]}}}}\n"
# What must be wrong when it is written, whatever event comes.
REFUSED = {
    "class": "event.__class__.__bases__ == 1",
    "class of a text": '"".__class__ == 1',
    "subclasses": "().__subclasses__()",
    "import": '__import__("os").system("id") == 0',
    "import statement": "import os",
    "eval": 'eval("1") == 1',
    "exec": 'exec("1")',
    "open": 'open("/etc/passwd").read() == ""',
    "lambda": "(lambda: true)()",
    "comprehension": "[x for x in files] == []",
    "walrus": "(x := true)",
    "format string": 'f"{event}" == ""',
    "brackets": "(" * 900 + "true" + ")" * 900,
    "lists": "[" * 900 + "]" * 900 + " == []",
    "nots": "!" * 1999 + "a",
    "calls": 'size("")' + ".size()" * 240 + " == 1",
    "too long": "true || " * 400 + "true",
    "huge repeat": '"' + "a" * 5000 + '".size() == 1',
    "texts that grow": "files.map(f, f + f).size() == 1",
    "loops in loops with patterns": "files.exists(f, files.exists(g, glob(f, [g])))",
}
# What may be written, and has to end.
COSTLY = {
    "backtracking": 'event.branch.matches("^(a+)+$")',
    "backtracking alternatives": 'event.branch.matches("^(a|a|aa)*$")',
    "repeat": 'event.branch.matches("(((a{10}){10}){10}){10}")',
    "loops in loops":
        "files.exists(f, files.exists(g, files.exists(h, f == g && f == h && g != h)))",
    "loops in loops to the end": "files.all(f, files.all(g, files.all(h, h != '')))",
    "glob": 'glob(event.branch, ["*a*a*a*a*a*a*a*a*a*a*a*a*b"])',
    "glob of files": 'glob(files, ["**/a/**/a/**/a/**/a/**/b"])',
}  # fmt: skip
GLOBS = {
    "stars": "*a" * 200 + "b",
    "stars and signs": "*?" * 200 + "b",
    "classes": "[ab]*" * 200 + "c",
    "deep": "**/" * 300 + "b",
    "deep and stars": "**/*a*/" * 100 + "b",
    "open class": "[" * 1000,
    "backslashes": "\\\\" * 500,
}


def push(branch="a" * 249 + "B", files=()):
    return Event(kind=Kind.PUSH, action="pushed", repository="r", branch=branch, files=files)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_condition_is_a_fault_with_its_line(name):
    """A parse error or a limit, at once, when it is written and not when it runs."""
    text = REFUSED[name].replace("'", "''")
    begin = time.process_time()
    found = faults({".windlass.yaml": (LISTENER.format(f"if: '{text}',") + PIPELINE).encode()})
    assert time.process_time() - begin < 1
    assert [fault.code for fault in found] == ["expression"]
    assert found[0].place.line == 1


@pytest.mark.parametrize("name", COSTLY)
def test_an_expensive_condition_ends(name):
    """In a second or so, as a truth or as a failure that is told."""
    condition = compile_condition(COSTLY[name], HERE)
    files = ["a/" * 60 + f"a{n}" for n in range(3000)]
    begin = time.process_time()
    said = evaluate(condition, {"event": push(), "files": files})
    assert time.process_time() - begin < 3
    assert isinstance(said, Failure) if "loops" in name else said is not True


@pytest.mark.parametrize("key", ["branches", "paths"])
@pytest.mark.parametrize("name", GLOBS)
def test_an_expensive_pattern_ends(name, key):
    """Also over many files, and also when it is said what came nearest."""
    text = GLOBS[name].replace("'", "''")
    files = tuple("a/" * 60 + f"a{n}" for n in range(100))
    content = (LISTENER.format(f"{key}: ['{text}'],") + PIPELINE).encode()
    begin = time.process_time()
    rules = load({".windlass.yaml": content}).listeners
    said = select(rules, Context(event=push("a/" * 100 + "a" * 50, files)))["l"]
    assert time.process_time() - begin < 3
    assert isinstance(said, Miss)


RUNS = frozenset({"eval", "exec", "compile", "__import__", "runpy", "code", "codeop"})


def runs_text(tree):
    """Every place in a syntax tree that could make a program of a text, also by another name."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name in RUNS - {"code"}:
                yield node.lineno, name
            case ast.Attribute(value=ast.Name(id="builtins" | "__builtins__"), attr=name):
                yield node.lineno, name
            case ast.Import(names=names):
                yield from ((node.lineno, one.name) for one in names if one.name in RUNS)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in RUNS | {"builtins"}:
                yield node.lineno, module


@pytest.mark.parametrize(
    "planted",
    ["eval('1')", "run = exec", "import builtins\nbuiltins.eval('1')", "import runpy", "x(compile)",
     "from builtins import eval as e", "from code import interact"],
)  # fmt: skip
def test_a_planted_eval_is_found(planted):
    """The search below finds what it is for."""
    assert list(runs_text(ast.parse(planted)))


def test_no_text_becomes_python_anywhere():
    """Not a call and not a mention of eval, exec and their like in the whole package."""
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, name in runs_text(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []
