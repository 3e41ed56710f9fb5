"""
The load: signed GitHub pushes over keep-alive connections, each one different.

    python load.py PORT CONNECTIONS SECONDS

Run as a process of its own, it sends over every connection as fast as the answers
come, signs each body on the spot, checks each answer, and prints one line of JSON:
answers per second, and percentiles of their latency in milliseconds.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time

import uvloop

SECRET = b"a webhook secret of decent length"
ENDPOINT = "benchmark-endpoint"
SIZE = 8192


def made_up(name: str) -> str:
    """An id of 40 digits that does not compress, as real ones do not."""
    return hashlib.sha256(name.encode()).hexdigest()[:40]


def template() -> tuple[bytes, bytes]:
    """A push of about 8 KB as GitHub words it, cut where the commit's id goes in."""
    person = {"name": "Ada Example", "email": "ada@example.org", "username": "ada"}
    api = "https://api.forge.example/repos/acme/shop"
    names = ("keys", "collaborators", "teams", "hooks", "issue_events", "events", "assignees",
             "branches", "tags", "blobs", "git_tags", "git_refs", "trees", "statuses")  # fmt: skip
    push = {
        "ref": "refs/heads/FB1",
        "after": "#" * 40,
        "repository": {"id": 35129377, "name": "shop", "full_name": "acme/shop"}
        | {f"{name}_url": f"{api}/{name}{{/sha}}" for name in names},
        "pusher": person,
        "commits": [],
    }
    number = 0
    while len(json.dumps(push, separators=(",", ":"))) < SIZE - 500:
        number += 1
        push["commits"].append(
            {
                "id": made_up(f"commit {number}"),
                "tree_id": made_up(f"tree {number}"),
                "message": f"Change {number} of the shop: a line of text as people write it",
                "timestamp": "2025-05-05T19:40:15-04:00",
                "url": f"https://forge.example/acme/shop/commit/{made_up(f'commit {number}')}",
                "author": person,
                "added": [f"src/part{number}/new.py"],
                "modified": [f"src/part{number}/old.py", "README.md"],
            }
        )
    before, _, after = json.dumps(push, separators=(",", ":")).encode().partition(b"#" * 40)
    return before, after


class Connection(asyncio.Protocol):
    """One connection: ask, check, ask again."""

    def __init__(self, number: int, until: float, template: tuple[bytes, bytes]) -> None:
        self.number = number
        self.until = until
        self.before, self.after = template
        self.sent = 0
        self.times: list[float] = []
        self.done = asyncio.get_running_loop().create_future()
        self.seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Send the next request, or stop when the time is up."""
        now = time.perf_counter()
        if now >= self.until:
            self.transport.close()
            self.done.set_result(None)
            return
        self.sent += 1
        identity = f"{self.number:08x}{self.sent:032x}"
        body = self.before + identity.encode() + self.after
        signature = hmac.digest(SECRET, body, "sha256").hex()
        head = (
            f"POST /hooks/{ENDPOINT} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "User-Agent: GitHub-Hookshot/0123abc\r\nAccept: */*\r\n"
            "Content-Type: application/json\r\nX-GitHub-Event: push\r\n"
            f"X-GitHub-Delivery: {identity}\r\nX-GitHub-Hook-ID: 123456789\r\n"
            f"X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.began = time.perf_counter()
        self.transport.write(head.encode() + body)

    def data_received(self, data: bytes) -> None:
        """Take an answer in; anything but a whole 202 ends the run."""
        self.seen += data
        head, gap, rest = self.seen.partition(b"\r\n\r\n")
        if not gap:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(rest) < length:
            return
        if not head.startswith(b"HTTP/1.1 202"):
            raise SystemExit(f"not accepted: {self.seen[:500]!r}")
        self.seen = b""
        self.times.append(time.perf_counter() - self.began)
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        """The server must not hang up first."""
        if not self.done.done():
            self.done.set_exception(RuntimeError(f"the connection was lost: {error}"))


async def main(port: int, connections: int, seconds: float) -> None:
    """Send for so long, then print what came of it."""
    loop = asyncio.get_running_loop()
    begin = time.perf_counter()
    words = template()
    open_ = [
        (await loop.create_connection(
            lambda n=n: Connection(n + int(begin * 1000) % 2**31, begin + seconds, words),
            "127.0.0.1", port,
        ))[1]
        for n in range(connections)
    ]  # fmt: skip
    await asyncio.gather(*(one.done for one in open_))
    took = time.perf_counter() - begin
    times = sorted(t * 1000 for one in open_ for t in one.times)
    print(json.dumps({
        "answers": len(times),
        "rate": len(times) / took,
        "p50": times[len(times) // 2],
        "p99": times[len(times) * 99 // 100],
        "worst": times[-1],
    }))  # fmt: skip


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
