"""
`windlass logs`: what the jobs of a run said, or say.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from urllib.parse import quote

import click

from windlass.cli.answers import Run
from windlass.cli.connection import Api, asks_server, refused
from windlass.cli.exits import Exit, Failure
from windlass.cli.output import colourful, say, show
from windlass.cli.waiting import ENDED, PAUSE
from windlass.web.pages.sgr import colours_only, strip

CHUNK = 1 << 20
SILENT = frozenset({"pending", "held", "skipped"})


@click.command()
@click.argument("run", type=int)
@click.argument("job", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come, until the end.")
@click.option("--timestamps", is_flag=True, help="Begin each line with its time (UTC).")
@asks_server
def logs(api: Api, run: int, job: str | None, *, follow: bool, timestamps: bool) -> None:
    """The log of JOB of RUN; without JOB, of every job that started."""
    done: set[str] = set()
    quiet = Api(api.url, api.token)
    while True:
        found = quiet.get(Run, f"/runs/{run}")
        names = [each.name for each in found.jobs]
        if job is not None and job not in names:
            raise Failure(
                f"Run {run} has no job {job!r}.",
                next_step=f"its jobs: {', '.join(names)}",
                code=Exit.NOT_FOUND,
            )
        for each in found.jobs:
            if each.name in done or each.state in SILENT or job not in {None, each.name}:
                continue
            if job is None:
                say(f"== {strip(each.name)} ({each.state})")
            _print(api, run, each.name, follow=follow, timestamps=timestamps)
            done.add(each.name)
        if not follow or found.state in ENDED or job in done:
            return
        time.sleep(PAUSE)


def _print(api: Api, run: int, job: str, *, follow: bool, timestamps: bool) -> None:
    path = f"/runs/{run}/jobs/{quote(job)}/log"
    with api.client() as client:
        if follow:
            with client.stream("GET", path, params={"follow": "1"}, timeout=None) as answer:
                if answer.is_error:
                    raise refused(answer.status_code, answer.read(), f"{api.url}{path}")
                for line in answer.iter_lines():
                    if line.startswith('data: "'):
                        _lines(api, json.loads(line[6:]), timestamps=timestamps)
            return
        offset = 0
        while True:
            answer = client.get(path, params={"offset": offset, "limit": CHUNK})
            if answer.is_error:
                raise refused(answer.status_code, answer.content, f"{api.url}{path}")
            if not answer.content:
                return
            _lines(api, answer.text, timestamps=timestamps)
            offset = int(answer.headers["Windlass-Next-Offset"])


def _lines(api: Api, text: str, *, timestamps: bool) -> None:
    for line in text.split("\n"):
        match line.split(" ", 3):
            case [at, step, stream, said] if at.isdecimal():
                _line(api, (int(at), step, stream, said), timestamps=timestamps)
            case _:
                pass  # the empty rest after the last line


def _line(api: Api, line: tuple[int, str, str, str], *, timestamps: bool) -> None:
    at, step, stream, said = line
    if api.as_json:
        show(json.dumps({"at": at, "step": int(step), "stream": stream, "text": strip(said)}))
        return
    text = colours_only(said) if colourful(sys.stdout) else strip(said)
    moment = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    show(f"{moment.replace('+00:00', 'Z')}  {text}" if timestamps else text)
