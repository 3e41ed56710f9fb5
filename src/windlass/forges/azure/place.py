"""
Addresses of repositories on Azure DevOps, Services and Server, as people paste them.

>>> place("https://me@dev.azure.com/acme/Web%20Shop/_git/shop").root
'https://dev.azure.com/acme'
>>> place("https://acme.visualstudio.com/_git/shop").project
'shop'
>>> place("https://tfs.example:8443/tfs/Main/shop/_git/api/").root
'https://tfs.example:8443/tfs/Main'
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from windlass.core.errors import UserError

SERVICES, OLD_SERVICES = "dev.azure.com", ".visualstudio.com"
# The folder of the web server that a self-hosted installation stands in, unless told otherwise.
FOLDER = "tfs"
LONGEST = 256
FORMS = (
    "give https://dev.azure.com/ORGANISATION/PROJECT/_git/REPOSITORY,"
    " or https://HOST/COLLECTION/PROJECT/_git/REPOSITORY"
)


@dataclass(frozen=True, slots=True)
class Place:
    """
    A repository: its address without a user, its organisation's address, its names.

    `people` is where the identities of that organisation are asked for; none of them has
    a slash at its end.
    """

    url: str
    root: str
    people: str
    project: str
    name: str

    @property
    def api(self) -> str:
        """The path of the repository in the API, below `root`."""
        return f"/{_quoted(self.project)}/_apis/git/repositories/{_quoted(self.name)}"

    @property
    def web(self) -> str:
        """The repository's page."""
        return f"{self.root}/{_quoted(self.project)}/_git/{_quoted(self.name)}"


def origin(url: str) -> str:
    """`https://HOST[:PORT]` of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def place(url: str) -> Place:
    """Which repository an address means; `UserError` when it is none of Azure DevOps."""
    parts = _parts(url)
    host = parts.netloc.rpartition("@")[2].lower()
    names = [unquote(text) for text in parts.path.split("/") if text]
    before, mark, after = names, "", [""]
    if "_git" in names:
        at = names.index("_git")
        before, mark, after = names[:at], names[at], names[at + 1 :]
    if not mark or len(after) != 1 or not all(map(_usable, [*before, *after])):
        raise _unfit(url)
    name = after[0].removesuffix(".git")
    roots, projects = _above(host, before)
    if roots is None or len(projects) > 1 or not name:
        raise _unfit(url)
    root = "/".join([f"{parts.scheme}://{host}", *map(_quoted, roots)])
    shown = f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
    return Place(shown, root, _people(host, root), (projects or [name])[0], name)


def _above(host: str, before: list[str]) -> tuple[list[str] | None, list[str]]:
    """The names of the organisation or collection, None when it is left out; then the project."""
    if host == SERVICES:
        return before[:1] or None, before[1:]
    if host.endswith(OLD_SERVICES):
        return [], before[1:] if before[:1] == ["DefaultCollection"] else before
    # A project like its repository may be left out, and only then is one name a collection.
    start = 1 if before[:1] == [FOLDER] else max(0, len(before) - 2)
    return before[: start + 1] if before[start:] else None, before[start + 1 :]


def _people(host: str, root: str) -> str:
    if host == SERVICES:
        return root.replace(f"//{SERVICES}", f"//vssps.{SERVICES}")
    if host.endswith(OLD_SERVICES):
        return root.replace(OLD_SERVICES, f".vssps{OLD_SERVICES}")
    return root


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise _unfit(url)
    return parts


def _usable(name: str) -> bool:
    plain = name.isprintable() and not any(mark in name for mark in "/\\?#%")
    return plain and name not in {".", ".."} and len(name) <= LONGEST


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _unfit(url: str) -> UserError:
    shown = url.strip().rpartition("@")[2][:200]
    return UserError(f"{shown!r} is no repository of Azure DevOps", hint=FORMS, code="address")
