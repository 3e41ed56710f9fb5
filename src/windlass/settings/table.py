"""
Every setting: its name, its shape, its default and what it is for.

A new setting is one entry here, one field of `Settings` and one line in
`reading.read`; the reference page follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from windlass.settings import shapes
from windlass.settings.shapes import Address, Shape

T = TypeVar("T")


class LogLevel(StrEnum):
    """How much the server says of itself."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How the server says it; `auto` is text on a terminal and JSON elsewhere."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class Sandboxed(StrEnum):
    """Whose jobs run in a sandbox."""

    STRANGERS = "strangers"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """
    What is known of a setting but the shape of its value.

    `default` is text that the shape reads, or, when `computed`, says how the
    default is found.
    """

    name: str
    default: str
    help: str
    computed: bool = False
    secret: bool = False

    @property
    def flag(self) -> str:
        """Its name on the command line; a secret has none, for others can see it there."""
        return "" if self.secret else "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return "WINDLASS_" + self.name.upper()

    def show(self, settings: Settings) -> str:
        """Its value as text, a secret masked."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Known, Generic[T]):
    """One setting."""

    shape: Shape[T]

    def show(self, settings: Settings) -> str:
        """Its value as text, a secret masked."""
        return self.shape.write(getattr(settings, self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Everything that the operator set.

    Durations are in seconds, sizes in bytes, paths absolute. `origins` says where
    each value came from, by name.
    """

    data: Path
    address: Address
    public_url: str
    state_repository: str
    jobs: int
    log_level: LogLevel
    log_format: LogFormat
    body_limit: int
    api_token: str = field(repr=False)
    api_token_path: Path
    refused_kept: float
    missed_every: float
    hook_python: Path
    private_hosts: tuple[str, ...]
    sandbox: Sandboxed
    sandbox_network: bool
    sandbox_paths: tuple[Path, ...]
    origins: Mapping[str, str] = field(repr=False)


DATA = Setting(
    name="data",
    shape=shapes.PATH,
    default="`$XDG_DATA_HOME/windlass`, or `~/.local/share/windlass`",
    computed=True,
    help="The folder that holds everything the server keeps: database, logs, builds, keys.",
)
ADDRESS = Setting(
    name="address",
    shape=shapes.ADDRESS,
    default="127.0.0.1:8470",
    help="Where the server listens. Port 0 takes any free one.",
)
PUBLIC_URL = Setting(
    name="public_url",
    shape=shapes.URL,
    default="`http://` and `address`",
    computed=True,
    help="Where people and code hosts reach the server; links and webhooks begin with it.",
)
STATE_REPOSITORY = Setting(
    name="state_repository",
    shape=shapes.PLACE,
    default="`state.git` in `data`",
    computed=True,
    help="The Git repository, as path or URL, that says what runs where.",
)
JOBS = Setting(
    name="jobs",
    shape=shapes.number(least=1),
    default="the number of processor cores, at least 2",
    computed=True,
    help="How many jobs run at the same time.",
)
LOG_LEVEL = Setting(
    name="log_level",
    shape=shapes.word(LogLevel),
    default="info",
    help="How much the server says of itself: debug, info, warning or error.",
)
LOG_FORMAT = Setting(
    name="log_format",
    shape=shapes.word(LogFormat),
    default="auto",
    help="text or json; auto is text on a terminal and JSON elsewhere.",
)
BODY_LIMIT = Setting(
    name="body_limit",
    shape=shapes.SIZE,
    default="25 MiB",
    help="The largest webhook that is accepted; a larger one is answered with 413.",
)
API_TOKEN = Setting(
    name="api_token",
    shape=shapes.SECRET,
    default="what `api_token_path` holds",
    computed=True,
    secret=True,
    help="The token with which the command line speaks to the server.",
)
API_TOKEN_PATH = Setting(
    name="api_token_path",
    shape=shapes.PATH,
    default="`api-token` in `data`",
    computed=True,
    help="The file with the token of the operator; the server makes it when it first starts.",
)
REFUSED_KEPT = Setting(
    name="refused_kept",
    shape=shapes.DURATION,
    default="7d",
    help="How long refused deliveries stay to be looked at.",
)
MISSED_EVERY = Setting(
    name="missed_every",
    shape=shapes.DURATION,
    default="15m",
    help="How often code hosts are asked for deliveries that did not arrive.",
)
HOOK_PYTHON = Setting(
    name="hook_python",
    shape=shapes.PATH,
    default="the Python that runs the server",
    computed=True,
    help="The Python that the hooks of bare Git repositories are started with.",
)
PRIVATE_HOSTS = Setting(
    name="private_hosts",
    shape=shapes.HOSTS,
    default="none",
    computed=True,
    help="Hosts, as HOST or HOST:PORT with spaces between, that may be on a private network and be"
    " spoken to by plain http: your own code host, for example. No other private address is"
    " ever asked.",
)
SANDBOX = Setting(
    name="sandbox",
    shape=shapes.word(Sandboxed),
    default="strangers",
    help="Whose jobs run in a sandbox of bubblewrap, where nothing of this machine is: strangers'"
    " alone, which run nowhere else, or all.",
)
SANDBOX_NETWORK = Setting(
    name="sandbox_network",
    shape=shapes.SWITCH,
    default="false",
    help="Whether strangers' jobs have the network: true lets them reach whatever this machine"
    " reaches, its own ports included.",
)
SANDBOX_PATHS = Setting(
    name="sandbox_paths",
    shape=shapes.PATHS,
    default="none",
    computed=True,
    help="What jobs in a sandbox may read besides `/usr`, as paths with `:` between: tools in"
    " `/opt`, for example.",
)

TABLE: tuple[Known, ...] = (
    DATA,
    ADDRESS,
    PUBLIC_URL,
    STATE_REPOSITORY,
    JOBS,
    LOG_LEVEL,
    LOG_FORMAT,
    BODY_LIMIT,
    API_TOKEN,
    API_TOKEN_PATH,
    REFUSED_KEPT,
    MISSED_EVERY,
    HOOK_PYTHON,
    PRIVATE_HOSTS,
    SANDBOX,
    SANDBOX_NETWORK,
    SANDBOX_PATHS,
)
