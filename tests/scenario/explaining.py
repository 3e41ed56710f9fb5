"""
Situations that people ask about: stories and single rows, and the reviewed answer to each.

A situation is the records of one event, whichever way they came about.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from harness import stage
from story import Story

from windlass.config.schema import load
from windlass.core.event import Event, Kind
from windlass.engine.judge import ask, heard, record
from windlass.ports.forge import Request
from windlass.ports.records import ChatCommand, StoredEvent, StoredRun, StoredVerdict

GOLDEN = Path(__file__).parent.parent / "golden" / "explain"
SHA = "0123456789abcdef0123456789abcdef01234567"
CONFIGURATION = """\
listeners:
  feature:
    on: push
    branches: ["FB*"]
    do: [{build: api}, {deploy: api, environment: dev}]
  docs: {on: push, branches: ["FB*"], paths: ["docs/**"], do: [{pipeline: ci}]}
  check: {on: pull_request, base: [main], do: [{pipeline: ci}]}
pipelines:
  ci: {jobs: {test: {steps: [{name: unit, run: exit 3}]}}}
services:
  api: {build: {steps: [{run: "mkdir dist; echo x > dist/app"}], artifacts: [dist/]}}
environments:
  dev: {target: {directory: {path: /srv/dev}}, approval: {approvers: [bob]}}
"""
PUSH = {"push": {"branch": "FB1", "files": {"app.txt": "two"}}}
OPEN = {"open": {"number": 7, "head": "topic", "files": {"app.txt": "two"}}}
STORIES = {
    "matched-and-missed": [PUSH],
    "approved": [PUSH, {"ask": {"what": "approve", "deployment": 1, "by": "bob"}}],
    "rejected": [
        PUSH,
        {"ask": {"what": "reject", "deployment": 1, "by": "bob", "why": "not today"}},
    ],
    "cancelled": [PUSH, {"ask": {"what": "cancel", "run": 1, "by": "ada"}}],
    "no-listener-matched": [{"push": {"branch": "topic", "files": {"app.txt": "two"}}}],
    "skipped": [{"push": {"branch": "FB1", "files": {"app.txt": "two"}, "message": "x [skip ci]"}}],
    "failed": [OPEN],
    "held": [{"open": {**OPEN["open"], "by": "eve", "fork": True}}],
    "conflict": [
        {"push": {"branch": "main", "files": {"app.txt": "one"}, "told": False}},
        {"open": {**OPEN["open"], "start": "old"}},
    ],
    "no-configuration": [
        {"push": {"branch": "main", "files": {".windlass.yaml": None}}},
    ],
    "faulty": [{"push": {"branch": "main", "files": {".windlass.yaml": "listeners: {a: {}}\n"}}}],
    "deleted": [PUSH, {"delete": {"branch": "FB1"}}],
    "asked-by-a-person": [
        PUSH,
        {"ask": {"what": "approve", "deployment": 1, "by": "bob"}},
        {
            "ask": {
                "what": "deploy",
                "repository": "shop",
                "service": "api",
                "environment": "dev",
                "ref": "FB1",
                "by": "ada",
                "why": "show it",
            }
        },
    ],
}
NUMBERS = {"deleted": 3, "asked-by-a-person": 3}


def push(branch, *files, **more):
    return Event(
        kind=Kind.PUSH, action="pushed", repository="shop", sha=SHA, branch=branch,
        files=files or None, **more,
    )  # fmt: skip


def pull(action, head="topic", base="main", **more):
    return Event(
        kind=Kind.PULL_REQUEST, action=action, repository="shop", sha=SHA, number=7, head=head,
        base=base, files=("a",), **more,
    )  # fmt: skip


def tag(name, action="created"):
    return Event(kind=Kind.TAG, action=action, repository="shop", sha=SHA, tag=name)


# One listener and one event each.
NEAR = {
    "case": ('{on: push, branches: ["FB*"]}', push("fb1", "a")),
    "full-ref": ("{on: push, branches: [refs/heads/main]}", push("main", "a")),
    "remote": ('{on: push, branches: ["origin/FB*"]}', push("FB1", "a")),
    "too-deep": ('{on: push, branches: ["feature/*"]}', push("feature/a/b", "a")),
    "folder-only": ("{on: push, branches: [feature]}", push("feature/a", "a")),
    "below-a-person": ('{on: push, branches: ["FB*"]}', push("ada/FB1", "a")),
    "misspelt": ("{on: push, branches: [develop, main]}", push("devlop", "a")),
    "taken-back": ('{on: push, branches: ["FB*", "!FB2"]}', push("FB2", "a")),
    "nothing-near": ('{on: push, branches: ["FB*"]}', push("topic", "a")),
    "base": ("{on: pull_request, base: [master]}", pull("opened", base="Master")),
    "head": ('{on: pull_request, head: ["fix/**"]}', pull("opened", head="fix")),
    "label": ("{on: pull_request, labels: [deploy]}", pull("opened", labels=("ui", "Deploy"))),
    "tag": ('{on: tag, tags: ["1.*"]}', tag("v1.0")),
    "closed": ("{on: pull_request}", pull("closed")),
    "merged": ("{on: {pull_request: [merged]}}", pull("closed")),
    "tag-is-no-push": ("{on: push}", tag("v1.0")),
    "tag-deleted": ("{on: tag}", tag("v1.0", "deleted")),
    "path-taken-back": (
        '{on: push, paths: ["services/**", "!**/*.md"]}',
        push("main", "services/README.md", "b"),
    ),
    "path-case": ('{on: push, paths: ["Docs/**"]}', push("main", "docs/a")),
    "path-from-here": ('{on: push, paths: ["./docs/**"]}', push("main", "docs/a")),
    "files-unknown": ('{on: push, paths: ["docs/**"]}', push("main")),
    "files-unknown-in-if": ("{on: push, if: size(files) > 3}", push("main")),
    "files-do-not-matter": ('{on: push, branches: ["v?"], paths: ["docs/**"]}', push("main")),
    "if-false": ('{on: push, if: event.sender == "ada"}', push("main", "a", sender="bob")),
    "if-values": (
        """{on: pull_request, if: '!("hold" in event.labels) || has(event.tag)'}""",
        pull("opened", labels=("hold", "ui")),
    ),
    "matched": ("{on: push}", push("main", "a")),
    "ping": ("{on: push}", Event(kind=Kind.PING, action="pinged", repository="shop")),
}
# A server knows all files, and never leaves a verdict open.
OFFLINE = frozenset({"files-unknown", "files-unknown-in-if"})


def listener(case):
    """The listeners of one of `NEAR`."""
    written = f"{NEAR[case][0][:-1]}, do: [{{pipeline: ci}}]}}"
    text = (
        f"listeners:\n  one: {written}\npipelines: {{ci: {{jobs: {{a: {{steps: [{{run: x}}]}}}}}}}}"
    )
    return load({".windlass.yaml": text.encode()}).listeners


@dataclass(frozen=True)
class Situation:
    """The records of an event, and the answer as it was reviewed."""

    number: int
    records: tuple[object, ...]
    golden: Path

    def reviewed(self):
        """The lines that every door shows."""
        lines = self.golden.read_text(encoding="utf-8").splitlines()
        if not self.golden.name.startswith("near-"):
            return lines
        # Those were reviewed as they are said without a server, below their listener.
        first = lines[2].replace("Event:", f"Event {self.number}:", 1)
        rest = (one.replace("one: would start", "one: started run 1") for one in lines[3:])
        return [first, *(one for one in rest if one != "No listener was asked.")]


async def played(case, place):
    """The records about the event that a story is about."""
    async with stage(place, {"app.txt": "old\n", ".windlass.yaml": CONFIGURATION}) as here:
        here.origin.git("update-ref", "refs/heads/old", here.origin.at("refs/heads/main"))
        await Story(here).play(STORIES[case])
        number = NUMBERS.get(case, 1)

        def work(tx):
            kinds = (StoredVerdict, StoredRun, ChatCommand)
            found = [one for kind in kinds for one in tx.find(kind, event=number)]
            return (tx.get(StoredEvent, number), *found)

        records = await here.world.store.read(work)
        assert (await here.requests.explain(number)).lines
        return Situation(number, records, GOLDEN / f"{case}.txt")


def near(case):
    """The records of one listener and one event."""
    event = NEAR[case][1]
    request = Request(headers={}, body=b"{}", at=0.0)
    said = ask(listener(case), event, request).answer(("x",)) if heard(event) else {}
    verdicts = (record(1, name, one, run=1) for name, one in said.items())
    return Situation(1, (row(event), *verdicts), GOLDEN / f"near-{case}.txt")


def row(event, number=1, **more):
    """An event as it is stored."""
    return StoredEvent(
        number=number, delivery="d1", position=0, repository="shop", kind=event.kind,
        action=event.action, sha=event.sha or "", branch=event.branch or "",
        pull_request=event.number or 0, at=0.0, event=event, **more,
    )  # fmt: skip


def missed(listener, condition, expected, actual, place=".windlass.yaml:4:5"):
    return StoredVerdict(
        event=1, listener=listener, matched=False, condition=condition, expected=expected,
        actual=actual, place=place,
    )  # fmt: skip


def command(text, outcome, state="done", **more):
    return ChatCommand(
        event=1, position=0, repository="shop", pull_request=7, by="bob", by_id="2", text=text,
        state=state, outcome=outcome, path="", at=0.0, **more,
    )  # fmt: skip


HOSTILE = "<img src=x> @team *bold* | `a` [x](y)\x1b[31m\u202e\n# b\u2028c & \\_ &lt; ~~no~~"
COMMENT = Event(
    kind=Kind.COMMENT, action="created", repository="shop", number=7, head="topic", base="main",
    sha=SHA, body="/test",
)  # fmt: skip
ROWS = {
    "hostile-labels": (
        row(pull("labeled", labels=(HOSTILE,)), configuration=SHA),
        missed("check", "labels", 'labels: ["deploy"]', HOSTILE),
    ),
    "hostile-branch": (
        row(push('zzz";echo${IFS}x;#<b>@all', "a"), configuration=SHA),
        missed("_check_", "branches", 'branches: ["FB*"]', 'zzz";echo${IFS}x;#<b>@all'),
    ),
    "hostile-wish": (
        row(replace(COMMENT, kind=Kind.MANUAL, action="asked", sender="a*b", title=HOSTILE)),
    ),
    "other-letters": (
        row(push("größe/日本語", "a"), configuration=SHA),
        missed("prüfen", "branches", 'branches: ["größe/*"]', "größe/日本語/🚀"),
    ),
    "found-by-us": (row(push("main", "a", recovered=True), configuration=SHA, recovered=True),),
    "repeated": (
        row(push("main", "a"), configuration=SHA, origin=12),
        StoredVerdict(event=1, listener="deploy", matched=True, run=0),
    ),
    "commanded": (
        row(COMMENT, configuration=SHA),
        missed("check", "on", "on: pull_request opened/updated/reopened/ready", "comment"),
        command("/test", "started run 4 (check)"),
    ),
    "command-refused": (
        row(COMMENT, configuration=SHA),
        missed("check", "on", "on: pull_request opened/updated/reopened/ready", "comment"),
        command("/deploy <b>", "there is no environment <b>; there is: dev", "refused"),
    ),
    "faults-of-several-lines": (
        row(push("main", "a"), fault="a.yaml:1:2: one\n\n    found: |\n      @x\ttab\nb.yaml: two"),
    ),
}


def single(case):
    """Records that were written down here."""
    return Situation(1, ROWS[case], GOLDEN / f"{case}.txt")


def check(name, text):
    """As reviewed; WINDLASS_ACCEPT=1 writes what is to be reviewed."""
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("WINDLASS_ACCEPT"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
