"""
Rows: how a record becomes a row and comes back.

A field of a primitive type is a column of that type; anything else (an event, a
run, a mapping, a tuple) is JSON text. JSON that an older version wrote still
loads: what is missing takes its default, what is no longer known is passed over.
Text that no database takes (NUL, half a surrogate pair) is stored with U+FFFD in
its place, so that every database answers alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import ClassVar, Generic, Protocol, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

from windlass.core.errors import Bug
from windlass.ports.store import Scalar

R = TypeVar("R")
Row = tuple[Scalar, ...]
_FIX = str.maketrans({"\0": "\ufffd", **{chr(code): "\ufffd" for code in range(0xD800, 0xE000)}})


class Record(Protocol):
    """What every class in `RECORDS` says of itself."""

    KEY: ClassVar[tuple[str, ...]]
    UNIQUE: ClassVar[tuple[tuple[str, ...], ...]]
    INDEXES: ClassVar[tuple[tuple[str, ...], ...]]


class Storage(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    BOOLEAN = "boolean"
    BYTES = "bytes"
    JSON = "json"


PRIMITIVES: Mapping[object, Storage] = {
    str: Storage.TEXT,
    int: Storage.INTEGER,
    float: Storage.REAL,
    bool: Storage.BOOLEAN,
    bytes: Storage.BYTES,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One field as a column; `default` is what rows from before it existed hold."""

    name: str
    storage: Storage
    hint: object
    nullable: bool
    default: Scalar


class Layout(Generic[R]):
    """How the records of one class are stored; made once for each class, by `layout`."""

    def __init__(self, kind: type[R]) -> None:
        """Read the class; `Bug` when a field cannot be stored."""
        self.kind = kind
        self.table = table_name(kind.__name__)
        self.columns = _columns(kind)
        self.names = tuple(column.name for column in self.columns)
        self.key = key_of(kind)
        self.versioned = "version" in self.names
        self._values: Callable[[object], tuple[object, ...]] = attrgetter(*self.names)
        self._keys = attrgetter(*self.key)
        self._texts = self._places(Storage.TEXT)
        self._json = self._places(Storage.JSON)
        self._booleans = self._places(Storage.BOOLEAN)
        self._decoders = tuple(
            (place, msgspec.json.Decoder(self.columns[place].hint)) for place in self._json
        )

    def _places(self, storage: Storage) -> tuple[int, ...]:
        return tuple(i for i, column in enumerate(self.columns) if column.storage is storage)

    def pack(self, record: R) -> Row:
        """The record as a row, in the order of `names`."""
        row = list(self._values(record))
        for place in self._texts:
            row[place] = clean(row[place])
        for place in self._json:
            row[place] = encode(row[place])
        return tuple(row)  # type: ignore[arg-type]

    def unpack(self, row: Row) -> R:
        """The record in a row; `Bug` when its JSON does not fit."""
        values: list[object] = list(row)
        for place in self._booleans:
            values[place] = bool(values[place])
        try:
            for place, decoder in self._decoders:
                values[place] = decoder.decode(values[place])  # type: ignore[arg-type]
        except msgspec.DecodeError as wrong:
            key = ", ".join(str(row[self.names.index(name)]) for name in self.key)
            raise Bug(f"row {key} of table {self.table} cannot be read: {wrong}") from wrong
        return self.kind(**dict(zip(self.names, values, strict=True)))

    def key_values(self, record: R) -> Row:
        """The record's primary key."""
        values = self._keys(record)
        return values if len(self.key) > 1 else (values,)


def layout(kind: type[R]) -> Layout[R]:
    """The layout of a record class."""
    return cast("Layout[R]", _layout(cast("Hashable", kind)))


@cache
def _layout(kind: Hashable) -> Layout[object]:
    return Layout(cast("type[object]", kind))


def key_of(kind: type) -> tuple[str, ...]:
    """The primary key of a record class; `Bug` when it names none."""
    key: tuple[str, ...] | None = getattr(kind, "KEY", None)
    if not key:
        raise Bug(f"{kind.__name__} is no record: it has no KEY")
    return key


def table_name(name: str) -> str:
    """`StoredRun` -> `run`, `PullRequestState` -> `pull_request_state`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name.removeprefix("Stored")).lower()


def clean(text: object) -> object:
    """The text without what no database takes; anything else as it is."""
    if not isinstance(text, str) or (text.isascii() and "\0" not in text):
        return text
    return text.translate(_FIX)


def encode(value: object) -> str:
    """The value as JSON text."""
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_clean_all(msgspec.to_builtins(value, enc_hook=_plain))).decode()


def _plain(value: object) -> object:
    """Mappings of every kind are objects."""
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(type(value).__name__)


def _clean_all(value: object) -> object:
    match value:
        case dict():
            return {clean(key): _clean_all(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_clean_all(inner) for inner in value]
        case _:
            return clean(value)


def _columns(kind: type) -> tuple[Column, ...]:
    hints = get_type_hints(kind)
    found = []
    for field in fields(kind):
        hint, nullable = _without_none(hints[field.name])
        storage = PRIMITIVES.get(hint, Storage.JSON)
        if field.default is not MISSING:
            default = field.default
        elif field.default_factory is not MISSING:
            default = field.default_factory()
        else:
            default = None
        if storage is Storage.JSON and default is not None:
            default = encode(default)
        found.append(Column(field.name, storage, hint, nullable, default))
    return tuple(found)


def _without_none(hint: object) -> tuple[object, bool]:
    """A primitive type that may be absent, apart from its None; all else as it is."""
    if get_origin(hint) is UnionType:
        rest = tuple(part for part in get_args(hint) if part is not NoneType)
        if len(rest) == 1 and rest[0] in PRIMITIVES:
            return rest[0], True
    return hint, False
