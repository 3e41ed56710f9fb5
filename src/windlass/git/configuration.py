"""
The configuration of a repository at a commit: which files, and their bytes.

`.windlass.yaml` (or `.yml`) in the root, or the YAML files directly in
`.windlass/`. Finding both is for the caller to judge. What could be read in
two ways is refused with every fault at once: links, submodules, and names
that differ only in case.
"""

from __future__ import annotations

from collections.abc import Iterable

from windlass.core.errors import ConfigError, Fault, Place, UserError
from windlass.git.objects import Objects
from windlass.git.tree import Entry, Kind

FOLDER = ".windlass"
FILES = (".windlass.yaml", ".windlass.yml")
ENDINGS = (".yaml", ".yml")
LARGEST = 1 << 20
MOST = 1000


async def config_files(objects: Objects, sha: str) -> dict[str, bytes]:
    """The configuration files at a commit by path; ConfigError for what cannot be one."""
    root = await objects.entries(sha)
    found = [(one.name, one) for one in root if one.name in FILES]
    folder = next((one for one in root if one.name == FOLDER), None)
    if folder and folder.kind is Kind.FOLDER:
        inside = await objects.entries(sha, FOLDER)
        found += [
            (f"{FOLDER}/{one.name}", one)
            for one in inside
            if one.name.endswith(ENDINGS) and one.kind is not Kind.FOLDER
        ]
    elif folder:
        found.append((FOLDER, folder))
    faults = [*_faults(found)]
    files: dict[str, bytes] = {}
    for path, entry in found if not faults else ():
        try:
            files[path] = await objects.blob(entry.id, path, LARGEST) or b""
        except UserError as error:
            faults.append(_fault(path, error.message))
    if faults:
        raise ConfigError(tuple(faults))
    return files


def _faults(found: list[tuple[str, Entry]]) -> Iterable[Fault]:
    if len(found) > MOST:
        yield _fault(FOLDER, f"holds {len(found)} files, more than {MOST}")
    seen: dict[str, str] = {}
    for path, entry in found:
        if entry.kind is not Kind.FILE or path == FOLDER:
            yield _fault(
                path, f"is a {_what(path, entry)}", "put the file itself into the repository"
            )
        twin = seen.setdefault(path.casefold(), path)
        if twin != path:
            yield _fault(path, f"differs from {twin} only in case", "rename one of them")


def _what(path: str, entry: Entry) -> str:
    folder = " where a folder is expected" if path == FOLDER else ", and links are not followed"
    return entry.kind.value + (folder if entry.kind in {Kind.LINK, Kind.FILE} else "")


def _fault(path: str, message: str, hint: str = "") -> Fault:
    return Fault(message, Place(path, 1, 1), hint)
