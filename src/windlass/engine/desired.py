"""
What the state repository says of one place: `REPOSITORY/ENVIRONMENT/SERVICE.yaml`.

The file holds the digest together with everything that is needed to bring it
back: its resolved target, health and drift rule. So a rollback is the earlier
file as a new commit, and reconciliation needs nothing but this file and the build.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from windlass.core.environment import TargetSpec
from windlass.core.errors import UserError
from windlass.core.expression import render
from windlass.core.pipeline import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The desired state of a place; `every` is how often it is compared, in seconds."""

    repository: str
    environment: str
    service: str
    digest: str
    commit: str
    target: str
    url: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    health: Mapping[str, str | float] = field(default_factory=dict)
    drift: str = "report"
    every: float = 180.0

    @property
    def spec(self) -> TargetSpec:
        """The target, resolved."""
        return TargetSpec(kind=self.target, options=self.options)

    @property
    def check(self) -> Health | None:
        """How to tell that it works."""
        if not self.health:
            return None
        return Health(
            url=str(self.health.get("url", "")),
            command=str(self.health.get("command", "")),
            timeout=float(self.health.get("timeout", 60.0)),
        )


def health(written: Health | None, seen: Mapping[str, object]) -> Mapping[str, str | float]:
    """The service's health check with its URL rendered."""
    if written is None:
        return {}
    said: dict[str, str | float] = {"timeout": written.timeout}
    if written.url:
        said["url"] = render(written.url, seen)
    if written.command:
        said["command"] = written.command
    return said


def dump(state: State) -> str:
    """The text of the file; the same state is always the same text."""
    said = {
        "service": state.service,
        "environment": state.environment,
        "repository": state.repository,
        "digest": state.digest,
        "commit": state.commit,
        "url": state.url,
        "target": {state.target: dict(state.options)},
        "health": dict(state.health),
        "reconcile": {"every": state.every, "drift": state.drift},
    }
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True)


def parse(text: str) -> State:
    """Read a file, which a person may have written. Raises `UserError` that says what is wrong."""
    try:
        said = yaml.safe_load(text)
        ((kind, options),) = said["target"].items()
        return State(
            repository=str(said["repository"]),
            environment=str(said["environment"]),
            service=str(said["service"]),
            digest=str(said["digest"]),
            commit=str(said["commit"]),
            url=str(said.get("url") or ""),
            target=str(kind),
            options={str(name): str(value) for name, value in options.items()},
            health=dict(said.get("health") or {}),
            drift=str(said["reconcile"]["drift"]),
            every=float(said["reconcile"]["every"]),
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"the desired state cannot be read: {error}",
            hint="revert the commit in the state repository that changed this file",
        ) from error
