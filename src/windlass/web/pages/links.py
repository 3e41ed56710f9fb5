"""
Addresses on the forge: of a commit, a comparison, a file at a commit, a pull request.

Only http(s) repositories have any; a link is never made from what a webhook said.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from windlass.ports.records import Repository
from windlass.web.api.models.repositories import without_credentials

HEX = re.compile(r"[0-9a-f]{7,64}")

# How each forge words them: commit, comparison, file at a commit, pull request.
GITHUB = ("/commit/{0}", "/compare/{0}...{1}", "/blob/{0}/{1}#L{2}", "/pull/{0}")
GITEA = ("/commit/{0}", "/compare/{0}...{1}", "/src/commit/{0}/{1}#L{2}", "/pulls/{0}")
GITLAB = (
    "/-/commit/{0}",
    "/-/compare/{0}...{1}",
    "/-/blob/{0}/{1}#L{2}",
    "/-/merge_requests/{0}",
)
WORDS = {"github": GITHUB, "gitea": GITEA, "forgejo": GITEA, "gitlab": GITLAB}


def _made(repository: Repository | None, which: int, *parts: str) -> str:
    if repository is None or repository.forge not in WORDS:
        return ""
    url = without_credentials(repository.url).removesuffix("/").removesuffix(".git")
    if urlsplit(url).scheme not in {"http", "https"}:
        return ""
    return url + WORDS[repository.forge][which].format(*(quote(part) for part in parts))


def commit(repository: Repository | None, sha: str) -> str:
    """The commit's page; empty when the forge has none."""
    return _made(repository, 0, sha) if HEX.fullmatch(sha) else ""


def compare(repository: Repository | None, before: str, after: str) -> str:
    """What changed between two commits; empty when the forge cannot show it."""
    if before == after or not (HEX.fullmatch(before) and HEX.fullmatch(after)):
        return ""
    return _made(repository, 1, before, after)


def file(repository: Repository | None, sha: str, place: str) -> str:
    """The line of a file that `file:line:column` names; empty when the forge cannot show it."""
    match place.rsplit(":", 2):
        case [name, line, column] if line.isdecimal() and column.isdecimal():
            return _made(repository, 2, sha, name, line) if HEX.fullmatch(sha) else ""
        case _:
            return ""


def pull(repository: Repository | None, number: int) -> str:
    """The pull request's page; empty when the forge has none."""
    return _made(repository, 3, str(number)) if number else ""
