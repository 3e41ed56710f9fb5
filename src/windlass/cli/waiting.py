"""
Waiting for a run to end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec

import click

from windlass.cli.answers import Run
from windlass.cli.connection import Api
from windlass.cli.exits import Exit, Failure
from windlass.cli.output import say, show, state

P = ParamSpec("P")
ENDED = frozenset({"succeeded", "failed", "cancelled", "skipped"})
PAUSE = 0.5


def waits(command: Callable[P, None]) -> Callable[P, None]:
    """Give a command `--wait` and `--timeout`."""
    with_timeout = click.option(
        "--timeout", default=3600.0, metavar="SECONDS", help="Stop waiting after this long."
    )(command)
    return click.option("--wait", is_flag=True, help="Wait until the run has ended.")(with_timeout)


def started(api: Api, run: Run, *, wait: bool, timeout: float) -> None:
    """Tell of a run that was started; with `wait`, end as it ends."""
    say(f"Run {run.number}: {api.url}/runs/{run.number}")
    if wait:
        run = until_ended(Api(api.url, api.token), run.number, timeout)
    if not api.as_json:
        show(f"{run.number}  {state(run.state)}")
    if wait:
        judge(run)


def until_ended(api: Api, number: int, timeout: float) -> Run:
    """The run once it has ended; a `Failure` when it goes on for longer."""
    end = time.monotonic() + timeout
    while True:
        run = api.get(Run, f"/runs/{number}")
        if run.state in ENDED:
            return run
        if time.monotonic() >= end:
            raise Failure(
                f"Run {number} is still {run.state} after {timeout:g} s.",
                where=f"{api.url}/runs/{number}",
                next_step=f"windlass logs -f {number}",
                code=Exit.PENDING,
            )
        time.sleep(min(PAUSE, max(0.0, end - time.monotonic())))


def judge(run: Run) -> None:
    """End as the run did: quietly when it is green."""
    if run.state == "succeeded":
        return
    failed = next((job for job in run.jobs if job.state == "failed"), None)
    why = run.reason or (f"{failed.name}: {failed.reason}" if failed else "")
    raise Failure(
        f"Run {run.number} {run.state}" + (f": {why}" if why else "."),
        next_step=f"windlass logs {run.number}" + (f" {failed.name}" if failed else ""),
        code=Exit.DECLINED if run.state == "cancelled" else Exit.NOT_GREEN,
    )
