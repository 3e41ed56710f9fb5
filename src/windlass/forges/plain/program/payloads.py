"""
The bodies of our webhooks: one event each, in words of our own.

What a body leaves out it says: `commits_complete`, `files_complete`. Text of Git
that is not UTF-8 is shown as such; a file name that is not is left out, and the
list then counts as incomplete.
"""

from __future__ import annotations

from windlass.forges.plain.program.git import Git, Running, text
from windlass.forges.plain.program.pulls import Pull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Body = Mapping[str, object]

COMMITS = 20
FILES = 300
FORM = "--format=%H%x00%an%x00%ae%x00%B%x00"


class Writer:
    """Writes the bodies of what one person did at one time in one repository."""

    def __init__(self, git: Git, *, name: str, identity: str, at: float) -> None:
        self.git = git
        self.name = name
        self.identity = identity
        self.at = at

    def push(self, old: str, new: str, ref: str) -> Body:
        """A branch or tag that moved; new commits newest first."""
        made, gone = not old.strip("0"), not new.strip("0")
        branch = ref.startswith("refs/heads/")
        # Git is started twice and then awaited twice: the webhook is that much earlier.
        listing = self._diff(old, new) if branch and not made and not gone else None
        tip = "" if gone else new if branch else self._commit(new)
        known = ["--not", *(["--exclude=" + ref, "--branches"] if made else [old])]
        commits = self._commits(tip, *known) if tip and branch else []
        if tip and not commits:
            commits = self._commits(tip, "--max-count=1")
        files = _named(listing) if listing else None
        return {
            **self._envelope("push"),
            "ref": ref,
            "before": old,
            "after": new,
            "commit": tip,
            "commits": commits[:COMMITS],
            "commits_complete": len(commits) <= COMMITS,
            **self._listed(files),
        }

    def pull_request(self, action: str, pull: Pull, *, before: str = "") -> Body:
        """A pull request that changed; `before` is the head it had until an update."""
        return {
            **self._envelope("pull_request"),
            "action": action,
            "before": before,
            "pull_request": _fields(pull),
            **self._listed(_named(self._diff(f"{pull.base_sha}...{pull.head_sha}"))),
        }

    def review(self, action: str, pull: Pull) -> Body:
        """What a reviewer said of the present head."""
        return {
            **self._envelope("review"),
            "action": action,
            "pull_request": _fields(pull),
        }

    def _envelope(self, event: str) -> Body:
        return {
            "event": event,
            "at": self.at,
            "repository": {"path": self.git.repository},
            "sender": {"name": self.name, "id": self.identity},
        }

    def _commit(self, revision: str) -> str:
        code, out = self.git.run("rev-parse", "--verify", "--quiet", revision + "^{commit}")
        return text(out).strip() if code == 0 else ""

    def _commits(self, *revisions: str) -> list[Body]:
        out = self.git.run("log", f"--max-count={COMMITS + 1}", FORM, *revisions, "--")[1]
        parts = text(out).split("\0")
        return [
            {
                "id": parts[at].strip(),
                "author": {"name": parts[at + 1], "email": parts[at + 2]},
                "message": parts[at + 3].rstrip("\n"),
            }
            for at in range(0, len(parts) - 3, 4)
        ]

    def _diff(self, *revisions: str) -> Running:
        words = ("diff", "--name-only", "--no-renames", "--no-ext-diff", "-z")
        return self.git.begin(*words, *revisions, "--")

    def _listed(self, files: list[str] | None) -> Body:
        complete = files is not None and len(files) <= FILES
        return {"files": (files or [])[:FILES], "files_complete": complete}


def _named(listing: Running) -> list[str] | None:
    """Names of changed files, at most one more than we send; None when not all can be named."""
    code, out = listing.end()
    if code != 0:
        return None
    try:
        return out.decode("utf-8").split("\0")[:-1][: FILES + 1]
    except UnicodeDecodeError:
        return None


def _fields(pull: Pull) -> Body:
    return {
        "number": pull.number,
        "title": pull.title,
        "body": pull.body,
        "author": {"name": pull.author, "id": pull.author_id},
        "base": pull.base,
        "base_sha": pull.base_sha,
        "head": pull.head,
        "head_sha": pull.head_sha,
        "state": pull.state,
        "draft": pull.draft,
        "merge_sha": pull.merge_sha,
        "created_at": pull.created_at,
    }
