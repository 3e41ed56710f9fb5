"""Statuses, notes and deployments of GitLab: each once, ours alone, within its limits."""

from __future__ import annotations

import pytest

from windlass.core.errors import Permanent, Transient
from windlass.forges.gitlab.stating import LONGEST
from windlass.ports.forge import MARKER, Status, StatusState
from windlass.testing.servers.gitlab import ADA, BOT
from windlass.testing.servers.serving import Reply

PENDING, SUCCESS, FAILURE = StatusState.PENDING, StatusState.SUCCESS, StatusState.FAILURE
SENT = r".*/statuses/[0-9a-f]{40}"


@pytest.fixture
def number(bench):
    """An open merge request."""
    return bench.gitlab.propose(bench.shop)


@pytest.fixture
def tell(bench, number):
    """Tell statuses of the head of the merge request, one after the other."""

    def run(*told, **more):
        sha = bench.shop.requests[number]["sha"]

        async def play(forge):
            for state, description in told:
                status = Status(sha=sha, context="ci", state=state, description=description, **more)
                await forge.status(bench.url, status)

        bench.ask(play)
        return [(one["status"], one["description"]) for one in bench.shop.statuses]

    return run


@pytest.fixture
def comment(bench, number):
    """Make our comment say something, in one life of the server or in several."""

    def run(*texts):
        async def play(forge):
            for text in texts:
                await forge.comment(bench.url, number, text)

        bench.ask(play)
        return [(one["author"]["id"], one["body"]) for one in bench.shop.notes[number]]

    return run


def test_what_stands_is_not_sent_again(bench, tell):
    """A status that says the same, also one that has ended, costs one look and no more."""
    for _ in range(3):
        assert tell((SUCCESS, "done")) == [("success", "done")]
    assert len(bench.gitlab.asked("POST", SENT)) == 1


def test_new_words_make_a_waiting_status_run(tell):
    """GitLab takes them with the next state, and none once it runs; the end is told as it is."""
    told = ((PENDING, "waits"), (PENDING, "1 of 2 done"), (PENDING, "2 of 2 done"))
    assert tell(*told) == [("running", "1 of 2 done")]
    assert tell((FAILURE, "it broke")) == [("failed", "it broke")]


def test_what_runs_can_be_skipped(tell):
    """GitLab skips nothing that runs, so it is ended first."""
    said = tell((PENDING, "a"), (PENDING, "b"), (StatusState.NEUTRAL, "not needed"))
    assert said == [("canceled", "not needed"), ("skipped", "not needed")]


def test_a_rerun_begins_anew(tell):
    """What has ended is followed by a status that waits."""
    assert tell((FAILURE, "broke"), (PENDING, "again")) == [
        ("failed", "broke"),
        ("pending", "again"),
    ]


def test_texts_are_cut_to_what_gitlab_takes(bench, tell):
    """A long description ends in dots; an address that is too long is left out."""
    told = tell((SUCCESS, "x" * 1000), url="http://127.0.0.1/" + "x" * LONGEST)
    assert told == [("success", "x" * (LONGEST - 1) + "…")]
    assert bench.shop.statuses[0]["target_url"] is None


def test_a_status_that_another_set_meanwhile_is_fine(bench, tell):
    """Between our look and our telling it may have come to stand."""
    said = 'Cannot transition status via :enqueue from :pending (Reason(s): "enqueue")'
    version, person = Reply(200, {"version": "18"}), Reply(200, {"id": bench.shop.id})
    bench.gitlab.faults += [version, person, Reply(200, []), Reply(400, {"message": said})]
    assert tell((PENDING, "waits")) == []


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, "Cannot transition status via :skip from :running", Permanent),
        (409, "Another update to this commit status is in progress", Transient),
        (401, "401 Unauthorized", Permanent),
        (403, "403 Forbidden", Permanent),
        (422, "The number of jobs has exceeded the limit", Permanent),
        (500, "500 Internal Server Error", Transient),
    ],
)
def test_a_refused_status_is_an_error_of_reports(bench, tell, status, said, kind):
    """What a person could mend is permanent, and what passes is tried again."""
    version, person = Reply(200, {"version": "18"}), Reply(200, {"id": bench.shop.id})
    bench.gitlab.faults += [version, person, Reply(200, []), Reply(status, {"message": said})]
    with pytest.raises(kind, match=said.split(" :")[0]):
        tell((SUCCESS, "done"))


def test_the_commit_of_a_fork_gets_its_status(bench):
    """It is on no branch of the project, so the ref of its merge request is named."""
    number = bench.gitlab.propose(bench.shop, "fix", source=4711)
    sha = bench.shop.requests[number]["sha"]
    status = Status(sha=sha, context="ci", state=SUCCESS)
    bench.ask(lambda forge: forge.status(bench.url, status))
    assert bench.shop.statuses[0]["ref"] == f"refs/merge-requests/{number}/head"


def test_a_commit_of_nothing_open_gets_none(bench):
    """Without a branch and a merge request GitLab has no place for a status, and that is told."""
    number = bench.gitlab.propose(bench.shop, "fix", source=4711)
    row = bench.shop.requests[number]
    row["state"] = "closed"
    status = Status(sha=row["sha"], context="ci", state=SUCCESS)
    with pytest.raises(Permanent, match="References"):
        bench.ask(lambda forge: forge.status(bench.url, status))


def test_a_missing_token_is_permanent_for_reports(bench):
    """Another try would end the same way, and it is said how to store one."""
    status = Status(sha="a" * 40, context="ci", state=SUCCESS)
    with pytest.raises(Permanent, match="windlass repo token"):
        bench.ask(lambda forge: forge.status(bench.url, status), None)


def test_a_deleted_comment_is_made_again(bench, number, comment):
    """Whether we remember it or not."""
    comment("one")

    async def play(forge):
        await forge.comment(bench.url, number, "two")
        bench.shop.notes[number].clear()
        await forge.comment(bench.url, number, "three")

    bench.ask(play)
    assert comment("three") == [(BOT, f"{MARKER}\nthree")]


def test_a_comment_is_found_after_a_restart(bench, comment):
    """By its mark and its author; what says the same already is left as it is."""
    comment("one")
    assert comment("two") == [(BOT, f"{MARKER}\ntwo")]
    comment("two")
    assert len(bench.gitlab.asked("PUT", r".*/notes/\d+")) == 1


def test_anothers_comment_with_our_mark_is_not_ours(bench, number, comment):
    """Whoever copies the mark does not get our words, nor do notes that GitLab writes."""
    gitlab = bench.gitlab
    gitlab.say(bench.shop, number, f"{MARKER}\nall is well")
    gitlab.say(bench.shop, number, f"{MARKER}\nchanged the title", BOT)["system"] = True
    gitlab.say(bench.shop, number, f"I saw {MARKER} there", BOT)
    assert comment("ours") == [
        (ADA, f"{MARKER}\nall is well"),
        (BOT, f"{MARKER}\nchanged the title"),
        (BOT, f"I saw {MARKER} there"),
        (BOT, f"{MARKER}\nours"),
    ]


def test_a_comment_orders_nothing(comment):
    """A line of a log that looks like a quick action is no line of that kind any more."""
    body = f"{MARKER}\n```text\n```\n/merge\n/approve\n"
    ((_, said),) = comment(body)
    assert not [line for line in said.splitlines() if line.startswith("/")]
    assert said.replace("\u200b", "") == body


def test_who_we_are_is_asked_once(bench, comment):
    """And the project is looked up once, however many reports there are."""
    comment("one", "two", "three")
    assert len(bench.gitlab.asked("GET", r"/api/v4/user")) == 1
    assert len(bench.gitlab.asked("GET", r"/api/v4/projects/[^/]+")) == 1


@pytest.fixture
def deploy(bench):
    """Tell of deployments of commits to an environment; all there are then."""

    def run(*told):
        async def play(forge):
            for sha, state in told:
                status = Status(sha=sha, context="dev", state=state)
                await forge.deployment(bench.url, status, "dev")

        bench.ask(play)
        return [(one["sha"], one["status"]) for one in bench.shop.deployments]

    return run


def test_a_deployment_is_brought_to_its_end(bench, deploy):
    """What runs ends, and twice is once."""
    sha = bench.push()
    told = ((sha, PENDING), (sha, PENDING), (sha, SUCCESS), (sha, SUCCESS))
    assert deploy(*told) == [(sha, "success")]
    row = bench.shop.deployments[0]
    assert (row["ref"], row["environment"]["name"]) == ("main", "dev")


def test_each_deployment_is_told(bench, deploy):
    """Going back to an earlier commit is a deployment, and so is another try."""
    one, two = bench.push(), bench.push()
    told = ((one, SUCCESS), (two, FAILURE), (two, PENDING), (one, SUCCESS))
    assert deploy(*told) == [(one, "success"), (two, "failed"), (two, "running"), (one, "success")]


def test_a_deployment_of_gitlabs_own_is_not_touched(bench, deploy):
    """What a pipeline there deploys is its own to tell."""
    sha = bench.push()
    deploy((sha, PENDING))
    bench.shop.deployments[0]["deployable"] = {"id": 1}
    assert deploy((sha, SUCCESS)) == [(sha, "running"), (sha, "success")]


def test_the_ref_of_a_deployment_is_the_best_that_there_is(bench, deploy):
    """The default branch, another branch, a tag, and at last the commit itself."""
    bench.gitlab.push(bench.shop, "refs/heads/a")
    tagged = bench.gitlab.push(bench.shop, "refs/tags/v1")
    lost = bench.shop.bare.commit("Lost")
    base = bench.shop.bare.git("rev-parse", "main")
    deploy((base, SUCCESS), (tagged, SUCCESS), (lost, SUCCESS))
    said = [(one["ref"], one["tag"]) for one in bench.shop.deployments]
    assert said == [("main", False), ("v1", True), (lost, False)]
