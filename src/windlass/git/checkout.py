"""
How a job gets its workspace: two runs of git, as lists of arguments.

The workspace is a repository of its own that borrows the mirror's objects and
starts with its branches and tags; the mirror keeps a template for that (see
`write_template`). Nothing is cloned, so a small checkout costs 6 ms instead of 11.
What a step writes stays in its own `.git`: git never writes to borrowed
objects, and the origin it knows is the repository's address, not the mirror.

>>> for step in checkout_commands(Path("/m"), "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "/w"):
...     print(*step[:4])
git init --quiet --template=/m/workspace
git -C /w -c
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from windlass.git.refs import check_sha

TEMPLATE = "workspace"

_SHA256 = 64


def checkout_commands(mirror: Path, commit: str, into: str | Path) -> tuple[tuple[str, ...], ...]:
    """The steps, in order, that make `into` a work tree at a commit; both paths absolute."""
    width = ("--object-format=sha256",) if len(check_sha(commit)) == _SHA256 else ()
    return (
        (
            *("git", "init", "--quiet", f"--template={mirror / TEMPLATE}"),
            *("--initial-branch=main", *width, "--", str(into)),
        ),
        (
            *("git", "-C", str(into), "-c", "core.hooksPath=/dev/null"),
            *("checkout", "--quiet", "--detach", "--no-recurse-submodules", commit, "--"),
        ),
    )


def checkout_environment(search: str = "/usr/local/bin:/usr/bin:/bin") -> dict[str, str]:
    """The whole environment of those steps: no settings of any user or machine."""
    return {
        "PATH": search,
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
    }


def write_template(mirror: Path, origin: str, refs: Mapping[str, str]) -> None:
    """Write what `checkout_commands` starts from; `refs` are full names and ids."""
    template = mirror / TEMPLATE
    borrowed = template / "objects" / "info" / "alternates"
    borrowed.parent.mkdir(parents=True, exist_ok=True)
    _replace(borrowed, f"{mirror / 'objects'}\n")
    _replace(template / "config", _config(origin))
    lines = sorted(f"{_tracked(name)} {sha}" for name, sha in refs.items())
    packed = (" ".join(reversed(line.split(" "))) for line in lines)
    _replace(template / "packed-refs", "\n".join(("# pack-refs with: sorted ", *packed, "")))


def template_refs(mirror: Path) -> dict[str, str]:
    """The refs in the template, by the names they have in the mirror; empty without one."""
    try:
        text = (mirror / TEMPLATE / "packed-refs").read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        return {}
    pairs = (line.partition(" ") for line in text.split("\n") if line[:1] not in {"", "#"})
    return {
        name.replace(_TRACKED, _BRANCHES, 1) if name.startswith(_TRACKED) else name: sha
        for sha, _, name in pairs
    }


_BRANCHES = "refs/heads/"
_TRACKED = "refs/remotes/origin/"


def _tracked(name: str) -> str:
    return name.replace(_BRANCHES, _TRACKED, 1) if name.startswith(_BRANCHES) else name


def _config(origin: str) -> str:
    url = origin.replace("\\", "\\\\").replace('"', '\\"')
    return (
        f'[remote "origin"]\n\turl = "{url}"\n\tfetch = +{_BRANCHES}*:{_TRACKED}*\n'
        "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[advice]\n\tdetachedHead = false\n"
    )


def _replace(path: Path, text: str) -> None:
    """Write a file whole: a checkout may be reading it."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8", "surrogateescape")
    part.replace(path)
