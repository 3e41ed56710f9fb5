"""
The target's side of the world, and the small ports: `Target`, `Notifier`, `Vault`, `Clock`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from windlass.core.environment import TargetSpec
from windlass.core.pipeline import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """
    What shall run at a place (`REPOSITORY/ENVIRONMENT/SERVICE`).

    `generation` rises with every admitted deployment of the place; a target that
    has seen a higher one refuses a lower (`Conflict`). `package` is the local
    file of the build (a tar). `env` is handed to commands of the target.
    """

    place: str
    generation: int
    digest: str
    spec: TargetSpec
    package: Path
    health: Health | None = None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """
    What really runs at a place.

    `digest` is empty when nothing does. `intact` is false when what is there was
    changed by hand; `detail` says how. `unknown` says that the last apply was cut
    off and nobody can tell its end.
    """

    digest: str = ""
    generation: int = 0
    intact: bool = True
    healthy: bool | None = None
    unknown: bool = False
    detail: str = ""


class Target(Protocol):
    """A way for builds to reach a place."""

    async def apply(self, desired: Desired) -> str:
        """Make it so, check its health, and return what to show of it; twice is once."""

    async def observe(self, desired: Desired) -> Observed:
        """Compare what runs with what shall run."""

    async def remove(self, desired: Desired) -> None:
        """Take the place away; twice is once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to tell the world outside forges."""

    id: str
    type: str
    subject: str
    data: Mapping[str, str]


class Notifier(Protocol):
    """A way to tell."""

    async def send(self, notice: Notice) -> None:
        """Send it, within a time limit."""


class Vault(Protocol):
    """Where secret values are."""

    def get(self, name: str, scope: str) -> bytes | None:
        """The value of this secret for this repository, None when there is none."""


class Clock(Protocol):
    """Time, handed in."""

    def now(self) -> float:
        """UTC seconds."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
