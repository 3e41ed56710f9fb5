"""
Configurations by commit, read from the mirror and kept while they are in use.

They are kept by commit, and under that by content: a thousand commits that do not
touch the configuration are loaded once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from windlass.config.schema import load
from windlass.core.configuration import Configuration
from windlass.core.errors import ConfigError
from windlass.core.listener import collect
from windlass.git.mirror import Mirror

MOST = 256
# Bytes of text that are read on a thread, because they take longer than others should wait.
LARGE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a commit says: a configuration, or its faults; `absent` when it has no file at all."""

    configuration: Configuration
    fault: ConfigError | None = None
    absent: bool = False


class Configurations:
    """Loads and keeps configurations; one for the whole server."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Loaded] = OrderedDict()
        self._commits: OrderedDict[tuple[str, str], Loaded] = OrderedDict()

    async def at(self, mirror: Mirror, sha: str) -> Loaded:
        """The configuration of a commit that is in the mirror."""
        key = (str(mirror.path), sha)
        if key in self._commits:
            self._commits.move_to_end(key)
            return self._commits[key]
        found = self._commits[key] = await self._load(mirror, sha)
        if len(self._commits) > MOST:
            self._commits.popitem(last=False)
        return found

    async def _load(self, mirror: Mirror, sha: str) -> Loaded:
        try:
            files = await mirror.config_files(sha)
        except ConfigError as error:
            return Loaded(Configuration(), error)
        if not files:
            return Loaded(Configuration(), absent=True)
        return await self.of(files)

    async def of(self, files: Mapping[str, bytes]) -> Loaded:
        """The configuration in these files, as if a commit had them."""
        key = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if sum(map(len, files.values())) < LARGE:
            loaded = _loaded(files)
        else:
            loaded = await asyncio.to_thread(_loaded, files)
        self._kept[key] = loaded
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return loaded


def _loaded(files: Mapping[str, bytes]) -> Loaded:
    try:
        written = load(files)
    except ConfigError as error:
        return Loaded(Configuration(), error)
    return Loaded(replace(written, listeners=collect(written.listeners)))
