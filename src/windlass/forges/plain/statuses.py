"""
What Windlass says of commits and pull requests: kept in the bare repository, `Reports`.

One file per commit holds the latest status of each context; the comment stands
with its pull request. `windlass pr show` prints both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from windlass.core.errors import Permanent, Transient, UserError
from windlass.forges.plain.program.folder import Busy
from windlass.forges.plain.program.pulls import Pull
from windlass.forges.plain.repository import Repository, opened
from windlass.git.refs import is_sha
from windlass.ports.forge import Status, StatusState


class _Said(msgspec.Struct, frozen=True):
    """The latest status of one context."""

    state: StatusState
    description: str
    url: str


_FILE = msgspec.json.Decoder(dict[str, _Said])


def of_commit(repository: Repository, sha: str) -> tuple[Status, ...]:
    """What was said of a commit, by context."""
    return tuple(
        Status(
            sha=sha,
            context=context,
            state=said.state,
            description=said.description,
            url=said.url,
        )
        for context, said in sorted(_load(_path(repository, sha)).items())
    )


class PlainReports:
    """`Reports` of plain Git."""

    async def status(self, url: str, status: Status) -> None:
        """Set the status of (commit, context); twice is once."""
        await asyncio.to_thread(_reported, url, lambda it: _set_status(it, status))

    async def comment(self, url: str, number: int, body: str) -> None:
        """Make the one comment of ours on this pull request say `body`."""
        await asyncio.to_thread(_reported, url, lambda it: _set_comment(it, number, body))

    async def deployment(self, url: str, status: Status, environment: str) -> None:
        """Plain Git knows no deployments: nothing."""


def _reported(url: str, change: Callable[[Repository], None]) -> None:
    """Change what is stored, under the lock; errors as `Reports` raises them."""
    try:
        repository = opened(url)
        repository.folder.make()
        with repository.folder.state():
            change(repository)
    except UserError as error:
        raise Permanent(error.message) from error
    except Busy as error:
        raise Transient(f"{url} is busy", retry_after=1.0) from error
    except PermissionError as error:
        raise Permanent(f"{error.filename}: may not be written") from error
    except OSError as error:
        raise Transient(f"{url}: {error.strerror}") from error


def _set_status(repository: Repository, status: Status) -> None:
    if not is_sha(status.sha):
        raise Permanent(f"{status.sha!r} is no commit")
    path = _path(repository, status.sha)
    before = _load(path)
    # A commit that has a status was looked for when it got its first.
    if not before and not repository.git.yes("cat-file", "-e", f"{status.sha}^{{commit}}"):
        raise Permanent(f"{repository.path} has no commit {status.sha}")
    said = _Said(status.state, status.description, status.url)
    if before.get(status.context) != said:
        content = msgspec.json.encode({**before, status.context: said})
        repository.folder.write(str(path), content, durable=True)


def _set_comment(repository: Repository, number: int, body: str) -> None:
    pull: Pull | None = repository.pulls.get(number)
    if pull is None:
        raise Permanent(f"{repository.path} has no pull request {number}")
    if pull.comment != body:
        pull.comment = body
        repository.pulls.put(pull)


def _path(repository: Repository, sha: str) -> Path:
    return Path(repository.folder.path("statuses", f"{sha}.json"))


def _load(path: Path) -> dict[str, _Said]:
    try:
        return _FILE.decode(path.read_bytes())
    except (FileNotFoundError, msgspec.MsgspecError):
        return {}
