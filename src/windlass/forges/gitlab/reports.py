"""
What Windlass tells GitLab: `Reports`.

GitLab's commit status is a state machine. A status that has ended is followed by a new one;
one that waits or runs can only go on, and whoever repeats it is refused. So what stands is
looked at first. A comment is a note of the merge request, found by our mark and by our user.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from windlass.core.errors import Conflict, NotFound, Permanent, Transient, UserError
from windlass.forges.gitlab.deploying import deploy
from windlass.forges.gitlab.projects import Project, Projects
from windlass.forges.gitlab.stating import state
from windlass.forges.gitlab.words import cut, harmless
from windlass.forges.http.api import report, text
from windlass.ports.forge import MARKER, Status

ROLE = "Developer"
# Characters of a note.
LARGEST = 1_000_000
# Seconds until a status that two are setting at once may be set again.
BUSY = 2.0


class GitLabReports:
    """`Reports` of GitLab."""

    def __init__(self, projects: Projects) -> None:
        self._projects = projects
        # Address, merge request, our user -> the number of our note there.
        self._notes: dict[tuple[str, int, str], str] = {}

    async def status(self, url: str, status: Status) -> None:
        """Set the status of (commit, context); twice is once."""
        async with self._reporting(url) as project:
            await state(project, status)

    async def deployment(self, url: str, status: Status, environment: str) -> None:
        """Tell of a deployment; the environment is made by GitLab when it is new."""
        async with self._reporting(url) as project:
            await deploy(project, status, environment, await self._projects.me(project))

    async def comment(self, url: str, number: int, body: str) -> None:
        """Make the one note of ours on this merge request say `body`."""
        said = body if body.startswith(MARKER) else f"{MARKER}\n{body}"
        said = cut(harmless(said), LARGEST)
        async with self._reporting(url) as project:
            key = (url, number, await self._projects.me(project))
            path = f"{project.path}/merge_requests/{number}/notes"
            if key in self._notes and await _edit(project, f"{path}/{self._notes[key]}", said):
                return
            note, before = await _find(project, path, key[2])
            if not note:
                note = text(await project.api.post(path, {"body": said}), "id")
            elif before != said:
                await project.api.send("PUT", f"{path}/{note}", {"body": said})
            self._notes[key] = note

    @asynccontextmanager
    async def _reporting(self, url: str) -> AsyncIterator[Project]:
        """The project, and errors as `Reports` raises them."""
        try:
            async with self._projects.open(url, ROLE) as project:
                yield project
        except Conflict as error:
            raise Transient(error.message, retry_after=BUSY) from error
        except UserError as error:
            raise report(error) from error


async def _edit(project: Project, path: str, said: str) -> bool:
    """Whether our note could be changed; not when a person has deleted it."""
    try:
        await project.api.send("PUT", path, {"body": said})
    except NotFound:
        return False
    return True


async def _find(project: Project, path: str, me: str) -> tuple[str, str]:
    """Number and text of our note, empty when there is none; others may carry our mark too."""
    if not me:
        raise Permanent("GitLab does not say whose token this is")
    wanted = {"sort": "asc", "order_by": "created_at"}
    async for one in project.api.every(path, {**wanted, "per_page": 100}):
        mine = text(one, "author", "id") == me and one.get("system") is not True
        if mine and text(one, "body").startswith(MARKER):
            return text(one, "id"), text(one, "body")
    return "", ""
