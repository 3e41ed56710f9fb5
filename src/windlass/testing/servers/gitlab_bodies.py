"""The bodies of GitLab's webhooks, cut down to what tells something."""

from __future__ import annotations

from typing import Any

from windlass.testing.servers.gitlab_state import Project, Row

ZERO = "0" * 40
# Where the numbers of the versions of merge requests begin.
FIRST = 9000


def about(project: Project, host: str) -> Row:
    """What every body says of its project."""
    web = f"{host}/{project.path}"
    return {
        "id": project.id,
        "name": project.path.rpartition("/")[2],
        "web_url": web,
        "git_http_url": f"{web}.git",
        "path_with_namespace": project.path,
        "default_branch": project.default,
    }


def push(project: Project, host: str, user: Row, moved: tuple[str, str, str]) -> Row:
    """A push of `moved`: ref, before and after."""
    ref, before, after = moved
    kind = "tag_push" if ref.startswith("refs/tags/") else "push"
    gone = after == ZERO
    sha = None if gone else project.bare.git("rev-parse", f"{after}^{{commit}}")
    commit: Row = {
        "id": sha,
        "message": "" if gone else project.bare.git("log", "-1", "--format=%s", after),
        "timestamp": "2024-01-01T10:00:00+00:00",
        "url": f"{host}/{project.path}/-/commit/{sha}",
        "author": {"name": user["name"], "email": "[REDACTED]"},
        "added": [],
        "modified": [],
        "removed": [],
    }
    return {
        "object_kind": kind,
        "event_name": kind,
        "before": before,
        "after": after,
        "ref": ref,
        "checkout_sha": sha,
        "message": None,
        "user_id": user["id"],
        "user_name": user["name"],
        "user_username": user["username"],
        "project_id": project.id,
        "project": about(project, host),
        "commits": [] if gone else [commit],
        "total_commits_count": 0 if gone else 1,
    }


def sample(project: Project, host: str, user: Row, trigger: str) -> Row:
    """What a test sends: the newest push once more, or a made-up token that will expire."""
    if trigger == "push_events":
        tip = project.bare.git("rev-parse", f"refs/heads/{project.default}")
        return push(project, host, user, (f"refs/heads/{project.default}", tip, tip))
    return {
        "object_kind": "access_token",
        "event_name": "expiring_access_token",
        "project": about(project, host),
        "object_attributes": {"id": 1, "user_id": None, "name": "pat", "expires_at": "2026-01-26"},
    }


def _request(row: Row) -> Row:
    """A merge request within a body, which says some things in another way than the API."""
    names = ("iid", "title", "description", "source_branch", "target_branch", "draft", "state")
    more = ("source_project_id", "target_project_id", "merge_commit_sha", "updated_at")
    return {
        **{name: row[name] for name in (*names, *more)},
        "author_id": row["author"]["id"],
        "last_commit": {"id": row["sha"], "message": row["title"]},
        "url": row["web_url"],
    }


def merge_request(project: Project, host: str, user: Row, row: Row, action: dict[str, Any]) -> Row:
    """Something happened to a merge request; `action` is `action`, and `oldrev` of an update."""
    return {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": user,
        "project": about(project, host),
        "object_attributes": {**_request(row), **action},
        "labels": [{"title": title} for title in row["labels"]],
        "changes": {},
    }


def versions(project: Project, number: int, at: str) -> None:
    """Keep the head of a merge request among those it has had."""
    had = project.versions.setdefault(number, [])
    head = project.requests[number]["sha"]
    had.insert(0, {"id": FIRST + len(had), "head_commit_sha": head, "created_at": at})


def note(project: Project, host: str, user: Row, row: Row, said: Row) -> Row:
    """Somebody commented on a merge request."""
    return {
        "object_kind": "note",
        "event_type": "note",
        "user": user,
        "project_id": project.id,
        "project": about(project, host),
        "object_attributes": {
            "id": said["id"],
            "note": said["body"],
            "noteable_type": "MergeRequest",
            "author_id": said["author"]["id"],
            "system": said["system"],
            "action": "create",
            "url": f"{row['web_url']}#note_{said['id']}",
            "created_at": said["created_at"],
        },
        "merge_request": _request(row),
    }
