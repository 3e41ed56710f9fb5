"""
What moves by itself: logs as they come, pages that changed. Server-sent events.

Nobody polls. A viewer of a page waits for the next commit; what the page would
show is then read once for all its viewers, and only those whose page really
changed are told. A log resumes at the byte after the last one a viewer had.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from windlass.core.errors import NotFound, Transient, WindlassError
from windlass.core.run import ENDED
from windlass.engine.names import log_key
from windlass.ports.executor import LogPart
from windlass.ports.store import Store
from windlass.web.parts import Parts
from windlass.web.views.runs import show_run

HEARTBEAT = 15.0
# Commits come in bursts; a page that changes more often than this cannot be read anyway.
TOGETHER = 0.25
TAIL = 1 << 16
NEXT_OFFSET = "Windlass-Next-Offset"

Read = Callable[[], Awaitable[object]]


def message(data: str, *, event: str = "", identity: str = "") -> str:
    """One server-sent event; `data` must be one line."""
    lines = [f"event: {event}"] if event else []
    if identity:
        lines.append(f"id: {identity}")
    return "\n".join((*lines, f"data: {data}", "", ""))


def event_stream(events: AsyncIterator[str]) -> StreamingResponse:
    """An answer that goes on until its viewer leaves."""
    return StreamingResponse(
        events,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def stamp(view: object) -> str:
    """A short name for what a page shows: it differs when the page differs."""
    return hashlib.sha256(repr(view).encode()).hexdigest()[:16]


# ------------------------------------------------------------------ logs


@dataclass(frozen=True, slots=True, kw_only=True)
class LogName:
    """Which log: the run, the job and the attempt, and the key they make."""

    run: int
    job: str
    attempt: int
    ended: bool

    @property
    def key(self) -> str:
        """Its key in the port `Logs`."""
        return log_key(self.run, self.job, self.attempt)


async def find_log(parts: Parts, run: int, job: str, attempt: int | None = None) -> LogName:
    """The log of a job's attempt (the last when None); `NotFound` when there is none."""
    stored = await parts.store.read(lambda tx: show_run(tx, run))
    found = stored.run.jobs.get(job)
    if found is None:
        known = ", ".join(stored.run.jobs)
        raise NotFound(f"Run {run} has no job {job!r}.", hint=f"its jobs: {known}")
    wanted = found.attempt if attempt is None else attempt
    if wanted > found.attempt:
        raise NotFound(f"Job {job!r} of run {run} had {found.attempt} attempts, not {wanted}.")
    ended = wanted < found.attempt or found.state in ENDED
    return LogName(run=run, job=job, attempt=wanted, ended=ended)


async def log_part(parts: Parts, name: LogName, offset: int, limit: int) -> Response:
    """Whole lines from an offset, and in a header where the next read goes on."""
    part = await run_in_threadpool(parts.logs.read, name.key, offset, limit)
    return Response(
        part.data,
        media_type="text/plain; charset=utf-8",
        headers={NEXT_OFFSET: str(part.next), "Windlass-Log-Ended": str(int(name.ended))},
    )


async def read_tail(parts: Parts, key: str) -> bytes:
    """The last whole lines of a log, about 64 KiB of them."""

    def read() -> bytes:
        try:
            size = parts.logs.path(key).stat().st_size
        except (OSError, WindlassError):
            size = 0
        start = max(0, size - TAIL)
        data = parts.logs.read(key, start, 2 * TAIL).data
        return data[data.find(b"\n") + 1 :] if start else data

    return await run_in_threadpool(read)


def raw_log(parts: Parts, name: LogName) -> StreamingResponse:
    """The whole log as the job said it, without times and steps."""

    async def texts() -> AsyncIterator[bytes]:
        offset = 0
        while (part := await run_in_threadpool(parts.logs.read, name.key, offset, 1 << 20)).data:
            offset = part.next
            yield b"".join(_said(line) + b"\n" for line in part.data.split(b"\n")[:-1])

    return StreamingResponse(texts(), media_type="text/plain; charset=utf-8")


def _said(line: bytes) -> bytes:
    parts = line.split(b" ", 3)
    return parts[3] if len(parts) == 4 else line


def follow_log(parts: Parts, name: LogName, offset: int) -> StreamingResponse:
    """The log from an offset on, as it comes; its last event is `end`."""
    return event_stream(_log_events(parts, name, offset))


async def _log_events(parts: Parts, name: LogName, offset: int) -> AsyncIterator[str]:
    at = offset
    if not name.ended:
        async for part in _followed(parts, name, offset):
            if part is None:
                yield ": waiting\n\n"
            else:
                at = part.next
                yield _told(part)
    while (part := await run_in_threadpool(parts.logs.read, name.key, at, 1 << 18)).data:
        at = part.next
        yield _told(part)
    yield message(str(at), event="end", identity=str(at))


def _told(part: LogPart) -> str:
    # As JSON: a carriage return in a log would end the line of a server-sent event.
    text = orjson.dumps(part.data.decode("utf-8", "replace")).decode()
    return message(text, identity=str(part.next))


async def _followed(parts: Parts, name: LogName, offset: int) -> AsyncIterator[LogPart | None]:
    """Parts as they come, None as a sign of life; ends with the log, or with its job."""
    parts_to_come = aiter(parts.logs.follow(name.key, offset))
    waiting: asyncio.Future[LogPart] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(parts_to_come))
            done, _ = await asyncio.wait({waiting}, timeout=HEARTBEAT)
            if done:
                part, waiting = waiting, None
                yield part.result()
            elif (await find_log(parts, name.run, name.job, name.attempt)).ended:
                return
            else:
                yield None
    except StopAsyncIteration:
        return
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait({waiting})
        if isinstance(parts_to_come, AsyncGenerator):
            await parts_to_come.aclose()


# ------------------------------------------------------------------ pages


@dataclass(slots=True)
class Changes:
    """What each page that is looked at shows now; read once per commit for all its viewers."""

    store: Store
    _known: dict[str, tuple[int, asyncio.Future[str]]] = field(default_factory=dict)
    _viewers: dict[str, int] = field(default_factory=dict)

    def watch(self, page: str, read: Read, seen: str) -> StreamingResponse:
        """Tell a viewer who has seen this stamp of the page whenever it is another."""
        return event_stream(self._events(page, read, seen))

    async def _events(self, page: str, read: Read, seen: str) -> AsyncIterator[str]:
        self._viewers[page] = self._viewers.get(page, 0) + 1
        try:
            commit = await self.store.wake(-1)
            while True:
                now = await self._stamp(page, read, commit)
                yield (
                    ": still here\n\n"
                    if now == seen
                    else message("changed", event="changed", identity=now)
                )
                seen = now
                commit = await self._next(commit)
        except Transient:
            return  # the store is closing; the browser comes back by itself
        finally:
            self._viewers[page] -= 1
            if not self._viewers[page]:
                del self._viewers[page]
                self._known.pop(page, None)

    async def _next(self, commit: int) -> int:
        """The count of commits after the next burst, or the same when nothing came for long."""
        try:
            async with asyncio.timeout(HEARTBEAT):
                commit = await self.store.wake(commit)
        except TimeoutError:
            return commit
        await asyncio.sleep(TOGETHER)
        return commit

    async def _stamp(self, page: str, read: Read, commit: int) -> str:
        found = self._known.get(page)
        if found is None or found[0] < commit:
            found = (commit, asyncio.ensure_future(_read_stamp(read)))
            self._known[page] = found
        return await asyncio.shield(found[1])


async def _read_stamp(read: Read) -> str:
    try:
        return stamp(await read())
    except NotFound:
        return "gone"
