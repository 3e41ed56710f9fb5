"""
Two servers that take the same load: ours, and the least that could be called one.

    python serving.py ours|bare|bare-packed PORT FOLDER

All are uvicorn as `web.server` sets it up, one process. The bare one is a Starlette
route that checks the signature and inserts the body from one grouping thread, on
sqlite3 with the same settings: no ids, no syntax check, no dedup answer, no headers
kept. `bare-packed` compresses the body as ours does; whichever is faster is the ceiling.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import queue
import sqlite3
import sys
import threading
import time
import zlib
from dataclasses import replace
from pathlib import Path

import uvicorn
from load import ENDPOINT, SECRET
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from windlass.engine.ids import Ids
from windlass.engine.receive import Receive
from windlass.engine.refuse import Refusals
from windlass.forges.github.dialect import GitHubDialect
from windlass.stores.sqlite import SqliteStore
from windlass.testing.sample.web import sample_web
from windlass.web.app import make_app
from windlass.web.endpoints import Endpoint, Endpoints
from windlass.web.hooks import Hooks, routes
from windlass.web.server import configured, settle


class Clock:
    """The machine's clock."""

    def now(self) -> float:
        """UTC seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def ours(folder: Path) -> Starlette:
    """The product's own application, store and dialect; the engine stands still."""
    store = SqliteStore.open(folder / "windlass.db")
    clock = Clock()
    endpoint = Endpoint(
        name=ENDPOINT, repository="acme/shop", dialect=GitHubDialect(), secrets=(SECRET,)
    )

    async def look_up(name: str) -> Endpoint | None:
        return endpoint if name == ENDPOINT else None

    hooks = Hooks(
        receive=Receive(store, clock, Ids(clock.now)),
        endpoints=Endpoints(look_up),
        refusals=Refusals(store, clock),
        clock=clock,
        url="http://127.0.0.1",
    )
    return make_app(replace(sample_web().parts, store=store, hooks=routes(hooks)))


def bare(folder: Path, *, packed: bool) -> Starlette:
    """Signature, INSERT, grouped COMMIT, 202."""
    waiting: queue.SimpleQueue[tuple[tuple[object, ...], asyncio.Future[None]]] = (
        queue.SimpleQueue()
    )

    def write() -> None:
        connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 8000"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute(
            "CREATE TABLE delivery (key TEXT PRIMARY KEY, at REAL, event TEXT, body BLOB)"
        )
        while True:
            group = [waiting.get()]
            while not waiting.empty():
                group.append(waiting.get())
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT OR IGNORE INTO delivery VALUES (?, ?, ?, ?)", [row for row, _ in group]
            )
            connection.execute("COMMIT")
            group[0][1].get_loop().call_soon_threadsafe(
                lambda done: [future.set_result(None) for future in done], [f for _, f in group]
            )

    async def hook(request: Request) -> Response:
        body = await request.body()
        wanted = b"sha256=" + hmac.digest(SECRET, body, "sha256").hex().encode()
        if not hmac.compare_digest(wanted, request.headers["x-hub-signature-256"].encode()):
            return Response(status_code=401)
        key = request.headers["x-github-delivery"]
        stored = zlib.compress(body, 1) if packed else body
        row = (key, time.time(), request.headers["x-github-event"], stored)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.put((row, future))
        await future
        return Response(json.dumps({"delivery": key}), status_code=202)

    threading.Thread(target=write, daemon=True).start()
    return Starlette(routes=[Route("/hooks/{endpoint}", hook, methods=["POST"])])


def main(kind: str, port: int, folder: Path) -> None:
    """Serve until killed."""
    if kind == "ours":
        app = ours(folder)
        settle()
    else:
        app = bare(folder, packed=kind == "bare-packed")
    uvicorn.Server(configured(app, host="127.0.0.1", port=port)).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
