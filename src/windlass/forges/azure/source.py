"""
`Source` of Azure DevOps: what can be asked of a repository.

Webhooks of Azure DevOps prove who sends and nothing of what is said, so decisions rest on
the answers of this module: refs and pull requests, each complete and as they are now.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.core.errors import BadDelivery, NotAllowed, NotFound, Permanent, Transient, UserError
from windlass.forges.azure import rights
from windlass.forges.azure.api import Access, Azure, values
from windlass.forges.azure.votes import approvals, voters
from windlass.forges.http.api import Json, text
from windlass.forges.http.client import Denied
from windlass.forges.times import moment
from windlass.git.refs import is_sha
from windlass.ports.forge import Login, Permission, PullRequest, PullState

HEADS = "refs/heads/"
STATES: Mapping[str, PullState] = {
    "active": PullState.OPEN,
    "completed": PullState.MERGED,
    "abandoned": PullState.CLOSED,
}


class AzureSource(Access):
    """`Source` of Azure DevOps."""

    async def heads(self, url: str) -> Mapping[str, str]:
        """Full ref name -> commit, of branches, tags and open pull requests."""
        azure = self.azure(url)
        try:
            return await _heads(azure)
        except NotFound as error:
            raise azure.absent() from error

    async def pull(self, url: str, number: int) -> PullRequest:
        """A pull request as it is now."""
        azure = self.azure(url)
        try:
            said = await azure.get(f"{azure.place.api}/pullrequests/{number}")
        except NotFound as error:
            raise NotFound(f"{azure.place.url} has no pull request {number}") from error
        return await _pull(azure, number, said)

    async def permission(self, url: str, sender_id: str) -> Permission:
        """What this identity may do there, by its groups too; unknown ones may nothing."""
        if not rights.is_identity(sender_id):
            return Permission.NONE
        azure = self.signed_in(url)
        known = await azure.known()
        try:
            return await rights.permission(azure, known, sender_id)
        except Denied as error:
            raise NotAllowed(
                f"{azure.place.url}: Azure DevOps does not let this token see who may do what"
                f" ({error.message})",
                hint="the token needs the scopes Identity (Read) and Security (Manage)",
            ) from error

    async def default_branch(self, url: str) -> str:
        """The branch that the repository names."""
        azure = self.azure(url)
        known = await azure.known()
        if not known.default:
            raise UserError(
                f"{azure.place.url} has no default branch",
                hint="push a branch to it, then connect it again",
            )
        return known.default

    async def credential(self, url: str) -> Login | None:
        """The token; Azure DevOps does not look at the name."""
        token = self._tokens(url)
        return Login("windlass", token) if token else None


async def _heads(azure: Azure) -> dict[str, str]:
    found = {}
    for kind in ("heads/", "tags/"):
        async for ref in azure.refs(kind):
            found[text(ref, "name")] = text(ref, "peeledObjectId") or text(ref, "objectId")
    async for pull in azure.open_pulls():
        head = _sha(pull, "lastMergeSourceCommit")
        if not head and not _foreign(pull):
            head = found.get(text(pull, "sourceRefName"), "")
        found[f"refs/pull/{text(pull, 'pullRequestId')}/head"] = head
    return {name: sha for name, sha in found.items() if is_sha(sha)}


async def _pull(azure: Azure, number: int, said: Json) -> PullRequest:
    state = STATES.get(text(said, "status"))
    if state is None:
        raise Permanent(f"Azure DevOps calls pull request {number} {text(said, 'status')[:40]!r}")
    head = text(said, "sourceRefName").removeprefix(HEADS)
    sha, people = _sha(said, "lastMergeSourceCommit") or await _tip(azure, said, head), voters(said)
    page = text(said, "repository", "webUrl") or azure.place.web
    return PullRequest(
        number=number,
        title=text(said, "title"),
        author=text(said, "createdBy", "displayName"),
        author_id=text(said, "createdBy", "id"),
        base=text(said, "targetRefName").removeprefix(HEADS),
        head=head,
        head_sha=sha,
        state=state,
        merge_sha=_sha(said, "lastMergeCommit") if state is PullState.MERGED else "",
        fork=_foreign(said),
        fork_owner=text(said, "forkSource", "repository", "project", "name")
        if _foreign(said)
        else "",
        draft=said.get("isDraft") is True,
        labels=await _labels(azure, number, said),
        web_url=f"{page}/pullrequest/{number}",
        approved_by=tuple(text(one, "displayName") for one in people),
        approvals=await approvals(azure, number, sha, people),
        created_at=_at(said, "creationDate"),
        updated_at=_at(said, "closedDate") or _at(said, "creationDate"),
    )


async def _tip(azure: Azure, said: Json, branch: str) -> str:
    """The head of a pull request that Azure DevOps has not tried to merge yet."""
    if not _foreign(said):
        async for ref in azure.refs(f"heads/{branch}"):
            if text(ref, "name") == HEADS + branch:
                return text(ref, "objectId")
    raise Transient("Azure DevOps does not tell the head of this pull request yet")


async def _labels(azure: Azure, number: int, said: Json) -> tuple[str, ...]:
    """Its labels, asked for on their own where the answer leaves them out."""
    told = said.get("labels")
    path = f"{azure.place.api}/pullRequests/{number}/labels"
    found = told if isinstance(told, list) else values(await azure.send("GET", path))
    labels = [one for one in found if isinstance(one, dict) and one.get("active") is not False]
    return tuple(text(one, "name") for one in labels)


def _foreign(said: Json) -> bool:
    """Whether the head is in another repository; one that is not told is another."""
    if said.get("forkSource") is None:
        return False
    return text(said, "forkSource", "repository", "id") != text(said, "repository", "id")


def _sha(said: Json, name: str) -> str:
    sha = text(said, name, "commitId")
    return sha if is_sha(sha) else ""


def _at(said: Json, name: str) -> float:
    try:
        return moment(text(said, name) or None) or 0.0
    except BadDelivery:
        return 0.0
