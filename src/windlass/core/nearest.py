"""
What a miss almost was: the pattern that nearly fits, the action that was nearly meant.

Made of a verdict's own words, which are stored, whenever they are shown. So it is
the same at every door, needs no column, and verdicts of long ago have it as well.
Only the first patterns and short names are compared letter by letter, so that no
name makes it slow.

>>> near("branches", 'branches: ["FB*"]', "fb1")
'`FB*` matches `FB1` but this is `fb1`: names are case sensitive'
>>> near("on", "on: tag created", "tag deleted")
'`on: tag` is `created`; this was `deleted`, which is `on: {tag: [deleted]}`'
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from windlass.core.event import ACTIONS, DEFAULT_ACTIONS, Kind
from windlass.core.globs import Globs, names, paths

MOST_PATTERNS = 32
MOST_PAIRS = 64
# Characters: of a name or path, and of what is compared letter by letter.
LONGEST, LONGEST_SPELT = 300, 64

# What people put before a name that events have without it.
_FRONTS = ("refs/heads/", "refs/tags/", "refs/remotes/origin/", "heads/", "tags/", "origin/", "/")
_NAMES = frozenset({"branches", "tags", "head", "base", "labels"})
_TAKEN = re.compile(r' \(taken back by ("(?:[^"\\]|\\.)*")\)$')
_MORE = re.compile(r" and [0-9]{1,9} more$")
_WILD = re.compile(r"[*?\[\\]")
# A listener for the first does not hear the second, and people expect that it does.
_CONFUSED = frozenset(
    {
        (Kind.PUSH, "tag created"),
        (Kind.PUSH, "tag deleted"),
        (Kind.PUSH, "branch deleted"),
        (Kind.TAG, "release"),
        (Kind.RELEASE, "tag created"),
        (Kind.PULL_REQUEST, "merge_group"),
        (Kind.REVIEW, "comment"),
        (Kind.COMMENT, "review commented"),
    }
)

# A pattern and a text -> what to say of the two, empty when they are not near in this way.
Rule = Callable[[str, str], str]


def near(condition: str, expected: str, actual: str) -> str:
    """What came nearest, in words; empty when nothing did. For the texts of a `Miss`."""
    if condition == "on":
        return _event(expected, actual)
    patterns = _patterns(condition, expected)
    found = _TAKEN.search(actual)
    text, taker = (actual[: found.start()], json.loads(found[1])) if found else (actual, "")
    if condition == "paths":
        file = _MORE.sub("", text)
        if len(file) > LONGEST:
            return ""
        return _taken(paths, patterns, file, taker) or _first(_FILE_RULES, patterns, [file])
    if condition not in _NAMES or actual == "none" or not patterns:
        return ""
    if taker:
        return _taken(names, patterns, text, taker)
    texts = text.split(", ") if condition == "labels" else [text]
    texts = [one for one in texts if len(one) <= LONGEST][: MOST_PAIRS // len(patterns)]
    return _first(_NAME_RULES, patterns, texts) or _spelt(patterns, texts)


def _patterns(condition: str, expected: str) -> tuple[str, ...]:
    """The patterns that `written` has put into a text."""
    try:
        found = json.loads(expected.removeprefix(f"{condition}: "))
    except ValueError:
        return ()
    several = found if isinstance(found, list) else []
    return tuple(one for one in several if isinstance(one, str))[:MOST_PATTERNS]


def _first(rules: tuple[Rule, ...], patterns: tuple[str, ...], texts: list[str]) -> str:
    for rule in rules:
        for pattern in patterns:
            if not pattern.startswith("!"):
                said = next((said for text in texts if (said := rule(pattern, text))), "")
                if said:
                    return said
    return ""


def _taken(
    kind: Callable[[tuple[str, ...]], Globs], patterns: tuple[str, ...], text: str, taker: str
) -> str:
    """The pattern that took a text, before a later one gave it back."""
    if taker not in patterns:
        return ""
    before = patterns[: len(patterns) - 1 - patterns[::-1].index(taker)]
    for pattern in reversed(before):
        if not pattern.startswith("!") and kind((pattern,)).matches(text):
            return f"`{pattern}` matches `{text}`, and the later `{taker}` takes it back"
    return ""


def _front(pattern: str, text: str) -> str:
    """A name written with more before it than events have, or a version without its `v`."""
    for front in _FRONTS:
        rest = pattern.removeprefix(front)
        if rest != pattern and names((rest,)).matches(text):
            return f"`{rest}` matches `{text}`: names are written without `{front}`"
    if text.startswith("v") and names((pattern,)).matches(text[1:]):
        return f"`{pattern}` matches `{text[1:]}` but this is `{text}`: `v{pattern}` matches it"
    if pattern.startswith("v") and names((pattern[1:],)).matches(text):
        return f"`{pattern}` matches `v{text}` but this is `{text}`"
    return ""


def _case(kind: Callable[[tuple[str, ...]], Globs], what: str) -> Rule:
    def rule(pattern: str, text: str) -> str:
        if not kind((pattern.casefold(),)).matches(text.casefold()):
            return ""
        for like in _recased(pattern, text):
            if like == pattern:
                return f"`{pattern}` is not `{text}`: {what}"
            if like != text and kind((pattern,)).matches(like):
                return f"`{pattern}` matches `{like}` but this is `{text}`: {what}"
        return f"`{pattern}` matches another spelling of `{text}`: {what}"

    return rule


def _recased(pattern: str, text: str) -> Iterator[str]:
    """The text with the letters that a pattern begins and ends with, as the pattern has them."""
    ends = _WILD.split(pattern)
    start, end = ends[0], ends[-1].rpartition("]")[2]
    for tail in (end, "") if len(ends) > 1 and end else ("",):
        yield start + text[len(start) : len(text) - len(tail)] + tail
    yield from (text.upper(), text.lower())


def _depth(pattern: str, text: str) -> str:
    """What lies deeper, or higher, than a pattern reaches."""
    bare = pattern.rstrip("/")
    wider = [f"{bare}/**"]
    if bare == "*" or bare.endswith("/*"):
        wider.insert(0, f"{bare}*")
    for one in wider:
        if names((one,)).matches(text):
            return f"`{pattern}` stops at `/`: `{one}` matches `{text}`"
    if names((f"**/{pattern}",)).matches(text):
        return f"`{pattern}` begins at the first `/`: `**/{pattern}` matches `{text}`"
    above = pattern.removesuffix("/**")
    if above != pattern and names((above,)).matches(text):
        return f"`{pattern}` matches what is below `{text}`, not `{text}` itself"
    return ""


def _root(pattern: str, file: str) -> str:
    rest = pattern.removeprefix("./")
    if rest == pattern or not paths((rest,)).matches(file):
        return ""
    return f"`{rest}` matches `{file}`: paths are written without `./`"


def _below(pattern: str, file: str) -> str:
    folder, slash, last = pattern.rpartition("/")
    wider = f"{folder}/**/{last}"
    if not slash or not last or not paths((wider,)).matches(file):
        return ""
    return f"`{pattern}` stops at `/`: `{wider}` matches `{file}`"


_NAME_RULES: tuple[Rule, ...] = (_front, _case(names, "names are case sensitive"), _depth)
_FILE_RULES: tuple[Rule, ...] = (_root, _case(paths, "paths are case sensitive"), _below)


def _spelt(patterns: tuple[str, ...], texts: list[str]) -> str:
    """The pattern that is a letter or two away."""
    best, said = LONGEST_SPELT, ""
    for text in texts:
        for pattern in patterns:
            letters = sum(sign not in "*?/" for sign in pattern)
            most = 0 if letters < 3 else 1 if letters < 6 else 2
            if not most or pattern[0] == "!" or max(len(pattern), len(text)) > LONGEST_SPELT:
                continue
            if "[" in pattern or "\\" in pattern:
                continue
            away = _distance(pattern, text, most)
            if away <= most and away < best:
                best = away
                count = "one letter" if away == 1 else f"{away} letters"
                said = f"`{pattern}` is {count} away from `{text}`"
    return said


def _distance(pattern: str, text: str, most: int) -> int:
    """
    How many letters to add, take, change or swap until a pattern fits; more than `most` is far.

    `*` is any run of letters up to a `/`, and crosses it where two stand together.
    """
    above: list[int] = []
    row = list(range(len(text) + 1))
    for at, sign in enumerate(pattern):
        below = [row[0] + (sign != "*")]
        deep = sign == "*" and "*" in {pattern[at - 1 : at], pattern[at + 1 : at + 2]}
        for n, letter in enumerate(text, 1):
            if sign == "*":
                cost = row[n] if letter == "/" and not deep else min(row[n], below[n - 1])
            else:
                same = sign == letter or (sign == "?" and letter != "/")
                cost = min(row[n] + 1, below[n - 1] + 1, row[n - 1] + (not same))
                swapped = n > 1 and at and letter == pattern[at - 1] and sign == text[n - 2]
                if swapped and above and sign not in "*?" and letter not in "*?":
                    cost = min(cost, above[n - 2] + 1)
            below.append(cost)
        if min(below) > most:
            return most + 1
        above, row = row, below
    return row[-1]


def _event(expected: str, actual: str) -> str:
    """The same kind of event with other actions, or one that is easily taken for it."""
    kind, _, action = actual.partition(" ")
    if kind not in ACTIONS:
        return ""
    happened = Kind(kind)
    triggers = [one.partition(" ") for one in expected.removeprefix("on: ").split(", ")]
    for wanted, _, words in triggers:
        actions = tuple(words.split("/"))
        if wanted != kind or not action or action in actions:
            continue
        if actions == DEFAULT_ACTIONS[happened]:
            usual = ", ".join(actions)
            return f"`on: {kind}` is `{usual}`; this was `{action}`, which is {_on(kind, action)}"
        return f"this was `{action}`: {_on(kind, *actions, action)} is for it too"
    for wanted, _, _ in triggers:
        if (wanted, actual) in _CONFUSED:
            return f"`{actual}` is no `{wanted}`: {_on(kind, action)} is for it"
    return ""


def _on(kind: str, *actions: str) -> str:
    """How `on` is written for these actions; short where they go without saying."""
    usual = DEFAULT_ACTIONS[Kind(kind)]
    if set(actions) <= {*usual, ""} and len(usual) == 1:
        return f"`on: {kind}`"
    return f"`on: {{{kind}: [{', '.join(actions)}]}}`"
