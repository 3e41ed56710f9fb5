"""Laws of conditions, over listeners and events of every shape."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.core import globs
from windlass.core.event import ACTIONS, Event, Kind
from windlass.core.filters import (
    APPLIES,
    Asked,
    Context,
    Match,
    Miss,
    Trigger,
    check,
    is_configuration,
    needs_files,
    prepare,
)
from windlass.core.listener import Listener, nearest, need_files, select

# The order that the language promises, and not the one that the code happens to have.
ORDER = ["on", "listener", "inputs", "repository", "skip", "loop guard", "branches", "tags"]
ORDER += ["head", "base", "unless", "labels", "draft", "paths", "if"]
WORDS = st.sampled_from(["main", "FB1", "FB2", "feature/a", "v1"])
PATTERNS = st.just(()) | st.lists(
    st.sampled_from(["main", "FB*", "!FB2", "feature/**", "**", "!main", "v?"]), max_size=3
).map(tuple)
KINDS = st.sampled_from([Kind.PUSH, Kind.PULL_REQUEST, Kind.REVIEW]) | st.sampled_from(
    [kind for kind in Kind if kind is not Kind.PING]
)
FILES = st.lists(
    st.sampled_from(["a/x.py", "a/y.md", "b/z", ".windlass.yaml", "c"]), max_size=4, unique=True
).map(tuple)
PATHS = st.lists(st.sampled_from(["a/**", "!**/*.md", "b/*", "*.py", "!c"]), max_size=3).map(tuple)
IFS = st.sampled_from(
    [
        "",
        "true",
        "false",
        'event.branch == "main"',
        'payload.a == "b"',
        'files.exists(f, f == "c")',
        '"hold" in event.labels',
    ]
)


@st.composite
def events(draw):
    """Any event that a dialect may make."""
    kind = draw(KINDS)
    pull = kind in {Kind.PULL_REQUEST, Kind.REVIEW}
    return Event(
        kind=kind,
        action=draw(st.sampled_from(ACTIONS[kind])),
        repository="acme/shop",
        branch=draw(WORDS) if kind in {Kind.PUSH, Kind.BRANCH} else None,
        tag=draw(WORDS) if kind is Kind.TAG else None,
        base=draw(WORDS) if pull else None,
        head=draw(WORDS) if pull else None,
        draft=draw(st.booleans()),
        labels=tuple(draw(st.lists(st.sampled_from(["hold", "ui"]), unique=True))),
        message=draw(
            st.sampled_from(["work", None, "fix [skip ci]", "x\n\nWindlass-Deployment: 1"])
        ),
    )


@st.composite
def listeners(draw, kinds=KINDS):
    """Any listener that a team may write; most of them are for all that happens to their kinds."""
    triggers = []
    for kind in draw(st.lists(kinds, min_size=1, max_size=3)):
        some = st.lists(st.sampled_from(ACTIONS[kind]), min_size=1).map(tuple)
        triggers.append(Trigger(kind, draw(st.just(ACTIONS[kind]) | some)))
    return Listener(
        name="one",
        on=tuple(triggers),
        actions=(),
        branches=draw(PATTERNS),
        head=draw(PATTERNS),
        base=draw(PATTERNS),
        labels=draw(st.sampled_from([(), (), ("hold",), ("ui", "x")])),
        draft=draw(st.sampled_from([None, None, True, False])),
        paths=draw(st.just(()) | PATHS),
        condition=draw(st.just("") | IFS),
        unless=draw(st.sampled_from(["", "open_pull_request"])),
        own=draw(st.booleans()),
    )


@st.composite
def cases(draw):
    """An event, and a listener that is for such events."""
    event = draw(events())
    return draw(listeners(st.just(event.kind))), event


def asked(event, files, *, active=True):
    """The event with a payload and all its files; a pull request of FB1 is open."""
    pull = 7 if event.branch == "FB1" else 0
    known = Context(event=event, payload={}, files=files, repository_active=active, pull=pull)
    return Asked(known)


def holds(name, listener, event, files):
    """Whether one condition holds, by the words of the language and not of the code."""
    match name:
        case "on":
            return any(t.kind is event.kind and event.action in t.actions for t in listener.on)
        case "skip":
            marked = "[skip ci]" in (event.message or "")
            return not (marked and event.kind in {Kind.PUSH, Kind.PULL_REQUEST})
        case "loop guard":
            made = event.kind is Kind.PUSH and "Windlass-Deployment" in (event.message or "")
            return listener.own or not made
        case "unless":
            return not (listener.unless and event.kind is Kind.PUSH and event.branch == "FB1")
        case "branches" | "head" | "base":
            patterns = getattr(listener, name)
            value = event.branch if name == "branches" else getattr(event, name)
            applies = event.kind in APPLIES[name]
            return (
                not patterns or not applies or (value is not None and globs.match(patterns, value))
            )
        case "labels":
            fits = any(label in listener.labels for label in event.labels)
            return not listener.labels or event.kind not in APPLIES["labels"] or fits
        case "draft":
            return event.kind not in APPLIES["draft"] or listener.draft in {None, event.draft}
        case "paths":
            configured = any(map(is_configuration, files))
            fits = any(map(globs.paths(listener.paths).matches, files))
            return not listener.paths or event.kind not in APPLIES["paths"] or configured or fits
        case _:
            return True


@settings(max_examples=400)
@given(cases(), FILES)
def test_the_reason_is_the_first_condition_that_does_not_hold(case, files):
    """Everything before the reason holds, and the reason does not."""
    listener, event = case
    said = check(prepare(listener), asked(event, files))
    reason = ORDER.index(said.condition) if isinstance(said, Miss) else len(ORDER)
    for name in ORDER[:reason]:
        assert holds(name, listener, event, files), name
    if isinstance(said, Miss) and said.condition != "if":
        assert not holds(said.condition, listener, event, files)
        assert said.expected
        assert said.actual


@given(cases(), FILES)
def test_taking_a_condition_away_never_makes_it_miss_earlier(case, files):
    """A listener with fewer conditions starts at least as often."""
    listener, event = case
    full = check(prepare(listener), asked(event, files))
    for name in ("branches", "head", "base", "labels", "paths"):
        less = check(prepare(replace(listener, **{name: ()})), asked(event, files))
        if isinstance(full, Match):
            assert less == full
        elif isinstance(less, Miss):
            assert ORDER.index(less.condition) >= ORDER.index(full.condition)


@given(cases(), FILES)
def test_a_change_to_the_configuration_never_misses_by_path(case, files):
    """Touching the rules touches everything."""
    listener, event = case
    said = check(prepare(listener), asked(event, (*files, ".windlass/ci.yaml")))
    assert not (isinstance(said, Miss) and said.condition == "paths")


@given(cases(), FILES)
def test_nothing_starts_in_a_paused_repository(case, files):
    """Paused means paused."""
    listener, event = case
    said = check(prepare(listener), asked(event, files, active=False))
    assert isinstance(said, Miss)
    assert said.condition in {"on", "repository"}


@given(cases())
def test_unknown_files_are_asked_for_exactly_when_they_decide(case):
    """Without the files there is either a verdict that no file can change, or a question."""
    listener, event = case
    prepared = prepare(listener)
    assert not needs_files(prepared, asked(event, ()))
    unknown = asked(event, None)  # of the files alone: the pull request is known
    if needs_files(prepared, unknown):
        assert listener.paths or "files" in listener.condition
        return
    said = check(prepared, unknown)
    for files in ((), ("a/x.py",), ("c",), (".windlass.yaml",)):
        assert check(prepared, asked(event, files)) == said


@given(st.lists(listeners(), min_size=1, max_size=5), events(), FILES)
def test_the_index_decides_as_each_listener_alone(several, event, files):
    """Sorting listeners by event changes no verdict and loses none."""
    written = {f"l{n}": replace(one, name=f"l{n}") for n, one in enumerate(several)}
    context = Context(event=event, payload={}, files=files)
    verdicts = select(written, context)
    assert list(verdicts) == list(written)
    for name, one in written.items():
        assert verdicts[name] == check(prepare(one), Asked(context))
    best = nearest(verdicts)
    if best is not None:
        ranks = [ORDER.index(said.condition) for said in verdicts.values()]
        assert ORDER.index(verdicts[best].condition) == max(ranks)


@given(st.lists(listeners(), min_size=1, max_size=4), events())
def test_files_are_needed_when_some_listener_needs_them(several, event):
    """One question for all listeners of a repository."""
    written = {f"l{n}": one for n, one in enumerate(several)}
    context = Context(event=event, payload={})
    each = [
        needs_files(prepare(one), Asked(context))
        for one in several
        if event.kind in {trigger.kind for trigger in one.on}
    ]
    assert need_files(written, context) is any(each)
