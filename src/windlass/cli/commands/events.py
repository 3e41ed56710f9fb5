"""
`windlass events` and `windlass explain`: what came in, who listened, and why not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from windlass.cli.answers import Event, Explanation, Listed, Verdict
from windlass.cli.commands.deliveries import COMMANDS as DELIVERIES
from windlass.cli.commands.replay import replay
from windlass.cli.connection import Api, Query, api_of, asks_server, server_options
from windlass.cli.exits import Exit, Failure
from windlass.cli.local.explained import Recording, explain_recorded
from windlass.cli.local.recorded import FORGES, recorded
from windlass.cli.only import only
from windlass.cli.output import age, fields, indented, short, show, table, took


@click.group()
def events() -> None:
    """What came in, and who listened."""


for command in (recorded, replay, *DELIVERIES):
    events.add_command(command)


@events.command("list")
@click.option("--repository", default="", help="Only of this repository.")
@click.option("--limit", default=30, type=click.IntRange(1, 500))
@click.option("--before", type=int, default=None, help="Only numbers below this.")
@asks_server
def every(api: Api, repository: str, limit: int, before: int | None) -> None:
    """Events, newest first."""
    query: Query = {"repository": repository, "limit": limit, "before": before}
    found = api.get(Listed[Event], "/events", query).items
    if not api.as_json:
        table(
            (
                *("EVENT", "WHAT", "REPOSITORY", "BRANCH", "COMMIT", "BY", "AGE", "MATCHED"),
                "TITLE",
            ),
            [
                (
                    str(each.number),
                    f"{each.label} (repeats {each.origin})" if each.origin else each.label,
                    each.repository,
                    each.branch,
                    short(each.sha),
                    each.sender,
                    age(each.at),
                    _matched(each),
                    each.title,
                )
                for each in found
            ],
            empty="No event yet: push something, or see windlass doctor",
        )


def _matched(event: Event) -> str:
    """How many listeners started something, and how many more would have, were they not shadows."""
    if event.fault:
        return "fault"
    shadow = f", {event.shadow} in shadow" if event.shadow else ""
    return f"{event.matched} of {event.listeners}{shadow}"


@events.command("show")
@click.argument("number", type=int)
@asks_server
def one(api: Api, number: int) -> None:
    """One event, and what every listener said to it."""
    event = api.get(Event, f"/events/{number}")
    if api.as_json:
        return
    fields(
        [
            ("event", str(event.number)),
            ("what", event.label),
            ("repository", event.repository),
            ("branch", event.branch),
            ("commit", event.sha),
            ("title", event.title),
            ("by", event.sender),
            ("at", event.at.isoformat()),
            ("delivery", event.delivery),
            ("took", took(event.source.took_ms) if event.source else ""),
            ("repeats", f"event {event.origin}" if event.origin else ""),
            ("fault", event.fault),
        ]
    )
    show("")
    table(
        ("LISTENER", "VERDICT", "CONDITION", "EXPECTED", "ACTUAL", "AT", "NEAREST"),
        [
            (
                each.listener,
                "matched" if each.matched else "missed",
                _came(each),
                each.expected,
                each.actual,
                each.place,
                each.nearest,
            )
            for each in event.verdicts
        ],
    )


def _came(verdict: Verdict) -> str:
    """The run that it started, or why there is none."""
    if verdict.run:
        return f"run {verdict.run}"
    return "shadow" if verdict.matched and verdict.shadow else verdict.condition


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("event", required=False, metavar="[EVENT|BODY]")
@click.option("--repository", "--repo", "named", default="", help="Whose; else the only one's.")
@click.option("--sha", default="", help="Explain a commit, also when no webhook came.")
@click.option(
    "--pull-request",
    type=click.IntRange(min=1),
    help="Explain a pull request, also when no webhook came.",
)
@click.option("--forge", type=click.Choice(FORGES), help="BODY is a recorded webhook of this one.")
@click.option("--config", type=_FOLDER, help="With --forge: where the configuration is; else here.")
@click.option("--headers", type=_FILE, help="With --forge: a file of its headers.")
@click.option(
    "--files", "changed", type=_FILE, help="With --forge: a file that lists all changed files."
)
@server_options
def explain(  # noqa: PLR0913  # each is an option
    *,
    event: str | None,
    sha: str,
    pull_request: int | None,
    server: str,
    token: str,
    as_json: bool,
    **recording: Unpack[Recording],
) -> None:
    """
    Why EVENT, a commit or a pull request did or did not start something.

    A commit or pull request is of the --repository that is named, or of the only one. When no
    webhook told of it, the code host is asked why: the first true reason is printed, with what
    to do about it.

    With --forge: what the listeners of a folder would make of the recorded webhook BODY. That
    needs no server, checks no signature, and is decided as the server decides it.
    """
    if recording["forge"] is None:
        if recording["config"] or recording["headers"] or recording["changed"]:
            raise click.UsageError("Give --forge with a recorded webhook.")
        query: Query = {
            "repository": recording["named"],
            "sha": sha,
            "pull_request": pull_request,
        }
        _explain_stored(api_of(server, token, as_json=as_json), event, query)
        return
    if sha or pull_request or server or token or event is None:
        raise click.UsageError("With --forge, give the file of a body, and nothing of a server.")
    body = _FILE(event)
    explain_recorded(Path(body), recording, as_json=as_json)


def _explain_stored(api: Api, event: str | None, query: Query) -> None:
    given = [name for name in ("sha", "pull_request") if query[name]]
    if len(given) != (event is None) or (event and query["repository"]):
        raise click.UsageError("Give an event's number, or one of --sha and --pull-request.")
    if event is None:
        path, query = "/explain", _of_one(api, query)
    else:
        path = f"/events/{_number(event)}/explain"
    found = api.get(Explanation, path, query)
    if not api.as_json:
        for line in found.lines:
            indented(line)


def _of_one(api: Api, query: Query) -> Query:
    """What is asked of one repository, which is the only one where none is named."""
    from windlass.core.errors import UserError
    from windlass.engine.wording import commit_id

    try:
        sha = commit_id(str(query["sha"])) if query["sha"] else ""
    except UserError as error:
        raise Failure(error.message, code=Exit.USAGE) from error
    return {**query, "repository": query["repository"] or only(api), "sha": sha}


def _number(event: str) -> int:
    if not event.isdecimal():
        raise click.UsageError(f"{event!r} is no event: give an event's number, or --sha.")
    return int(event)
