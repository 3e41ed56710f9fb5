"""What we tell GitHub: statuses, check runs, the comment, deployments."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from windlass.ports.forge import (
    MARKER,
    Annotation,
    Status,
    StatusState,
)
from windlass.testing.servers.github import PERMISSIONS


def said(pulled, state=StatusState.SUCCESS, **more):
    return Status(sha=pulled.sha, context="windlass/ci", state=state, **more)


def bodies(github):
    return [one["body"] for one in github.shop.comments.values()]


def test_a_status_that_stands_is_not_sent_again(ask, github, pulled):
    """It is asked for, and not added to the thousand that GitHub takes."""

    async def play(forge):
        for _ in range(3):
            await forge.status(pulled.url, said(pulled, description="x" * 300, url="https://w/1"))

    ask(play)
    (one,) = github.shop.statuses
    assert len(one["description"]) == 140


def test_a_comment_that_was_deleted_is_made_again(ask, github, pulled):
    """By the same process, which knew its id, and by another one."""

    async def play(forge):
        await forge.comment(pulled.url, pulled.number, "one")
        github.shop.comments.clear()
        await forge.comment(pulled.url, pulled.number, "two")

    ask(play)
    assert bodies(github) == [f"{MARKER}\ntwo"]
    ask(lambda forge: forge.comment(pulled.url, pulled.number, f"{MARKER}\nthree"))
    assert bodies(github) == [f"{MARKER}\nthree"]


@pytest.mark.parametrize("by_app", [True, False])
def test_a_mark_of_somebody_else_is_not_ours(ask, github, pulled, app, by_app):
    """S-27: the author decides, not the mark, and a foreign comment is left alone."""
    who = {"token": None, "app": app} if by_app else {}
    github.say(pulled.number, f"{MARKER} all is well", github.ada if by_app else github.eve)
    for text in ("one", "two"):
        ask(lambda forge, text=text: forge.comment(pulled.url, pulled.number, text), **who)
    assert bodies(github) == [f"{MARKER} all is well", f"{MARKER}\ntwo"]


def test_a_long_comment_is_cut(ask, github, pulled):
    """GitHub takes 65,536 characters and refuses more."""
    ask(lambda forge: forge.comment(pulled.url, pulled.number, "ä" * 70_000))
    assert len(bodies(github)[0]) == 65_000


def test_a_check_run_is_changed_in_place(ask, github, pulled, app):
    """From its beginning to its end it is one, and telling it again sends nothing."""
    lines = tuple(Annotation(f"f{at}.py", at + 1, "it is wrong") for at in range(120))
    ended = said(pulled, StatusState.FAILURE, description="it broke", annotations=lines)

    async def play(forge):
        await forge.status(pulled.url, said(pulled, StatusState.PENDING))
        await forge.status(pulled.url, ended)

    ask(play, token=None, app=app)
    (run,) = github.shop.checks.values()
    assert (run["status"], run["conclusion"], run["external_id"]) == (
        "completed",
        "failure",
        "windlass/ci",
    )
    assert [one["path"] for one in run["_marks"]] == [one.path for one in lines]
    assert len(github.asked("PATCH", ".*/check-runs/.*")) == 3
    ask(lambda forge: forge.status(pulled.url, ended), token=None, app=app)
    assert len(github.asked("PATCH", ".*/check-runs/.*")) == 3


def test_marks_that_were_cut_off_are_completed(ask, github, pulled, app):
    """After a call that failed midway, none is missing and none is there twice."""
    lines = tuple(Annotation("f.py", at + 1, "wrong") for at in range(70))
    ended = said(pulled, StatusState.FAILURE, annotations=lines)
    ask(lambda forge: forge.status(pulled.url, ended), token=None, app=app)
    (run,) = github.shop.checks.values()
    del run["_marks"][50:]
    run["output"]["annotations_count"] = 50
    ask(lambda forge: forge.status(pulled.url, ended), token=None, app=app)
    assert len(run["_marks"]) == 70


def test_what_runs_again_is_a_new_check_run(ask, github, pulled, app):
    """GitHub takes nothing back from `completed`, and no mark away."""
    lines = (Annotation("f.py", 1, "wrong"),)

    async def play(forge):
        await forge.status(pulled.url, said(pulled, StatusState.FAILURE, annotations=lines))
        await forge.status(pulled.url, said(pulled, StatusState.PENDING))
        await forge.status(pulled.url, said(pulled, StatusState.SUCCESS))

    ask(play, token=None, app=app)
    first, second = github.shop.checks.values()
    assert (first["conclusion"], len(first["_marks"])) == ("failure", 1)
    assert (second["conclusion"], len(second["_marks"])) == ("success", 0)


def test_what_ended_well_and_runs_again_is_a_new_check_run(ask, github, pulled, app):
    """Without any mark it is so too."""

    async def play(forge):
        for state in (StatusState.SUCCESS, StatusState.PENDING, StatusState.FAILURE):
            await forge.status(pulled.url, said(pulled, state))

    ask(play, token=None, app=app)
    assert [run["conclusion"] for run in github.shop.checks.values()] == ["success", "failure"]


def test_a_check_run_of_another_app_is_left_alone(ask, github, pulled, app):
    """The name alone does not make it ours."""
    other = github.register("somebody", PERMISSIONS, "acme/shop")
    for one in (other, app):
        ask(lambda forge: forge.status(pulled.url, said(pulled)), token=None, app=one)
    assert [run["app"]["slug"] for run in github.shop.checks.values()] == [
        "somebody",
        "windlass-acme",
    ]


@pytest.mark.parametrize("by_app", [True, False])
def test_there_is_one_deployment_of_a_commit_to_a_place(ask, github, pulled, app, by_app):
    """It goes on in one; when another took its place, it is history and a new one is made."""
    who = {"token": None, "app": app} if by_app else {}
    other = SimpleNamespace(sha=github.push("main", {"z": "1"}))

    async def play(forge):
        for state in (StatusState.PENDING, StatusState.SUCCESS, StatusState.SUCCESS):
            await forge.deployment(pulled.url, said(pulled, state), "dev")
        await forge.deployment(pulled.url, said(other), "dev")
        await forge.deployment(pulled.url, said(pulled), "dev")
        await forge.deployment(pulled.url, said(pulled), "prod")

    ask(play, **who)
    told = [
        (one["sha"], one["environment"], [each["state"] for each in one["_statuses"]])
        for one in github.shop.deployments.values()
    ]
    assert told == [
        (pulled.sha, "dev", ["in_progress", "success", "inactive"]),
        (other.sha, "dev", ["success", "inactive"]),
        (pulled.sha, "dev", ["success"]),
        (pulled.sha, "prod", ["success"]),
    ]


def test_what_was_not_deployed_is_no_deployment(ask, github, pulled):
    """A neutral word about nothing makes nothing."""
    ask(lambda forge: forge.deployment(pulled.url, said(pulled, StatusState.NEUTRAL), "dev"))
    assert not github.shop.deployments
