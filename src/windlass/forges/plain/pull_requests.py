"""
Pull requests of plain Git, acted on as a forge would: `PullRequests`.

Every act is spooled before it is done, under the lock of the hook. So a killed
`windlass pr merge` has either happened, webhooks and all, or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from windlass.core.errors import Conflict, NotAllowed, NotFound, Transient, UserError
from windlass.forges.plain import statuses
from windlass.forges.plain.merging import METHODS, merged, person
from windlass.forges.plain.program import spool
from windlass.forges.plain.program.compose import compose, identity
from windlass.forges.plain.program.folder import Busy
from windlass.forges.plain.program.git import GitFailed
from windlass.forges.plain.program.pulls import OPEN, Pull
from windlass.forges.plain.repository import Repository, opened
from windlass.forges.plain.sending import kick
from windlass.ports.forge import Approval, Merge, PullRequest, PullState

STATES = ("all", *PullState)

# Decides under the lock: the lines to spool, none when there is nothing to do.
Decide = Callable[[Repository, Pull], list[str]]
# Does what the lines say beside the pull request's own file; False undoes them.
Move = Callable[[Repository, list[str]], bool]


class PlainPullRequests:
    """`PullRequests` of plain Git; `python` starts the sender."""

    python: str

    async def list(self, url: str, state: str) -> tuple[PullRequest, ...]:
        """Pull requests in this state (`open`, `merged`, `closed`, `all`), newest first."""
        if state not in STATES:
            raise UserError(f"no such state: {state}", hint=f"say one of {', '.join(STATES)}")
        return await asyncio.to_thread(_list, url, "" if state == "all" else state)

    async def show(self, url: str, number: int) -> PullRequest:
        """One of them; `NotFound` when there is none."""
        return await asyncio.to_thread(show, url, number)

    async def approve(self, url: str, number: int, by: str) -> PullRequest:
        """Record a review that approves the present head, and send the webhook."""
        name = person(by).name

        def decide(_: Repository, pull: Pull) -> list[str]:
            _must_be_open(pull)
            if pull.approvals.get(name) == pull.head_sha:
                return []
            return [f"by {name}", f"approved {pull.number} {pull.head_sha}"]

        return await self._act(url, number, decide)

    async def merge(self, url: str, number: int, how: Merge) -> PullRequest:
        """Merge as a forge would, and send the webhooks; `Conflict` when it cannot be."""
        return await self._act(url, number, lambda it, pull: _merge(it, pull, how), _move)

    async def close(self, url: str, number: int, by: str) -> PullRequest:
        """Close it unmerged, and send the webhook; twice is once."""
        name = person(by).name

        def decide(_: Repository, pull: Pull) -> list[str]:
            if pull.state == PullState.CLOSED:
                return []
            _must_be_open(pull)
            return [f"by {name}", f"closed {pull.number}"]

        return await self._act(url, number, decide)

    async def _act(
        self, url: str, number: int, decide: Decide, move: Move | None = None
    ) -> PullRequest:
        pull = await asyncio.to_thread(_acted, url, number, decide, move)
        await kick(url, self.python)
        return pull


def _acted(url: str, number: int, decide: Decide, move: Move | None) -> PullRequest:
    repository = opened(url)
    folder, git = repository.folder, repository.git
    try:
        folder.make()
        with folder.state():
            # What was pushed before comes first: it may have moved or merged this one.
            compose(folder, git)
            lines = decide(repository, _found(repository, number))
            path = spool.add(folder, lines) if lines else ""
            if path and move and not move(repository, lines):
                folder.drop(path)
                raise Conflict("the branch has moved just now", hint="try it again")
            compose(folder, git)
            return _shown(repository, _found(repository, number))
    except Busy as error:
        raise Transient(f"{url} is busy", retry_after=1.0) from error
    except GitFailed as error:
        raise Conflict(f"{url}: {error}") from error
    except PermissionError as error:
        raise NotAllowed(f"{error.filename}: may not be written") from error
    except OSError as error:
        raise Transient(f"{url}: {error.strerror}") from error


def _merge(repository: Repository, pull: Pull, how: Merge) -> list[str]:
    by = person(how.by)
    if how.method not in METHODS:
        raise UserError(f"no way to merge: {how.method}", hint=f"say one of {', '.join(METHODS)}")
    _must_be_open(pull)
    if how.expect_head and how.expect_head != pull.head_sha:
        raise Conflict(
            f"pull request {pull.number} has moved to {pull.head_sha[:12]}",
            hint="look at what came, and merge that",
        )
    if pull.draft:
        raise Conflict(
            f"pull request {pull.number} is a draft",
            hint="push it again with: git push -o ready",
        )
    git, ref = repository.git, f"refs/heads/{pull.base}"
    if not git.yes("rev-parse", "--verify", "--quiet", ref):
        raise Conflict(f"the branch {pull.base} is gone")
    old, new = git.out("rev-parse", ref), merged(git, pull, how.method, by)
    return [f"by {by.name}", f"merged {pull.number} {how.method}", f"ref {old} {new} {ref}"]


def _move(repository: Repository, lines: list[str]) -> bool:
    _, old, new, ref = lines[-1].split(" ", 3)
    return repository.git.run("update-ref", ref, new, old)[0] == 0


def _must_be_open(pull: Pull) -> None:
    if pull.state != OPEN:
        raise Conflict(f"pull request {pull.number} is {pull.state} already")


def _found(repository: Repository, number: int) -> Pull:
    pull = repository.pulls.get(number)
    if pull is None:
        raise NotFound(
            f"{repository.path} has no pull request {number}",
            hint="windlass pr list REPOSITORY --state all",
        )
    return pull


def _list(url: str, state: str) -> tuple[PullRequest, ...]:
    repository = opened(url)
    return tuple(_shown(repository, pull) for pull in reversed(repository.pulls.all(state)))


def show(url: str, number: int) -> PullRequest:
    """One pull request; `NotFound` when there is none."""
    repository = opened(url)
    return _shown(repository, _found(repository, number))


def _shown(repository: Repository, pull: Pull) -> PullRequest:
    return PullRequest(
        number=pull.number,
        title=pull.title,
        author=pull.author,
        author_id=pull.author_id,
        base=pull.base,
        head=pull.head,
        head_sha=pull.head_sha,
        state=PullState(pull.state),
        merge_sha=pull.merge_sha,
        approved_by=tuple(pull.approved_by()),
        approvals=tuple(
            Approval(identity(name), sha, name) for name, sha in sorted(pull.approvals.items())
        ),
        statuses=statuses.of_commit(repository, pull.head_sha),
        comment=pull.comment,
        created_at=pull.created_at,
        updated_at=pull.updated_at,
    )
