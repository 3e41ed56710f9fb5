"""What moves by itself: logs without a gap, and pages that are told only when they change."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from windlass.core.run import State
from windlass.ports.records import Repository, StoredRun
from windlass.testing.sample.web import sample_web
from windlass.web.stream import Changes, find_log, follow_log, stamp

KEY = "6/build api/1"


def parsed(text):
    """The events of a stream: (event, id, data)."""
    out = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" in fields:
            out.append((fields.get("event", ""), fields.get("id", ""), fields["data"]))
    return out


def body(events):
    """The log text that a stream carried."""
    return "".join(json.loads(data) for event, _, data in events if not event)


async def taken(stream, count):
    """The first `count` events of a stream that may go on."""
    events = []
    async for chunk in stream.body_iterator:
        events += parsed(chunk)
        if len(events) >= count:
            break
    await stream.body_iterator.aclose()
    return events


def test_the_log_of_an_ended_job_comes_whole_and_ends(web):
    """The stream of a job that has ended is its log, then `end`."""
    answer = web.client.get("/api/v1/runs/3/jobs/ci/test 3.12/log?follow")
    events = parsed(answer.text)
    whole = web.client.get("/api/v1/runs/3/jobs/ci/test 3.12/log").text
    assert body(events) == whole
    assert events[-1][0] == "end"


def test_a_stream_resumes_after_the_last_byte_that_was_seen(web):
    """`Last-Event-ID` counts more than the offset of the address: no gap, nothing twice."""
    path = "/api/v1/runs/3/jobs/ci/test 3.12/log"
    first = web.client.get(f"{path}?limit=300")
    seen = first.headers["Windlass-Next-Offset"]
    rest = web.client.get(f"{path}?follow&offset=0", headers={"Last-Event-ID": seen})
    assert first.text + body(parsed(rest.text)) == web.client.get(path).text


def test_a_carriage_return_does_not_break_a_stream(web):
    """A log may hold anything; an event is still one line."""
    web.sample.logs.append("3/ci~lint/1", b"1799999999000 0 o 10%\r20%\r\ndata: forged\n")
    answer = web.client.get("/api/v1/runs/3/jobs/ci/lint/log?follow")
    assert "10%\r20%\r\ndata: forged" in body(parsed(answer.text))
    assert "\r" not in answer.text


def test_a_running_log_is_followed_as_it_comes():
    """What is appended while someone looks arrives, and the log's end ends the stream."""

    async def story():
        sample = sample_web()
        name = await find_log(sample.parts, 6, "build api")
        stream = follow_log(sample.parts, name, 0).body_iterator
        before = parsed(await anext(stream))
        sample.logs.append(KEY, b"1799999999000 0 o later\n")
        after = parsed(await anext(stream))
        sample.logs.close(KEY)
        last = parsed(await anext(stream))
        return before, after, last

    before, after, last = asyncio.run(story())
    assert "Fetched" in body(before)
    assert body(after) == "1799999999000 0 o later\n"
    assert last[0][0] == "end"


def test_a_viewer_is_told_when_the_page_changes_and_only_then():
    """A commit that the page does not show says nothing; one that it shows is told once."""

    async def story():
        sample = sample_web()
        store = sample.store
        changes = Changes(store)

        async def view():
            return await store.read(lambda tx: tx.get(StoredRun, 6))

        seen = stamp(await view())
        stream = changes.watch("/runs/6", view, seen).body_iterator
        quiet = await anext(stream)
        store.fill(lambda tx: tx.save(replace(tx.get(Repository, "acme/shop"), problem="x")))
        still = await anext(stream)
        run = await view()
        store.fill(lambda tx: tx.save(replace(run, state=str(State.FAILED))))
        told = parsed(await anext(stream))
        await stream.aclose()
        return quiet, still, told, stamp(await view()), changes

    quiet, still, told, now, changes = asyncio.run(story())
    assert quiet.startswith(":")
    assert still.startswith(":")
    assert told == [("changed", now, "changed")]
    assert changes._viewers == {}
    assert changes._known == {}


def test_what_changed_before_the_stream_began_is_told_at_once():
    """Nothing is lost between the page and its stream."""

    async def story():
        sample = sample_web()

        async def view():
            return await sample.store.read(lambda tx: tx.find(StoredRun))

        changes = Changes(sample.store)
        return await taken(changes.watch("/runs", view, "old"), 1)

    assert asyncio.run(story())[0][0] == "changed"


def test_five_hundred_viewers_cost_one_look_per_commit():
    """However many look at a page, it is read once for all of them."""

    async def story():
        sample = sample_web()
        reads = 0

        async def view():
            nonlocal reads
            reads += 1
            return await sample.store.read(lambda tx: tx.get(StoredRun, 6))

        changes = Changes(sample.store)
        streams = [changes.watch("/runs/6", view, "").body_iterator for _ in range(500)]
        await asyncio.gather(*(anext(stream) for stream in streams))
        run = await sample.store.read(lambda tx: tx.get(StoredRun, 6))
        sample.store.fill(lambda tx: tx.save(replace(run, state="failed")))
        told = await asyncio.gather(*(anext(stream) for stream in streams))
        for stream in streams:
            await stream.aclose()
        return reads, told

    reads, told = asyncio.run(story())
    assert reads == 2
    assert all("changed" in each for each in told)


def test_the_stream_of_a_page_that_is_not_there_is_404(web):
    """It does not wait for a run that never was."""
    assert web.client.get("/live/runs/99").status_code == 404
