"""
`windlass up`: the world, the engine and the web in one process.

The data folder is held for as long as the process lives. When it ends, jobs
stay behind and go on; the next start finds them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import structlog
import uvicorn
import uvloop
from starlette.applications import Starlette

from windlass.core.errors import UserError
from windlass.engine.engine import Engine, Pace
from windlass.engine.hooks import current, previous
from windlass.engine.ids import Ids
from windlass.engine.receive import Receive
from windlass.engine.refuse import Refusals
from windlass.engine.requests.everything import Requests
from windlass.engine.world import World
from windlass.executors.runner.system import hide
from windlass.ports.records import Repository
from windlass.settings.shapes import Address
from windlass.settings.table import Settings
from windlass.stores.folder import hold
from windlass.stores.sqlite import SqliteStore
from windlass.web.app import make_app
from windlass.web.auth import SHARED, Keys
from windlass.web.endpoints import Endpoint, Endpoints
from windlass.web.hooks import Hooks, routes
from windlass.web.limits import Limits
from windlass.web.parts import Parts, loopback_hosts
from windlass.web.server import configured, settle
from windlass.wiring.world import SystemClock, make_world

log = structlog.get_logger()

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
NOTE = "server.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that is up: where it is, and the link that signs a browser in once."""

    url: str
    login: str
    world: World
    app: Starlette


class _Server(uvicorn.Server):
    """A server that leaves signals to us, so that everything else is closed as well."""

    def leave(self) -> None:
        """Stop taking requests and end; asked twice, without waiting for those under way."""
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


def run(settings: Settings, ready: Callable[[Running], None]) -> None:
    """`serve` on the fast event loop; returns when the server has ended."""
    uvloop.run(serve(settings, ready))


async def serve(settings: Settings, ready: Callable[[Running], None]) -> None:
    """Run until a signal comes; `ready` is called when webhooks can be taken."""
    address = settings.address
    # Steps run as the same user, and everybody's secrets are in our environment and memory.
    hide()
    now = SystemClock().now()
    with hold(settings.data, now=now, address=str(address)), _bind(address) as bound:
        async with _running(settings, bound) as running:
            host, port = bound.getsockname()[:2]
            config = configured(running.app, host=host, port=port)
            settle()
            server = _Server(config)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, server.leave)
            note = settings.data / NOTE
            serving = asyncio.create_task(server.serve(sockets=[bound]))
            while not server.started and not serving.done():  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
            try:
                if server.started:
                    _write_note(note, running.url)
                    ready(running)
                await serving
            finally:
                note.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def _running(settings: Settings, bound: socket.socket) -> AsyncIterator[Running]:
    """Store, world, engine and web, closed in the opposite order."""
    host, port = bound.getsockname()[:2]
    url = settings.public_url.rstrip("/") if settings.address.port else f"http://{host}:{port}"
    async with SqliteStore.open(settings.data / "windlass.db") as store:
        world, held = await make_world(settings, store, url)
        ids = Ids(world.clock.now)
        receive = Receive(store, world.clock, ids)
        refusals = Refusals(store, world.clock)
        pace = Pace(jobs=settings.jobs, recover_every=settings.missed_every)
        endpoints = Endpoints(lambda name: look_up(world, name))
        engine = Engine(world, pace, receive, ids, endpoints.forget)
        hooks = Hooks(
            receive=receive,
            endpoints=endpoints,
            refusals=refusals,
            clock=world.clock,
            url=world.public_url,
            limits=Limits(body=settings.body_limit),
            unknown_key=engine.issuers.unknown_key,
        )
        keys = Keys({SHARED: settings.api_token or _token(settings.api_token_path)})
        parts = Parts(
            store=store,
            requests=Requests(world, engine.configurations, endpoints.forget),
            logs=world.logs,
            clock=world.clock,
            keys=keys,
            open_reading=only_here(host, world.public_url),
            hosts=loopback_hosts(world.public_url) if host in LOOPBACK else frozenset(),
            url=world.public_url,
            version=world.version,
            started_at=world.clock.now(),
            hooks=routes(hooks),
        )
        work = asyncio.create_task(engine.run())
        work.add_done_callback(_loudly)
        try:
            yield Running(
                url=world.public_url,
                login=f"{world.public_url}/login?code={keys.invite()}",
                world=world,
                app=make_app(parts),
            )
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await refusals.close()
            await held.close()


def only_here(host: str, url: str) -> bool:
    """
    Whether nobody from elsewhere can reach us, so that anyone who can may read.

    Behind a proxy we listen on a loopback address too; the public address tells.
    """
    return host in LOOPBACK and urlsplit(url).hostname in LOOPBACK


def _loudly(work: asyncio.Task[None]) -> None:
    """The engine ends only when we end; anything else must not pass unnoticed."""
    if not work.cancelled() and (error := work.exception()) is not None:
        log.critical("the engine has stopped", action="engine", exc_info=error)
        os._exit(70)


async def look_up(world: World, name: str) -> Endpoint | None:
    """The endpoint of this name, of a repository that is connected."""
    found = await world.store.read(lambda tx: tx.find(Repository, endpoint=name, active=True))
    if not found:
        return None
    repository = found[0]
    return Endpoint(
        name=name,
        repository=repository.name,
        dialect=world.forges[repository.forge].dialect,
        secrets=current(world.vault, repository),
        previous=previous(world.vault, repository),
        previous_until=repository.previous_until,
    )


def _bind(address: Address) -> socket.socket:
    """The listening socket, taken first, so that a taken port is a clear error."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address.host, address.port))
    except OSError as error:
        bound.close()
        raise UserError(
            f"cannot listen on {address}: {error.strerror}",
            hint="choose another with --address, or see who has it with `ss -ltnp`",
        ) from error
    bound.listen(2048)
    bound.setblocking(False)  # noqa: FBT003 - the socket's own way
    return bound


def _token(path: Path) -> str:
    """The operator's token, made at the first start in a file that only its owner can read."""
    try:
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{secrets.token_urlsafe(32)}\n")
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the token file {path} cannot be used: {error}") from error
    if not token:
        raise UserError(f"the token file {path} is empty", hint="delete it, a new one is made")
    return token


def _write_note(path: Path, url: str) -> None:
    """Where the command line finds us."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"url": url, "pid": os.getpid()}) + "\n", encoding="utf-8")
    fresh.replace(path)
