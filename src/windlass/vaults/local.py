"""
Secrets at rest: sealed with AES-256-GCM, the key beside the data and not in it.

A sealed value is bound to its name and scope, so it opens nowhere else. It
begins with the id of its key: after `Keys.rotate` old values still open, and
`LocalVault.reseal` brings them to the new key one by one.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from windlass.core.errors import Permanent, UserError
from windlass.vaults.secret import SecretValue

# The first byte of a sealed value; a second format would have another.
FORMAT = b"\x01"
ID, NONCE, KEY = 4, 12, 32


class Sealed(Protocol):
    """Where sealed values are kept; the store gives it, and never sees a plain one."""

    def load(self, name: str, scope: str) -> bytes | None:
        """The sealed value, None when there is none."""

    def save(self, name: str, scope: str, sealed: bytes) -> None:
        """Keep a sealed value in place of the one before."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one data folder by their ids; `current` seals."""

    path: Path
    current: bytes
    by_id: Mapping[bytes, bytes] = field(repr=False)

    @classmethod
    def open(cls, path: Path) -> Self:
        """
        The keys in this file, which is made with a first key when there is none.

        Raises `UserError` when others may read the file or when it is no key file.
        """
        try:
            if not path.exists():
                _write(path, [_new_key()], replace=False)
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise UserError(
                    f"{path} can be read by others",
                    hint=f"type `chmod 600 {path}`",
                    code="key-file",
                )
            return cls._read(path)
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}", code="key-file") from error

    @classmethod
    def _read(cls, path: Path) -> Self:
        try:
            pairs = [row.split() for row in path.read_text(encoding="ascii").splitlines()]
            keys = {
                bytes.fromhex(name): base64.b64decode(key, validate=True) for name, key in pairs
            }
        except ValueError:
            keys = {}
        if {(len(name), len(key)) for name, key in keys.items()} != {(ID, KEY)}:
            raise UserError(
                f"{path} is no key file", hint="restore it from your backup", code="key-file"
            )
        return cls(path, next(iter(keys)), keys)

    def rotate(self) -> Self:
        """Put a new key in front; the old ones still open what they sealed."""
        old = [(name, key) for name, key in self.by_id.items() if name != self.current]
        rows = [_new_key(), (self.current, self.by_id[self.current]), *old]
        _write(self.path, rows, replace=True)
        return self._read(self.path)


@dataclass(frozen=True, slots=True)
class LocalVault:
    """Secrets sealed in the store."""

    store: Sealed
    keys: Keys

    def get(self, name: str, scope: str) -> SecretValue | None:
        """The value; `Permanent` when its key is missing or it was tampered with."""
        sealed = self.store.load(name, scope)
        return None if sealed is None else self._open(sealed, name, scope)

    def put(self, name: str, scope: str, value: bytes) -> None:
        """Seal a value and keep it."""
        head = FORMAT + self.keys.current
        nonce = os.urandom(NONCE)
        cipher = AESGCM(self.keys.by_id[self.keys.current])
        self.store.save(
            name,
            scope,
            head + nonce + cipher.encrypt(nonce, bytes(value), _bound(head, name, scope)),
        )

    def reseal(self, name: str, scope: str) -> bool:
        """Seal a value with the current key; false when it is already, or is not there."""
        sealed = self.store.load(name, scope)
        if sealed is None or sealed.startswith(FORMAT + self.keys.current):
            return False
        self.put(name, scope, self._open(sealed, name, scope))
        return True

    def _open(self, sealed: bytes, name: str, scope: str) -> SecretValue:
        head, rest = sealed[: 1 + ID], sealed[1 + ID :]
        key = self.keys.by_id.get(head[1:])
        if not head.startswith(FORMAT) or key is None:
            raise Permanent(
                f"the secret {name} of {scope} was sealed with a key that {self.keys.path} "
                "does not hold; restore the file, or set the secret again"
            )
        try:
            return SecretValue(
                AESGCM(key).decrypt(rest[:NONCE], rest[NONCE:], _bound(head, name, scope))
            )
        except (InvalidTag, ValueError):
            raise Permanent(
                f"the secret {name} of {scope} was changed where it is stored; set it again"
            ) from None


def _bound(head: bytes, name: str, scope: str) -> bytes:
    """What a sealed value is bound to; lengths keep `a/b`, `c` apart from `a`, `b/c`."""
    where = scope.encode()
    return head + len(where).to_bytes(4) + where + name.encode()


def _new_key() -> tuple[bytes, bytes]:
    return secrets.token_bytes(ID), AESGCM.generate_key(8 * KEY)


def _write(path: Path, rows: list[tuple[bytes, bytes]], *, replace: bool) -> None:
    """Write the key file as a whole; without `replace`, one that is there by now stays."""
    text = "".join(f"{name.hex()} {base64.b64encode(key).decode()}\n" for name, key in rows)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  # a descriptor, made private at once
            file.write(text.encode())
            file.flush()
            os.fsync(descriptor)
        if replace:
            new.rename(path)
        else:
            os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
