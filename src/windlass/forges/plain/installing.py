"""
What `install` puts into a bare repository, and how it is taken out again.

    hooks/post-receive                       our hook; one that stood there is kept beside it
    windlass/hook.json, windlass/secret      where webhooks go, and their secret (mode 0600)
    windlass/program-HASH/                   a copy of the sender, compiled

A copy, since the one who pushes may not be able to read where Windlass is
installed, and so that an upgrade never changes a sender while it runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import py_compile
import shutil
from pathlib import Path
from urllib.parse import quote, urlsplit

from windlass.core.errors import Conflict, UserError
from windlass.forges.plain.program.folder import Folder
from windlass.forges.plain.repository import Repository, program
from windlass.forges.plain.script import KEPT, MARK, script
from windlass.ports.forge import Hook

SOURCE = Path(__file__).parent / "program"
PACKAGE = Path("windlass/forges/plain/program")
# Started as a file: as a folder it would first import runpy, for 5 ms.
START = """\
import sys

sys.path.insert(0, __file__.rpartition("/")[0])
from windlass.forges.plain.program.main import main

raise SystemExit(main())
"""


def settings_of(hook: Hook) -> dict[str, str]:
    """
    The content of `hook.json`: the address taken apart, so that the sender need not.

    `pull` is what the number of a pull request is put behind, for its page.
    """
    parts = urlsplit(hook.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UserError(f"{hook.url!r} is no address for webhooks", hint="give an http(s) URL")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or not path.isprintable() or " " in path:
        raise UserError(f"{hook.url!r} holds characters that a URL may not hold")
    return {
        "url": hook.url,
        "origin": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        "scheme": parts.scheme,
        "host": parts.hostname,
        "port": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "path": path,
        "pull": _pull(hook),
        "git": program(),
    }


def _pull(hook: Hook) -> str:
    """Where a pull request is explained; empty when nobody said which repository this is."""
    if not hook.repository:
        return ""
    name = quote(hook.repository, safe="")
    return f"{hook.url.rpartition('/hooks/')[0]}/explain?repository={name}&pull_request="


def files() -> dict[Path, str]:
    """The files of the sender's copy."""
    packages = [PACKAGE.parents[at] / "__init__.py" for at in range(len(PACKAGE.parts) - 1)]
    copied = {PACKAGE / path.name: path.read_text() for path in sorted(SOURCE.glob("*.py"))}
    return {Path("start.py"): START} | dict.fromkeys(packages, "") | copied


def program_name() -> str:
    """The folder of this version of the sender, in `windlass/`."""
    digest = hashlib.sha256(json.dumps([[str(k), v] for k, v in files().items()]).encode())
    return f"program-{digest.hexdigest()[:16]}"


def hook_text(folder: Folder, hook: Hook, pythons: tuple[str, ...]) -> str:
    """The hook as it should be."""
    return script(
        pythons=pythons,
        program=f"windlass/{program_name()}",
        origin=settings_of(hook)["origin"],
        mode=folder.mode,
    )


def put(repository: Repository, hook: Hook, pythons: tuple[str, ...]) -> None:
    """Install or repair; whatever fails, the hook that was there still runs."""
    folder = repository.folder
    text = hook_text(folder, hook, pythons)
    _write_secret(folder, hook.secret)
    content = json.dumps(settings_of(hook), indent=1).encode()
    folder.write(folder.path("hook.json"), content, durable=True)
    _copy_program(folder)
    hooks = repository.path / "hooks"
    if not hooks.exists():
        hooks.mkdir()
        folder.own(str(hooks))
    _keep(hooks / "post-receive", hooks / KEPT)
    executable = 0o700 | folder.mode & 0o055
    folder.write(str(hooks / "post-receive"), text.encode(), mode=executable, durable=True)
    for old in Path(folder.root).glob("program-*"):
        if old.name != program_name():
            shutil.rmtree(old, ignore_errors=True)


def take(repository: Repository) -> None:
    """Take out what `put` put in; pull requests and results stay."""
    hooks, root = repository.path / "hooks", Path(repository.folder.root)
    if ours(hooks / "post-receive"):
        if os.path.lexists(hooks / KEPT):
            (hooks / KEPT).rename(hooks / "post-receive")
        else:
            (hooks / "post-receive").unlink()
    for name in ("hook.json", "secret", "trouble", "sending", "lock"):
        (root / name).unlink(missing_ok=True)
    for path in (
        *root.glob("program-*"),
        *(root / name for name in ("spool", "outbox", "refused")),
    ):
        shutil.rmtree(path, ignore_errors=True)
    for path in (root / "pulls", root / "statuses", root):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def ours(path: Path) -> bool:
    """Whether a hook is one that we wrote."""
    try:
        return MARK.encode() in path.read_bytes()[:200]
    except OSError:
        return False


def refuse(repository: Repository, hook: Hook) -> None:
    """Raise the `UserError` of what could not work, before anything is written."""
    settings_of(hook)
    if not hook.secret:
        raise UserError("a webhook needs a secret")
    code, out = repository.git.run("config", "--local", "--get", "core.hooksPath")
    if code == 0 and out.strip():
        raise Conflict(
            f"{repository.path}: core.hooksPath is {out.decode(errors='replace').strip()},"
            " so hooks of the repository do not run",
            hint=f"run: git --git-dir={repository.path} config --unset core.hooksPath",
        )


def _keep(present: Path, kept: Path) -> None:
    if not os.path.lexists(present) or ours(present):
        return
    if os.path.lexists(kept):
        if os.path.samestat(kept.lstat(), present.lstat()):
            return
        raise Conflict(
            f"{present} was replaced, and {kept.name} holds an earlier one",
            hint=f"remove the one of {present} and {kept} that is not needed",
        )
    # A second name, not a move: the next push finds the old hook or ours, never none.
    os.link(present, kept, follow_symlinks=False)


def _write_secret(folder: Folder, secret: bytes) -> None:
    """Mode 0600, or 0640 where the owner has said so before."""
    path = Path(folder.path("secret"))
    shared = path.stat().st_mode & 0o040 if path.exists() else 0
    folder.write(str(path), secret, mode=0o600 | shared, durable=True)


def _copy_program(folder: Folder) -> None:
    target = Path(folder.path(program_name()))
    if target.exists():
        return
    spare = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(spare, ignore_errors=True)
    for name, text in files().items():
        (spare / name).parent.mkdir(parents=True, exist_ok=True)
        (spare / name).write_text(text)
        if name.name != "start.py":
            py_compile.compile(str(spare / name), dfile=str(target / name), doraise=True)
    for path in (spare, *spare.rglob("*")):
        path.chmod(folder.mode & (0o2755 if path.is_dir() else 0o644))
        folder.own(str(path))
    spare.rename(target)
