"""
Recorded webhooks of every forge, random listeners to put them before, and a mirror of one commit.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

from hypothesis import strategies as st

from windlass.core.event import ACTIONS, Kind
from windlass.core.filters import APPLIES
from windlass.ports.forge import Permission
from windlass.wiring.dialects import DIALECTS

# Recorded by others and kept beside the project, not in it.
BESIDE = (folder / "shared/payloads" for folder in Path(__file__).resolve().parents[3:])
RECORDED = next((folder for folder in BESIDE if folder.is_dir()), Path("nowhere"))

NAMED = {"bitbucket": "bitbucket-cloud", "stash": "bitbucket-dc"}
HEAD = "a" * 40
# What an event may have changed.
FILES = st.lists(
    st.sampled_from(["README.md", "src/a.py", "docs/x y.md", "ü.txt", ".windlass.yaml"]),
    max_size=3,
    unique=True,
).map(tuple)
PATTERNS = st.lists(
    st.sampled_from(
        ["main", "master", "Master", "develop", "feature*", "**", "!master", "v*", "*", "f/**"]
    ),
    min_size=1,
    max_size=3,
)
PATHS = st.lists(
    st.sampled_from(["src/**", "*.md", "!docs/**", "ü.txt", "**"]), min_size=1, max_size=3
)
IFS = st.sampled_from(
    [
        "true",
        'event.sender == "bradrydzewski"',
        "event.fork",
        "size(files) > 0",
        'files.exists(f, f == "README.md")',
        '"authorization" in headers',
        '"x-github-event" in headers || "x-event-key" in headers',
        "has(payload.repository)",
        "payload.nothing == 1",
        'has(payload.commits) && payload.commits.size() > 99 && "x" in event.labels',
        "event.title == event.message || headers == {} || payload.sender.token == repository",
        'repository == "acme/shop"',
    ]
)
KINDS = [Kind.PUSH, Kind.PULL_REQUEST, Kind.TAG, Kind.BRANCH, Kind.COMMENT, Kind.REVIEW]


@st.composite
def listeners(draw):
    """One listener as a team may write it, by its keys."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True))
    some = {
        str(kind): draw(
            st.none() | st.lists(st.sampled_from(ACTIONS[kind]), min_size=1, unique=True)
        )
        for kind in kinds
    }
    written = {"on": some, "do": [{"pipeline": "ci"}]}
    values = {
        **dict.fromkeys(("branches", "tags", "head", "base"), PATTERNS),
        "labels": st.just(["bug"]),
        "draft": st.booleans(),
        "paths": PATHS,
    }
    for key, strategy in values.items():
        if APPLIES[key] & set(kinds) and draw(st.integers(0, 3)) == 0:
            written[key] = draw(strategy)
    if draw(st.booleans()):
        written["if"] = draw(IFS)
    return written


def configured(written):
    """The text of a configuration; JSON is YAML."""
    named = {f"l{number}": one for number, one in enumerate(written)}
    ci = {"jobs": {"test": {"steps": [{"run": "true"}]}}}
    return json.dumps({"listeners": named, "pipelines": {"ci": ci}}).encode()


def recorded():
    """Every recorded body of a forge that we know: its forge, its headers and its file."""
    found = []
    with (RECORDED / "INDEX.tsv").open(encoding="utf-8") as index:
        for row in csv.DictReader(index, delimiter="\t"):
            forge = NAMED.get(row["forge"], row["forge"])
            if forge in DIALECTS:
                headers = {"Authorization": "secret", "Content-Type": "application/json"}
                if not row["event_header"].startswith("("):
                    headers[row["event_header"]] = row["event"]
                found.append((forge, headers, RECORDED / row["path"]))
    return found


class Here:
    """A mirror of one commit, whose configuration and changed files are given."""

    path = "here"

    def __init__(self, text, files):
        self.text, self.files, self.objects = text, files, self

    async def fetch(self, *refs):
        pass

    async def has(self, sha):
        return True

    async def resolve(self, ref):
        return HEAD if ref == "refs/heads/default" else None

    async def abbreviated(self, sha):
        return sha.ljust(40, "0")

    async def merge_base(self, one, other):
        return one

    async def changed(self, *commits, **branches):
        return self.files

    async def config_files(self, sha):
        return {".windlass.yaml": self.text}


class Strangers:
    """A source that knows nobody."""

    async def permission(self, url, person):
        return Permission.READ


ALL = recorded() if RECORDED.is_dir() else []
