"""
The conditions of a listener, in their fixed order.

Each condition is one small function in CONDITIONS; the first that is false is the
stored reason. A condition asks only events that can answer it: `base` has nothing
to say about a push, `paths` nothing about a schedule.

The list of changed files is costly to get, so it may be unknown (None) at first:
`needs_files` says whether this event must have it before `check` is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from windlass.core import globs
from windlass.core.conditions import (
    Conditions,
    Context,
    Match,
    Miss,
    Open,
    Trigger,
    Verdict,
    trigger_text,
)
from windlass.core.errors import Bug, ConfigError
from windlass.core.event import Event, Kind
from windlass.core.expression import (
    Bound,
    Condition,
    Scope,
    bind,
    compile_condition,
    unmet,
)
from windlass.core.parameters import given, text_of

__all__ = [
    "APPLIES",
    "CONDITIONS",
    "SKIP_MARKERS",
    "TRAILER",
    "Asked",
    "Conditions",
    "Context",
    "Match",
    "Miss",
    "Open",
    "Prepared",
    "Trigger",
    "Verdict",
    "asked_of_pulls",
    "check",
    "is_configuration",
    "needs_files",
    "open_at",
    "prepare",
    "quoted",
    "skip_marker",
    "trigger_text",
    "written",
]

SKIP_MARKERS = ("[skip ci]", "[ci skip]", "[no ci]")

_PULLS = frozenset({Kind.PULL_REQUEST, Kind.REVIEW, Kind.COMMENT})
# Which kinds of event can answer a condition.
APPLIES: Mapping[str, frozenset[Kind]] = {
    "branches": frozenset({Kind.PUSH, Kind.BRANCH}),
    "tags": frozenset({Kind.TAG, Kind.RELEASE}),
    "head": _PULLS,
    "base": _PULLS | {Kind.MERGE_GROUP},
    "unless": frozenset({Kind.PUSH}),
    "own": frozenset({Kind.PUSH}),
    "labels": _PULLS,
    "draft": _PULLS,
    "paths": frozenset({Kind.PUSH, Kind.PULL_REQUEST, Kind.REVIEW, Kind.MERGE_GROUP}),
}
# The trailer of commits that Windlass makes.
TRAILER = "Windlass-Deployment:"
_NO_PULL = "no open pull request of this branch"
_SKIPPABLE = frozenset({Kind.PUSH, Kind.PULL_REQUEST})


class Asked:
    """A context with what is made of it once for all listeners: variables, parsed payload."""

    __slots__ = ("_bound", "context", "event", "files", "skip", "touched", "touches_configuration")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.event = context.event
        self.files = context.event.files if context.files is None else context.files
        self.skip = skip_marker(context.event)
        self.touches_configuration = any(map(is_configuration, self.files or ()))
        self.touched: dict[tuple[str, ...], Said] = {}
        self._bound: dict[bool, Bound] = {}

    def variables(self, *, payload: bool) -> Bound:
        """The variables of `if`; the payload is parsed when somebody asks for it."""
        if payload not in self._bound:
            body = self.context.payload
            values = {
                "event": self.event,
                "repository": self.event.repository,
                "headers": dict(self.context.headers),
                "files": list(self.files or ()),
                "payload": (_parsed(body) if isinstance(body, bytes) else body) if payload else {},
            }
            self._bound[payload] = bind(Scope.LISTENER, values)
        return self._bound[payload]


# What a condition says: None when it holds, else what it expected and what was there.
Said = tuple[str, str] | None
Step = Callable[["Prepared", Asked], Said]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A listener's conditions, compiled: those that it has in order, and its `on` in words."""

    conditions: Conditions
    on: str
    steps: tuple[tuple[str, Step], ...]
    globs: Mapping[str, globs.Globs]
    condition: Condition | None
    fault: str = ""


def prepare(conditions: Conditions) -> Prepared:
    """Compile what can be compiled; a wrong `if` is a miss, and `load` has told it as a fault."""
    on = "on: " + ", ".join(map(trigger_text, conditions.on))
    compiled: dict[str, globs.Globs] = {}
    for key in ("branches", "tags", "head", "base", "labels"):
        if patterns := getattr(conditions, key):
            compiled[key] = globs.names(patterns)
    if conditions.paths:
        compiled["paths"] = globs.paths(conditions.paths)
    written = {*compiled, "on", "repository", "skip"}
    written |= {"listener", "inputs"} if conditions.manual else set()
    written |= set() if conditions.own else {"loop guard"}
    written |= {"unless"} if conditions.unless else set()
    written |= {"draft"} if conditions.draft is not None else set()
    written |= {"if"} if conditions.condition else set()
    steps = tuple(step for step in CONDITIONS if step[0] in written)
    if not conditions.condition:
        return Prepared(conditions, on, steps, compiled, None)
    place = conditions.places.get("if", conditions.place)
    try:
        condition = compile_condition(conditions.condition, place)
    except ConfigError as error:
        return Prepared(conditions, on, steps, compiled, None, error.faults[0].message)
    return Prepared(conditions, on, steps, compiled, condition)


def is_configuration(path: str) -> bool:
    """Whether a file is part of the configuration, which touches everything."""
    return path in {".windlass.yaml", ".windlass.yml"} or path.startswith(".windlass/")


def check(prepared: Prepared, asked: Asked) -> Verdict:
    """Whether all conditions hold, or the first that does not; files must be known if asked."""
    for name, step in prepared.steps:
        said = step(prepared, asked)
        if said is not None:
            places = prepared.conditions.places
            place = places.get(name, places.get("on", prepared.conditions.place))
            return Miss(name, said[0], said[1], place)
    return Match()


def needs_files(prepared: Prepared, asked: Asked) -> bool:
    """Whether this listener cannot be judged before the changed files are known."""
    if asked.files is not None:
        return False
    wants = "paths" in prepared.globs and asked.event.kind in APPLIES["paths"]
    mentions = prepared.condition is not None and "files" in prepared.condition.words
    if not (wants or mentions):
        return False
    cheap = (step for name, step in prepared.steps if name not in {"paths", "if"})
    return all(step(prepared, asked) is None for step in cheap)


def open_at(prepared: Prepared, asked: Asked) -> Open | None:
    """The condition that keeps this listener from being judged with what is known so far."""
    conditions = prepared.conditions
    files = needs_files(prepared, asked)
    if _needs_pull(prepared, asked, files=files):
        place = conditions.places.get("unless", conditions.place)
        unknown = "only the server knows whether one is open"
        return Open("unless", _NO_PULL, place, unknown)
    if not files:
        return None
    by_path = "paths" in prepared.globs and asked.event.kind in APPLIES["paths"]
    name, expected = "if", conditions.condition
    if by_path:
        name, expected = "paths", written("paths", conditions.paths)
    return Open(name, expected, conditions.places.get(name, conditions.place))


def _needs_pull(prepared: Prepared, asked: Asked, *, files: bool) -> bool:
    """Whether nothing else keeps this listener from starting than a pull request nobody knows."""
    if not asked_of_pulls(prepared, asked.event) or asked.context.pull is not None:
        return False
    return files or all(step(prepared, asked) is None for _, step in prepared.steps)


def asked_of_pulls(prepared: Prepared, event: Event) -> bool:
    """Whether open pull requests matter to this listener at such an event."""
    return bool(prepared.conditions.unless) and event.kind in APPLIES["unless"]


def _on(prepared: Prepared, asked: Asked) -> Said:
    event, late = asked.event, False
    for trigger in prepared.conditions.on:
        if trigger.kind is event.kind and event.action in trigger.actions:
            due = event.schedule
            if not trigger.cron or due is None:
                return None
            if trigger.schedule == due and (trigger.catch_up or not event.recovered):
                return None
            late = late or trigger.schedule == due
    return prepared.on, "a tick that was missed" if late else event.label


def _listener(prepared: Prepared, asked: Asked) -> Said:
    """A person asks for one listener."""
    own, wanted = prepared.conditions.name, asked.event.listener
    return None if wanted is None or wanted == own else (own, wanted)


def _inputs(prepared: Prepared, asked: Asked) -> Said:
    """What was given when it was asked for may not fit what the listener asks for by now."""
    values = asked.event.inputs
    if asked.event.kind is not Kind.MANUAL or values is None:
        return None
    texts = {name: text_of(value) for name, value in values.items()}
    _, wrong = given(prepared.conditions.inputs, texts)
    return (f"{wrong[0].name}: {wrong[0].expected}", wrong[0].actual) if wrong else None


def _active(_prepared: Prepared, asked: Asked) -> Said:
    return None if asked.context.repository_active else ("an active repository", "it is paused")


def _skip(_prepared: Prepared, asked: Asked) -> Said:
    return None if asked.skip is None else ("no skip marker", asked.skip)


def skip_marker(event: Event) -> str | None:
    """What in the text of a push or pull request says that nothing shall start, if anything."""
    if event.kind not in _SKIPPABLE:
        return None
    text = f"{event.message or ''}\n{event.title or ''}".casefold()
    return next((marker for marker in SKIP_MARKERS if marker in text), None)


def _own(_prepared: Prepared, asked: Asked) -> Said:
    """Commits that Windlass made would start it again and again."""
    if asked.event.kind is not Kind.PUSH:
        return None
    last = (asked.event.message or "").replace("\r\n", "\n").strip().rpartition("\n\n")[2]
    lines = (line.strip() for line in last.split("\n"))
    found = next((line for line in lines if line.casefold().startswith(TRAILER.casefold())), None)
    return None if found is None else (f"no trailer {TRAILER}", found)


def _unless(prepared: Prepared, asked: Asked) -> Said:
    pull = asked.context.pull
    if not pull or not asked_of_pulls(prepared, asked.event):
        return None
    return _NO_PULL, f"pull request {pull} is open"


def _pattern(key: str, value: Callable[[Event], str | None]) -> Step:
    kinds = APPLIES[key]

    def condition(prepared: Prepared, asked: Asked) -> Said:
        patterns = prepared.globs.get(key)
        if patterns is None or asked.event.kind not in kinds:
            return None
        actual = value(asked.event)
        if actual is None:
            return written(key, patterns.patterns), "none"
        if patterns.matches(actual):
            return None
        return written(key, patterns.patterns), f"{actual}{_back(patterns.taker(actual))}"

    return condition


def _labels(prepared: Prepared, asked: Asked) -> Said:
    patterns = prepared.globs.get("labels")
    if patterns is None or asked.event.kind not in APPLIES["labels"]:
        return None
    if any(patterns.matches(label) for label in asked.event.labels):
        return None
    return written("labels", patterns.patterns), ", ".join(asked.event.labels) or "none"


def _draft(prepared: Prepared, asked: Asked) -> Said:
    wanted = prepared.conditions.draft
    if wanted is None or asked.event.kind not in APPLIES["draft"] or asked.event.draft is wanted:
        return None
    return f"draft: {str(wanted).lower()}", str(asked.event.draft).lower()


def _paths(prepared: Prepared, asked: Asked) -> Said:
    patterns = prepared.globs.get("paths")
    if patterns is None or asked.event.kind not in APPLIES["paths"]:
        return None
    if asked.files is None:
        raise Bug("conditions about files were checked before the files were known")
    # Many listeners share their patterns, and an event may touch thousands of files.
    if patterns.patterns not in asked.touched:
        touched = asked.touches_configuration or any(map(patterns.matches, asked.files))
        asked.touched[patterns.patterns] = (
            None
            if touched
            else (written("paths", patterns.patterns), _untouched(patterns, asked.files))
        )
    return asked.touched[patterns.patterns]


def _untouched(patterns: globs.Globs, files: tuple[str, ...]) -> str:
    """The files that did not fit, the one that came nearest first."""
    if not files:
        return "no changed file"
    taken = ((file, patterns.taker(file)) for file in files)
    file, taker = next((one for one in taken if one[1]), (files[0], ""))
    return f"{_several(files, file)}{_back(taker)}"


def _back(taker: str) -> str:
    return f" (taken back by {quoted(taker)})" if taker else ""


def _several(files: tuple[str, ...], first: str) -> str:
    return first if len(files) == 1 else f"{first} and {len(files) - 1} more"


def _if(prepared: Prepared, asked: Asked) -> Said:
    if prepared.fault:
        return prepared.conditions.condition, prepared.fault
    condition = prepared.condition
    if condition is None:
        return None
    if asked.files is None and "files" in condition.words:
        raise Bug("conditions about files were checked before the files were known")
    said = unmet(condition, asked.variables(payload="payload" in condition.words))
    return (condition.text, said) if said else None


CONDITIONS: tuple[tuple[str, Step], ...] = (
    ("on", _on),
    ("listener", _listener),
    ("inputs", _inputs),
    ("repository", _active),
    ("skip", _skip),
    ("loop guard", _own),
    ("branches", _pattern("branches", lambda event: event.branch)),
    ("tags", _pattern("tags", lambda event: event.tag)),
    ("head", _pattern("head", lambda event: event.head)),
    ("base", _pattern("base", lambda event: event.base)),
    ("unless", _unless),
    ("labels", _labels),
    ("draft", _draft),
    ("paths", _paths),
    ("if", _if),
)


def quoted(text: str | None) -> str:
    """A text as the configuration would write it."""
    return json.dumps(text, ensure_ascii=False)


def written(key: str, patterns: tuple[str, ...]) -> str:
    """A condition as the configuration would write it: `branches: ["FB*", "main"]`."""
    return f"{key}: [{', '.join(map(quoted, patterns))}]"


def _parsed(body: bytes) -> object:
    """The JSON of a body; an empty map when it is none, so that asking it is a miss."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}
