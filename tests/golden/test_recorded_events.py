"""What recorded webhooks of GitHub, GitLab, Gitea and Gogs mean, each in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from windlass.core.event import Ignored
from windlass.ports.forge import Request
from windlass.wiring.dialects import DIALECTS

HERE = Path(__file__).resolve()
# Recorded by others and kept beside the project, not in it.
RECORDED = HERE.parents[3] / "shared/payloads/drone-go-scm"
PAGE = HERE.parents[2] / "docs/reference/events.md"
EXPECTED = HERE.parent / "recorded/events.txt"

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="no recorded webhooks beside the project"
)

FORGES = ("github", "gitlab", "gitea", "gogs")
# The beginning of a file's name -> its event header; GitLab's bodies say it themselves.
HEADERS = {
    "branch_create": "create",
    "branch_delete": "delete",
    "tag_create": "create",
    "tag_delete": "delete",
    "check_run": "check_run",
    "comment": "issue_comment",
    "deployment": "deployment",
    "issue_comment": "issue_comment",
    "issues": "issues",
    "merge_group": "merge_group",
    "pipeline_hook": "workflow_run",
    "pr_review": "pull_request_review",
    "pr_": "pull_request",
    "pull_request_comment": "issue_comment",
    "pull_request": "pull_request",
    "push": "push",
    "release": "release",
    "status": "status",
}
# What the second opinion calls it -> what we call it.
WORDS = {"synchronized": "updated", "review_ready": "ready", "updated": "edited"}


def recorded():
    """Every recorded body of these forges."""
    return [path for forge in FORGES for path in sorted((RECORDED / forge).glob("*.json"))]


def name(path):
    return f"{path.parent.name}/{path.stem}"


def read(path):
    """The events of a recorded body, or why it is ignored."""
    event = next((word for start, word in HEADERS.items() if path.stem.startswith(start)), "")
    headers = {f"x-{path.parent.name}-event": event}
    request = Request(headers=headers, body=path.read_bytes(), at=0.0)
    return DIALECTS[path.parent.name].read(request, "acme/shop")


def said(event):
    """An event in one line: what, where, which commit, from where, by whom."""
    place = event.branch or event.tag or f"{event.head}->{event.base}"
    words = [event.label, f"#{event.number}" if event.number else "", place]
    words += [f"{(event.sha or '-')[:7]} <- {(event.before or '-')[:7]}"]
    words += [f"by {event.sender}/{event.sender_id}"]
    words += ["fork"] if event.fork else []
    words += ["draft"] if event.draft else []
    words += [f"[{','.join(event.labels)}]"] if event.labels else []
    return " ".join(word for word in words if word)


def lines(path):
    """What a recorded body means, in words."""
    found = read(path)
    means = [f"ignored: {found.reason}"] if isinstance(found, Ignored) else map(said, found)
    return [f"{name(path)}: {meaning}" for meaning in means]


def test_a_recorded_webhook_means_what_is_written_down():
    """Every one of them, so that no change of a dialect goes unseen."""
    found = "".join(f"{line}\n" for path in recorded() for line in lines(path))
    assert found == EXPECTED.read_text(encoding="utf-8")


def second(path):
    """What the second opinion says a body means, as far as both can say it; None when nothing."""
    golden = path.with_suffix(".json.golden")
    text = golden.read_text(encoding="utf-8").strip() if golden.exists() else ""
    if not text:
        return None
    told = json.loads(text)
    pull, ref, sender = (told.get(key) or {} for key in ("PullRequest", "Ref", "Sender"))
    named = ref.get("Name") if isinstance(ref, dict) else re.sub(r"^refs/\w+/", "", str(ref))
    sha = ref.get("Sha") if isinstance(ref, dict) else told.get("After")
    action = told.get("Action")
    return {
        "action": WORDS.get(action, action) or "pushed",
        "ref": (told.get("Release") or {}).get("Tag") or named or None,
        "number": pull.get("Number") or None,
        "head": pull.get("Source") or None,
        "base": pull.get("Target") or None,
        "sha": pull.get("Sha") or sha or None,
        "sender": sender.get("Login") or None,
    }


def ours(path):
    """The same of our first event; None when it is ignored."""
    found = read(path)
    if isinstance(found, Ignored):
        return None
    event = found[0]
    return {
        "action": event.action,
        "ref": event.branch or event.tag,
        "number": event.number,
        "head": event.head,
        "base": event.base,
        "sha": event.sha,
        "sender": event.sender,
    }


def test_the_page_says_where_our_reading_differs():
    """Each difference from the second opinion has a row, and no row is left of none."""
    differ = {name(path) for path in recorded() if ours(path) != second(path)}
    section = PAGE.read_text(encoding="utf-8").partition("## Where others read it differently")[2]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    told = {each for row in rows for each in re.findall(r"`(\w+/\w+)`", row.split("|")[1])}
    here = {each for each in told if each.partition("/")[0] in FORGES}
    assert here == differ
