"""A server that knows senders of signed posts, and one issuer of tokens."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from harness import StillClock
from playing import play

from windlass.engine.doctor import examine
from windlass.engine.hooks import secrets_of
from windlass.engine.issuers import Issuers
from windlass.engine.requests.everything import Requests
from windlass.engine.requests.repositories import Connect
from windlass.engine.world import Forge, World
from windlass.forges.by_hand import ByHand
from windlass.forges.generic.dialect import GenericDialect
from windlass.forges.generic.issuers import Issuers as Reader
from windlass.forges.http.client import Http
from windlass.ports.forge import Request, Trust
from windlass.ports.records import Repository, TrustedIssuer
from windlass.reach import Reach
from windlass.testing.servers.oidc import Issuer
from windlass.wiring.world import Mirrors

CLAIMS = {"repository": ("acme/shop",)}


@dataclass
class Vault:
    """Puts values where the stage's vault gives them back."""

    values: object

    async def put(self, name, scope, value):
        self.values.put(name, scope, value)


@dataclass
class Ground:
    """A server that knows senders of signed posts, and one issuer."""

    world: World
    requests: Requests
    issuers: Issuers
    issuer: Issuer
    clock: StillClock
    origin: object
    changes: list[int]

    async def add(self, name="deploys", forge="generic", **changed):
        """Connect a bare repository of its own whose endpoint trusts the issuer."""
        path = self.origin.path.with_name(f"{name}.git")
        if not path.exists():
            self.origin.git("clone", "-q", "--bare", str(self.origin.path), str(path))
        said = {"issuer": self.issuer.url, "audience": "windlass", "claims": CLAIMS, **changed}
        trust = Trust(**said) if said["issuer"] is not None else None
        wanted = Connect(url=str(path), name=name, forge=forge, trust=trust)
        return await self.requests.add_repository(wanted, by="ada")

    async def trusts(self, token, name="deploys"):
        """Raise `BadDelivery` when the endpoint does not."""
        repository = await self.record(Repository, name)
        headers = {"authorization": f"Bearer {token}"}
        request = Request(headers=headers, body=b"{}", at=self.clock.now())
        trusted = secrets_of(self.world.vault, repository, request.at)
        return GenericDialect().verify(request, trusted)

    def token(self, **claims):
        said = {"aud": "windlass", "exp": self.clock.now() + 300, "repository": "acme/shop"}
        return self.issuer.token(**said | claims)

    async def record(self, kind=TrustedIssuer, name="deploys"):
        return await self.world.store.read(lambda tx: tx.get(kind, name))

    async def later(self, seconds):
        self.clock.time += seconds
        await self.issuers.look()

    @property
    def asked(self):
        """How often the keys were read."""
        return len(self.issuer.asked("GET", "/keys"))

    async def finding(self):
        """What doctor says of the issuer."""
        (found,) = [one for one in await examine(self.world) if one.check == "issuer"]
        return found


def grounds(tmp_path):
    """What runs a story on ground of its own; its timers are told to look by hand."""

    def run(work, reach=None):
        async def whole(here, _story):
            here.work.cancel()
            async with _ground(here, issuer, reach) as made:
                await work(made)

        with Issuer(tmp_path / "issuer") as issuer:
            play(tmp_path, "listeners: {}\n", whole)

    return run


@asynccontextmanager
async def _ground(here, issuer, reach):
    http = Http(here.clock, reach or Reach(frozenset({"127.0.0.1"})))
    anyone = ByHand("the sender")
    generic = Forge(
        dialect=GenericDialect(), webhooks=anyone, reports=anyone, source=anyone,
        by_hand=True, anchors=Reader(http),
    )  # fmt: skip
    forges = {**here.world.forges, "generic": generic}
    mirrors = Mirrors(here.git, here.folder / "more", forges)
    world = replace(here.world, forges=forges, mirrors=mirrors, secrets=Vault(here.world.vault))
    changes = []
    issuers = Issuers(world, lambda: changes.append(1))
    requests = Requests(world, None)
    try:
        yield Ground(world, requests, issuers, issuer, here.clock, here.origin, changes)
    finally:
        await mirrors.close()
        await http.close()
