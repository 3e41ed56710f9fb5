"""
Commands about runs: test, test again, cancel, let a stranger's commit go.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.core import chat
from windlass.core.errors import Conflict, NotFound, UserError
from windlass.core.event import Event, Kind
from windlass.core.listener import Listener, Miss
from windlass.core.pipeline import Action, ActionKind
from windlass.core.run import ENDED, State
from windlass.engine import situation as situations
from windlass.engine.chat.given import Given, Outcome, short
from windlass.engine.chat.values import arguments, inputs
from windlass.engine.judge import ask
from windlass.engine.names import run_path
from windlass.engine.requests.runs import RunRequests, fact_key
from windlass.engine.situation import Situation
from windlass.engine.start import STRANGER, Judged, draft
from windlass.engine.write import start_run
from windlass.ports.forge import PullRequest, Request
from windlass.ports.records import StoredEvent, StoredFact, StoredRun
from windlass.ports.store import Tx

# What a person who wants a test may mean to have happened to the pull request, first first.
HAPPENED = ("updated", "opened", "reopened", "ready")
BROKEN = frozenset({State.FAILED, State.CANCELLED})


class RunCommands(RunRequests):
    """What a comment may ask of the runs of its pull request."""

    async def test(self, given: Given) -> Outcome:
        """Runs of the listeners that match its present head, or of the named one or pipeline."""
        if there := await self._started(given):
            return there
        pull = await given.open_pull()
        found = await situations.look(
            given.repository,
            _event(given, pull),
            self._world.mirrors.of(given.repository),
            self._configurations,
            given.forge,
        )
        if found.fault:
            raise UserError(f"the configuration cannot be used: {str(found.fault).splitlines()[0]}")
        drafts = await self._drafts(given, found)
        now = self._now()

        def work(tx: Tx) -> None:
            for one in drafts:
                (name,) = one.runs
                start_run(tx, given.event, one, name, now, cause=given.key)

        await self._world.store.transaction(work)
        return await self._started(given) or Outcome("no listener matches this pull request")

    async def retest(self, given: Given) -> Outcome:
        """The newest run of each listener on its present head, once more if it is broken."""
        pull = await given.open_pull()
        runs = await self._runs(given, pull.head_sha)
        # After a crash: what was there when this command was acted on first.
        own = [one.number for one in runs if one.cause.endswith(f":{given.key}")]
        newest = {one.listener: one for one in runs if not own or one.number < own[0]}
        broken = [one for one in newest.values() if one.run.state in BROKEN]
        if not broken:
            raise Conflict(f"nothing has failed or was cancelled on {short(pull.head_sha)}")
        fresh, refused = [], []
        for one in broken:
            try:
                again = await self.rerun(one.number, by=given.by, key=given.key)
            except UserError as error:
                refused.append(error.message)
            else:
                fresh.append(f"{one.listener}: run {one.number} again as run {again.number}")
        if not fresh:
            raise Conflict("; ".join(refused))
        return Outcome("; ".join(fresh + refused))

    async def stop(self, given: Given) -> Outcome:
        """Cancel everything of it that has not ended."""
        done = await self._taken("cancel", given)
        runs = [one for one in await self._runs(given) if one.run.state not in ENDED]
        for one in runs:
            await self.cancel(one.number, by=given.by, reason="in a comment", key=given.key)
        told = {one.number: f"run {one.number} ({one.listener})" for one in (*done, *runs)}
        if not told:
            raise Conflict(f"nothing of pull request {given.number} is under way")
        return Outcome("cancelled " + ", ".join(told.values()))

    async def allow(self, given: Given) -> Outcome:
        """Let the held runs of one commit go: the one that is named, if it is there now."""
        if done := await self._taken("release", given):
            return _went(done)
        pull = await given.open_pull()
        write = f"look at it, then write /ok-to-test {pull.head_sha}"
        if not given.name:
            raise UserError(f"the head is {short(pull.head_sha)}: {write}")
        if not chat.names(given.name, pull.head_sha):
            raise Conflict(
                f"{given.name[:64]} is not the head, which is {short(pull.head_sha)} now: {write}"
            )
        if await self._ambiguous(given, pull.head_sha):
            raise Conflict(f"{given.name} begins other commits of this pull request, too: {write}")
        # What waits for its turn in a concurrency group is trusted, and goes by itself.
        held = [
            one
            for one in await self._runs(given, pull.head_sha)
            if one.run.state is State.HELD and not one.run.trusted
        ]
        if not held:
            raise Conflict(f"no run of {short(pull.head_sha)} waits to be allowed")
        for one in held:
            await self.release(one.number, by=given.by, key=given.key)
        return _went(held)

    async def _taken(self, what: str, given: Given) -> list[StoredRun]:
        """Runs to which this very command did that before a crash."""
        runs = await self._runs(given)

        def work(tx: Tx) -> list[StoredRun]:
            keys = [(one, fact_key(what, one.number, given.key)) for one in runs]
            return [one for one, key in keys if tx.get(StoredFact, key) is not None]

        return await self._world.store.read(work)

    async def _runs(self, given: Given, head: str = "") -> list[StoredRun]:
        """Runs of this pull request, or of one head of it, oldest first."""
        name, number = given.repository.name, given.number
        runs = await self._world.store.read(
            lambda tx: tx.find(StoredRun, order="number", repository=name, pull_request=number)
        )
        return [one for one in runs if head in {"", one.status_sha}]

    async def _started(self, given: Given) -> Outcome | None:
        """What was started for this very command."""

        def work(tx: Tx) -> list[StoredRun]:
            return tx.find(StoredRun, event=given.event, cause=given.key, order="number")

        runs = await self._world.store.read(work)
        if not runs:
            return None
        text = "started " + ", ".join(f"run {one.number} ({one.listener})" for one in runs)
        if held := next((one.run for one in runs if not one.run.trusted), None):
            word = f"it waits for /ok-to-test {runs[0].status_sha}"
            text += f"; {word if held.reason == STRANGER else held.reason}"
        return Outcome(text, run_path(runs[-1].number))

    async def _ambiguous(self, given: Given, head: str) -> bool:
        """Whether these digits begin another commit that was its head before: seven can be met."""

        def work(tx: Tx) -> list[StoredEvent]:
            return tx.find(StoredEvent, repository=given.repository.name, pull_request=given.number)

        events = await self._world.store.read(work)
        heads = {one.event.head_sha or one.sha for one in events}
        return any(chat.names(given.name, one) for one in heads - {head})

    async def _drafts(self, given: Given, found: Situation) -> list[Judged]:
        """The runs that are wanted, each with the event that it is for."""
        rules = found.rules.configuration.listeners
        values = given.command.values
        if given.name in rules and values:
            environments = found.rules.configuration.environments
            typed = inputs(rules[given.name], values, environments)
            found = replace(found, event=replace(found.event, inputs=typed))
        if not given.name or given.name in rules:
            return await self._matching(given, found)
        pipelines = found.configuration.pipelines
        if given.name not in pipelines:
            known = ", ".join([*rules, *pipelines]) or "none"
            raise NotFound(f"there is no listener or pipeline {given.name}; there is: {known}")
        texts = arguments(pipelines[given.name], values, found.configuration.environments)
        action = Action(kind=ActionKind.PIPELINE, name=given.name, arguments=texts)
        alone = Listener(name=given.name, on=(), actions=(action,))
        return [_judged(alone, found)]

    async def _matching(self, given: Given, found: Situation) -> list[Judged]:
        """Those whose conditions match what may have happened; what is wanted by name must."""
        rules = found.rules.configuration.listeners
        request = Request(headers={}, body=b"{}", at=self._now())
        mirror = self._world.mirrors.of(given.repository)
        drafts: dict[str, Judged] = {}
        missed: dict[str, Miss] = {}
        for action in HAPPENED:
            at = replace(found, event=replace(found.event, action=action))
            question = ask(rules, at.event, request, active=given.repository.active)
            files = await situations.changed_files(at, mirror) if question.wants_files else None
            for name, said in question.answer(files).items():
                if isinstance(said, Miss):
                    # The one that got further than `on` tells more.
                    if name not in missed or missed[name].condition == "on":
                        missed[name] = said
                elif name not in drafts and not rules[name].shadow:
                    drafts[name] = _judged(rules[name], at)
        if not given.name:
            return list(drafts.values())
        if given.name not in drafts and rules[given.name].shadow:
            raise Conflict(f"{given.name} is in shadow, and starts nothing")
        if given.name not in drafts:
            miss = missed[given.name]
            raise Conflict(
                f"{given.name} does not match: {miss.condition} wants {miss.expected},"
                f" and it is {miss.actual}"
            )
        return [drafts[given.name]]


def _went(runs: list[StoredRun]) -> Outcome:
    told = ", ".join(f"run {one.number} ({one.listener})" for one in runs)
    return Outcome(f"{short(runs[0].status_sha)} may run: {told}", run_path(runs[-1].number))


def _judged(listener: Listener, at: Situation) -> Judged:
    return Judged(
        event=at.event, situation=at, verdicts={}, runs={listener.name: draft(listener, at)}
    )


def _event(given: Given, pull: PullRequest) -> Event:
    """The pull request as if its head had just been pushed, by the person who asks."""
    return Event(
        kind=Kind.PULL_REQUEST,
        action=HAPPENED[0],
        repository=given.repository.name,
        number=given.number,
        sha=pull.head_sha,
        head_sha=pull.head_sha,
        head=pull.head,
        base=pull.base,
        fork=pull.fork,
        fork_owner=pull.fork_owner,
        draft=pull.draft,
        labels=pull.labels,
        title=pull.title,
        author=pull.author,
        author_id=pull.author_id,
        sender=given.by,
        sender_id=given.by_id,
        url=pull.web_url or None,
    )
