"""
Names of refs and commits, checked before git sees them.

A name that passes here is one that git itself would accept, and can never be
taken for an option. So a hostile name stops in this file, and no process is
started for it.

>>> check_ref('zzz";echo${IFS}x;#')
'zzz";echo${IFS}x;#'
>>> is_sha("4b825dc642cb6eb9a060e54bf8d69288fbee4904")
True
"""

from __future__ import annotations

import re

from windlass.core.errors import UserError

LONGEST = 1024

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

# Each rule of `git check-ref-format`, and ours (the first two), with the reason a person reads.
_FAULTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\A-"), "begins with '-'"),
    (re.compile(r"[\ud800-\udfff]"), "is not text that can be written as UTF-8"),
    (re.compile(r"[\x00-\x1f\x7f]"), "contains a control character"),
    (re.compile(r"[ ~^:?*\[\\]"), "contains one of: space ~ ^ : ? * [ \\"),
    (re.compile(r"\.\."), "contains '..'"),
    (re.compile(r"@\{"), "contains '@{'"),
    (re.compile(r"\A@\Z"), "is '@' alone"),
    (re.compile(r"\A/|//|/\Z"), "has an empty part between slashes"),
    (re.compile(r"\A\.|/\."), "has a part that begins with '.'"),
    (re.compile(r"\.\Z"), "ends with '.'"),
    (re.compile(r"\.lock(?:/|\Z)"), "has a part that ends with '.lock'"),
)


def is_sha(text: str) -> bool:
    """Whether this is a whole object id, 40 or 64 lower-case hexadecimal digits."""
    return _SHA.fullmatch(text) is not None


def is_zero(sha: str) -> bool:
    """Whether this is the id by which forges say "nothing was here"."""
    return is_sha(sha) and not sha.strip("0")


def check_sha(text: str) -> str:
    """The same id; UserError when it is not a whole one."""
    if not is_sha(text):
        raise UserError(
            f"{_shown(text)} is not a commit id",
            hint="give all 40 (or 64) lower-case hexadecimal digits",
            code="git-commit-id",
        )
    return text


def check_ref(name: str) -> str:
    """The same name (short or full); UserError with the reason when git or we refuse it."""
    reason = _reason(name)
    if reason:
        raise UserError(
            f"{_shown(name)} is not a name for a branch or tag: it {reason}", code="git-ref"
        )
    return name


def _reason(name: str) -> str:
    if not name:
        return "is empty"
    for pattern, reason in _FAULTS:
        if pattern.search(name):
            return reason
    return f"is longer than {LONGEST} bytes" if len(name.encode()) > LONGEST else ""


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:77] + "...")
