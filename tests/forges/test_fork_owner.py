"""Whose the fork of a pull request is, in the words of each forge; nobody's when it is gone."""

from __future__ import annotations

import pytest

from windlass.core.event import Event, Kind
from windlass.forges import bodies
from windlass.forges.azure import dialect as azure
from windlass.forges.bitbucket_cloud import dialect as cloud
from windlass.forges.bitbucket_dc import dialect as center
from windlass.forges.gitea import dialect as gitea
from windlass.forges.gitlab import dialect as gitlab
from windlass.forges.strict_json import Node

TOLD = (
    (gitlab._owner, {"source": {"path_with_namespace": "acme/tools/shop"}}, "acme/tools"),
    (gitlab._owner, {"source": None}, ""),
    (cloud._owner, {"repository": {"full_name": "eve/shop"}}, "eve"),
    (cloud._owner, {"repository": None}, ""),
    (center._owner, {"repository": {"project": {"key": "~EVE"}}}, "~EVE"),
    (center._owner, {"repository": None}, ""),
    (azure._owner, {"forkSource": {"repository": {"project": {"name": "eve"}}}}, "eve"),
    (azure._owner, {"forkSource": None}, ""),
)


@pytest.mark.parametrize(("read", "body", "owner"), TOLD)
def test_the_owner_is_who_has_the_repository(read, body, owner):
    """A group with the groups above it, a workspace, a project."""
    assert read(Node(body)) == owner


HOME = {"id": 1, "owner": {"login": "acme"}}


@pytest.mark.parametrize(
    ("head", "owner"),
    [
        ({"id": 2, "owner": {"login": "eve"}}, "eve"),
        ({"id": 2, "owner": {"username": "eve"}}, "eve"),
        ({"id": 2}, ""),
        (None, ""),
        (HOME, ""),
    ],
)
def test_the_owner_of_another_repository_is_told_by_its_login(head, owner):
    """At GitHub, and at all that took its words; our own repository is no fork."""
    assert bodies.owner(None if head is None else Node(head), Node(HOME)) == owner


def test_who_pushes_for_review_is_no_owner():
    """Into the repository itself, as anybody may at Gitea: its owner would let everybody in."""
    event = Event(
        kind=Kind.PULL_REQUEST, action="opened", repository="shop", head="refs/pull/7/head",
        fork_owner="acme",
    )  # fmt: skip
    found = gitea._completed(event, Node({}))
    assert (found.fork, found.fork_owner) == (True, "")
