"""
Pipelines, jobs and steps as written, and the actions that lead to them.

This is what a configuration says, after every check and before any event.
Texts that hold `${{ ... }}` are kept as written; they are rendered when a run
is created, or when a job starts if they ask for the outputs of other jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from windlass.core.errors import Place

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that only the vault knows: `{from_secret: NAME}`."""

    from_secret: str


Environ = Mapping[str, str | Secret]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One script in the job's workspace; `run` is data for a shell and is never rendered."""

    name: str
    run: str
    env: Environ = field(default_factory=dict)
    condition: str = ""
    timeout: float | None = None
    allow_failure: bool = False
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """An image that a job or one of its sidecars runs in, and where that is written."""

    name: str
    place: Place


class JobKind(StrEnum):
    """What a job does; each job does exactly one of these."""

    STEPS = "steps"
    BUILD = "build"
    DEPLOY = "deploy"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a job may start again, and after which ends (`worker_lost`, `failed`)."""

    max: int = 0
    when: tuple[str, ...] = ("worker_lost",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    One node of a run's graph.

    A job of kind BUILD or DEPLOY names its `service`, and `environment` where it has
    one. A DEPLOY takes what the environment `promote_from` runs, or the build `digest`
    where a person named one; `rollback` pins it there. A `final` job (from `finally`)
    starts when all others have ended.
    `timeout` is in seconds, `images` are what it and its sidecars run in.
    """

    name: str
    kind: JobKind
    needs: tuple[str, ...] = ()
    condition: str = ""
    env: Environ = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    service: str = ""
    environment: str = ""
    promote_from: str = ""
    digest: str = ""
    rollback: bool = False
    artifacts: tuple[str, ...] = ()
    timeout: float = HOUR
    allow_failure: bool = False
    retry: Retry = Retry()
    final: bool = False
    place: Place | None = None
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A job that stands for a whole pipeline; inlined as `NAME/JOB` when a run is created."""

    name: str
    pipeline: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    condition: str = ""
    final: bool = False
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """
    One entry of a pipeline's `with`, or an input: its type, default and allowed values, as text.

    One that is `optional` needs neither a value nor a default.
    """

    name: str
    type: str = "string"
    default: str | None = None
    enum: tuple[str, ...] = ()
    optional: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A graph of jobs, in the order they were written."""

    name: str
    parameters: tuple[Parameter, ...] = ()
    jobs: tuple[Job | Call, ...] = ()
    place: Place | None = None


class ActionKind(StrEnum):
    """What a listener may do."""

    BUILD = "build"
    DEPLOY = "deploy"
    PROMOTE = "promote"
    PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """
    One entry of a listener's `do`; `name` is the service, or the pipeline's name.

    `promote_from` is set for PROMOTE only.
    """

    kind: ActionKind
    name: str
    environment: str = ""
    promote_from: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    place: Place | None = None

    @property
    def label(self) -> str:
        """
        What its result is reported as: `build/SERVICE`, `deploy/ENVIRONMENT`, `pipeline/NAME`.

        >>> Action(kind=ActionKind.PROMOTE, name="api", environment="dev").label
        'deploy/dev'
        """
        if self.kind in {ActionKind.DEPLOY, ActionKind.PROMOTE}:
            return f"deploy/{self.environment}"
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRecipe:
    """How a service is built: steps, and which of their files make the build."""

    steps: tuple[Step, ...]
    artifacts: tuple[str, ...]
    env: Environ = field(default_factory=dict)
    timeout: float = HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How to tell that a deployment works: a URL that answers 2xx, or a command that exits 0."""

    url: str = ""
    command: str = ""
    timeout: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Something that is built and deployed; `path` is what of the repository belongs to it."""

    name: str
    path: str = ""
    build: BuildRecipe | None = None
    health: Health | None = None
    place: Place | None = None
