"""
Why there is no event about a commit or a pull request (tests/golden/explain/absent-NAME.txt).

A GitHub on loopback is asked, with its hook and the log of its deliveries; its Git is real.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from explaining import check, row
from unheard import CONFIGURATION, NOWHERE, ask, run

from windlass.core.errors import Permanent
from windlass.core.event import Event, Kind
from windlass.engine.absence import WORDS, Reason


def not_connected(here):
    here.repository = replace(here.repository, name="acme/other")
    return NOWHERE


def inactive(here):
    here.save(replace(here.repository, active=False))
    return here.push()


def waiting(here):
    sha = here.push()
    here.deliver(sha, "received", "the forge does not answer")
    return sha


def unhandled(here):
    sha = here.push()
    here.deliver(sha, "failed", "it cannot be read: no branch")
    return sha


def ignored(here):
    sha = here.push()
    here.deliver(sha, "ignored", "a push of notes")
    return sha


def unreachable(here):
    here.world.mirrors.of(here.repository)._url = str(here.github.root / "gone.git")
    return NOWHERE


def no_pull_request(here):
    return 12


def ended(here):
    here.github.shop.hooks.clear()
    number = here.github.propose("topic", {"a": "1"})
    here.github.shop.pulls[number].update(state="closed")
    return number


def unknown(here):
    return NOWHERE


def hook_missing(here):
    here.github.shop.hooks.clear()
    return here.push()


def hook_disabled(here):
    here.hook(active=False)
    return here.push()


def not_subscribed(here):
    here.hook(events=["pull_request"])
    return here.push()


def hook_wrong(here):
    (one,) = here.github.shop.hooks.values()
    one["config"]["content_type"] = "form"
    return here.push()


def refused(here):
    sha = here.push()
    here.refuse()
    return sha


def failed(here):
    sha = here.github.push("FB1", {"a": "1"})
    here.github.send()  # to an address at which a GitHub answers 404, and no server of ours
    return sha


def no_configuration(here):
    return here.push()


def other_branch(here):
    return here.push(files={".windlass.yaml": CONFIGURATION})


def skipped(here):
    here.begin()
    return here.push(message="Change\n\n[skip ci]")


def pending(here):
    here.begin()
    return here.push()


def part(here):
    here.begin()
    first = here.push()
    bench = here.github.bench
    second = bench.commit({"a": "2"}, "Second")
    bench.push(f"{second}:refs/heads/FB1")
    here.deliver(second, "done", more=[{"id": first}])
    event = Event(kind=Kind.PUSH, action="pushed", repository="shop", branch="FB1", sha=second)
    here.save(row(event))
    return first


def never_a_head(here):
    here.begin()
    first = here.push()
    bench = here.github.bench
    bench.push(f"{bench.commit({'a': '2'}, 'Second')}:refs/heads/FB1")
    return first


def before_connected(here):
    here.begin()
    sha = here.push()
    here.connect()
    return sha


CASES = {
    Reason.NOT_CONNECTED: not_connected,
    Reason.INACTIVE: inactive,
    Reason.WAITING: waiting,
    Reason.UNHANDLED: unhandled,
    Reason.IGNORED: ignored,
    Reason.UNREACHABLE: unreachable,
    Reason.NO_PULL_REQUEST: no_pull_request,
    Reason.ENDED: ended,
    Reason.UNKNOWN: unknown,
    Reason.HOOK_MISSING: hook_missing,
    Reason.HOOK_DISABLED: hook_disabled,
    Reason.NOT_SUBSCRIBED: not_subscribed,
    Reason.HOOK_WRONG: hook_wrong,
    Reason.REFUSED: refused,
    Reason.FAILED: failed,
    Reason.NO_CONFIGURATION: no_configuration,
    Reason.OTHER_BRANCH: other_branch,
    Reason.SKIPPED: skipped,
    Reason.PENDING: pending,
    Reason.PART: part,
    Reason.NEVER_A_HEAD: never_a_head,
    Reason.BEFORE_CONNECTED: before_connected,
}


@pytest.mark.parametrize("reason", CASES)
def test_the_first_true_reason_is_said_with_what_to_do(reason, tmp_path):
    """One fixture for each reason, word for word as reviewed."""

    async def work(here):
        about = CASES[reason](here)
        found = await ask(here, about)
        assert (found.event, found.reason) == (None, reason)
        text = "\n".join(found.lines) + "\n"
        heads = [*here.github.shop.refs().values(), str(about)]
        for sha in sorted(set(heads), key=heads.index, reverse=True):
            if len(sha) == 40:
                text = text.replace(sha, "COMMIT").replace(sha[:12], "COMMIT")
        check(f"absent-{reason}", text.replace(here.github.url, "https://github.example")
              .replace(str(tmp_path), "/folder"))  # fmt: skip

    run(tmp_path, work)


def test_every_reason_has_its_case():
    """None is listed that nobody has seen."""
    assert set(CASES) == set(Reason) == set(WORDS)


def test_an_event_that_is_there_is_explained_instead(tmp_path):
    """Also by the first digits of its commit, whatever else is wrong."""

    async def work(here):
        sha = hook_missing(here)
        event = Event(kind=Kind.PUSH, action="pushed", repository="shop", branch="FB1", sha=sha)
        here.save(row(event))
        found = await ask(here, sha[:7].upper())
        assert (found.event.number, found.reason) == (1, "")
        assert found.lines[0].startswith("Event 1: push FB1")

    run(tmp_path, work)


def test_a_pull_request_needs_its_own_kind_of_event(tmp_path):
    """A hook that sends pushes alone told of its commit, and not of it."""

    async def work(here):
        here.begin()
        here.hook(events=["push"])
        number = here.github.propose("topic", {"a": "1"})
        found = await ask(here, number)
        assert found.reason == Reason.NOT_SUBSCRIBED
        assert "pull_request" in found.lines[1]
        sha = here.github.shop.pulls[number]["head"]["sha"]
        assert (await ask(here, sha)).reason == Reason.PENDING

    run(tmp_path, work)


def test_nothing_is_changed_and_nothing_sent_again(tmp_path):
    """A question about a missed delivery is no order to deliver it."""

    async def work(here):
        about = failed(here)
        before = len(here.github.calls)
        await ask(here, about)
        assert {one.method for one in here.github.calls[before:]} == {"GET"}
        assert not here.github.queue

    run(tmp_path, work)


def test_a_token_without_the_right_to_see_hooks_still_gets_an_answer(tmp_path):
    """What can be told is told."""

    async def work(here):
        sha = pending(here)

        async def check_refused(_url, _hook):
            raise Permanent("no right")

        here.world.forges["github"].webhooks.check = check_refused
        assert (await ask(here, sha)).reason == Reason.PENDING

    run(tmp_path, work)
