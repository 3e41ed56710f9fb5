"""
An event together with everything that is needed to judge it.

Listeners and environments come from the default branch, pipelines and services
from the commit under test. A pull request is tested as its head merged into its
base; its results stand on its head. Here is the only Git of dispatch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from windlass.core.configuration import Configuration
from windlass.core.errors import ConfigError, NotFound, Permanent
from windlass.core.event import Event, Kind, is_zero
from windlass.core.policy import ANY, barred
from windlass.engine.configurations import Configurations, Loaded
from windlass.engine.world import Forge
from windlass.git.history import Conflicts
from windlass.git.mirror import Mirror
from windlass.git.refs import is_sha
from windlass.ports.forge import Permission, Source
from windlass.ports.records import Repository

# What a pull request does with its base: events whose test is of the two merged.
_TESTED_MERGED = frozenset(
    {"opened", "updated", "reopened", "ready", "drafted", "edited", "labeled", "unlabeled"}
)
# What may bring another configuration with it.
_PROPOSES = frozenset({"opened", "updated", "reopened", "edited"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """
    What dispatch decides on.

    `rules` holds the listeners and environments, `source` the pipelines and services.
    `sha` is the commit to check out, `status_sha` the one that results stand on, `branch`
    the branch that admission asks about. `conflict` are files that keep a pull request
    from being merged with its base. `config_sha` is the commit of `rules`. `deploys` says
    whether it may be deployed, `barred` why the policy lets nothing of it run.
    """

    event: Event
    repository: Repository
    rules: Loaded
    source: Loaded
    config_sha: str
    sha: str
    status_sha: str
    branch: str
    conflict: tuple[str, ...] = ()
    trusted: bool = True
    deploys: bool = True
    barred: str = ""

    @property
    def configuration(self) -> Configuration:
        """Rules from the default branch, pipelines and services from the commit under test."""
        return replace(
            self.rules.configuration,
            pipelines=self.source.configuration.pipelines,
            services=self.source.configuration.services,
        )

    @property
    def fault(self) -> ConfigError | None:
        """What is wrong with either of them."""
        return self.rules.fault or self.source.fault


async def look(  # noqa: PLR0913 - what happened, where it is read, and by which rules
    repository: Repository,
    event: Event,
    mirror: Mirror,
    configurations: Configurations,
    forge: Forge,
    *,
    present: bool = False,
) -> Situation:
    """
    Fetch what is missing and read the configuration. Raises `Transient` or `Permanent`.

    The rules are those of the default branch, which a push to it brings along, unless the
    `present` ones are asked for.
    """
    default = repository.default_branch
    event = await _whose(repository, event, forge.source)
    event = await _fetch(mirror, event, default, forge.pull_ref)
    why = barred(repository.policy, event)
    if event.recovered and event.kind is Kind.PUSH and event.sha:
        # What a webhook would have told: its skip marker counts, too.
        event = replace(event, message=(await mirror.commit(event.sha)).message)
    head = await mirror.objects.resolve(f"refs/heads/{default}") or ""
    if event.kind is Kind.PUSH and event.branch == default and event.sha and not present:
        head = event.sha
    tested = await _about(mirror, event) or head
    status_sha, sha = tested, tested
    conflict: tuple[str, ...] = ()
    if event.kind is Kind.PULL_REQUEST and event.action in _TESTED_MERGED and tested:
        base = await mirror.objects.resolve(f"refs/heads/{event.base}")
        merged = await mirror.merge(base, tested) if base else None
        match merged:
            case Conflicts(paths):
                conflict = paths
            case None:
                pass
            case _:
                sha = merged.commit
    rules = await configurations.at(mirror, head) if head else Loaded(Configuration(), absent=True)
    source = await configurations.at(mirror, sha) if sha else rules
    return Situation(
        event=event,
        repository=repository,
        rules=rules,
        source=source,
        config_sha=head,
        sha=sha,
        status_sha=status_sha,
        branch=_branch(event, default),
        conflict=conflict,
        trusted=not why and await _trusted(repository, event, forge.source),
        barred=why,
    )


async def _about(mirror: Mirror, event: Event) -> str | None:
    """The commit that an event is about; some forges name only the pull request, or the tag."""
    if event.sha and not is_zero(event.sha):
        return event.sha
    if event.number and event.base:
        return await mirror.objects.resolve(f"refs/pull/{event.number}/head")
    if event.tag and event.action != "deleted":
        return await mirror.objects.resolve(f"refs/tags/{event.tag}")
    return None


_WRITERS = frozenset({Permission.WRITE, Permission.ADMIN})


async def _trusted(repository: Repository, event: Event, source: Source) -> bool:
    """
    Whether this code may run unasked: it is ours, or all who had a hand in it may write.

    Who labels or reviews a stranger's pull request has not said that its commit may run.
    """
    if event.kind is Kind.COMMENT:
        # Anybody may comment, and many forges do not say where the head comes from.
        return await source.permission(repository.url, event.sender_id or "") in _WRITERS
    if not event.fork or event.action == "merged":
        return True
    people = {event.author_id or "", event.sender_id or ""}
    return all([await source.permission(repository.url, one) in _WRITERS for one in sorted(people)])


async def _whose(repository: Repository, event: Event, source: Source) -> Event:
    """The event with the fork it comes from, where the policy asks and only the forge knows."""
    if event.kind is not Kind.COMMENT or not event.number or repository.allow_forks == ANY:
        return event
    try:
        pull = await source.pull(repository.url, event.number)
    except Permanent:
        return replace(event, fork=True)
    return replace(event, fork=pull.fork, fork_owner=pull.fork_owner)


def _branch(event: Event, default: str) -> str:
    """The branch that admission asks about; a signed POST names none, and means the default one."""
    if event.kind is Kind.GENERIC:
        return default
    if event.kind is not Kind.PULL_REQUEST:
        return event.branch or ""
    return (event.base if event.action == "merged" else event.head) or ""


async def _fetch(mirror: Mirror, event: Event, default: str, pull_ref: str) -> Event:
    """Bring what the event speaks of, and return it with its commits by their full ids."""
    await _bring(mirror, event, default, pull_ref)
    if event.sha and not is_zero(event.sha) and not is_sha(event.sha):
        # Some forges say only the first twelve digits.
        full = await mirror.objects.abbreviated(event.sha)
        if full is None:
            raise NotFound(f"the repository has no commit {event.sha}")
        head = full if event.head_sha == event.sha else event.head_sha
        event = replace(event, sha=full, head_sha=head)
    return event


async def _bring(mirror: Mirror, event: Event, default: str, pull_ref: str) -> None:
    """Fetch its refs; a ref that is gone again is brought by its commit."""
    wanted: list[str | tuple[str, str]] = [f"refs/heads/{default}"]
    gone = event.action == "deleted"
    if event.kind is Kind.PULL_REQUEST and event.number:
        wanted += [f"refs/heads/{event.base}"] if event.base else []
        if event.action != "merged":
            wanted += _head(event, pull_ref)
    elif event.branch and not gone:
        wanted.append(f"refs/heads/{event.branch}")
    elif event.tag and not gone:
        wanted.append(f"refs/tags/{event.tag}")
    sha = event.sha if event.sha and not is_zero(event.sha) else ""
    current = not sha or (is_sha(sha) and await mirror.has(sha))
    moving = event.branch == default or event.kind in {Kind.PULL_REQUEST, Kind.GENERIC}
    if current and not moving:
        return
    try:
        await mirror.fetch(*dict.fromkeys(wanted))
    except NotFound:
        await mirror.fetch()
    if is_sha(sha) and not await mirror.has(sha):
        await mirror.fetch(sha)


def _head(event: Event, pull_ref: str) -> list[tuple[str, str]]:
    """Where the head of a pull request is found, brought as refs/pull/N/head."""
    ours = f"refs/pull/{event.number}/head"
    if pull_ref:
        return [(pull_ref.format(number=event.number), ours)]
    # This forge keeps no ref of it: only its branch in the same repository can be read.
    return [(f"refs/heads/{event.head}", ours)] if event.head and not event.fork else []


def proposed(situation: Situation) -> bool:
    """
    Whether this is a new head, or base, of a pull request with a configuration of its own.

    A stranger's is not tried on what has happened: it would cost time, and what it says of
    recorded events it could tell aloud.
    """
    event = situation.event
    if not situation.trusted:
        return False
    if event.kind is not Kind.PULL_REQUEST or event.action not in _PROPOSES:
        return False
    ours, theirs = situation.rules, situation.source
    return ours is not theirs and not (ours.absent and theirs.absent)


async def changed_files(situation: Situation, mirror: Mirror) -> tuple[str, ...]:
    """The complete list of files that the event changed, from Git itself."""
    repository, event = situation.repository, situation.event
    return await changed(repository, event, mirror, tip=situation.config_sha)


async def changed(
    repository: Repository, event: Event, mirror: Mirror, *, tip: str
) -> tuple[str, ...]:
    """The same, when the default branch stood at `tip`; it may have gone on since."""
    default = repository.default_branch
    if not event.sha or is_zero(event.sha):
        return ()
    if event.kind is Kind.PULL_REQUEST:
        if event.base != default or not tip:
            tip = await mirror.objects.resolve(f"refs/heads/{event.base}") or ""
        tip = event.base_sha or tip
        start = await mirror.merge_base(tip, event.sha) if tip else None
        if event.action == "merged" and event.before:
            start = event.before
        return await mirror.changed(start or "0" * len(event.sha), event.sha, default=default)
    before = event.before if event.before and await mirror.has(event.before) else ""
    if not before and tip and event.branch != default:
        before = await mirror.merge_base(tip, event.sha) or ""
    before = before or "0" * len(event.sha)
    return await mirror.changed(before, event.sha, branch=event.branch or "", default=default)
