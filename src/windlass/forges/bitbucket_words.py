r"""
What Windlass says on Bitbucket, Cloud and Data Center alike.

Neither shows HTML, so a hidden comment and a part that is folded away would stand there
as text. Our mark is a link that nothing refers to, which Markdown does not show; what is
folded elsewhere is open here, under a title.

>>> print(comment("<!-- windlass -->\n### ci\n<details open>\n<summary>a &amp; b</summary>"))
[//]: # (windlass)
<BLANKLINE>
### ci
**a &amp; b**
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from windlass.core.event import Kind
from windlass.ports.forge import MARKER, Status, StatusState

# What stands here in place of the marker that comments have elsewhere.
MARK = "[//]: # (windlass)"
# Characters that either Bitbucket takes in a comment, in a description, in a name.
LARGEST, DESCRIBED, NAMED = 32_768, 255, 255
CUT = "\n\n… cut"
# What our webhook is called on the forge.
NAME = "Windlass"

STATES: Mapping[StatusState, str] = {
    StatusState.PENDING: "INPROGRESS",
    StatusState.SUCCESS: "SUCCESSFUL",
    StatusState.FAILURE: "FAILED",
    StatusState.ERROR: "FAILED",
    # What is grey on Bitbucket counts as not successful where a merge asks for builds.
    StatusState.NEUTRAL: "SUCCESSFUL",
}
# What the state alone does not tell.
SAID: Mapping[StatusState, str] = {StatusState.ERROR: "error", StatusState.NEUTRAL: "neutral"}

_SUMMARY = re.compile(r"<summary>(.*)</summary>")
_FENCE = re.compile(r"`{3,}")
_SPECIAL = re.compile(r"([\\`*_\[\]])")


def comment(body: str) -> str:
    """A comment as Bitbucket shows it: marked, without HTML, within its limit."""
    lines, fence = [], ""
    for line in body.removeprefix(MARKER).lstrip("\n").split("\n"):
        if fence:
            fence = "" if line == fence else fence
        elif line in {"<details open>", "<details>", "</details>"}:
            continue
        elif title := _SUMMARY.fullmatch(line):
            # Its entities stay: Markdown reads them as HTML does.
            lines.append("**" + _SPECIAL.sub(r"\\\1", title[1]) + "**")
            continue
        elif found := _FENCE.match(line):
            fence = found[0]
        lines.append(line)
    return cut(f"{MARK}\n\n" + "\n".join(lines), LARGEST, CUT)


def description(status: Status) -> str:
    """What stands beside a status."""
    parts = (SAID.get(status.state, ""), status.description)
    return cut(": ".join(filter(None, parts)), DESCRIBED)


def key(context: str, longest: int) -> str:
    """
    The key of a context; one that is too long keeps its beginning and gets a digest.

    >>> key("windlass/ci", 40)
    'windlass/ci'
    """
    if len(context) <= longest:
        return context
    digest = hashlib.sha256(context.encode()).hexdigest()[:12]
    return f"{context[: longest - 13]}-{digest}"


def cut(text: str, longest: int, end: str = "…") -> str:
    """At most so many characters; what is longer ends with `end`."""
    return text if len(text) <= longest else text[: longest - len(end)] + end


def unsent(events: Iterable[str]) -> frozenset[Kind]:
    """
    The kinds of events that are not told of by a webhook which leaves these out.

    >>> sorted(unsent(["repo:push", "pr:reviewer:approved"]))
    [<Kind.BRANCH: 'branch'>, <Kind.PUSH: 'push'>, <Kind.REVIEW: 'review'>, <Kind.TAG: 'tag'>]
    """
    return frozenset(kind for name in events for kind in _kinds(name))


def _kinds(name: str) -> tuple[Kind, ...]:
    if name.startswith("repo:"):
        return (Kind.PUSH, Kind.TAG, Kind.BRANCH)
    if "comment" in name:
        return (Kind.COMMENT,)
    return (Kind.REVIEW if "approved" in name or "_work" in name or "change" in name
            else Kind.PULL_REQUEST,)  # fmt: skip
