"""
From flags, environment and file to `Settings`, with every fault at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from windlass.core.errors import UserError
from windlass.settings import table
from windlass.settings.sources import Host, Sources, settings_file
from windlass.settings.table import Setting, Settings

T = TypeVar("T")


def read(
    flags: Mapping[str, str], environ: Mapping[str, str], host: Host, *, file: str = ""
) -> Settings:
    """
    All settings; `flags` are by the settings' names, `file` is the value of `--settings`.

    Raises `UserError` (code `settings`) whose text has one line for each fault.
    """
    sources = Sources(
        flags=flags,
        environ=environ,
        folder=host.folder,
        file=settings_file(file, environ, host),
    )
    sources.open()
    taking = _Taking(sources)
    data = taking.take(table.DATA, lambda: _data(environ, host))
    address = taking.take(table.ADDRESS)
    settings = Settings(
        data=data,
        address=address,
        public_url=taking.take(table.PUBLIC_URL, lambda: address.url),
        state_repository=taking.take(table.STATE_REPOSITORY, lambda: str(data / "state.git")),
        jobs=taking.take(table.JOBS, lambda: max(2, host.cores)),
        log_level=taking.take(table.LOG_LEVEL),
        log_format=taking.take(table.LOG_FORMAT),
        body_limit=taking.take(table.BODY_LIMIT),
        api_token=taking.take(table.API_TOKEN, str),
        api_token_path=taking.take(table.API_TOKEN_PATH, lambda: data / "api-token"),
        refused_kept=taking.take(table.REFUSED_KEPT),
        missed_every=taking.take(table.MISSED_EVERY),
        hook_python=taking.take(table.HOOK_PYTHON, lambda: host.python),
        private_hosts=taking.take(table.PRIVATE_HOSTS, tuple),
        sandbox=taking.take(table.SANDBOX),
        sandbox_network=taking.take(table.SANDBOX_NETWORK),
        sandbox_paths=taking.take(table.SANDBOX_PATHS, tuple),
        origins=taking.origins,
    )
    if sources.faults:
        raise UserError("\n".join(sources.faults), code="settings")
    return settings


@dataclass(slots=True)
class _Taking:
    """Takes one setting after the other, and notes the origin of each."""

    sources: Sources
    origins: dict[str, str] = field(default_factory=dict)

    def take(self, setting: Setting[T], default: Callable[[], T] | None = None) -> T:
        """The value; its default stands in for one that is wrong, so that all faults are found."""
        found = self.sources.find(setting)
        if found is not None:
            self.origins[setting.name] = found.origin
            try:
                return setting.shape.read(found.text, found.folder)
            except ValueError as error:
                shown = "" if setting.secret else f", not {found.text!r}"
                self.sources.faults.append(f"{found.origin}: {setting.name} wants {error}{shown}")
        self.origins.setdefault(setting.name, "default")
        try:
            return default() if default else setting.shape.read(setting.default, Path("/"))
        except LookupError as error:
            if found is None:
                self.sources.faults.append(str(error.args[0]))
            return setting.shape.read("/", Path("/"))


def _data(environ: Mapping[str, str], host: Host) -> Path:
    if (named := environ.get("XDG_DATA_HOME", "")).startswith("/"):
        return Path(named) / "windlass"
    if host.home is None:
        raise LookupError("data: there is no home folder to keep it in; set WINDLASS_DATA")
    return host.home / ".local/share/windlass"
