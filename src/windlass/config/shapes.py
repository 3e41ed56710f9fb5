"""
The shape of the language: every key, its type, its default and what it is for.

One source for loading, for the JSON Schema and for the reference.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, Tag

from windlass.config.on import On
from windlass.config.parameters import Parameter
from windlass.config.shape import Shape
from windlass.config.words import (
    Count,
    Duration,
    Inside,
    Insides,
    JobIf,
    ListenerIf,
    Room,
    Script,
    Secret,
    Template,
    Text,
    Texts,
    Truth,
    by_kind,
    texts,
    word,
)
from windlass.core.approval import WEEK
from windlass.core.pipeline import HOUR

_ENV = {"variables": "env"}
_ALLOW = {"continue-on-error": "allow_failure", "soft_fail": "allow_failure"}
_TIMEOUT = {"timeout-minutes": "timeout"}
_IMAGE = (
    "jobs run as processes on the server: install what the job needs there, or start a container "
    "in a step: podman run ..."
)


class FromSecret(Shape):
    """A value that only the vault knows."""

    WHAT = "a secret"
    STAND_INS: ClassVar = {"from_secret": "x"}
    from_secret: Secret = Field(description="name of the secret")


EnvValue = Annotated[
    Annotated[Template, Tag("<text>")] | Annotated[FromSecret, Tag("<secret>")],
    by_kind("<text>", "<secret>"),
]
Env = dict[str, EnvValue]


class Concurrency(Shape):
    """At most so many runs of one group are under way at once."""

    WHAT = "a concurrency"
    SYNONYMS: ClassVar = {"cancel-in-progress": "cancel_in_progress"}
    STAND_INS: ClassVar = {"group": "x"}
    group: Template = Field(description="runs with the same text wait for each other")
    limit: Room = Field(1, description="how many of them may be under way at once")
    cancel_in_progress: Truth = Field(
        default=False, description="a new run ends the oldest until it has a place"
    )
    queue: Annotated[str, *word("oldest", "newest")] = Field(
        "oldest", description="who waits: all, the oldest goes first; or only the newest"
    )


class Action(Shape):
    """What a listener does: build, deploy, promote or pipeline."""

    WHAT = "an action"
    build: Text = Field("", description="service to build")
    deploy: Text = Field("", description="service to deploy")
    promote: Text = Field("", description="service to deploy as another environment runs it")
    pipeline: Text = Field("", description="pipeline to run")
    environment: Text = Field("", description="where to deploy to; on a build: checked early")
    from_: Text = Field("", alias="from", description="promote: environment to take it from")
    with_: dict[str, Template] = Field(
        {}, alias="with", description="pipeline: values of its parameters"
    )


class Listener(Shape):
    """On this event, under these conditions, do these actions."""

    WHAT = "a listener"
    SYNONYMS: ClassVar = {"trigger": "on", "target": "base", "source": "head"}
    MISPLACED: ClassVar = {
        "environment": "it belongs to an action: do: [{deploy: api, environment: dev}]",
        "steps": "they belong to a job of a pipeline: do: [{pipeline: ci}]",
    }
    STAND_INS: ClassVar = {"on": "manual", "do": []}
    on: On = Field(description="events, with their actions where they have several")
    branches: Texts = Field([], description="patterns of the pushed branch")
    tags: Texts = Field([], description="patterns of the tag")
    head: Texts = Field([], description="patterns of the branch a pull request comes from")
    base: Texts = Field([], description="patterns of the branch a pull request goes to")
    unless: Annotated[str, *word("open_pull_request")] | None = Field(
        None, description="not on a push to the head of an open pull request"
    )
    labels: Texts = Field([], description="patterns of which some label must fit one")
    draft: Truth | None = Field(None, description="only drafts, or only others")
    paths: Texts = Field([], description="patterns of which some changed file must fit one")
    if_: ListenerIf = Field("", alias="if", description="CEL over event, payload, headers ...")
    own: Truth | None = Field(None, description="also on pushes of commits that Windlass made")
    do: list[Action] = Field(description="actions of one run, in this order")
    shadow: Truth = Field(default=False, description="decides and records, and starts nothing")
    concurrency: Concurrency | None = Field(None, description="which runs wait for each other")


class Retry(Shape):
    """How often a job may start again."""

    WHAT = "a retry"
    max: Count = Field(0, description="how many more times")
    when: Annotated[
        list[Annotated[str, *word("worker_lost", "failed")]], *texts("worker_lost", "failed")
    ] = Field(["worker_lost"], description="after which ends")


class Artifacts(Shape):
    """Files of a job that are kept."""

    WHAT = "artifacts"
    ABSENT: ClassVar = {
        "reports": "test reports are not read yet: keep the file by naming it in `paths`"
    }
    STAND_INS: ClassVar = {"paths": []}
    paths: Insides = Field(description="patterns below the workspace")


class Step(Shape):
    """One script in the job's workspace."""

    WHAT = "a step"
    SYNONYMS: ClassVar = {"commands": "run", "script": "run", **_ENV, **_ALLOW, **_TIMEOUT}
    ABSENT: ClassVar = {
        "image": _IMAGE,
        "if": "put the condition on the job, or test a variable in the script",
        "uses": "there are no ready-made steps: write the commands in `run`",
    }
    STAND_INS: ClassVar = {"run": "true"}
    run: Script = Field(description="the script, a text or a list of lines")
    name: Text = Field("", description="shown in the log; else the first line")
    env: Env = Field({}, description="variables of this step")
    timeout: Duration | None = Field(None, description="time for this step")
    allow_failure: Truth = Field(default=False, description="the job goes on when it fails")


class Job(Shape):
    """One node of a pipeline: steps, or a build, a deploy, or another pipeline."""

    WHAT = "a job"
    SYNONYMS: ClassVar = {
        "depends_on": "needs",
        "services": "sidecars",
        **_ENV,
        **_ALLOW,
        **_TIMEOUT,
    }
    ABSENT: ClassVar = {
        "image": _IMAGE,
        "sidecars": "start what the tests need in a step, and stop it with `trap ... EXIT`",
        "matrix": "write one job for each value, or one with a loop",
        "cache": "keep the cache in a folder on the server, and name it in `env`",
        "approval": "put `approval` on the environment that is deployed to",
        "concurrency": "put `concurrency` on the listener",
    }
    MISPLACED: ClassVar = dict.fromkeys(
        ("run", "script", "commands"), "a script stands in a step: steps: [{run: ...}]"
    )
    needs: Texts = Field([], description="jobs that must have ended well before")
    if_: JobIf = Field("", alias="if", description="CEL; always(), failed() ask about `needs`")
    steps: list[Step] | None = Field(None, description="scripts, one after the other")
    build: Text = Field("", description="service to build")
    deploy: Text = Field("", description="service to deploy")
    promote: Text = Field("", description="service to deploy as another environment runs it")
    pipeline: Text = Field("", description="pipeline to run as part of this one")
    environment: Text = Field("", description="where to deploy to")
    from_: Text = Field("", alias="from", description="promote: environment to take it from")
    with_: dict[str, Template] = Field(
        {}, alias="with", description="pipeline: values of its parameters"
    )
    env: Env = Field({}, description="variables of all steps")
    artifacts: Annotated[
        Artifacts | None,
        BeforeValidator(lambda v: {"paths": v} if isinstance(v, str | list) else v),
    ] = Field(None, description="files to keep: a list, or {paths: [...]}")
    timeout: Duration = Field(HOUR, description="time for the whole job")
    retry: Retry | None = Field(None, description="when it may start again")
    allow_failure: Truth = Field(default=False, description="followers start also when it fails")


class Pipeline(Shape):
    """A graph of jobs."""

    WHAT = "a pipeline"
    STAND_INS: ClassVar = {"jobs": {}}
    with_: dict[str, Parameter] = Field({}, alias="with", description="parameters")
    jobs: dict[str, Job] = Field(description="jobs, in the order they are shown")
    finally_: dict[str, Job] = Field(
        {}, alias="finally", description="jobs that run last in every case"
    )


class Recipe(Shape):
    """How a service is built."""

    WHAT = "a recipe"
    SYNONYMS: ClassVar = {**_ENV, **_TIMEOUT}
    ABSENT: ClassVar = {
        "image": "build the image in a step (podman build ...) and keep its archive in `artifacts`"
    }
    STAND_INS: ClassVar = {"steps": [{"run": "true"}], "artifacts": ["*"]}
    steps: list[Step] = Field(description="scripts, in the folder of the checkout")
    artifacts: Insides = Field(description="patterns below the service's path: what is deployed")
    env: Env = Field({}, description="variables of all steps")
    timeout: Duration = Field(HOUR, description="time for the whole build")


class Health(Shape):
    """How to tell that a deployment works: a URL that answers 2xx, or a command that exits 0."""

    WHAT = "a health check"
    url: Template = Field("", description="must answer 2xx")
    command: Text = Field("", description="must exit 0")
    timeout: Duration = Field(60.0, description="how long it may take to become healthy")


class Service(Shape):
    """Something that is built and deployed."""

    WHAT = "a service"
    path: Inside = Field("", description="folder of the repository that belongs to it")
    build: Recipe | None = Field(None, description="how it is built")
    health: Health | None = Field(None, description="how to tell that it works")


class Directory(Shape):
    """A folder with releases and a link to the current one."""

    WHAT = "a directory target"
    STAND_INS: ClassVar = {"path": "/nowhere"}
    path: Template = Field(description="absolute path on the server")
    after: Text = Field("", description="command run in the new release")


class Target(Shape):
    """How a build reaches an environment."""

    WHAT = "a target"
    ABSENT: ClassVar = {
        "container": "use `directory` with an `after` that starts the container",
        "kubernetes": "use `directory` with an `after` that calls kubectl or helm",
        "git": "use `directory` with an `after` that commits and pushes",
    }
    directory: Directory = Field(description="a folder with releases")


class Reconcile(Shape):
    """How often what runs is compared with what should run."""

    WHAT = "a reconcile"
    every: Duration = Field(180.0, description="time between two looks")
    drift: Annotated[str, *word("report", "heal")] = Field(
        "report", description="what to do about a difference"
    )


class Approval(Shape):
    """Who may let a deployment go on."""

    WHAT = "an approval"
    approvers: Texts = Field([], description="people; empty is anyone who may write")
    min: Count = Field(1, description="how many of them")
    prevent_self: Truth = Field(default=False, description="not the one who asked for it")
    timeout: Duration = Field(WEEK, description="how long it waits")


class Environment(Shape):
    """A place to deploy to, and what protects it."""

    WHAT = "an environment"
    ABSENT: ClassVar = {
        "freeze": "lock the environment for that time",
        "auto_rollback": "roll back by hand when a deployment fails",
        "per": "write one environment for each place; none is made for each pull request yet",
    }
    STAND_INS: ClassVar = {"target": {"directory": {"path": "/nowhere"}}}
    target: Target = Field(description="how a build gets there")
    url: Template = Field("", description="where people find it")
    tier: Text = Field("", description="production, staging ..., for display and reports")
    branches: Texts = Field([], description="patterns of branches that may deploy; empty is any")
    reviewed: Truth = Field(
        default=False, description="only merged pull requests that another approved"
    )
    promote_from: Texts = Field([], description="only builds that ran healthily there")
    verified_by: Texts = Field([], description="only trees that these pipelines passed")
    soak: Duration = Field(0.0, description="how long it must have run in `promote_from`")
    approval: Approval | None = Field(None, description="who must consent")
    reconcile: Reconcile | None = Field(None, description="how often, and what about drift")
    max_wait: Duration = Field(WEEK, description="a deployment that waits longer expires")


class File(Shape):
    """The whole configuration."""

    WHAT = "the configuration"
    listeners: dict[str, Listener] = Field({}, description="when this happens, do that")
    pipelines: dict[str, Pipeline] = Field({}, description="graphs of jobs")
    services: dict[str, Service] = Field({}, description="what is built and deployed")
    environments: dict[str, Environment] = Field({}, description="where to deploy to")
