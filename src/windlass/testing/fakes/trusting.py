"""
Whom repositories trust, done on the store alone: no issuer is asked for its keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from windlass.engine.issuers import record_of
from windlass.engine.requests.trust import TrustChange, trust_in
from windlass.ports.forge import Trust
from windlass.testing.fakes.memory import MemoryStore

__all__ = ["Noting", "Trusting"]


@dataclass(slots=True)
class Noting:
    """A store, and what was asked of it, in order; a `failure` is what everything ends in."""

    store: MemoryStore
    now: float = 0.0
    asked: list[tuple[str, ...]] = field(default_factory=list)
    failure: Exception | None = None

    def _note(self, *words: object) -> None:
        self.asked.append(tuple(map(str, words)))
        if self.failure is not None:
            raise self.failure


@dataclass(slots=True)
class Trusting(Noting):
    """What may be asked of whom a repository trusts."""

    async def trust(self, name: str) -> Trust:
        """What the store has of it."""
        return await self.store.read(lambda tx: trust_in(tx, name))

    async def set_trust(self, name: str, wanted: TrustChange, *, by: str) -> Trust:
        """Another trust."""
        after = wanted.on(await self.trust(name))
        self._note("set_trust", name, after.issuer, after.audience, by)
        self.store.fill(lambda tx: tx.save(record_of(name, after, self.now)))
        return after
