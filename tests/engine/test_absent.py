"""
Why there is no event about a commit or a pull request (tests/golden/explain/absent-NAME.txt).

A GitHub on loopback is asked, with its hook and the log of its deliveries; its Git is real.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from dataclasses import dataclass, fields, replace

import pytest
from explaining import check, row

from windlass.core.errors import Permanent
from windlass.core.event import ZERO, Event, Kind
from windlass.engine.absence import WORDS, Reason
from windlass.engine.explain import explain_commit, explain_pull_request
from windlass.engine.hooks import hook_of
from windlass.engine.world import Forge, World
from windlass.forges.github.dialect import GitHubDialect
from windlass.forges.github.forge import GitHubForge
from windlass.forges.http.client import Http
from windlass.git.program import Git
from windlass.ports.records import Delivery, Head, Refusal, Repository
from windlass.reach import Reach
from windlass.testing.fakes.memory import MemoryStore
from windlass.testing.fakes.vault import FakeVault
from windlass.testing.servers.github import TOKEN, GitHub
from windlass.wiring.world import Mirrors, SystemClock

CONFIGURATION = "listeners: {all: {on: push, do: [{pipeline: ci}]}}\n"
NOWHERE = "0" * 39 + "1"


@dataclass
class Here:
    """The code host, this server, and the repository that they know."""

    github: GitHub
    world: World
    repository: Repository

    def save(self, *records):
        for one in records:
            self.world.store.fill(lambda tx, one=one: tx.add(one) or tx.save(one))

    def begin(self):
        """Let the default branch have listeners."""
        self.github.push("main", {".windlass.yaml": CONFIGURATION})

    def push(self, branch="FB1", message="Change", files=None):
        """A push of one commit of which nobody told."""
        bench = self.github.bench
        bench.git("checkout", "--quiet", "--detach", bench.at("main"))
        sha = bench.commit(files or {"a": "1"}, message)
        bench.push(f"{sha}:refs/heads/{branch}")
        return sha

    def hook(self, **changed):
        """Our hook as GitHub has it, but for what has changed."""
        (one,) = self.github.shop.hooks.values()
        one.update(changed)

    def refuse(self, at=0.0):
        """A request that was not accepted; now, unless it is said when."""
        self.save(
            Refusal(
                slot=1, at=at or self.world.clock.now(), endpoint="e1", repository="shop",
                status=401, reason="the signature does not fit", source="192.0.2.1", headers={},
                size=10,
            )
        )  # fmt: skip

    def connect(self):
        """What there is now was there when the repository was connected."""
        for ref, sha in self.github.shop.refs().items():
            self.save(Head(repository="shop", ref=ref, sha=sha))

    def deliver(self, sha, state, reason="", **more):
        """A delivery that names a commit."""
        body = json.dumps({"before": NOWHERE, "after": sha, "commits": [{"id": sha}], **more})
        self.save(
            Delivery(
                id="d1", endpoint="e1", delivery_key="k", repository="shop", headers={},
                received_at=self.world.clock.now(), body=zlib.compress(body.encode()),
                digest="", state=state, reason=reason,
            )
        )  # fmt: skip


async def ask(here, about):
    if isinstance(about, int):
        return await explain_pull_request(here.world, here.repository.name, about)
    return await explain_commit(here.world, here.repository.name, about)


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


async def staged(folder, work):
    """Do something where the hook is in place, and nothing was told yet."""
    clock, store, vault = SystemClock(), MemoryStore(), FakeVault()
    vault.put("webhook", "shop", b"secret")
    with GitHub(folder) as github:
        http = Http(clock, Reach(frozenset({"127.0.0.1"})))
        adapter = GitHubForge(http, lambda _: TOKEN, lambda _: None, clock)
        bare = github.bench.bare
        forge = Forge(
            dialect=GitHubDialect(), webhooks=adapter, reports=adapter, source=adapter,
            clone=lambda _: str(bare),
        )  # fmt: skip
        git = Git(folder / "git")
        git.allow(bare)
        mirrors = Mirrors(git, folder / "mirrors", {"github": forge})
        world = World(
            **dict.fromkeys(one.name for one in fields(World))
            | {
                "store": store,
                "clock": clock,
                "forges": {"github": forge},
                "mirrors": mirrors,
                "vault": vault,
                "public_url": github.url,
            }
        )
        repository = Repository(
            name="shop", forge="github", url=github.address, endpoint="e1", default_branch="main"
        )
        here = Here(github, world, repository)
        here.save(repository)
        try:
            await adapter.install(repository.url, hook_of(world, repository))
            github.queue.clear()
            return await work(here)
        finally:
            await mirrors.close()
            await http.close()


def run(folder, work):
    return asyncio.run(asyncio.wait_for(staged(folder, work), 30))


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
