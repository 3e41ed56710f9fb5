"""
`windlass events` and `windlass explain`: what came in, who listened, and why not.
"""

from __future__ import annotations

import click

from windlass.cli.answers import Event, Explanation, Listed
from windlass.cli.connection import Api, Query, asks_server
from windlass.cli.local.recorded import recorded
from windlass.cli.output import age, clean, fields, short, show, table


@click.group()
def events() -> None:
    """What came in, and who listened."""


events.add_command(recorded)


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
            ("EVENT", "WHAT", "REPOSITORY", "BRANCH", "COMMIT", "BY", "AGE", "MATCHED", "TITLE"),
            [
                (
                    str(each.number),
                    each.label,
                    each.repository,
                    each.branch,
                    short(each.sha),
                    each.sender,
                    age(each.at),
                    f"{each.matched} of {each.listeners}" if not each.fault else "fault",
                    each.title,
                )
                for each in found
            ],
        )


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
            ("fault", event.fault),
        ]
    )
    show("")
    table(
        ("LISTENER", "VERDICT", "CONDITION", "EXPECTED", "ACTUAL", "AT"),
        [
            (
                each.listener,
                "matched" if each.matched else "missed",
                f"run {each.run}" if each.run else each.condition,
                each.expected,
                each.actual,
                each.place,
            )
            for each in event.verdicts
        ],
    )


@click.command()
@click.argument("event", type=int, required=False)
@click.option("--repo", "repository", default="", help="With --sha: of this repository.")
@click.option("--sha", default="", help="Explain a commit, also when no webhook came.")
@asks_server
def explain(api: Api, event: int | None, repository: str, sha: str) -> None:
    """Why EVENT, or a commit, did or did not start something."""
    if (event is None) is not bool(repository and sha):
        raise click.UsageError("Give an event's number, or --repo and --sha.")
    path = "/explain" if event is None else f"/events/{event}/explain"
    query = {"repository": repository, "sha": sha} if event is None else None
    found = api.get(Explanation, path, query)
    if not api.as_json:
        for line in found.lines:
            # Indentation is meant; control characters are not.
            show(line[: len(line) - len(line.lstrip())] + clean(line.lstrip()))
