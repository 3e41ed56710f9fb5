"""
`windlass runs`: what was started, how it stands, and stopping or repeating it.
"""

from __future__ import annotations

import click

from windlass.cli.answers import Job, Listed, Run
from windlass.cli.connection import Api, Query, asks_server
from windlass.cli.output import age, fields, say, short, show, state, table
from windlass.cli.waiting import started, waits
from windlass.core.parameters import text_of
from windlass.core.run import State

NO_RUN = "No such run; windlass events list shows what came in, and windlass explain why not more."


@click.group()
def runs() -> None:
    """What was started, and how it stands."""


class States(click.Choice[str]):
    """States of a run, with commas between several."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The same text; a usage error for a state that there is not."""
        for one in value.split(","):
            super().convert(one, param, ctx)
        return value


@runs.command("list")
@click.option("--repository", default="", help="Only of this repository.")
@click.option(
    "--state",
    "wanted",
    type=States([str(one) for one in State]),
    help="Only in this state; commas between several.",
)
@click.option("--limit", default=30, type=click.IntRange(1, 500))
@click.option("--before", type=int, default=None, help="Only numbers below this.")
@asks_server
def every(api: Api, repository: str, wanted: str | None, limit: int, before: int | None) -> None:
    """Runs, newest first."""
    query: Query = {"repository": repository, "state": wanted, "limit": limit, "before": before}
    found = api.get(Listed[Run], "/runs", query).items
    if not api.as_json:
        table(
            ("RUN", "STATE", "LISTENER", "WHAT", "REPOSITORY", "BRANCH", "COMMIT", "AGE", "TITLE"),
            [
                (
                    str(each.number),
                    each.state,
                    each.listener,
                    each.what,
                    each.repository,
                    each.branch,
                    short(each.sha),
                    age(each.created_at),
                    each.title,
                )
                for each in found
            ],
            empty=NO_RUN,
        )


@runs.command("show")
@click.argument("number", type=int)
@asks_server
def one(api: Api, number: int) -> None:
    """One run with its jobs."""
    run = api.get(Run, f"/runs/{number}")
    if api.as_json:
        return
    fields(
        [
            ("run", str(run.number)),
            ("state", run.state),
            ("reason", run.reason),
            ("listener", run.listener),
            ("cause", run.cause),
            ("event", f"{run.event} ({run.label})"),
            ("repeats", f"event {run.origin}" if run.origin else ""),
            ("repository", run.repository),
            ("branch", run.branch),
            ("commit", run.sha),
            ("title", run.title),
            ("by", run.sender),
            *((f"input {name}", text_of(value)) for name, value in (run.inputs or {}).items()),
            ("page", f"{api.url}/runs/{run.number}"),
        ]
    )
    show("")
    table(
        ("JOB", "KIND", "STATE", "TOOK", "STEP", "REASON"),
        [
            (each.name, each.kind, each.state, _took(each), _step(each), each.reason)
            for each in run.jobs
        ],
    )


def _took(job: Job) -> str:
    if job.started_at is None or job.ended_at is None:
        return ""
    return f"{(job.ended_at - job.started_at).total_seconds():.1f}s"


def _step(job: Job) -> str:
    """The step that failed, or that runs."""
    return next((step.name for step in job.steps if step.state in {"failed", "running"}), "")


@runs.command("cancel")
@click.argument("number", type=int)
@click.option("--reason", default="", help="Kept with the run.")
@asks_server
def cancel(api: Api, number: int, reason: str) -> None:
    """End a run; jobs that have not started never will."""
    run = api.post(Run, f"/runs/{number}/cancel", {"reason": reason})
    if not api.as_json:
        show(f"{run.number}  {state(run.state)}")
    say(f"Run {number} is asked to end.")


@runs.command("rerun")
@click.argument("number", type=int)
@waits
@asks_server
def rerun(api: Api, number: int, *, wait: bool, timeout: float) -> None:
    """Start a new run of the same event and listener."""
    started(api, api.post(Run, f"/runs/{number}/rerun"), wait=wait, timeout=timeout)


@runs.command("release")
@click.argument("number", type=int)
@asks_server
def release(api: Api, number: int) -> None:
    """Let a held run go."""
    run = api.post(Run, f"/runs/{number}/release")
    if not api.as_json:
        show(f"{run.number}  {state(run.state)}")
