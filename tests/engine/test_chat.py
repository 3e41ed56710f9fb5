"""Commands in comments: who may, and what they do."""

from __future__ import annotations

import pytest
from commanding import ASKED, CHECK, GATED, GREEN, OPEN, commands, outcomes, said, story
from playing import STRANGER, every, play, runs

from windlass.engine.comment import escape
from windlass.ports.forge import Permission
from windlass.ports.records import Deployment, StoredRun


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


def test_test_gives_a_pipeline_its_values(tmp_path):
    """What is not given has its default."""

    async def check(here):
        *_, one, two = await every(here, StoredRun)
        assert one.run.values == {"e2e": {"browser": "chrome", "count": "3"}}
        assert two.run.values == {"e2e": {"browser": "firefox", "count": "5"}}

    lines = [OPEN, said("/test e2e browser=chrome count=\n/test e2e count=5 browser=firefox")]
    story(tmp_path, GREEN, lines, check)


def test_test_gives_a_listener_its_inputs(tmp_path):
    """Typed, with defaults, and conditions see them; without any, it is a push like every other."""

    async def check(here):
        last = (await every(here, StoredRun))[-1]
        assert (last.listener, last.run.event.inputs) == ("tries", {"count": 4, "where": "dev"})
        first, second, third = await outcomes(here)
        assert first[0] == "done"
        assert "and it is false, with event.inputs = {...}, event.inputs.count = 12" in second[1]
        assert "tries does not match: if wants has(event.inputs)" in third[1]

    lines = [OPEN, said("/test tries count=4\n/test tries count=12\n/test tries")]
    story(tmp_path, ASKED, lines, check)


def test_values_that_do_not_fit_are_told_with_what_does(tmp_path):
    """Key and value, once and short; nothing starts, and nothing that is given is evaluated."""

    async def check(here):
        assert len(await runs(here)) == 1
        told = await outcomes(here)
        assert {state for state, _ in told} == {"refused"}
        takes = "it is written /test e2e browser=<one of firefox, chrome> [count=<a number>]"
        missing = f"browser: found nothing, expected one of firefox, chrome; {takes}"
        tries = "it is written /test tries count=<a number> [where=<one of dev, production>]"
        assert [text for _, text in told] == [
            f"browser: found 'opera', expected one of firefox, chrome; {takes}",
            f"there is no input brow; there are browser, count; {missing}",
            missing,
            "there is no input a; it takes none; smoke takes no values",
            "there is no input a; it takes none; check takes no values",
            f"count: found '${{{{1}}}}', expected a number; count cannot hold ${{{{; {tries}",
        ]

    body = (
        "/test e2e browser=opera\n/test e2e brow=chrome\n/test e2e\n/test smoke a=1\n"
        "/test check a=1\n/test tries count=${{1}}"
    )
    story(tmp_path, ASKED.replace("exit 3", "echo fine"), [OPEN, said(body)], check)


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
    """The comment says what became of the last thing that happened, in the words of every door."""

    async def work(here, playing):
        here.forge.repositories[here.url].people["carol"] = Permission.READ
        await playing.play([OPEN, said("/explain", by="carol"), said("/retest", by="carol")])
        first, second = await commands(here)
        assert first.state == "done"
        assert (first.outcome, first.path) == ("explained event 1", "/events/1")
        text = here.forge.comment_on(here.url, 7)
        for line in (await here.requests.explain_pull_request("shop", 7)).lines:
            assert f"- {escape(line.lstrip())}" in text
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


@pytest.mark.parametrize("told", [True, False])
def test_ok_to_test_and_a_push_meanwhile(tmp_path, told):
    """Another commit than the one that was looked at is refused, and the new one stays held."""

    async def work(here, playing):
        await playing.play([{"open": STRANGER}])
        old = here.origin.at("refs/heads/topic")
        update = {"update": {"number": 7, "files": {"app.txt": "evil"}, "told": told}}
        await playing.play([update, said(f"/ok-to-test {old}")])
        new = here.origin.at("refs/heads/topic")
        ((state, text),) = await outcomes(here)
        assert state == "refused"
        assert f"/ok-to-test {new}" in text
        assert [str(one.state) for one in await runs(here)] == ["held"] * (1 + told)

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
            ("rollback", "succeeded", "ada"),
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
