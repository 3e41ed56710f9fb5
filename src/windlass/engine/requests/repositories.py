"""
Connect a repository, check it, take it away, look for what was missed.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from windlass.core.errors import Conflict, Permanent, UserError
from windlass.core.policy import checked, told
from windlass.engine import effects, issuers, tokens
from windlass.engine.audit import audit
from windlass.engine.hooks import (
    ANCHOR,
    UNFINISHED,
    arrives,
    ensure,
    hook_of,
    signing_secrets,
    unreachable,
)
from windlass.engine.ids import Ids
from windlass.engine.receive import Receive
from windlass.engine.recover import Recovery
from windlass.engine.requests.asked import Asked, unknown
from windlass.git.failure import scrub
from windlass.ports.forge import HookState, Trust
from windlass.ports.records import Head, Repository, TrustedIssuer
from windlass.ports.store import Tx

PLAIN = "plain"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """
    A repository to connect.

    Without `name` it is taken from the address, without `forge` that is found out. `token` is
    stored for this address. `polling` None: where the forge cannot reach us. `trust` is the OIDC
    issuer whose tokens are taken in place of a signature.
    """

    url: str
    name: str = ""
    forge: str = ""
    token: str = ""
    polling: bool | None = None
    trust: Trust | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The repository, its webhook, and the seconds that a ping took; None: none was sent."""

    repository: Repository
    hook: HookState
    ping: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """
    The webhook with its new secret, and until when (UTC seconds) the one before is trusted.

    None: it is for as long as the forge has not been told. Behind `by_hand` a person tells it.
    """

    hook: HookState
    until: float | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """What a policy shall say from now on; None: as before."""

    require_digest: bool | None = None
    allow_images: tuple[str, ...] | None = None
    allow_forks: tuple[str, ...] | None = None

    def on(self, repository: Repository) -> Repository:
        """The repository with the changed policy. Raises `UserError` for a wrong pattern."""
        digest, images, forks = self.require_digest, self.allow_images, self.allow_forks
        return replace(
            repository,
            require_digest=repository.require_digest if digest is None else digest,
            allow_images=repository.allow_images if images is None else checked(images, "images"),
            allow_forks=repository.allow_forks if forks is None else checked(forks, "forks"),
        )


class RepositoryRequests(Asked):
    """What may be asked of repositories."""

    async def add_repository(self, wanted: Connect, *, by: str) -> Connected:
        """Connect it: a secret and an endpoint of its own, the hook in place, its heads known."""
        url = tokens.plain_url(wanted.url)
        forge = wanted.forge or await self._forge_of(url)
        port = self._world.forges.get(forge)
        if port is None:
            known = ", ".join(sorted(self._world.forges))
            raise UserError(f"there is no forge {forge}", hint=f"it is one of {known}")
        name = wanted.name or _default_name(url)
        if not _NAME.fullmatch(name):
            raise UserError(
                f"{name!r} cannot be a repository's name",
                hint="letters, digits, `.`, `_`, `-`, and `/` between parts: --name acme/shop",
            )
        await self._free(name, url)
        anchor = b""
        if wanted.trust:
            anchor = await issuers.anchor(self._world, wanted.trust, forge)
        if wanted.token:
            await self.store_token(url, wanted.token, by=by)
        polling = wanted.polling
        if polling is None:
            polling = (
                forge != PLAIN and not port.by_hand and unreachable(self._world.public_url, url)
            )
        if polling and port.by_hand:
            raise UserError(f"{forge} cannot be asked for events", hint="leave --poll out")
        fresh = Repository(
            name=name,
            forge=forge,
            url=url,
            endpoint=secrets.token_urlsafe(18),
            default_branch="",
            created_at=self._now(),
            polling=polling,
        )
        fresh = replace(fresh, default_branch=await self._default_branch(fresh))
        await self._world.secrets.put("webhook", name, secrets.token_hex(32).encode())
        heads = await self._heads(fresh)
        # One from before the repository was disconnected is trusted no more.
        if anchor or self._world.vault.get(ANCHOR, name):
            await self._world.secrets.put(ANCHOR, name, anchor)
        await self._store(fresh, heads, by, wanted.trust)
        state = await ensure(self._world, fresh)
        ping = None
        if state.present and not state.problem and not polling:
            try:
                ping = await arrives(self._world, fresh)
            except UserError as error:
                state = replace(state, problem=error.message)
        return Connected(repository=fresh, hook=state, ping=ping)

    async def store_token(self, url: str, token: str, *, by: str) -> None:
        """Keep a token for a repository's address, or for a host; what was refused is told anew."""
        where = tokens.plain_url(url)
        await self._world.secrets.put(
            tokens.TOKEN, tokens.scope(where), tokens.check(token).encode()
        )
        now = self._now()

        def work(tx: Tx) -> None:
            audit(tx, by, "store token", where, now)
            for one in tx.find(Repository, active=True):
                if one.url == where or tokens.origin(one.url) == where:
                    effects.again(tx, one.name, now)

        await self._world.store.transaction(work)

    def github_manifest(self) -> Mapping[str, object]:
        """What GitHub is asked to make an App of."""
        return self._world.outlook.manifest()

    async def register_app(self, host: str, code: str, *, by: str) -> str:
        """Take the App that GitHub made for a manifest, seal its key, and return its short name."""
        made = await self._world.outlook.exchange(host, code)
        await self._world.secrets.put(tokens.APP, tokens.scope(host), made.encode())
        slug = str(json.loads(made)["slug"])
        now = self._now()
        await self._world.store.transaction(
            lambda tx: audit(tx, by, "register app", f"{host} {slug}", now)
        )
        return slug

    async def check_repository(self, name: str) -> HookState:
        """Whether its hook is there and sends to us; address and secret are set anew."""
        repository = await self._connected(name)
        now = self._now()
        await self._world.store.transaction(lambda tx: effects.again(tx, name, now))
        return await self._ensured(repository, anew=True)

    async def _ensured(self, repository: Repository, *, anew: bool = False) -> HookState:
        """The hook put right; what its endpoint trusts is looked up again."""
        try:
            return await ensure(self._world, repository, anew=anew)
        finally:
            self._changed()

    async def webhook_secret(self, name: str, *, by: str) -> str:
        """The webhook secret, for a forge where a person enters it; on record who asked."""
        repository = await self._connected(name)
        value = hook_of(self._world, repository).secret
        now = self._now()
        await self._world.store.transaction(lambda tx: audit(tx, by, "show secret", name, now))
        return value.decode("ascii")

    async def rotate_secret(self, name: str, *, by: str) -> Rotated:
        """
        A new webhook secret; once the forge has it, the one before stays valid for a day.

        So what the forge has sent already, and sends again, is still trusted. A rotation that
        the forge could not be told of is finished by the next one, or by the next look at the
        hook: until then both secrets count.
        """
        repository = await self._connected(name)
        if repository.previous_until < UNFINISHED:
            repository = await self._renewed(repository, by)
        state = await self._ensured(repository)
        until = (await self._repository(name)).previous_until
        return Rotated(
            hook=state,
            until=until if until < UNFINISHED else None,
            by_hand=self._forge(repository).by_hand,
        )

    async def _renewed(self, repository: Repository, by: str) -> Repository:
        """The repository with a new secret, in steps of which each may be the last."""
        name, now = repository.name, self._now()
        for old in signing_secrets(self._world.vault, repository):
            await self._world.secrets.put("webhook-previous", name, old)
        fresh = replace(repository, previous_until=UNFINISHED)

        def work(tx: Tx) -> None:
            known = tx.get(Repository, name)
            if known is not None:
                tx.save(replace(known, previous_until=UNFINISHED))
            audit(tx, by, "rotate secret", name, now)

        await self._world.store.transaction(work)
        await self._world.secrets.put("webhook", name, secrets.token_hex(32).encode())
        self._changed()
        return fresh

    async def repository(self, name: str) -> Repository:
        """The repository of this name; `NotFound` when there is none."""
        return await self._repository(name)

    async def set_policy(self, name: str, wanted: PolicyChange, *, by: str) -> Repository:
        """Change what is allowed to a repository, and return it; the audit says what it was."""
        now = self._now()

        def work(tx: Tx) -> Repository:
            current = tx.get(Repository, name)
            if current is None:
                raise unknown(name)
            after = wanted.on(current)
            if after == current:
                return current
            tx.save(after)
            audit(
                tx, by, "set policy", name, now, f"{told(current.policy)} -> {told(after.policy)}"
            )
            return replace(after, version=after.version + 1)

        return await self._world.store.transaction(work)

    async def remove_repository(self, name: str, *, by: str) -> None:
        """Take our hook away and stop listening; what happened stays on record."""
        repository = await self._repository(name)
        # It or its secret may be gone; what stays of a hook then leads nowhere.
        with contextlib.suppress(UserError):
            hook = hook_of(self._world, repository)
            await self._forge(repository).webhooks.remove(repository.url, hook)
        now = self._now()

        def work(tx: Tx) -> None:
            current = tx.get(Repository, name)
            if current is not None:
                tx.save(replace(current, active=False))
                audit(tx, by, "disconnect", name, now)

        await self._world.store.transaction(work)
        self._changed()

    async def recover(self, name: str) -> int:
        """Look for deliveries that never came; returns how many there were."""
        repository = await self._connected(name)
        ids = Ids(self._world.clock.now)
        receive = Receive(self._world.store, self._world.clock, ids)
        return await Recovery(self._world, receive, ids)(repository)

    async def _forge_of(self, url: str) -> str:
        return (
            PLAIN
            if url.startswith(("/", "~", "file://"))
            else await self._world.outlook.detect(url)
        )

    async def _default_branch(self, fresh: Repository) -> str:
        """As the forge says; where it cannot be asked, as its Git says."""
        try:
            return await self._world.forges[fresh.forge].source.default_branch(fresh.url)
        except Permanent:
            mirror = self._world.mirrors.of(fresh)
            await mirror.fetch()
            return await mirror.default()

    async def _heads(self, fresh: Repository) -> dict[str, str]:
        """Where its branches and tags are now; what was before is no event."""
        mirror = self._world.mirrors.of(fresh)
        await mirror.fetch()
        try:
            heads = dict(await self._world.forges[fresh.forge].source.heads(fresh.url))
        except Permanent:
            found = await mirror.heads()
            heads = {f"refs/heads/{branch}": sha for branch, sha in found.items()}
        return {ref: sha for ref, sha in heads.items() if not ref.startswith("refs/pull/")}

    async def _store(
        self, fresh: Repository, heads: dict[str, str], by: str, trust: Trust | None
    ) -> None:
        nobody = Trust(issuer="", audience="", claims={})
        issuer = issuers.record_of(fresh.name, trust or nobody, fresh.created_at)

        def work(tx: Tx) -> None:
            old = tx.get(Repository, fresh.name)
            if old is not None and not old.active:
                # What the operator forbade stays forbidden.
                tx.save(
                    replace(
                        fresh,
                        version=old.version,
                        require_digest=old.require_digest,
                        allow_images=old.allow_images,
                        allow_forks=old.allow_forks,
                    )
                )
            elif not tx.add(fresh):
                raise Conflict(f"{fresh.name} is connected already")
            for ref, sha in heads.items():
                tx.save(Head(repository=fresh.name, ref=ref, sha=sha))
            if trust or tx.get(TrustedIssuer, fresh.name):
                tx.save(issuer)
            audit(tx, by, "connect", fresh.name, fresh.created_at, scrub(fresh.url))

        await self._world.store.transaction(work)
        self._changed()

    async def _free(self, name: str, url: str) -> None:
        def work(tx: Tx) -> list[Repository]:
            found = [*tx.find(Repository, name=name), *tx.find(Repository, url=url)]
            return [one for one in found if one.active or one.name != name]

        for taken in await self._world.store.read(work):
            raise Conflict(
                f"{taken.name} is connected already ({scrub(taken.url)})",
                hint=f"windlass repo check {taken.name}, or give another --name",
            )


def _default_name(url: str) -> str:
    """The last part of a path, without `.git`; of a URL the owner and the name."""
    parts = [part for part in re.split(r"[/:]", url.rstrip("/")) if part]
    last = parts[-1].removesuffix(".git") if parts else ""
    if "://" in url and len(parts) > 2:
        return f"{parts[-2]}/{last}"
    return last
