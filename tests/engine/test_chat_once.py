"""Commands in comments: each is done once, and told at once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

from commanding import CHECK, GREEN, OPEN, commands, outcomes, said, story
from playing import every, play, runs

from windlass.core.event import Kind
from windlass.engine.chat.perform import Chat
from windlass.engine.configurations import Configurations
from windlass.engine.explain import explain
from windlass.ports.forge import MARKER
from windlass.ports.records import Audit, Deployment, StoredEffect, StoredEvent


def test_a_comment_that_is_told_again_does_nothing_again(tmp_path):
    """The same delivery, or the same comment under another id."""

    async def check(here):
        assert len(await runs(here)) == 2
        assert len(await commands(here)) == 1

    lines = [
        OPEN,
        said("/test", key="one"),
        said("/test", key="one", again=True),
        said("/test", key="two", again=True),
    ]
    story(tmp_path, GREEN, lines, check)


def test_a_crash_between_act_and_record_acts_once(tmp_path):
    """Acted on again without their records, commands find what they did."""

    async def work(here, playing):
        lines = [OPEN, said("/retest\n/test smoke\n/deploy dev", by="ada")]
        await playing.play(lines)
        before = [one.number for one in await runs(here)]
        texts = await outcomes(here)
        (event,) = {one.event for one in await commands(here)}
        _forget(here)
        await Chat(here.world, Configurations())(event)
        await here.settle()
        assert [one.number for one in await runs(here)] == before
        assert await outcomes(here) == texts

    play(tmp_path, CHECK, work)


def _forget(here):
    """As if the server had died before anything was recorded."""
    with closing(sqlite3.connect(here.folder / "windlass.db")) as connection:
        connection.execute("DELETE FROM chat_command")
        connection.commit()


def test_two_commands_in_one_comment_are_done_in_their_order(tmp_path):
    """Also the same one twice: each line is a command of its own."""

    async def check(here):
        assert [one.position for one in await commands(here)] == [0, 1, 2]
        assert [str(one.state) for one in await runs(here)] == ["succeeded"] * 3

    story(tmp_path, GREEN, [OPEN, said("/test\r\n/test\r\n/help")], check)


def test_an_edited_comment_is_no_command(tmp_path):
    """Only what was said first counts."""

    async def work(here, playing):
        await playing.play([OPEN, said("fine")])
        (old,) = [one for one in await every(here, StoredEvent) if one.kind == Kind.COMMENT]
        await here.deliver(replace(old.event, action="edited", body="/test"))
        await here.settle()
        assert await commands(here) == []

    play(tmp_path, GREEN, work)


def test_code_quotes_and_our_own_comments_command_nothing(tmp_path):
    """Nor do paths and the words of other programs."""

    async def check(here):
        assert await commands(here) == []
        effects = await every(here, StoredEffect)
        assert [one for one in effects if one.kind == "chat"] == []

    bodies = ["```\n/test\n```", "> /test\nyes", f"{MARKER}\n/test", "/usr/bin/test\n/lgtm"]
    story(tmp_path, GREEN, [OPEN, *map(said, bodies)], check)


def test_a_word_that_is_nearly_ours_is_answered_once(tmp_path):
    """With the command that was meant, and where to find all."""

    async def check(here):
        assert await outcomes(here) == [
            ("refused", "there is no /retset; did you mean /retest? /help shows all commands")
        ]

    story(tmp_path, GREEN, [OPEN, said("/retset\n/retset\n/depoly")], check)


def test_what_people_write_is_escaped_and_mentions_nobody(tmp_path):
    """Name and command of whoever comments, in a comment that we are the author of."""

    async def check(here):
        text = here.forge.comment_on(here.url, 7)
        assert "@team" not in text
        assert "<img" not in text.replace("\\<img", "")
        assert text.count("|---|---|---|---|") == 2

    line = "/deploy @team|<img"
    story(tmp_path, GREEN, [OPEN, said(line, name="<img src=x> | @team")], check)


def test_an_answer_comes_at_once_however_often_we_have_spoken(tmp_path):
    """The pace of reports is for what moves by itself; here time stands still."""

    async def work(here, playing):
        await playing.play([OPEN])
        key = "comment:shop:7"

        def work(tx):
            old = tx.get(StoredEffect, key)
            tx.save(replace(old, sent=40, sent_at=here.clock.now()))

        await here.world.store.transaction(work)
        await playing.play([said("/help")])
        assert "/rollback" in here.forge.comment_on(here.url, 7)

    play(tmp_path, GREEN, work)


def test_the_comment_tells_of_the_last_five(tmp_path):
    """Older ones are on the pages of their events."""

    async def check(here):
        text = here.forge.comment_on(here.url, 7)
        assert "/cancel" not in text.partition("### Commands")[2].partition("/help")[0]
        assert text.count("| /test smoke |") == 4

    lines = [OPEN, said("/cancel"), said("/help"), *[said("/test smoke")] * 4]
    story(tmp_path, GREEN, lines, check)


def test_a_comment_with_commands_explains_itself(tmp_path):
    """`windlass explain` says what was asked and what came of it; the audit says who did it."""

    async def check(here):
        (one,) = await commands(here)
        lines = (await explain(here.world, one.event)).lines
        assert "  /retest by bob: check: run 1 again as run 2" in lines
        audits = [(row.actor, row.what, row.subject) for row in await every(here, Audit)]
        assert audits == [("bob", "rerun", "run 1"), ("bob", "/retest", "shop#7")]

    story(tmp_path, CHECK, [OPEN, said("/retest")], check)


def test_a_forge_that_signs_nothing_deploys_nothing_by_a_comment(tmp_path):
    """Whoever knows its password could say that somebody commented."""

    async def work(here, playing):
        forge = here.world.forges["plain"]
        here.world.forges["plain"] = replace(forge, signed=False)
        await playing.play([OPEN, said("/deploy dev\n/retest")])
        (first, second) = await outcomes(here)
        assert "does not sign" in first[1]
        assert second[0] == "done"
        assert await every(here, Deployment) == []

    play(tmp_path, CHECK, work)
