"""
The configuration language, as others see it: bytes in, rules out.

`load` gives the configuration or every fault at once. `faults` and `notes` are for
`windlass lint`, `fix` for its `--fix`, `json_schema` for editors. Which of the files
of a commit are read, `chosen` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from windlass.config.check import check
from windlass.config.codes import CODES
from windlass.config.document import LIMIT_NODES, parse
from windlass.config.editors import json_schema
from windlass.config.nodes import Document
from windlass.config.reading import Reading, read
from windlass.config.rules import configuration
from windlass.core.configuration import Configuration
from windlass.core.errors import ConfigError, Fault, Place

__all__ = ["CODES", "chosen", "faults", "fix", "json_schema", "load", "notes"]

FOLDER, FILES = ".windlass", (".windlass.yaml", ".windlass.yml")
LIMIT_FILES = 200


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """
    Which of these paths hold the configuration, sorted.

    All `*.yaml` and `*.yml` of the folder `.windlass` if there are any, else
    `.windlass.yaml`, else `.windlass.yml`.
    """
    there = set(names)
    folder = (
        name
        for name in there
        if name.startswith(f"{FOLDER}/")
        and name.count("/") == 1
        and name.endswith((".yaml", ".yml"))
    )
    return tuple(sorted(folder)) or tuple(name for name in FILES if name in there)[:1]


def load(files: Mapping[str, bytes]) -> Configuration:
    """The configuration in these files (name -> content); raises `ConfigError` with all faults."""
    reading = _read(files)
    found = _sorted(reading.findings.faults)
    if found:
        raise ConfigError(found)
    return configuration(reading)


def faults(files: Mapping[str, bytes]) -> tuple[Fault, ...]:
    """Everything that is wrong with these files, by place."""
    return _sorted(_read(files).findings.faults)


def notes(files: Mapping[str, bytes]) -> tuple[Fault, ...]:
    """What is not wrong and better said otherwise: synonyms, a second place that is not read."""
    found = list(_read(files).findings.notes)
    left = sorted(set(files) - set(chosen(files)))
    if left and set(files) & {*FILES} and chosen(files):
        message = f"{left[0]} is not read: {chosen(files)[0]} comes first"
        hint = "keep the configuration in one place"
        found.append(Fault(message, Place(left[0], 1, 1), hint, "two-places"))
    return _sorted(found)


def fix(name: str, data: bytes) -> bytes:
    """The file with canonical words for its synonyms; all else, comments too, as it was."""
    reading = read([parse(name, data)])
    if not reading.findings.edits:
        return data
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    text = data.decode("utf-8-sig")
    for edit in sorted(reading.findings.edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return mark + text.encode()


def _read(files: Mapping[str, bytes]) -> Reading:
    reading = read(_documents(files))
    _names(reading, files)
    check(reading)
    return reading


def _documents(files: Mapping[str, bytes]) -> list[Document]:
    """The files, read within one limit of values for all of them."""
    documents: list[Document] = []
    left = LIMIT_NODES
    for name in sorted(files)[:LIMIT_FILES]:
        document = parse(name, files[name], nodes=left)
        documents.append(document)
        left -= document.root.weight if document.root is not None else 0
    return documents


def _names(reading: Reading, names: Iterable[str]) -> None:
    """Names of files that would be another file elsewhere, or none of this repository."""
    seen: dict[str, str] = {}
    for name in sorted(names):
        place = Place(name, 1, 1)
        if name.startswith("/") or ".." in name.split("/") or not name.isprintable():
            hint = "write it from the root of the repository"
            reading.fault("the file is outside the repository", place, hint, code="file-name")
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            hint = "they would be one file on another computer: rename one of them"
            reading.fault(f"'{twin}' has the same name", place, hint, code="file-name")
    if len(seen) > LIMIT_FILES:
        message = f"{len(seen)} files, expected at most {LIMIT_FILES}"
        reading.fault(message, Place(min(names), 1, 1), "join some", code="yaml-size")


def _sorted(found: Iterable[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda fault: fault.place))
