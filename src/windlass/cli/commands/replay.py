"""
`windlass events replay`: deliveries once more.
"""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, datetime
from secrets import token_urlsafe

import click

from windlass.cli.answers import Replay, Replays
from windlass.cli.connection import Api, asks_server
from windlass.cli.exits import Exit, Failure
from windlass.cli.output import say, table

# More at once than this are asked about first.
UNASKED = 20
# Of so many events the numbers are told.
SHOWN = 20
DEPLOYS_NOT = "Deploy jobs are skipped; --allow-deploy lets them run."
SPAN = re.compile(r"([1-9][0-9]{0,6})([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def since(text: str) -> str:
    """A span back from now, or a time with its zone, as the API takes it; empty stays empty."""
    if not text:
        return ""
    if span := SPAN.fullmatch(text):
        back = time.time() - int(span[1]) * SECONDS[span[2]]
        return datetime.fromtimestamp(back, UTC).isoformat()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.BadParameter(
            f"{text!r} is neither a span such as 2h nor a time such as 2026-01-31T09:00:00Z",
            param_hint="--since",
        )
    return moment.isoformat()


@click.command("replay")
@click.argument("events", nargs=-1, metavar="[EVENT|DELIVERY]...")
@click.option("--from", "first", type=click.IntRange(1), help="All events from this number on.")
@click.option("--to", "last", type=click.IntRange(1), help="All events up to this number.")
@click.option("--failed", is_flag=True, help="All deliveries that could not be handled.")
@click.option("--since", "begin", default="", metavar="WHEN", help="Only since then: 2h, a time.")
@click.option("--allow-deploy", is_flag=True, help="They may deploy; else deploy jobs are skipped.")
@click.option("--repository", default="", help="Of many: only of this repository.")
@click.option("--yes", is_flag=True, help="Do not ask, however many.")
@asks_server
def replay(  # noqa: PLR0913  # each is an option
    api: Api,
    events: tuple[str, ...],
    *,
    first: int | None,
    last: int | None,
    failed: bool,
    begin: str,
    allow_deploy: bool,
    repository: str,
    yes: bool,
) -> None:
    """
    Have events once more: judged by the present listeners, as new events that name the first.

    Name them, or say which: a range, those since a time, or deliveries that failed.
    """
    body: dict[str, object] = {
        "token": token_urlsafe(16),
        "events": [int(one) for one in events if one.isdecimal()],
        "deliveries": [one for one in events if not one.isdecimal()],
        "from": first,
        "to": last,
        "since": since(begin) or None,
        "failed": failed,
        "repository": repository,
        "allow_deploy": allow_deploy,
    }
    if not yes:
        quiet = Api(api.url, api.token)
        would = quiet.post(Replays, "/events/replay", {**body, "dry_run": True}).items
        _agreed(len(would), deploys=allow_deploy)
    answer = api.post(Replays, "/events/replay", body)
    done = answer.items
    if not api.as_json:
        table(
            ("DELIVERY", "REPEATS", "EVENT", "REPOSITORY"),
            [
                (one.delivery or "", one.original, str(one.event or ""), one.repository)
                for one in done
            ],
            empty="There is nothing to replay.",
        )
    if done:
        say(_told(done, deploys=allow_deploy))
    if left := answer.left_out:
        what = "1 manual event was" if left == 1 else f"{left} manual events were"
        say(f"{what} left out: windlass runs rerun RUN does one again.")


def _told(done: list[Replay], *, deploys: bool) -> str:
    """How many deliveries, which events they were, and what they may do."""
    numbers = sorted(number for one in done for number in one.events)
    what = f"{len(done)} deliver{'y' if len(done) == 1 else 'ies'} replayed"
    if numbers:
        some = ", ".join(map(str, numbers[:SHOWN])) + (", …" if len(numbers) > SHOWN else "")
        what += f" (event{'' if len(numbers) == 1 else 's'} {some})"
    may = "Deploy jobs may run." if deploys else DEPLOYS_NOT
    return f"{what}. {may}"


def _agreed(count: int, *, deploys: bool) -> None:
    """Ask about many; `Failure` when nobody said yes."""
    if count <= UNASKED:
        return
    how = "with deployments" if deploys else "without deployments"
    question = f"Replay {count} deliveries {how}?"
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        say("")
        agreed = False
    if not agreed:
        raise Failure(
            "Nothing was replayed.", next_step="to do it unasked: --yes", code=Exit.DECLINED
        )
