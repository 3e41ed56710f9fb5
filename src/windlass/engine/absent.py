"""
Looks for the reason why there is no event about a commit or a pull request.

From the near to the far: what this server knows itself, whether the code host has it at
all, whether anybody had to tell of it, its webhook and how that one's deliveries went, and
last what the commit is. The first that is true is the answer. Nothing is changed: a missed
delivery is not asked for here.
"""

from __future__ import annotations

import re
import zlib
from contextlib import suppress
from dataclasses import dataclass, field

from windlass.core.errors import ConfigError, NotFound, WindlassError
from windlass.core.event import ZERO, Event, Kind, is_zero
from windlass.core.filters import skip_marker
from windlass.engine.absence import Absence, Reason
from windlass.engine.hooks import hook_of
from windlass.engine.world import Forge, World
from windlass.git.mirror import Mirror
from windlass.git.refs import is_sha
from windlass.ports.forge import HookState, PullRequest, PullState
from windlass.ports.records import Delivery, Head, Refusal, Repository, StoredEvent
from windlass.ports.store import Above, Tx

# Deliveries that are looked into, and the bytes of each.
RECENT, LOOKED = 100, 4 << 20
# Pushes, and heads of the time of connecting, whose history is asked; each is a question to Git.
PUSHES, TIPS = 20, 8
# Seconds for which a refused request may be the reason.
LATELY = 86_400.0


@dataclass(slots=True)
class Search:
    """What is asked about, a pull request where `number` is one; and what is found on the way."""

    world: World
    repository: Repository
    sha: str = ""
    number: int = 0
    _pull: PullRequest | None = field(default=None, init=False)
    _refs: tuple[str, ...] = field(default=(), init=False)
    # Those of `_refs` that nobody has told of.
    _untold: tuple[str, ...] = field(default=(), init=False)
    _failed: str = field(default="", init=False)

    async def __call__(self) -> Absence:
        """The first true reason."""
        if not self.repository.active:
            return Absence(Reason.INACTIVE)
        if self.repository.forge not in self.world.forges:
            return Absence(
                Reason.UNREACHABLE, f"this server knows no forge {self.repository.forge}"
            )
        for step in (
            self._proposed,
            self._delivered,
            self._there,
            self._before,
            self._came,
            self._hooked,
            self._refused,
            self._failing,
            self._headed,
            self._written,
        ):
            try:
                found = await step()
            except WindlassError as error:
                return Absence(Reason.UNREACHABLE, str(error))
            if found:
                return found
        return Absence(Reason.PENDING, ", ".join(self._untold or self._refs))

    @property
    def _forge(self) -> Forge:
        return self.world.forges[self.repository.forge]

    @property
    def _mirror(self) -> Mirror:
        return self.world.mirrors.of(self.repository)

    async def _proposed(self) -> Absence | None:
        """The pull request as its forge has it; its head is the commit in question."""
        if not self.number:
            return None
        try:
            pull = await self._forge.source.pull(self.repository.url, self.number)
        except NotFound:
            return Absence(Reason.NO_PULL_REQUEST)
        self._pull, self.sha = pull, pull.head_sha
        self._refs = (f"refs/pull/{self.number}/head",)
        ended = pull.state is not PullState.OPEN
        return Absence(Reason.ENDED, str(pull.state)) if ended else None

    async def _delivered(self) -> Absence | None:
        """A delivery that tells of it, and made no event of it."""
        name, sha = self.repository.name, self.sha

        def work(tx: Tx) -> Absence | None:
            recent = tx.find(Delivery, repository=name, order="-id", limit=RECENT)
            for one in recent:
                if not _tells(one, sha):
                    continue
                if one.state != "done":
                    return _unheard(one)
                events = tx.find(StoredEvent, delivery=one.id, order="position")
                push = next((each for each in events if each.kind == Kind.PUSH), None)
                if push:
                    return Absence(Reason.PART, _pushed(push), push.number)
            return None

        return await self.world.store.read(work)

    async def _there(self) -> Absence | None:
        """Whether the code host has it, and where."""
        url, mirror = self.repository.url, self._mirror
        heads: dict[str, str] = {}
        with suppress(WindlassError):  # Git knows the most of it, too
            heads = dict(await self._forge.source.heads(url))
        self._refs = self._refs or tuple(ref for ref, at in heads.items() if at == self.sha)
        await mirror.fetch()
        if not heads:
            branches = (await mirror.heads()).items()
            self._refs = tuple(f"refs/heads/{name}" for name, at in branches if at == self.sha)
        if is_sha(self.sha) and not await self._has(self.sha):
            with suppress(WindlassError):
                await mirror.fetch(self.sha)
        there = await self._has(self.sha)
        return None if there or self._refs else Absence(Reason.UNKNOWN)

    async def _has(self, sha: str) -> bool:
        """Whether this is a commit of which the mirror has the content."""
        return is_sha(sha) and await self._mirror.has(sha)

    async def _before(self) -> Absence | None:
        """Whether it was there already when the repository was connected."""
        name, main = self.repository.name, f"refs/heads/{self.repository.default_branch}"
        heads = await self.world.store.read(lambda tx: tx.find(Head, repository=name))
        known = {one.ref: one.sha for one in heads}
        self._untold = tuple(ref for ref in self._refs if known.get(ref) != self.sha)
        if self._untold:
            return None
        # The rows that no event has written are of the time of connecting.
        found = [one for one in heads if one.sha and not one.event]
        found.sort(key=lambda one: (one.sha != self.sha, one.ref != main))
        tips = list(dict.fromkeys(one.sha for one in found))[: 1 if self._refs else TIPS]
        for tip in tips:
            if tip == self.sha or (not self._refs and await self._within(tip)):
                return Absence(Reason.BEFORE_CONNECTED)
        return None

    async def _came(self) -> Absence | None:
        """The first push that brought it along with a newer commit."""
        if self._refs:
            return None
        name = self.repository.name
        pushes = await self.world.store.read(
            lambda tx: tx.find(
                StoredEvent,
                repository=name,
                action="pushed",
                origin=0,
                order="-number",
                limit=PUSHES,
            )
        )
        for one in reversed(pushes):
            if await self._within(one.sha) and await self._new_with(one.event):
                return Absence(Reason.PART, _pushed(one), one.number)
        return None

    async def _new_with(self, push: Event) -> bool:
        """Whether it surely was not there before a push of something that contains it."""
        default = self.repository.default_branch
        before = push.before or ZERO
        if is_zero(before) and push.branch == default:
            return True
        if is_zero(before):
            before = await self._mirror.objects.resolve(f"refs/heads/{default}") or before
        return await self._has(before) and not await self._mirror.is_ancestor(self.sha, before)

    async def _within(self, tip: str) -> bool:
        """Whether it is in the history of a commit."""
        there = await self._has(tip) and await self._has(self.sha)
        return there and await self._mirror.is_ancestor(self.sha, tip)

    async def _hooked(self) -> Absence | None:
        """Whether the webhook is there and tells of such things."""
        state = await self._hook()
        if state is None:
            return None
        if not state.present:
            return Absence(Reason.HOOK_MISSING)
        if not state.active:
            return Absence(Reason.HOOK_DISABLED)
        if unsent := state.unsent & self._kinds():
            return Absence(Reason.NOT_SUBSCRIBED, ", ".join(sorted(unsent)))
        if state.problem and not (state.failed or state.unsent):
            return Absence(Reason.HOOK_WRONG, state.problem)
        self._failed = state.failed
        return None

    async def _hook(self) -> HookState | None:
        """The webhook, where there should be one and the forge can be asked for it."""
        if self.repository.polling:
            return None
        with suppress(WindlassError):  # who may not see it may still see the rest
            hook = hook_of(self.world, self.repository)
            state = await self._forge.webhooks.check(self.repository.url, hook)
            return None if state.by_hand and not state.failed else state
        return None

    def _kinds(self) -> frozenset[Kind]:
        """What kind of event would have told of it."""
        words = {ref.split("/")[1] for ref in self._refs}
        if self.number or words == {"pull"}:
            return frozenset({Kind.PULL_REQUEST})
        return frozenset({Kind.TAG if words == {"tags"} else Kind.PUSH})

    async def _refused(self) -> Absence | None:
        """A request that this server refused, after the commit was made and the last it took."""
        name, now = self.repository.name, self.world.clock.now()
        if self.repository.polling or not self._untold:
            return None
        made = (await self._mirror.commit(self.sha)).at if await self._has(self.sha) else 0
        since = Above(max(now - LATELY, made))

        def work(tx: Tx) -> Absence | None:
            refused = tx.find(Refusal, repository=name, at=since, order="-at", limit=1)
            taken = tx.find(Delivery, repository=name, source="webhook", order="-id", limit=1)
            if not refused or (taken and taken[0].received_at > refused[0].at):
                return None
            return Absence(Reason.REFUSED, f"{refused[0].status}, {refused[0].reason}")

        return await self.world.store.read(work)

    async def _failing(self) -> Absence | None:
        """What the code host's own log says of the last delivery."""
        return Absence(Reason.FAILED, self._failed) if self._failed and self._untold else None

    async def _headed(self) -> Absence | None:
        """Whether it is the head of anything: nobody is told of other commits."""
        return None if self._refs else Absence(Reason.NEVER_A_HEAD)

    async def _written(self) -> Absence | None:
        """Whether any listener would be asked about it."""
        if not await self._has(self.sha):
            return None
        default = await self._mirror.objects.resolve(f"refs/heads/{self.repository.default_branch}")
        if not (default and await self._configured(default)):
            here = await self._configured(self.sha)
            return Absence(Reason.OTHER_BRANCH if here else Reason.NO_CONFIGURATION)
        text = self._pull.title if self._pull else (await self._mirror.commit(self.sha)).message
        marker = skip_marker(Event(kind=Kind.PUSH, action="", repository="", message=text))
        return Absence(Reason.SKIPPED, marker) if marker else None

    async def _configured(self, sha: str) -> bool:
        try:
            return bool(await self._mirror.config_files(sha))
        except ConfigError:
            return True


def _unheard(one: Delivery) -> Absence:
    if one.state == "failed":
        return Absence(Reason.UNHANDLED, f"{one.id}, {one.reason}")
    if one.state == "ignored":
        return Absence(Reason.IGNORED, f"{one.id}, {one.reason}")
    return Absence(Reason.WAITING, f"{one.id} ({one.reason})" if one.reason else one.id)


def _pushed(push: StoredEvent) -> str:
    return f"event {push.number}, the push of {push.branch} to {push.sha[:12]}"


def _tells(one: Delivery, sha: str) -> bool:
    """Whether its body names this commit as more than what was there before."""
    if not is_sha(sha):
        return False
    try:
        body = zlib.decompressobj().decompress(one.body, LOOKED)
    except zlib.error:
        return False
    named = body.count(sha.encode())
    return named > len(re.findall(rb'"before":\s*"%s"' % sha.encode(), body))
