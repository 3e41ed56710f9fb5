"""
A stand-in for `engine.requests.Requests`, for whoever shows or asks and wants no engine.

It notes what it was asked, does the smallest thing that looks right on a
`MemoryStore`, and raises `failure` instead when there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from windlass.core.configuration import Configuration
from windlass.core.errors import Conflict, NotFound
from windlass.core.run import ENDED, State
from windlass.engine import replays
from windlass.engine.doctor import Finding
from windlass.engine.explain import Explanation, told
from windlass.engine.names import place_name
from windlass.engine.requests.listeners import ByHand, Listing
from windlass.engine.requests.replay import Choice, Done, Replay, Replayed, choose
from windlass.engine.requests.repositories import Connect, Connected, PolicyChange, Rotated
from windlass.engine.shadow import Shadow
from windlass.ports.forge import HookState, Merge, PullRequest, PullState
from windlass.ports.records import (
    Delivery,
    Deployment,
    Place,
    Repository,
    StoredRun,
)
from windlass.ports.store import Tx
from windlass.testing.fakes.listening import asked_by_hand, shadowed
from windlass.testing.fakes.trusting import Trusting


@dataclass(frozen=True, slots=True)
class FakeCircuit:
    """What `Left` holds."""

    origin: str
    since: float
    until: float
    reason: str


@dataclass(slots=True)
class FakeRequests(Trusting):
    """Everything a person may ask, done on the store alone. `asked` is what came, in order."""

    pulls: dict[int, PullRequest] = field(default_factory=dict)
    left: list[FakeCircuit] = field(default_factory=list)
    written: Configuration | None = None

    # ------------------------------------------------------------ repositories

    async def add_repository(self, wanted: Connect, *, by: str) -> Connected:
        """Connect a repository."""
        trust = (wanted.trust,) if wanted.trust else ()
        self._note("add_repository", wanted.url, wanted.name, wanted.forge, by, *trust)
        record = Repository(
            name=wanted.name or wanted.url.rstrip("/").rpartition("/")[2].removesuffix(".git"),
            forge=wanted.forge or "plain",
            url=wanted.url,
            endpoint=sha256(wanted.url.encode()).hexdigest()[:32],
            default_branch="main",
            created_at=self.now,
        )
        if not self.store.fill(lambda tx: tx.add(record)):
            raise Conflict(f"{record.name} is connected already.", hint="windlass repo list")
        return Connected(repository=record, hook=HookState(present=True), ping=0.2)

    async def store_token(self, url: str, token: str, *, by: str) -> None:
        """Keep a token."""
        self._note("store_token", url, token, by)

    def github_manifest(self) -> dict[str, object]:
        """What GitHub is asked to make an App of."""
        return {"name": "windlass", "default_permissions": {"checks": "write"}}

    async def register_app(self, host: str, code: str, *, by: str) -> str:
        """Take an App."""
        self._note("register_app", host, code, by)
        return "windlass-acme"

    async def rotate_secret(self, name: str, *, by: str) -> Rotated:
        """A new webhook secret."""
        self._note("rotate_secret", name, by)
        by_hand = (await self.repository(name)).forge == "generic"
        return Rotated(hook=HookState(present=True), until=self.now + 86_400.0, by_hand=by_hand)

    async def examine(self) -> tuple[Finding, ...]:
        """Two findings."""
        self._note("examine")
        wrong = Finding(check="hook", subject="shop", said="not there", fix="windlass repo check")
        return Finding(check="disk", subject="/data", said="9000 MiB are free"), wrong

    def circuits(self) -> tuple[FakeCircuit, ...]:
        """What it was given."""
        return tuple(self.left)

    async def check_repository(self, name: str) -> HookState:
        """Whether its webhook is there."""
        self._note("check_repository", name)
        record = await self.repository(name)
        return HookState(present=not record.problem, problem=record.problem)

    async def remove_repository(self, name: str, *, by: str) -> None:
        """Disconnect it; the fake only notes it."""
        self._note("remove_repository", name, by)

    async def webhook_secret(self, name: str, *, by: str) -> str:
        """The secret of its webhooks."""
        self._note("webhook_secret", name, by)
        return "5ec2e7"

    async def repository(self, name: str) -> Repository:
        """The repository of this name."""
        record = await self.store.read(lambda tx: tx.get(Repository, name))
        if record is None:
            raise NotFound(f"there is no repository {name}", hint="windlass repo list")
        return record

    async def set_policy(self, name: str, wanted: PolicyChange, *, by: str) -> Repository:
        """Another policy."""
        self._note("set_policy", name, by)
        return self._saved(wanted.on(await self.repository(name)))

    def _saved(self, after: Repository) -> Repository:
        self.store.fill(lambda tx: tx.save(after))
        return after

    async def recover(self, name: str) -> int:
        """Events that no webhook brought."""
        self._note("recover", name)
        return 2

    # --------------------------------------------------------------- listeners

    async def listeners(self, repository: str) -> Listing:
        """What `written` says, or that nothing was fetched."""
        found = await self.repository(repository)
        if self.written is None:
            return Listing(repository=found, problem="nothing of it was fetched yet")
        return Listing(
            repository=found,
            sha="a1" * 20,
            listeners=tuple(self.written.listeners.values()),
            environments=tuple(self.written.environments),
        )

    async def run_listener(self, wanted: ByHand, *, by: str) -> Delivery:
        """A delivery, and an event of a listener that has started its first run already."""
        texts = (f"{name}={text}" for name, text in wanted.inputs.items())
        where = (wanted.repository, wanted.listener, wanted.branch, wanted.ref)
        self._note("run_listener", *where, by, *texts)
        return asked_by_hand(self.store, await self.listeners(wanted.repository), wanted, by)

    # ----------------------------------------------------------- pull requests

    async def pull_requests(self, repository: str, state: str = "open") -> tuple[PullRequest, ...]:
        """Pull requests in this state."""
        self._note("pull_requests", repository, state)
        return tuple(pull for pull in self.pulls.values() if state in {"all", pull.state})

    async def pull_request(self, repository: str, number: int) -> PullRequest:
        """One of them."""
        self._note("pull_request", repository, number)
        if number not in self.pulls:
            raise NotFound(f"{repository} has no pull request {number}.")
        return self.pulls[number]

    async def approve_pull_request(self, repository: str, number: int, *, by: str) -> PullRequest:
        """Approve its head."""
        pull = await self.pull_request(repository, number)
        return self._keep(replace(pull, approved_by=(*pull.approved_by, by)))

    async def merge_pull_request(self, repository: str, number: int, how: Merge) -> PullRequest:
        """Merge it."""
        pull = await self.pull_request(repository, number)
        if pull.state is not PullState.OPEN:
            raise Conflict(f"Pull request {number} is {pull.state}.")
        self._note("merge", number, how.method, how.by, how.expect_head)
        return self._keep(replace(pull, state=PullState.MERGED, merge_sha="f" * 40))

    async def close_pull_request(self, repository: str, number: int, *, by: str) -> PullRequest:
        """Close it."""
        pull = await self.pull_request(repository, number)
        return self._keep(replace(pull, state=PullState.CLOSED))

    def _keep(self, pull: PullRequest) -> PullRequest:
        self.pulls[pull.number] = pull
        return pull

    # ------------------------------------------------------------------ replay

    async def to_replay(self, wanted: Replay) -> Choice:
        """What the store has of it."""
        return await self.store.read(lambda tx: choose(tx, wanted))

    async def replay(self, wanted: Replay, *, by: str) -> Done:
        """New deliveries that nobody handles."""
        self._note("replay", *wanted.events, *wanted.deliveries, wanted.deploys, by)
        found = await self.to_replay(wanted)

        def work(tx: Tx) -> Done:
            made = [
                (
                    one,
                    replays.again(
                        one.original,
                        wanted.token,
                        f"r{tx.next('replay'):08}",
                        self.now,
                        deploys=wanted.deploys,
                    ),
                )
                for one in found.chosen
            ]
            done = [Replayed(chosen=one, delivery=new, fresh=tx.add(new)) for one, new in made]
            return Done(replayed=tuple(done), left_out=found.left_out)

        return self.store.fill(work)

    async def shadow(
        self, files: Mapping[str, bytes], *, repository: str = "", since: float = 0.0
    ) -> Shadow:
        """All events of it would start one listener, `new`."""
        self._note("shadow", *files, repository, since)
        return await shadowed(self.store, repository, since)

    # -------------------------------------------------------------------- runs

    async def _run(self, number: int) -> StoredRun:
        found = await self.store.read(lambda tx: tx.get(StoredRun, number))
        if found is None:
            raise NotFound(f"there is no run {number}", hint="windlass runs list")
        return found

    def _end(self, stored: StoredRun, state: State) -> StoredRun:
        moved = replace(
            stored, state=str(state), ended_at=self.now, run=replace(stored.run, state=state)
        )
        self.store.fill(lambda tx: tx.save(moved))
        return moved

    async def cancel(self, run: int, *, by: str, reason: str = "") -> StoredRun:
        """End a run at once."""
        self._note("cancel", run, by, reason)
        stored = await self._run(run)
        if stored.run.state in ENDED:
            raise Conflict(f"Run {run} has ended already: {stored.state}.")
        return self._end(stored, State.CANCELLED)

    async def rerun(self, run: int, *, by: str) -> StoredRun:
        """A copy of the run that has ended well at once."""
        self._note("rerun", run, by)
        stored = await self._run(run)
        return self._copy(stored, f"rerun:{run}")

    def _copy(self, stored: StoredRun, cause: str) -> StoredRun:
        def work(tx: Tx) -> StoredRun:
            number = tx.next("run")
            fresh = replace(
                stored,
                number=number,
                cause=cause,
                state="succeeded",
                created_at=self.now,
                ended_at=self.now,
                version=0,
                run=replace(stored.run, number=number, state=State.SUCCEEDED),
            )
            tx.add(fresh)
            return fresh

        return self.store.fill(work)

    async def release(self, run: int, *, by: str) -> StoredRun:
        """Let a held run go."""
        self._note("release", run, by)
        stored = await self._run(run)
        if stored.run.state is not State.HELD:
            raise Conflict(f"Run {run} is not held.")
        return self._end(stored, State.SUCCEEDED)

    # ------------------------------------------------------------- deployments

    async def _any_run(self) -> StoredRun:
        found = await self.store.read(lambda tx: tx.find(StoredRun, order="-number", limit=1))
        if not found:
            raise NotFound("there is no run to copy")
        return found[0]

    async def deploy(  # noqa: PLR0913  # as the engine has it
        self,
        repository: str,
        service: str,
        environment: str,
        *,
        ref: str = "",
        digest: str = "",
        by: str,
        why: str = "",
    ) -> StoredRun:
        """A run that has deployed already."""
        self._note("deploy", repository, service, environment, ref, digest, by, why)
        return self._copy(await self._any_run(), f"manual:{len(self.asked)}")

    async def rollback(  # noqa: PLR0913  # as the engine has it
        self,
        repository: str,
        service: str,
        environment: str,
        *,
        digest: str = "",
        by: str,
        why: str = "",
    ) -> StoredRun:
        """A run that has rolled back already, and the pin."""
        self._note("rollback", repository, service, environment, digest, by, why)
        self._pin(place_name(repository, environment, service), why or f"rolled back by {by}")
        return self._copy(await self._any_run(), f"manual:{len(self.asked)}")

    def _pin(self, name: str, reason: str) -> Place:
        def work(tx: Tx) -> Place:
            place: Place | None = tx.get(Place, name)
            if place is None:
                raise NotFound(f"Nothing was ever deployed to {name}.")
            pinned = replace(place, pinned=reason)
            tx.save(pinned)
            return pinned

        return self.store.fill(work)

    async def unpin(self, repository: str, service: str, environment: str, *, by: str) -> Place:
        """Take the pin away."""
        self._note("unpin", repository, service, environment, by)
        return self._pin(place_name(repository, environment, service), "")

    async def _decide(self, number: int, state: str, by: str, why: str) -> Deployment:
        found = await self.store.read(lambda tx: tx.get(Deployment, number))
        if found is None:
            raise NotFound(f"there is no deployment {number}")
        if found.state != "approval":
            raise Conflict(f"Deployment {number} does not wait for approval: {found.state}.")
        approvals = (*found.approvals, by) if state == "admitted" else found.approvals
        enough = state != "admitted" or len(approvals) >= found.needed
        after = replace(
            found, approvals=approvals, state=state if enough else found.state, reason=why
        )
        self.store.fill(lambda tx: tx.save(after))
        return after

    async def approve(self, deployment: int, *, by: str) -> Deployment:
        """One approval more."""
        self._note("approve", deployment, by)
        return await self._decide(deployment, "admitted", by, "")

    async def reject(self, deployment: int, *, by: str, why: str = "") -> Deployment:
        """No."""
        self._note("reject", deployment, by, why)
        return await self._decide(deployment, "rejected", by, why or f"rejected by {by}")

    # -------------------------------------------------------------- explaining

    async def explain(self, event: int) -> Explanation:
        """What the store knows of the event, in the engine's own words."""
        self._note("explain", event)
        return await self.store.read(lambda tx: told(tx, event))

    async def explain_commit(self, repository: str, sha: str) -> Explanation:
        """Nothing came."""
        self._note("explain_commit", repository, sha)
        return _nothing(f"No webhook told of {sha} in {repository}.")

    async def explain_pull_request(self, repository: str, number: int) -> Explanation:
        """Nothing came."""
        self._note("explain_pull_request", repository, number)
        return _nothing(f"No webhook told of pull request {number} in {repository}.")


def _nothing(line: str) -> Explanation:
    return Explanation(
        event=None, delivery=None, verdicts=(), runs=(), lines=(line,), reason="hook-missing"
    )
