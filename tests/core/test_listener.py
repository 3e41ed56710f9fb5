"""Listeners: every one has its verdict, in the order they were written."""

from __future__ import annotations

from windlass.core.errors import Place
from windlass.core.event import Event, Kind
from windlass.core.filters import Context
from windlass.core.listener import (
    Listener,
    Listeners,
    Match,
    Miss,
    Trigger,
    collect,
    nearest,
    need_files,
    select,
)

PUSH = Event(kind=Kind.PUSH, action="pushed", repository="r", branch="FB1")
ON_PUSH = (Trigger(Kind.PUSH, ("pushed",)),)
ON_MERGE = (Trigger(Kind.PULL_REQUEST, ("merged",)),)


def listener(name, on=ON_PUSH, **conditions):
    """A listener without actions."""
    return Listener(name=name, on=on, actions=(), **conditions)


def board(*listeners):
    """Listeners by name."""
    return {each.name: each for each in listeners}


def test_every_listener_has_a_verdict():
    """Whoever asks why nothing happened finds an answer for each listener."""
    places = {"on": Place("ci.yaml", 9, 5)}
    written = board(
        listener("merge", ON_MERGE, places=places),
        listener("feature", branches=("FB*",)),
        listener("main", branches=("main",)),
    )
    verdicts = select(written, Context(event=PUSH, files=()))
    assert list(verdicts) == ["merge", "feature", "main"]
    assert verdicts["merge"] == Miss("on", "on: pull_request merged", "push", places["on"])
    assert verdicts["feature"] == Match()
    assert isinstance(verdicts["main"], Miss)


def test_prepared_listeners_are_used_as_they_are():
    """What load has prepared is not prepared again for each event."""
    prepared = Listeners(board(listener("a"), listener("b", ON_MERGE)))
    assert collect(prepared) is prepared
    assert (len(prepared), list(prepared), prepared["a"].name) == (2, ["a", "b"], "a")
    context = Context(event=PUSH)
    assert select(prepared, context) == select(dict(prepared), context)


def test_files_are_needed_when_some_listener_hangs_on_them():
    """The engine asks Git once, and only when it must."""
    context = Context(event=PUSH)
    picky = listener("picky", paths=("a/**",))
    assert need_files(board(listener("a"), picky), context)
    assert not need_files(board(listener("a")), context)
    assert not need_files(board(listener("m", ON_MERGE, paths=("a/**",))), context)
    assert not need_files(board(picky), Context(event=PUSH, files=()))


def test_the_nearest_miss_is_the_one_that_came_furthest():
    """When nothing started, the listener that almost did is named."""
    context = Context(event=PUSH, files=("x",))
    far = listener("far", ON_MERGE)
    branch = listener("branch", branches=("main",))
    path = listener("path", branches=("FB*",), paths=("a/**",))
    assert nearest(select(board(far, branch, path), context)) == "path"
    assert nearest(select(board(far), context)) is None
    assert nearest(select(board(far, path, listener("all")), context)) is None
    assert nearest({}) is None
