"""
Secrets from the environment of the server, for those who have a secret store already.

`WINDLASS_SECRET_NPM_TOKEN` (or `..._FILE`, a path) is the secret `npm-token`, and
`WINDLASS_SECRET_NPM_TOKEN_FOR` lists the repositories that may read it, `*` for
all. Without that list nobody may: a variable set for one team is not given to
every repository on the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from windlass.core.errors import Permanent
from windlass.vaults.secret import SecretValue

PREFIX = "WINDLASS_SECRET_"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class EnvVault:
    """Secrets in the variables that were handed in."""

    environ: Mapping[str, str] = field(repr=False)

    def get(self, name: str, scope: str) -> SecretValue | None:
        """The value, None unless it is set and this repository may read it."""
        variable = PREFIX + name.upper().replace("-", "_")
        # `x-for` would name the list of `x`, and `x-file` its path.
        if not NAME.fullmatch(name) or variable.endswith(("_FOR", "_FILE")):
            return None
        if not {scope, "*"} & set(self.environ.get(f"{variable}_FOR", "").split()):
            return None
        if (value := self.environ.get(variable)) is not None:
            return SecretValue(value.encode(errors="surrogateescape"))
        path = self.environ.get(f"{variable}_FILE")
        return None if path is None else _read(path, f"{variable}_FILE")


def _read(path: str, variable: str) -> SecretValue:
    """A file's content without the line end that editors add."""
    try:
        return SecretValue(Path(path).read_bytes().removesuffix(b"\n").removesuffix(b"\r"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Permanent(f"{path}, named by {variable}, cannot be read: {reason}") from error
