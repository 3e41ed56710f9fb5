"""What the recorded webhooks of Bitbucket and Azure DevOps mean, each in one line."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from windlass.core.errors import BadDelivery
from windlass.core.event import Ignored
from windlass.forges.azure.dialect import AzureDialect, example
from windlass.forges.bitbucket_cloud.dialect import BitbucketCloudDialect
from windlass.forges.bitbucket_dc.dialect import BitbucketDataCenterDialect
from windlass.ports.forge import Request

# Recorded by others and kept beside the project, not in it.
RECORDED = Path(__file__).resolve().parents[3] / "shared/payloads/drone-go-scm"
DIALECTS = {
    "bitbucket": BitbucketCloudDialect(),
    "stash": BitbucketDataCenterDialect(),
    "azure": AzureDialect(),
}

BRAD = "by brydzewski/{87bb15eb-47c1-49b3-9f16-ca824a2979a4}"
RUTVIJ = "by Rutvij Mehta/{145a94da-035e-42d6-bf85-296cea8005ba}"
JANE = "by jcitizen/1"
JAMAL = "by Jamal Hartnett/54d125f7-69f7-4191-904f-c5b96b6261c8"
ONE, TWO, FEATURE = "#1 develop->master", "#2 develop->master", "#2 feature-2->master"
OTHER = "trangineni/devtfvars-1685475548410"
NOTHING = "Windlass does nothing with Bitbucket's"
NO_COMMENT = "Windlass does nothing with a comment that is changed, removed or no text"

# File -> event header (where the body does not tell) and what comes of it: events, or why nothing.
MEANINGS = {
    "bitbucket/pipeline_hook_created": (
        "repo:commit_status_created",
        f"{NOTHING} repo:commit_status_created",
    ),
    "bitbucket/pipeline_hook_update": (
        "repo:commit_status_updated",
        f"{NOTHING} repo:commit_status_updated",
    ),
    "bitbucket/pr_comment_created": (
        "pullrequest:comment_created",
        [f"comment #1 tiwhitepaper-rutvij->2021.x - <- - {RUTVIJ}"],
    ),
    "bitbucket/pr_comment_deleted": (
        "pullrequest:comment_deleted",
        f"{NOTHING} pullrequest:comment_deleted",
    ),
    "bitbucket/pr_created": (
        "pullrequest:created",
        [f"pull_request opened {ONE} 507a576e59b3 <- - {BRAD}"],
    ),
    "bitbucket/pr_declined": (
        "pullrequest:rejected",
        [f"pull_request closed {TWO} 6ca9fe26898a <- - {BRAD}"],
    ),
    "bitbucket/pr_fulfilled": (
        "pullrequest:fulfilled",
        [f"pull_request merged {ONE} 4f8f6de9d0ff <- - {BRAD}"],
    ),
    "bitbucket/pr_updated": (
        "pullrequest:updated",
        [f"pull_request updated {ONE} 0704fc5beccc <- - {BRAD}"],
    ),
    "bitbucket/push": ("repo:push", [f"push master 141977fedf5c <- 40e7580cf113 {BRAD}"]),
    "bitbucket/push_branch_create": (
        "repo:push",
        [
            f"push develop 141977fedf5c <- - {BRAD}",
            f"branch created develop 141977fedf5c <- - {BRAD}",
        ],
    ),
    "bitbucket/push_branch_delete": (
        "repo:push",
        [f"branch deleted develop - <- 141977fedf5c {BRAD}"],
    ),
    "bitbucket/push_tag_create": (
        "repo:push",
        [f"tag created feature/x 141977fedf5c <- - {BRAD}"],
    ),
    "bitbucket/push_tag_delete": (
        "repo:push",
        [f"tag deleted feature/x - <- 141977fedf5c {BRAD}"],
    ),
    "stash/pr_declined": ("", [f"pull_request closed {TWO} b9eaed50a03c <- - {JANE}"]),
    "stash/pr_declined_iso_dates": ("", [f"pull_request closed {TWO} b9eaed50a03c <- - {JANE}"]),
    "stash/pr_deleted": ("", [f"pull_request closed {TWO} b9eaed50a03c <- - {JANE}"]),
    "stash/pr_from_ref_updated": (
        "",
        [f"pull_request updated {FEATURE} c00d0f269a98 <- caf52ccb18c0 {JANE}"],
    ),
    "stash/pr_merged": (
        "",
        [f"pull_request merged #3 develop->master 83f836ca538d <- - {JANE}"],
    ),
    "stash/pr_merged_iso_dates": (
        "",
        [f"pull_request merged #3 develop->master 83f836ca538d <- - {JANE}"],
    ),
    "stash/pr_modified_meta": (
        "",
        [f"pull_request edited #6 cleanup->master a268fca7b650 <- - {JANE} fork"],
    ),
    "stash/pr_modified_toref": ("", [f"pull_request edited {FEATURE} c00d0f269a98 <- - {JANE}"]),
    "stash/pr_open": ("", [f"pull_request opened {TWO} 208b0a5c05ed <- - {JANE}"]),
    "stash/pr_open_iso_dates": ("", [f"pull_request opened {TWO} 208b0a5c05ed <- - {JANE}"]),
    "stash/push": ("", [f"push master 823b2230a560 <- 5c64a07cd6c0 {JANE}"]),
    "stash/push_branch_create": (
        "",
        [
            f"push develop 208b0a5c05ed <- - {JANE}",
            f"branch created develop 208b0a5c05ed <- - {JANE}",
        ],
    ),
    "stash/push_branch_delete": ("", [f"branch deleted develop - <- 208b0a5c05ed {JANE}"]),
    "stash/push_tag_create": ("", [f"tag created v1.1.0 823b2230a560 <- - {JANE}"]),
    "stash/push_tag_delete": ("", [f"tag deleted v1.1.0 - <- 823b2230a560 {JANE}"]),
    "stash/push_v5": ("", [f"push {OTHER} 51a33664b6d7 <- b2b710209761 by trangineni/39725"]),
    "azure/issue_comment": ("", [f"comment #1 mytopic->master 53d54ac91514 <- - {JAMAL}"]),
    "azure/issue_comment_delete": ("", NO_COMMENT),
    "azure/issue_comment_edit": ("", NO_COMMENT),
    "azure/pr_created": (
        "",
        [f"pull_request opened #1 mytopic->master 53d54ac91514 <- - {JAMAL}"],
    ),
    "azure/pr_merged": (
        "",
        ["pull_request merged #1 mytopic->master eef717f69257 <- - by None/None"],
    ),
    "azure/pr_updated": (
        "",
        ["pull_request merged #1 mytopic->master eef717f69257 <- - by None/None"],
    ),
    "azure/push": (
        "",
        ["push master 33b55f7cb7e7 <- aad331d8d3b1 by Jamal Hartnett/00067FFED5C7AF52@Live.com"],
    ),
}

# Of these somebody else has written down a meaning that can be compared.
COMPARED = [
    file
    for file, (_, meaning) in MEANINGS.items()
    if isinstance(meaning, list) and "comment" not in file and "iso_dates" not in file
]

recorded = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="no recorded webhooks beside the project"
)


def said(event):
    """An event in one line: what, where, which commit, from where, by whom."""
    place = event.branch or event.tag or f"#{event.number} {event.head}->{event.base}"
    words = [event.label, place, (event.sha or "-")[:12], "<-", (event.before or "-")[:12]]
    words += ["by", f"{event.sender}/{event.sender_id}"]
    return " ".join([*words, "fork"] if event.fork else words)


def found(file, name):
    """What a recorded body is read as."""
    body = (RECORDED / f"{file}.json").read_bytes()
    request = Request(headers={"x-event-key": name}, body=body, at=0.0)
    return DIALECTS[file.split("/")[0]].read(request, "acme/shop")


@recorded
@pytest.mark.parametrize("file", MEANINGS)
def test_a_recorded_webhook_means_this(file):
    """What the forge really sent is read as written down here."""
    name, expected = MEANINGS[file]
    events = found(file, name)
    meaning = events.reason if isinstance(events, Ignored) else [said(one) for one in events]
    assert meaning == expected


@recorded
def test_no_recorded_webhook_is_left_out():
    """Every body that was recorded of these forges has its line above."""
    files = {path for forge in DIALECTS for path in (RECORDED / forge).glob("*.json")}
    assert {f"{path.parent.name}/{path.stem}" for path in files} == set(MEANINGS)


@recorded
@pytest.mark.parametrize("file", COMPARED)
def test_a_second_opinion_agrees(file):
    """Another reader of the same body found the same pull request, or the same commit."""
    opinion = RECORDED / f"{file}.json.golden"
    events = found(file, MEANINGS[file][0])
    assert not isinstance(events, Ignored)
    other = json.loads(opinion.read_text())
    event = events[0]
    if "PullRequest" in other:
        pull = other["PullRequest"]
        assert (event.number, event.title, event.head, event.base) == (
            *(pull["Number"], pull["Title"]),
            *(pull["Source"], pull["Target"]),
        )
        assert event.body == pull["Body"]
    elif "After" in other:
        assert (event.sha, event.before or "") == (other["After"], other.get("Before", ""))
    else:
        assert (event.branch or event.tag) == other["Ref"]["Name"]


@recorded
def test_azures_recorded_examples_are_known_for_that():
    """As they stand they are what the test button sends, and a server moves nothing for them."""
    for path in (RECORDED / "azure").glob("*.json"):
        assert example(Request(headers={}, body=path.read_bytes(), at=0.0))


@recorded
def test_every_recorded_webhook_is_read_calmly():
    """Whichever forge a body is taken for, it gives events, a reason or BadDelivery."""
    names = {name for name, _ in MEANINGS.values()}
    for path in RECORDED.glob("*/*.json"):
        for name in names:
            request = Request(headers={"x-event-key": name}, body=path.read_bytes(), at=0.0)
            for dialect in DIALECTS.values():
                with contextlib.suppress(BadDelivery):
                    assert dialect.read(request, "acme/shop")
