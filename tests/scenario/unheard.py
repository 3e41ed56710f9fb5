"""
A GitHub on loopback with its hook and the log of its deliveries, and a server that heard nothing.

Its Git is real; what the server knows is put into the store row by row.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from dataclasses import dataclass, fields

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
