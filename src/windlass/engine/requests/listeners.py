"""
What listeners there are, and having one run by hand.
"""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from windlass.core.conditions import Conditions
from windlass.core.configuration import Configuration
from windlass.core.errors import (
    AdapterError,
    Conflict,
    InputError,
    NotFound,
    UserError,
)
from windlass.core.event import Event, Kind
from windlass.core.listener import Listener
from windlass.core.parameters import given
from windlass.engine import byhand
from windlass.engine.requests.asked import Asked, commit_of
from windlass.git.mirror import Mirror
from windlass.ports.records import Delivery, Repository

LONGEST_KEY = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """
    A manual listener that somebody wants to run, and the text given to each input.

    It runs on the head of `branch` (default: the default branch), or on the commit or tag
    `ref` of that branch. `key` tells wishes apart: the same one twice is one.
    """

    repository: str
    listener: str
    branch: str = ""
    ref: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The listeners of a repository at a commit, or what keeps them from being known."""

    repository: Repository
    sha: str = ""
    listeners: tuple[Listener, ...] = ()
    environments: tuple[str, ...] = ()
    problem: str = ""


class ListenerRequests(Asked):
    """What may be asked of listeners."""

    async def listeners(self, repository: str) -> Listing:
        """Those of the default branch, as far as it is known here; no forge is asked."""
        found = await self._repository(repository)
        mirror = self._world.mirrors.of(found)
        try:
            sha = await mirror.objects.resolve(f"refs/heads/{found.default_branch}")
            loaded = await self._configurations.at(mirror, sha) if sha else None
        except (AdapterError, NotFound):  # its mirror is not there yet
            sha, loaded = None, None
        if sha is None or loaded is None:
            return Listing(repository=found, problem="nothing of it was fetched yet")
        return Listing(
            repository=found,
            sha=sha,
            listeners=tuple(loaded.configuration.listeners.values()),
            environments=tuple(loaded.configuration.environments),
            problem=str(loaded.fault) if loaded.fault else "",
        )

    async def run_listener(self, wanted: ByHand, *, by: str) -> Delivery:
        """
        Store the wish, to be dispatched like every delivery.

        Raises `InputError` with all that is wrong with the inputs.
        """
        key = _key(wanted.key)
        repository = await self._connected(wanted.repository)
        mirror = self._world.mirrors.of(repository)
        await mirror.fetch()
        rules = await self._rules(mirror, repository)
        listener = _wanted(rules, wanted.listener)
        values, wrong = given(listener.inputs, wanted.inputs, rules.environments)
        if wrong:
            raise InputError(wrong, hint=f"the inputs stand at {_place(listener)}")
        branch = wanted.branch or repository.default_branch
        event = Event(
            kind=Kind.MANUAL,
            action="asked",
            repository=repository.name,
            branch=branch,
            sha=await _commit(mirror, branch, wanted.ref),
            sender=by,
            author=by,
            title=listener.name,
            listener=listener.name,
            inputs=values,
        )
        wish = byhand.delivery(repository, event, key, self._ids.new(), self._now())
        named = bool(wanted.ref)
        return await self._world.store.transaction(lambda tx: byhand.store(tx, wish, named=named))

    async def _rules(self, mirror: Mirror, repository: Repository) -> Configuration:
        head = await mirror.objects.resolve(f"refs/heads/{repository.default_branch}")
        if head is None:
            raise NotFound(
                f"{repository.name} has no branch {repository.default_branch}",
                hint="push it, with the listener",
            )
        loaded = await self._configurations.at(mirror, head)
        if loaded.fault:
            raise loaded.fault
        return loaded.configuration


def _key(text: str) -> str:
    if len(text) > LONGEST_KEY or not text.isprintable() or not text.isascii():
        raise UserError(f"the key of a wish is at most {LONGEST_KEY} printable characters of ASCII")
    return text or secrets.token_hex(16)


def _wanted(rules: Configuration, name: str) -> Listener:
    """The manual listener of this name."""
    manual = [one.name for one in rules.listeners.values() if one.manual]
    there = f"by hand may run: {', '.join(manual)}" if manual else "add one with `on: manual`"
    found = rules.listeners.get(name)
    if found is None:
        near = difflib.get_close_matches(name, list(rules.listeners), 1)
        more = f", did you mean {near[0]}?" if near else ""
        raise NotFound(f"there is no listener {name} on the default branch{more}", hint=there)
    if not found.manual:
        raise Conflict(f"{name} does not run by hand: it is not `on: manual`", hint=there)
    return found


def _place(listener: Conditions) -> str:
    return str(listener.places.get("on", listener.place))


async def _commit(mirror: Mirror, branch: str, ref: str) -> str:
    """The head of a branch, or a commit or tag that is on it: rules ask for the branch."""
    head = await mirror.objects.resolve(f"refs/heads/{branch}")
    if head is None:
        raise NotFound(f"there is no branch {branch}", hint="push it first")
    if not ref:
        return head
    sha = await commit_of(mirror, ref, ("tags",))
    if await mirror.merge_base(head, sha) != sha:
        raise Conflict(f"{ref} is not on branch {branch}", hint="name its branch: --branch NAME")
    return sha
