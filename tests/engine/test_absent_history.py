"""
What the history of a commit says of why there is no event about it.

It was there before, it came with a newer one, or its webhook is really missing.
"""

from __future__ import annotations

import pytest
from explaining import row
from unheard import ask, run

from windlass.core.event import ZERO, Event, Kind
from windlass.engine.absence import Reason


def told(number, branch, sha, before):
    """A push that was heard of."""
    event = Event(
        kind=Kind.PUSH, action="pushed", repository="shop", branch=branch, sha=sha, before=before
    )
    return row(event, number)


def test_what_was_there_before_is_told_before_hooks_and_refusals(tmp_path):
    """Older commits too; but not of a branch that was made of the same commit since."""

    async def work(here):
        here.begin()
        first = here.push()
        bench = here.github.bench
        second = bench.commit({"a": "2"}, "Second")
        bench.push(f"{second}:refs/heads/FB1")
        here.connect()
        here.refuse()
        here.github.shop.hooks.clear()
        for sha in (first, second):
            assert (await ask(here, sha)).reason == Reason.BEFORE_CONNECTED
        bench.push(f"{second}:refs/heads/FB2")
        assert (await ask(here, second)).reason == Reason.HOOK_MISSING

    run(tmp_path, work)


def test_a_refused_request_is_the_reason_for_a_missed_head_alone(tmp_path):
    """Of what was made after it, or is no head, it cannot have told."""

    async def work(here):
        here.begin()
        first = here.push()
        made = (await mirrored(here, first)).at
        here.refuse(made - 60)
        assert (await ask(here, first)).reason == Reason.PENDING
        here.refuse()
        assert (await ask(here, first)).reason == Reason.REFUSED
        bench = here.github.bench
        bench.push(f"{bench.commit({'a': '2'}, 'Second')}:refs/heads/FB1")
        assert (await ask(here, first)).reason == Reason.NEVER_A_HEAD

    run(tmp_path, work)


async def mirrored(here, sha):
    mirror = here.world.mirrors.of(here.repository)
    await mirror.fetch()
    return await mirror.commit(sha)


@pytest.mark.parametrize("new", [True, False])
def test_a_commit_in_the_middle_of_a_push_is_part_of_it(new, tmp_path):
    """Also where the webhook names the newest alone, and the default branch has no listeners."""

    async def work(here):
        bench = here.github.bench
        old = here.push()
        middle = bench.commit({"a": "2"}, "Second")
        newest = bench.commit({"a": "3"}, "Third")
        bench.push(f"{newest}:refs/heads/FB1")
        here.save(told(1, "FB1", newest, ZERO if new else old))
        found = await ask(here, middle)
        assert (found.reason, found.lines[-1]) == (Reason.PART, "Next: windlass explain 1")
        expected = Reason.PART if new else Reason.NEVER_A_HEAD
        assert (await ask(here, old)).reason == expected
        main = bench.at("main")
        later = here.push("main", "Later")
        here.save(told(2, "main", later, main))
        assert (await ask(here, main)).reason == Reason.NEVER_A_HEAD

    run(tmp_path, work)
