"""
What `windlass explain --forge` says offline is what the server decides.

One side is the command as a person types it, with files on disk. The other is the
engine's own dispatch, with a mirror that holds one commit. Recorded webhooks of
every forge are put before random listeners.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import ALL, FILES, KINDS, RECORDED, Here, Strangers, configured, listeners

from windlass.cli.main import run
from windlass.core.errors import BadDelivery
from windlass.core.event import ACTIONS, Ignored
from windlass.core.listener import Miss
from windlass.engine.configurations import Configurations
from windlass.engine.dispatch import Dispatch
from windlass.engine.receive import kept
from windlass.engine.wellformed import wellformed
from windlass.engine.world import Forge
from windlass.ports.forge import Request
from windlass.ports.records import Repository
from windlass.wiring.dialects import DIALECTS

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="no recorded webhooks beside the project"
)


def by_the_server(forge, headers, body, text, files):
    """The verdicts of dispatch on each event, or that there is no event."""
    repository = Repository(
        name="acme/shop", forge=forge, url="u", endpoint="e", default_branch="default"
    )
    ports = Forge(dialect=DIALECTS[forge], webhooks=None, reports=None, source=Strangers())
    world = SimpleNamespace(
        forges={forge: ports}, mirrors=SimpleNamespace(of=lambda one: Here(text, files))
    )
    dispatch = Dispatch(world, Configurations(), None, None)
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        request = Request(headers=kept(lower), body=wellformed(body).content, at=0.0)
        delivery = SimpleNamespace(source="webhook", origin="", deploys=True)
        events = dispatch._read(repository, delivery, request)
    except BadDelivery:
        return "unreadable"
    if isinstance(events, Ignored):
        return "ignored"

    async def judged():
        return [await dispatch._judge(repository, delivery, event, request) for event in events]

    found = asyncio.run(judged())
    assert not any(one.fault for one in found), found
    return [
        [
            (name, said.condition, said.expected, said.actual, said.place.line)
            if isinstance(said, Miss)
            else (name, None, None, None, None)
            for name, said in one.verdicts.items()
        ]
        for one in found
    ]


def by_hand(forge, headers, body, text, files):
    """The same, as the command prints it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".windlass.yaml").write_bytes(text)
        (folder / "headers").write_text("\n".join(f"{k}: {v}" for k, v in headers.items()))
        (folder / "files").write_text("\n".join(files), encoding="utf-8")
        (folder / "body").write_bytes(body)
        words = ["explain", "--json", "--forge", forge, "--config", name]
        words += ["--headers", f"{name}/headers", "--files", f"{name}/files"]
        said, talk = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(talk):
            code = run([*words, "--repository", "acme/shop", f"{name}/body"])
    if code:
        assert code == 1
        return "ignored" if said.getvalue() == "[]\n" else "unreadable"
    keys = ("listener", "condition", "expected", "actual", "line")
    found = [one["listeners"] for one in json.loads(said.getvalue())]
    for one in (one for several in found for one in several):
        assert one["matched"] is (one["condition"] is None)
    return [[tuple(one[key] for key in keys) for one in several] for several in found]


@settings(max_examples=300)
@given(st.sampled_from(ALL or [None]), st.lists(listeners(), min_size=1, max_size=5), FILES)
def test_what_is_said_offline_is_what_the_server_decides(one, written, files):
    """The same listeners, the same request, the same files: the same verdicts, word for word."""
    forge, headers, path = one
    case = (forge, headers, path.read_bytes(), configured(written), files)
    assert by_hand(*case) == by_the_server(*case)


WIDE = [
    {"on": {str(kind): list(ACTIONS[kind])}, "do": [{"pipeline": "ci"}], **more}
    for kind in KINDS
    for more in ({}, {"if": "has(payload.repository)"})
]
WIDE.append({"on": "push", "paths": ["src/**"], "do": [{"pipeline": "ci"}]})


@pytest.mark.parametrize("one", ALL, ids=lambda one: f"{one[0]}/{one[2].stem}")
def test_every_recorded_webhook_is_judged_alike(one):
    """None is left out by chance."""
    forge, headers, path = one
    case = (forge, headers, path.read_bytes(), configured(WIDE), ("src/a.py",))
    assert by_hand(*case) == by_the_server(*case)


def test_the_recorded_webhooks_are_there_and_mean_something():
    """A comparison of nothing with nothing would pass for ever."""
    outcomes = [
        by_the_server(forge, headers, path.read_bytes(), configured(WIDE), ())
        for forge, headers, path in ALL
    ]
    assert len(outcomes) > 90
    assert sum(isinstance(one, list) for one in outcomes) > 40
