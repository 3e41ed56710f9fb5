"""
What can be asked of a project: `Source` of GitLab.

GitLab keeps the head of merge request N as `refs/merge-requests/N/head`; we say
`refs/pull/N/head` here as for every forge. Public projects answer without a token, but then
nobody's role is known, and so nobody may write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from windlass.core.errors import NotFound, Permanent, UserError
from windlass.forges.gitlab.projects import Project, Projects
from windlass.forges.gitlab.words import instant
from windlass.forges.http.api import Api, Json, fields, items, text
from windlass.ports.forge import Approval, Login, Permission, PullRequest, PullState

# GitLab's number of a role, from there on; Minimal Access (5) is none.
LEVELS = ((40, Permission.ADMIN), (30, Permission.WRITE), (10, Permission.READ))
# The longest id that is one; ids are 64 bits.
DIGITS = 19

STATES = {"merged": PullState.MERGED, "closed": PullState.CLOSED}


class GitLabSource:
    """`Source` of GitLab."""

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    async def heads(self, url: str) -> Mapping[str, str]:
        """Full ref name -> commit, of branches, tags and open merge requests."""
        found: dict[str, str] = {}
        async with self._projects.open(url, "Reporter", public=True) as project:
            for kind, ref in (("branches", "refs/heads/"), ("tags", "refs/tags/")):
                path = f"{project.path}/repository/{kind}"
                async for one in project.api.every(path, {"per_page": 100}):
                    # Of an annotated tag this is the commit, and `target` the tag itself.
                    found[ref + text(one, "name")] = text(one, "commit", "id")
            path = f"{project.path}/merge_requests"
            async for one in project.api.every(path, {"state": "opened", "per_page": 100}):
                # Null while a source branch holds nothing.
                if sha := text(one, "sha"):
                    found[f"refs/pull/{text(one, 'iid')}/head"] = sha
        return found

    async def pull(self, url: str, number: int) -> PullRequest:
        """A merge request as it is now; `NotFound` when there is none."""
        async with self._projects.open(url, "Reporter", public=True) as project:
            path = f"{project.path}/merge_requests/{number}"
            said = await project.api.get(path)
            pull = _pull(said, await _fork_owner(project, said))
            approved = await _approved(project.api, path)
            if approved is None:
                return pull
            names = tuple(text(one, "user", "username") for one in approved)
            since = await _since(project.api, path, pull.head_sha) if approved else None
        return replace(pull, approved_by=names, approvals=_approvals(approved, pull, since))

    async def permission(self, url: str, sender_id: str) -> Permission:
        """What this user may do there, by a role of the project or of a group above it."""
        if not (sender_id.isascii() and sender_id.isdecimal() and len(sender_id) <= DIGITS):
            return Permission.NONE
        if self._projects.token(url) is None:
            return Permission.NONE
        async with self._projects.open(url, "Reporter") as project:
            try:
                member = await project.api.get(f"{project.path}/members/all/{int(sender_id)}")
            except NotFound:
                return Permission.NONE
        # Who was asked in and has not come yet, or was blocked, has a role as well.
        if text(member, "state") not in {"", "active"}:
            return Permission.NONE
        level = int(text(member, "access_level") or 0)
        return next((may for least, may in LEVELS if level >= least), Permission.NONE)

    async def default_branch(self, url: str) -> str:
        """The branch that GitLab shows first; `UserError` while there is none."""
        async with self._projects.open(url, "Reporter", public=True) as project:
            branch = text(await project.api.get(project.path), "default_branch")
        if not branch:
            raise UserError(f"{url} has no branch yet", hint="push a first commit")
        return branch

    async def credential(self, url: str) -> Login | None:
        """The token as a password; GitLab takes any name with it."""
        token = self._projects.token(url)
        return Login("oauth2", token) if token else None


async def _fork_owner(project: Project, said: Json) -> str:
    """The group or the person whose another source is; empty when we may not see it."""
    source = text(said, "source_project_id")
    if not source or source == text(said, "target_project_id"):
        return ""
    try:
        found = await project.api.get(f"/projects/{int(source)}")
    except (NotFound, Permanent):
        return ""
    return text(found, "namespace", "full_path")


async def _approved(api: Api, path: str) -> list[Json] | None:
    """
    Who approves it as it is; None where GitLab does not tell.

    A project's settings say whether a push takes approvals back.
    """
    try:
        said = await api.get(f"{path}/approvals")
    except NotFound:
        return None  # what GitLab sold before 13.2 is not there without a licence
    return [fields(one) for one in items(said.get("approved_by") or [])]


async def _since(api: Api, path: str, head: str) -> float | None:
    """When its head came (UTC seconds); 0 when it had no other, None when that is not told."""
    versions = [one async for one in api.every(f"{path}/versions", {"per_page": 100})]
    newest = max(versions, key=lambda one: int(text(one, "id") or 0), default={})
    if text(newest, "head_commit_sha") != head:
        return None
    only = all(text(one, "head_commit_sha") == head for one in versions)
    return 0.0 if only else instant(text(newest, "created_at")) or None


def _approvals(
    approved: list[Json], pull: PullRequest, since: float | None
) -> tuple[Approval, ...]:
    """Approvals: GitLab tells no commit, but newer ones the time of each."""

    def commit(one: Json) -> str:
        given = instant(text(one, "approved_at"))
        return pull.head_sha if since is not None and (not since or given > since) else ""

    return tuple(
        Approval(text(one, "user", "id"), commit(one), text(one, "user", "username"))
        for one in approved
        if text(one, "user", "id")
    )


def _pull(said: Json, fork_owner: str) -> PullRequest:
    state = STATES.get(text(said, "state"), PullState.OPEN)
    made = text(said, "merge_commit_sha") or text(said, "squash_commit_sha")
    # Merged by fast-forward there is no commit but the head.
    merge = (made or text(said, "sha")) if state is PullState.MERGED else ""
    labels = said.get("labels")
    return PullRequest(
        number=int(text(said, "iid") or 0),
        title=text(said, "title"),
        author=text(said, "author", "username"),
        author_id=text(said, "author", "id"),
        base=text(said, "target_branch"),
        head=text(said, "source_branch"),
        head_sha=text(said, "sha"),
        state=state,
        merge_sha=merge,
        # Without a source, its project was deleted.
        fork=said.get("source_project_id") != said.get("target_project_id"),
        fork_owner=fork_owner,
        draft=said.get("draft") is True or said.get("work_in_progress") is True,
        labels=tuple(str(label) for label in items(labels)) if labels else (),
        web_url=text(said, "web_url"),
        created_at=instant(text(said, "created_at")),
        updated_at=instant(text(said, "updated_at")),
    )
