"""
The server of P-01 with everything behind it at work: engine, dispatch, effects.

    python working.py PORT FOLDER

What `windlass up` makes, with GitHub's dialect on a repository that is a folder here,
so that the same load can be sent to it as to the others. The commits it speaks of do
not exist; dispatch finds that out by asking Git, as it would for a real one.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import uvicorn
import uvloop
from load import ENDPOINT, SECRET
from starlette.applications import Starlette

from windlass.engine.engine import Engine, Pace
from windlass.engine.ids import Ids
from windlass.engine.receive import Receive
from windlass.engine.refuse import Refusals
from windlass.forges.github.dialect import GitHubDialect
from windlass.ports.records import Repository
from windlass.settings.reading import read
from windlass.settings.sources import Host
from windlass.stores.sqlite import SqliteStore
from windlass.web.endpoints import Endpoint, Endpoints
from windlass.web.hooks import Hooks, routes
from windlass.web.server import configured, settle
from windlass.wiring.world import make_world


async def serve(port: int, folder: Path, bare: Path) -> None:
    """Serve until killed."""
    settings = read({"data": str(folder / "data")}, {}, Host.here())
    settings.data.mkdir()
    async with SqliteStore.open(settings.data / "windlass.db") as store:
        world, _ = await make_world(settings, store, f"http://127.0.0.1:{port}")
        plain = replace(world.forges["plain"], dialect=GitHubDialect())
        world = replace(world, forges={"plain": plain})
        await world.secrets.put("webhook", "acme/shop", SECRET)
        shop = Repository(
            name="acme/shop", forge="plain", url=str(bare), endpoint=ENDPOINT, default_branch="main"
        )
        await store.transaction(lambda tx: tx.add(shop))
        ids = Ids(world.clock.now)
        receive = Receive(store, world.clock, ids)
        engine = Engine(world, Pace(jobs=2), receive, ids)
        endpoint = Endpoint(
            name=ENDPOINT, repository=shop.name, dialect=plain.dialect, secrets=(SECRET,)
        )

        async def look_up(name: str) -> Endpoint | None:
            return endpoint if name == ENDPOINT else None

        hooks = Hooks(
            receive=receive,
            endpoints=Endpoints(look_up),
            refusals=Refusals(store, world.clock),
            clock=world.clock,
            url=world.public_url,
        )
        work = asyncio.create_task(engine.run())
        settle()
        app = Starlette(routes=routes(hooks))
        await uvicorn.Server(configured(app, host="127.0.0.1", port=port)).serve()
        work.cancel()


if __name__ == "__main__":
    repository = Path(sys.argv[2]) / "shop.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(repository)], check=True)
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2]), repository))
