"""
Starting the sender, and what it still holds: `Webhooks` of plain Git.

A process of its own, so that what was done is told even if Windlass stops now.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from subprocess import DEVNULL

from windlass.child import Child
from windlass.core.errors import NotAllowed, Transient
from windlass.forges.plain import installing
from windlass.forges.plain.program import spool
from windlass.forges.plain.program.compose import compose
from windlass.forges.plain.program.folder import Busy, Folder
from windlass.forges.plain.program.send import identity, outbox
from windlass.forges.plain.program.signing import headers
from windlass.forges.plain.repository import Repository, opened
from windlass.forges.signatures import same
from windlass.ports.forge import Hook, HookState, Request


async def kick(url: str, python: str) -> None:
    """Let a sender begin; it goes on by itself. Nothing where no hook is installed."""
    folder = (await asyncio.to_thread(opened, url)).folder
    copy = Path(folder.path(installing.program_name()))
    if not await asyncio.to_thread(copy.is_dir):
        return
    process = await Child.start(
        (python, "-I", "-S", "-X", "utf8", str(copy / "start.py"), "detach"),
        cwd=folder.repository,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    await process.wait()


class PlainWebhooks:
    """`Webhooks` of plain Git; `python` runs the sender where it can be read."""

    def __init__(self, python: str) -> None:
        self.python = python

    @property
    def pythons(self) -> tuple[str, ...]:
        """Interpreters that the hook tries; the sender runs on Python 3.9 and newer."""
        return tuple(dict.fromkeys((self.python, "/usr/bin/python3", "/usr/local/bin/python3")))

    async def install(self, url: str, hook: Hook) -> HookState:
        """Put the hook in place, or repair it; twice is once."""
        await asyncio.to_thread(_install, url, hook, self.pythons)
        return await self.check(url, hook)

    async def check(self, url: str, hook: Hook) -> HookState:
        """Whether it is there and sends to us."""
        return await asyncio.to_thread(_check, url, hook, self.pythons)

    async def remove(self, url: str, _hook: Hook) -> None:
        """Take our hook away; one that was there before stands in its place again."""
        await asyncio.to_thread(_remove, url)

    async def ping(self, _url: str, _hook: Hook) -> bool:
        """There is nobody to ask: the hook runs when somebody pushes."""
        return False

    async def missed(self, url: str, _hook: Hook, since: float) -> tuple[Request, ...]:
        """
        What has not arrived: all that waits, and what was refused since then.

        Then a sender begins again, for what it can still bring itself.
        """
        found = await asyncio.to_thread(_missed, url, since)
        if found:
            await kick(url, self.python)
        return found


def _install(url: str, hook: Hook, pythons: tuple[str, ...]) -> None:
    repository = opened(url)
    try:
        installing.refuse(repository, hook)
        repository.folder.make()
        with repository.folder.state():
            installing.put(repository, hook, pythons)
    except (Busy, OSError) as error:
        raise _named(repository, error) from error


def _check(url: str, hook: Hook, pythons: tuple[str, ...]) -> HookState:
    repository = opened(url)
    try:
        problem = _problem(repository, hook, pythons)
    except OSError as error:
        raise _named(repository, error) from error
    present = installing.ours(repository.path / "hooks" / "post-receive")
    return HookState(present=present, problem=problem)


def _problem(repository: Repository, hook: Hook, pythons: tuple[str, ...]) -> str:
    """
    The first thing that is not as it should be; empty when nothing is.

    What `install` puts right has no remedy here: who asks knows the repository's name.
    """
    folder = repository.folder
    script = repository.path / "hooks" / "post-receive"
    if not os.path.lexists(script):
        return f"{script} is not there"
    if not installing.ours(script):
        return f"{script} is not ours"
    installing.refuse(repository, hook)
    settings = folder.settings()
    if settings.get("url") != hook.url:
        return f"the hook sends to {settings.get('url', 'nowhere')}"
    secret = Path(folder.path("secret"))
    if not secret.exists() or not same(secret.read_bytes(), hook.secret):
        return "the hook signs with another secret"
    if secret.stat().st_mode & 0o007:
        return "others can read the secret"
    whole = settings == installing.settings_of(hook)
    complete = whole and Path(folder.path(installing.program_name())).is_dir()
    if not complete or script.read_text() != installing.hook_text(folder, hook, pythons):
        return "the hook was changed, or is of another version of Windlass"
    if not os.access(script, os.X_OK):
        return "Git does not run the hook: it may not be executed"
    return _held(folder)


def _held(folder: Folder) -> str:
    waiting = len(spool.waiting(folder)) + len(outbox(folder))
    trouble = Path(folder.path("trouble"))
    if not waiting or not trouble.exists():
        return ""
    said = trouble.read_text(errors="replace")[:300]
    return f"{waiting} events wait, and are sent with the next push; the last try: {said}"


def _remove(url: str) -> None:
    repository = opened(url)
    try:
        installing.take(repository)
    except OSError as error:
        raise _named(repository, error) from error


def _missed(url: str, since: float) -> tuple[Request, ...]:
    repository = opened(url)
    folder = repository.folder
    if not folder.settings():
        return ()
    try:
        with folder.state():
            compose(folder, repository.git)
            paths = [*_refused(folder, since), *outbox(folder)]
            secret = Path(folder.path("secret")).read_bytes()
            return tuple(_request(path, secret) for path in sorted(paths, key=os.path.basename))
    except (Busy, OSError) as error:
        raise _named(repository, error) from error


def _refused(folder: Folder, since: float) -> list[str]:
    """Webhooks that were refused for good since then; the answer's file says when."""
    found = Path(folder.path("refused")).glob("*.json")
    return [
        str(path) for path in found if path.with_suffix(".json.answer").stat().st_mtime >= since
    ]


def _request(path: str, secret: bytes) -> Request:
    body, at = Path(path).read_bytes(), time.time()
    return Request(headers=headers(secret, identity(path), at, body), body=body, at=at)


def _named(repository: Repository, error: OSError | Busy) -> NotAllowed | Transient:
    """What went wrong, as the right that is missing or as something that may pass."""
    if isinstance(error, PermissionError):
        who = f"user {os.geteuid()}"
        return NotAllowed(
            f"{who} may not write {error.filename or repository.path}",
            hint=f"run Windlass as the owner of {repository.path}, or give that user the right",
        )
    if isinstance(error, OSError):
        return Transient(f"{repository.path}: {error.strerror or error}")
    return Transient(f"{repository.path} is busy", retry_after=1.0)
