"""Commands in comments: who may, what they do, and that each is done once and told at once."""

from __future__ import annotations

from dataclasses import replace

from playing import STRANGER, every, play, runs

from windlass.core.event import Kind
from windlass.engine.chat.perform import Chat
from windlass.engine.comment import MARKER
from windlass.engine.configurations import Configurations
from windlass.engine.explain import explain
from windlass.ports.forge import Permission
from windlass.ports.records import Audit, ChatCommand, Deployment, StoredEffect, StoredEvent

CHECK = """\
listeners:
  check: {on: pull_request, do: [{pipeline: ci}, {build: api}]}
  docs: {on: pull_request, paths: ["docs/**"], do: [{pipeline: ci}]}
  merged: {on: {pull_request: [merged]}, do: [{build: api}]}
pipelines:
  ci: {jobs: {test: {steps: [{name: unit, run: exit 3}]}}}
  smoke: {jobs: {test: {steps: [{run: echo smoke}]}}}
environments:
  dev: {target: {directory: {path: /srv/dev}}}
  production:
    target: {directory: {path: /srv/production}}
    approval: {approvers: [ada, bob], prevent_self: true}
"""
GREEN = CHECK.replace("exit 3", "echo fine")
GATED = CHECK.replace("{name: unit, run: exit 3}", "{name: gate, run: echo}")
OPEN = {"open": {"number": 7, "head": "topic", "files": {"app.txt": "two"}}}


def said(body, by="bob", **more):
    """The line of a story in which somebody comments."""
    return {"comment": {"number": 7, "body": body, "by": by, **more}}


async def commands(here):
    """Every command as it was recorded, in order."""
    found = await every(here, ChatCommand)
    return sorted(found, key=lambda one: (one.event, one.position))


async def outcomes(here):
    """State and outcome of each."""
    return [(one.state, one.outcome) for one in await commands(here)]


def story(tmp_path, configuration, lines, check, **on):
    """Play lines, then look."""

    async def work(here, playing):
        await playing.play(lines)
        await check(here)

    play(tmp_path, configuration, work, **on)


def test_retest_repeats_what_failed_and_nothing_else(tmp_path):
    """The broken run of the present head comes again, and the comment says so at once."""

    async def check(here):
        assert [(one.listener, str(one.state)) for one in await runs(here)] == [
            ("check", "failed"), ("check", "failed")
        ]  # fmt: skip
        assert await outcomes(here) == [("done", "check: run 1 again as run 2")]
        text = here.forge.comment_on(here.url, 7)
        assert "| ✅ | bob | /retest | check: run 1 again as run 2 |" in text

    story(tmp_path, CHECK, [OPEN, said("/retest")], check)


def test_retest_of_what_is_green_says_that_nothing_failed(tmp_path):
    """There is nothing to do, and that is an answer."""

    async def check(here):
        ((state, text),) = await outcomes(here)
        assert state == "refused"
        assert "nothing has failed" in text
        assert len(await runs(here)) == 1

    story(tmp_path, GREEN, [OPEN, said("/retest")], check)


def test_test_starts_what_matches_the_present_head_anew(tmp_path):
    """Listeners of pull requests that match, not those of merges or of other paths."""

    async def check(here):
        assert [one.listener for one in await runs(here)] == ["check", "check"]
        assert await outcomes(here) == [("done", "started run 2 (check)")]

    story(tmp_path, GREEN, [OPEN, said("/test")], check)


def test_test_takes_a_listener_or_a_pipeline_by_its_name(tmp_path):
    """A pipeline runs alone; a listener must match; any other name is told what there is."""

    async def check(here):
        assert [one.listener for one in await runs(here)] == ["check", "check", "smoke"]
        first, second, third, fourth = await outcomes(here)
        assert first == ("done", "started run 2 (check)")
        assert second == ("done", "started run 3 (smoke)")
        assert third[0] == "refused"
        assert "docs does not match: paths wants" in third[1]
        assert "there is no listener or pipeline nothing" in fourth[1]

    lines = [OPEN, said("/test check\n/test smoke\n/test docs\n/test nothing")]
    story(tmp_path, GREEN, lines, check)


def test_cancel_ends_what_is_under_way(tmp_path):
    """Every run of this pull request that has not ended."""

    async def check(here):
        assert [str(one.state) for one in await runs(here)] == ["cancelled"]
        assert await outcomes(here) == [("done", "cancelled run 1 (check)")]

    story(tmp_path, GATED, [OPEN, said("/cancel")], check)


def test_a_person_without_the_right_to_write_is_refused_everything_but_help(tmp_path):
    """Stranger or reader: nothing happens, and the comment says which right is missing."""

    async def check(here):
        assert [str(one.state) for one in await runs(here)] == ["failed"]
        told = await outcomes(here)
        assert [state for state, _ in told] == ["refused"] * 5 + ["done"]
        assert all("right to" in text for _, text in told[:5])
        assert await every(here, Deployment) == []

    body = "/retest\n/test\n/deploy dev\n/ok-to-test HEAD\n/explain\n/help"
    story(tmp_path, CHECK, [OPEN, said(body, by="mallory")], check)


def test_a_name_gives_no_rights(tmp_path):
    """Only the forge's id of the sender counts, whatever name, author or Git says."""

    async def check(here):
        assert [state for state, _ in await outcomes(here)] == ["refused"]

    story(tmp_path, CHECK, [OPEN, said("/retest", by="mallory", name="ada")], check)


def test_a_reader_may_have_it_explained(tmp_path):
    """What the listeners said of the last thing that happened, in one line, with its page."""

    async def work(here, playing):
        here.forge.repositories[here.url].people["carol"] = Permission.READ
        await playing.play([OPEN, said("/explain", by="carol"), said("/retest", by="carol")])
        first, second = await commands(here)
        assert first.state == "done"
        assert first.outcome.startswith("pull_request opened: check: started run 1; docs: not")
        assert first.path == "/events/1"
        assert second.state == "refused"

    play(tmp_path, CHECK, work)


SANDBOX = {"sandboxed": True}


def test_ok_to_test_lets_the_commit_go_that_is_there(tmp_path):
    """A stranger's held run goes when its commit is named, by seven digits or more."""

    async def work(here, playing):
        await playing.play([{"open": STRANGER}])
        head = here.origin.at("refs/heads/topic")
        await playing.play([said(f"/ok-to-test {head[:7]}")])
        assert [str(one.state) for one in await runs(here)] == ["succeeded"]
        assert await outcomes(here) == [("done", f"{head[:12]} may run: run 1 (check)")]

    play(tmp_path, GREEN, work, **SANDBOX)


def test_ok_to_test_and_a_push_meanwhile(tmp_path):
    """Another commit than the one that was looked at is refused, and the new one stays held."""

    async def work(here, playing):
        await playing.play([{"open": STRANGER}])
        old = here.origin.at("refs/heads/topic")
        update = {"update": {"number": 7, "files": {"app.txt": "evil"}, "told": False}}
        await playing.play([update, said(f"/ok-to-test {old}")])
        new = here.origin.at("refs/heads/topic")
        ((state, text),) = await outcomes(here)
        assert state == "refused"
        assert f"/ok-to-test {new}" in text
        assert [str(one.state) for one in await runs(here)] == ["held"]

    play(tmp_path, GREEN, work, **SANDBOX)


def test_a_push_after_ok_to_test_is_held_again(tmp_path):
    """The word was for one commit."""

    async def check(here):
        assert [str(one.state) for one in await runs(here)] == ["succeeded", "held"]

    update = {"update": {"number": 7, "files": {"app.txt": "evil"}}}
    lines = [{"open": STRANGER}, said("/ok-to-test HEAD"), update]
    story(tmp_path, GREEN, lines, check, **SANDBOX)


def test_ok_to_test_alone_or_with_too_little_says_what_to_write(tmp_path):
    """Nothing goes without the commit's id."""

    async def check(here):
        head = here.origin.at("refs/heads/topic")
        told = await outcomes(here)
        assert [state for state, _ in told] == ["refused"] * 3
        assert all(f"/ok-to-test {head}" in text for _, text in told)
        assert [str(one.state) for one in await runs(here)] == ["held"]

    lines = [{"open": STRANGER}, said("/ok-to-test\n/ok-to-test abc\n/ok-to-test yes")]
    story(tmp_path, GREEN, lines, check, **SANDBOX)


def test_a_test_of_a_strangers_head_is_held(tmp_path):
    """`/test` is no way around `/ok-to-test`."""

    async def check(here):
        assert [str(one.state) for one in await runs(here)] == ["held", "held"]
        ((_, text),) = await outcomes(here)
        assert "waits for /ok-to-test" in text

    story(tmp_path, GREEN, [{"open": STRANGER}, said("/test")], check, **SANDBOX)


def test_deploy_approve_and_rollback(tmp_path):
    """A pull request's build goes out, is approved by another person, and is taken back."""

    async def check(here):
        told = await outcomes(here)
        assert [state for state, _ in told] == ["done", "refused", "done", "done", "done", "done"]
        assert "prevent_self" in told[1][1]
        assert told[2][1] == "approved deployment 1 (api)"
        found = await every(here, Deployment)
        assert [(one.kind, one.state, one.by) for one in found] == [
            ("deploy", "succeeded", "ada"), ("deploy", "succeeded", "ada"),
            ("rollback", "approval", "ada"),
        ]  # fmt: skip
        assert found[0].approvals == ("bob",)
        assert found[0].branch == "topic"
        assert found[2].digest == found[0].digest

    lines = [
        OPEN,
        said("/deploy production", by="ada"),
        said("/approve production", by="ada"),
        said("/approve production", by="bob"),
        {"update": {"number": 7, "files": {"app.txt": "three"}}},
        said("/deploy production api", by="ada"),
        said("/approve production", by="bob"),
        said("/rollback production", by="ada"),
    ]
    story(tmp_path, GREEN, lines, check)


def test_nobody_approves_what_they_asked_for_under_another_name(tmp_path):
    """The forge's id of a person stays when the name is changed."""

    async def check(here):
        assert [state for state, _ in await outcomes(here)] == ["done", "refused"]
        (found,) = await every(here, Deployment)
        assert found.approvals == ()

    lines = [OPEN, said("/deploy production", by="ada", name="ann")]
    story(tmp_path, GREEN, [*lines, said("/approve production", by="ada")], check)


def test_a_fork_is_not_deployed_before_it_is_merged(tmp_path):
    """Not even when its author may write, or its branch is called `main`."""

    async def check(here):
        ((state, text),) = await outcomes(here)
        assert (state, "after it was merged" in text) == ("refused", True)

    fork = {"open": {**OPEN["open"], "fork": True}}
    story(tmp_path, GREEN, [fork, said("/deploy dev")], check)


def test_what_was_merged_is_deployed_as_its_merge(tmp_path):
    """Then its base is its branch."""

    async def check(here):
        (found,) = await every(here, Deployment)
        merge = here.origin.at("refs/heads/main")
        assert (found.sha, found.branch, found.state) == (merge, "main", "succeeded")

    story(tmp_path, GREEN, [OPEN, {"merge": {"number": 7}}, said("/deploy dev")], check)


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
        for one in await commands(here):
            await _forget(here, one)
        await Chat(here.world, Configurations())(event)
        await here.settle()
        assert [one.number for one in await runs(here)] == before
        assert await outcomes(here) == texts

    play(tmp_path, CHECK, work)


async def _forget(here, command):
    """As if the server had died before it was recorded."""
    await here.world.store.transaction(lambda tx: tx.delete(command))


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
        assert "<img" not in text
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
