"""What Gitea and Forgejo are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from windlass.core.errors import Permanent
from windlass.engine import comment as engine_comment
from windlass.forges.gogs_api.comments import CUT, LARGEST
from windlass.ports.forge import MARKER, Status, StatusState


def test_the_longest_comment_of_the_engine_fits():
    """Even where its signs take two bytes each, the forge keeps all of it."""
    assert engine_comment.LARGEST * 2 < LARGEST


def test_a_missing_scope_ends_a_report(gitea, ada, url, pull, ask):
    """Nobody waits for a report, so what a person could mend is permanent, with the remedy."""
    narrow = gitea.token(ada, "write:repository", "read:user")
    with pytest.raises(Permanent, match="write:issue"):
        ask(lambda forge: forge.comment(url, 7, "text"), token=narrow)
    with pytest.raises(Permanent, match="windlass repo token"):
        ask(lambda forge: forge.comment(url, 7, "text"), token=None)


def test_a_status_that_stands_is_not_sent_again(gitea, shop, url, pull, ask):
    """The forge keeps all it was ever told, so only what is new is told."""
    status = Status(sha=pull.sha, context="ci", state=StatusState.SUCCESS, description="ok",
                    url="http://127.0.0.1/1")  # fmt: skip

    async def play(forge):
        for _ in range(3):
            await forge.status(url, status)
        await forge.status(url, replace(status, description="x" * 300))
        await forge.status(url, status)

    ask(play)
    assert [len(one["description"]) for one in shop.statuses] == [2, 255, 2]


def test_what_was_skipped_holds_nothing_up(shop, url, pull, ask):
    """There is no neutral status here: it is a success that says in words what it is."""
    status = Status(sha=pull.sha, context="ci", state=StatusState.NEUTRAL, description="skipped")
    ask(lambda forge: forge.status(url, status))
    assert (shop.statuses[0]["status"], shop.statuses[0]["description"]) == (
        "success",
        "neutral: skipped",
    )


def test_an_unknown_commit_does_not_look_like_a_broken_forge(gitea, url, ask):
    """Three statuses for commits that are gone do not keep the forge from being asked."""

    async def play(forge):
        for _ in range(4):
            with pytest.raises(Permanent):
                await forge.status(
                    url, Status(sha="f" * 40, context="ci", state=StatusState.SUCCESS)
                )
            with pytest.raises(Permanent):
                await forge.comment(url, 4711, "text")
        assert await forge.default_branch(url) == "main"

    ask(play)
    assert not [one for one in gitea.calls if one.method == "POST"]


def test_a_comment_that_was_deleted_is_made_again(gitea, shop, url, pull, ask):
    """Ours is remembered, and its place is taken by a new one when it is gone."""

    async def play(forge):
        await forge.comment(url, 7, f"{MARKER}\nfirst")
        shop.comments.clear()
        await forge.comment(url, 7, f"{MARKER}\nsecond")
        await forge.comment(url, 7, f"{MARKER}\nthird")

    ask(play)
    assert [one.body for one in shop.comments.values()] == [f"{MARKER}\nthird"]


def test_a_comment_is_found_again_after_a_restart(gitea, shop, url, pull, ask):
    """A new server edits the comment of the old one, and what says the same is not sent."""
    for text in ("first", "first", "second"):
        ask(lambda forge, text=text: forge.comment(url, 7, f"{MARKER}\n{text}"))
    assert [one.body for one in shop.comments.values()] == [f"{MARKER}\nsecond"]
    assert len([one for one in gitea.calls if one.method == "PATCH"]) == 1


def test_a_strangers_marker_is_not_ours(gitea, shop, url, pull, ask):
    """S-27: a comment counts as ours by who wrote it; a quotation of ours is not it either."""
    fake = gitea.say(shop, 7, gitea.person("eve"), f"{MARKER}\nall is well")
    quoted = gitea.say(shop, 7, gitea.people["ada"], f"> {MARKER}\nwhy?")
    ask(lambda forge: forge.comment(url, 7, f"{MARKER}\nfailed"))
    bodies = [one.body for one in shop.comments.values()]
    assert bodies == [fake.body, quoted.body, f"{MARKER}\nfailed"]
    assert fake.body.endswith("well")


def test_a_comment_is_cut_to_what_the_forge_takes(shop, url, pull, ask):
    """However long, it is told as far as there is room, and says that it was cut."""
    ask(lambda forge: forge.comment(url, 7, f"{MARKER}\n" + "ä" * LARGEST))
    (comment,) = shop.comments.values()
    assert len(comment.body.encode()) <= LARGEST
    assert comment.body.endswith(CUT)
