"""
How long shadow takes over 10,000 recorded events of one repository.

Twenty listeners, half with CEL, on pushes of 8 KB in SQLite; once where the webhook tells
the changed files, and once where Git is asked for those of every event.

    python bench/shadow.py
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parent))

from table import Row, markdown

from windlass.core.event import Event, Kind
from windlass.core.listener import Match
from windlass.engine import shadow
from windlass.engine.configurations import Configurations
from windlass.engine.judge import ask, record
from windlass.engine.world import Forge
from windlass.git.program import Git
from windlass.ports.forge import Request
from windlass.ports.records import Delivery, Repository, StoredEvent
from windlass.stores.sqlite import SqliteStore
from windlass.testing.fakes.forge import FakeForge
from windlass.wiring.world import Mirrors

EVENTS = 10_000
ASKED = 1_000
COMMITS = 200
BATCH = 500


@dataclass(frozen=True, slots=True)
class Recorded:
    """A repository, the commits that its events are about, and how many events there are."""

    repository: Repository
    shas: list[str]
    count: int
    told: bool


def configuration(pattern: str) -> str:
    """Twenty listeners on pushes, which differ in what they want; JSON is YAML."""
    listeners = {
        f"l{n}": {
            "on": "push",
            "branches": [f"{pattern}{n}", "x/**"],
            "paths": ["src/**"],
            "do": [{"pipeline": "ci"}],
        }
        | ({"if": f'event.sender == "ada{n}" || payload.forced'} if n % 2 else {})
        for n in range(20)
    }
    ci = {"jobs": {"test": {"steps": [{"run": "true"}]}}}
    return json.dumps({"listeners": listeners, "pipelines": {"ci": ci}})


def made(folder: Path) -> list[str]:
    """A repository with some commits; their ids, oldest first."""

    def git(*words: str, given: str = "") -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], input=given, text=True, check=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        return done.stdout

    folder.mkdir()
    git("init", "--quiet", "--bare", "--initial-branch=main")
    parts = []
    for n in range(COMMITS):
        text = configuration("main") if not n else str(n)
        path = "src/a.py" if n else ".windlass.yaml"
        parts.append(
            f"commit refs/heads/main\ncommitter a <a@example.org> {1_700_000_000 + n} +0000\n"
            f"data 1\nx\nM 100644 inline {path}\ndata {len(text)}\n{text}\n"
        )
    git("fast-import", "--quiet", given="".join(parts))
    return git("rev-list", "--reverse", "main").split()


async def fill(store: SqliteStore, recorded: Recorded, configurations: Configurations) -> None:
    """Store events as dispatch leaves them, with the verdicts of the present configuration."""
    payload = {"forced": False, "commits": [{"id": "0" * 40, "message": "m" * 300}] * 20}
    body = json.dumps(payload).encode()
    text = configuration("main").encode()
    listeners = configurations.of({".windlass.yaml": text}).configuration.listeners
    shas, name, packed = recorded.shas, recorded.repository.name, zlib.compress(body, 1)
    files = ("src/a.py", "README.md")
    rows: list[object] = []
    for n in range(recorded.count):
        at = 1 + n % (len(shas) - 1)
        event = Event(
            kind=Kind.PUSH, action="pushed", repository=name, branch=f"main{n % 40}",
            sha=shas[at], before=shas[at - 1], sender=f"ada{n % 40}",
            files=files if recorded.told else None,
        )  # fmt: skip
        identity = f"{name}-{n:06}"
        delivery = Delivery(
            id=identity, endpoint=name, delivery_key=identity, repository=name,
            received_at=time.time(), headers={}, body=packed, digest="", state="done",
        )  # fmt: skip
        number = n + 1 + (0 if recorded.told else EVENTS)
        stored = StoredEvent(
            number=number, delivery=identity, position=0, repository=name, kind="push",
            action="pushed", sha=shas[at], branch=event.branch or "", pull_request=0,
            at=time.time(), event=event, configuration=shas[0],
        )  # fmt: skip
        question = ask(listeners, event, Request(headers={}, body=body, at=0.0), pull=0)
        said = question.answer(files)
        rows += [delivery, stored]
        rows += [
            record(number, one, verdict, run=int(isinstance(verdict, Match)))
            for one, verdict in said.items()
        ]
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        await store.transaction(lambda tx, part=part: [tx.add(one) for one in part])


async def timed(folder: Path) -> dict[bool, float]:
    """Seconds for all events, by whether their files are told."""
    shas = made(folder / "shop.git")
    git = Git(folder / "git")
    forge = FakeForge()
    ports = Forge(dialect=None, webhooks=forge, reports=forge, source=forge)
    mirrors = Mirrors(git, folder / "mirrors", {"plain": ports})
    path = str(folder / "shop.git")
    took: dict[bool, float] = {}
    async with SqliteStore.open(folder / "windlass.db", synchronous="OFF") as store:
        world = SimpleNamespace(
            store=store, mirrors=mirrors, clock=SimpleNamespace(now=time.time), forges={}
        )
        for told, count in ((True, EVENTS), (False, ASKED)):
            name = "told" if told else "asked"
            repository = Repository(
                name=name, forge="plain", url=path, endpoint=name, default_branch="main"
            )
            configurations = Configurations()
            await fill(store, Recorded(repository, shas, count, told), configurations)
            await mirrors.of(repository).fetch()
            text = configuration("main1").encode()
            candidate = configurations.of({".windlass.yaml": text}).configuration
            replaying = shadow.Replaying(world, configurations, repository, candidate)
            began = time.perf_counter()
            done = await replaying.since(0.0)
            took[told] = time.perf_counter() - began
            if done.compared != count or done.cut or not done.differs:
                raise SystemExit(f"not what was meant: {shadow.summary(done)} {done.cut}")
    await mirrors.close()
    return took


def measure() -> list[Row]:
    """Both figures."""
    with tempfile.TemporaryDirectory() as folder:
        took = asyncio.run(timed(Path(folder)))
    return [
        Row(
            id="UX-09",
            what=f"shadow over {EVENTS:,} events, 20 listeners, files told",
            value=took[True],
            unit="s",
            target=f"<= {shadow.WITHIN:.0f} s",
            met=took[True] <= shadow.WITHIN,
        ),
        Row(
            id="UX-09",
            what=f"shadow over {ASKED:,} events, files asked of Git",
            value=took[False],
            unit="s",
        ),
    ]


if __name__ == "__main__":
    sys.stdout.write(markdown(measure()) + "\n")
