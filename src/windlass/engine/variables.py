"""
The variables that a step can read: one table, which makes both them and their documentation.

Names are Woodpecker's where it has one, so that scripts move over unchanged. Values
are data: they are exported, and never become part of a script.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from windlass.core.event import Event, Kind
from windlass.core.run import JobRun
from windlass.engine.names import run_path
from windlass.ports.records import Repository, StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What variables are made from."""

    stored: StoredRun
    job: JobRun
    repository: Repository
    public_url: str
    version: str
    forge: str
    environment_url: str = ""
    digest: str = ""
    message: str = ""
    previous: str = ""

    @property
    def event(self) -> Event:
        """The event behind the run."""
        return self.stored.run.event


_Row = tuple[str, Callable[[About], str | int | None]]

# name -> (what it is, how to get it). An empty value is left out.
TABLE: Mapping[str, _Row] = {
    "CI": ("always `true`", lambda _: "true"),
    "WINDLASS": ("always `true`", lambda _: "true"),
    "CI_REPO": ("full name of the repository", lambda a: a.repository.name),
    "CI_REPO_OWNER": ("its owner", lambda a: a.repository.name.rpartition("/")[0]),
    "CI_REPO_NAME": ("its name", lambda a: a.repository.name.rpartition("/")[2]),
    "CI_REPO_URL": ("where it is", lambda a: a.repository.url),
    "CI_REPO_CLONE_URL": ("where to clone it from", lambda a: a.repository.url),
    "CI_REPO_DEFAULT_BRANCH": ("its default branch", lambda a: a.repository.default_branch),
    "CI_COMMIT_SHA": ("commit in the workspace", lambda a: a.stored.sha),
    "CI_COMMIT_REF": ("ref behind the event", lambda a: _ref(a.event)),
    "CI_COMMIT_BRANCH": ("pushed branch, or a pull request's base", lambda a: _branch(a.event)),
    "CI_COMMIT_TAG": ("tag", lambda a: a.event.tag),
    "CI_COMMIT_MESSAGE": ("message of the commit", lambda a: a.message or a.event.message),
    "CI_COMMIT_AUTHOR": ("who made the event, by name", lambda a: a.event.author or a.event.sender),
    "CI_COMMIT_SOURCE_BRANCH": ("branch a pull request comes from", lambda a: a.event.head),
    "CI_COMMIT_TARGET_BRANCH": ("branch a pull request goes to", lambda a: a.event.base),
    "CI_COMMIT_PULL_REQUEST": ("number of the pull request", lambda a: a.event.number),
    "CI_COMMIT_PULL_REQUEST_DRAFT": (
        "`true` for a draft",
        lambda a: "true" if a.event.draft else None,
    ),
    "CI_COMMIT_PULL_REQUEST_LABELS": ("its labels, by comma", lambda a: ",".join(a.event.labels)),
    "CI_PIPELINE_NUMBER": ("number of the run", lambda a: a.stored.number),
    "CI_PIPELINE_EVENT": ("kind of the event", lambda a: a.event.kind),
    "CI_PIPELINE_URL": ("page of the run", lambda a: a.public_url + run_path(a.stored.number)),
    "CI_PIPELINE_CREATED": ("when it was made, UTC seconds", lambda a: int(a.stored.created_at)),
    "CI_PIPELINE_STARTED": ("when the job started, UTC seconds", lambda a: _seconds(a.job)),
    "CI_PIPELINE_FILES": ("changed files, JSON; unset above 500", lambda a: _files(a.event)),
    "CI_PREV_COMMIT_SHA": ("what the branch held before", lambda a: a.event.before),
    "CI_PREV_PIPELINE_STATUS": ("state of the branch's run before", lambda a: a.previous),
    "CI_STEP_NAME": ("name of the step", lambda _: None),
    "CI_STEP_NUMBER": ("number of the step, from 1", lambda _: None),
    "CI_WORKSPACE": ("folder of the checkout", lambda _: None),
    "CI_SYSTEM_NAME": ("always `windlass`", lambda _: "windlass"),
    "CI_SYSTEM_URL": ("address of the server", lambda a: a.public_url),
    "CI_SYSTEM_VERSION": ("version of the server", lambda a: a.version),
    "CI_FORGE_TYPE": ("kind of forge", lambda a: a.forge),
    "CI_FORGE_URL": ("where the event can be seen", lambda a: a.event.url),
    "CI_SERVICE": ("service of a build or deploy", lambda a: a.job.job.service),
    "CI_ENVIRONMENT_NAME": ("environment of the job", lambda a: a.job.job.environment),
    "CI_ENVIRONMENT_URL": ("its URL", lambda a: a.environment_url),
    "CI_DELIVERY_ID": ("event behind the run", lambda a: a.stored.event),
    "CI_ARTIFACT_DIGEST": ("digest of the build", lambda a: a.digest),
}


def variables(about: About) -> Mapping[str, str]:
    """The variables of a job; those of a step are added by the runner."""
    made = {name: value(about) for name, (_, value) in TABLE.items()}
    return {name: str(value) for name, value in made.items() if value not in (None, "")}


def _ref(event: Event) -> str:
    if event.kind is Kind.PULL_REQUEST:
        return f"refs/pull/{event.number}/head"
    return f"refs/tags/{event.tag}" if event.tag else f"refs/heads/{event.branch}"


def _branch(event: Event) -> str | None:
    return event.base if event.kind is Kind.PULL_REQUEST else event.branch


def _seconds(job: JobRun) -> int | None:
    return None if job.started_at is None else int(job.started_at)


def _files(event: Event) -> str | None:
    most = 500
    return None if event.files is None or len(event.files) > most else json.dumps(event.files)
