"""
Connect a repository, check it, take it away, look for what was missed.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from dataclasses import replace

from windlass.core.errors import Conflict, Permanent, UserError
from windlass.engine.audit import audit
from windlass.engine.hooks import ensure, secrets_of
from windlass.engine.ids import Ids
from windlass.engine.receive import Receive
from windlass.engine.recover import Recovery
from windlass.engine.requests.asked import Asked
from windlass.git.failure import scrub
from windlass.ports.forge import HookState
from windlass.ports.records import Head, Repository
from windlass.ports.store import Tx

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class RepositoryRequests(Asked):
    """What may be asked of repositories."""

    async def add_repository(
        self, *, url: str, name: str = "", forge: str = "plain", by: str
    ) -> tuple[Repository, HookState]:
        """Connect it: a secret and an endpoint of its own, the hook in place, its heads known."""
        port = self._world.forges.get(forge)
        if port is None:
            known = ", ".join(sorted(self._world.forges))
            raise UserError(f"there is no forge {forge}", hint=f"it is one of {known}")
        name = name or _default_name(url)
        if not _NAME.fullmatch(name):
            raise UserError(
                f"{name!r} cannot be a repository's name",
                hint="letters, digits, `.`, `_`, `-`, and `/` between parts: --name acme/shop",
            )
        await self._free(name, url)
        branch = await port.source.default_branch(url)
        fresh = Repository(
            name=name,
            forge=forge,
            url=url,
            endpoint=secrets.token_urlsafe(18),
            default_branch=branch,
            created_at=self._now(),
        )
        await self._world.secrets.put("webhook", name, secrets.token_hex(32).encode())
        mirror = self._world.mirrors.of(fresh)
        await mirror.fetch()
        try:
            heads = await port.source.heads(url)
        except Permanent:
            found = await mirror.heads()
            heads = {f"refs/heads/{branch}": sha for branch, sha in found.items()}

        def work(tx: Tx) -> None:
            old = tx.get(Repository, name)
            if old is not None and not old.active:
                tx.save(replace(fresh, version=old.version))
            elif not tx.add(fresh):
                raise Conflict(f"{name} is connected already")
            for ref, sha in heads.items():
                if not ref.startswith("refs/pull/"):
                    tx.save(Head(repository=name, ref=ref, sha=sha))
            audit(tx, by, "connect", name, fresh.created_at, scrub(url))

        await self._world.store.transaction(work)
        self._changed()
        state = await ensure(self._world, fresh)
        return fresh, state

    async def check_repository(self, name: str) -> HookState:
        """Whether its hook is there and sends to us; a broken one is put right."""
        return await ensure(self._world, await self._repository(name))

    async def webhook_secret(self, name: str, *, by: str) -> str:
        """The webhook secret, for a forge where a person enters it; on record who asked."""
        repository = await self._repository(name)
        value = secrets_of(self._world.vault, repository)[0]
        now = self._now()
        await self._world.store.transaction(lambda tx: audit(tx, by, "show secret", name, now))
        return value.decode("ascii")

    async def remove_repository(self, name: str, *, by: str) -> None:
        """Take our hook away and stop listening; what happened stays on record."""
        repository = await self._repository(name)
        # It may be gone itself; then there is no hook to take away.
        with contextlib.suppress(UserError):
            await self._forge(repository).webhooks.remove(repository.url)
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
        repository = await self._repository(name)
        ids = Ids(self._world.clock.now)
        receive = Receive(self._world.store, self._world.clock, ids)
        return await Recovery(self._world, receive, ids)(repository)

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
