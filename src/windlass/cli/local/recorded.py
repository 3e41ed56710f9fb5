"""
`windlass events read`: what a recorded webhook means, without a server.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli.exits import Exit, Failure
from windlass.cli.output import clean, short, show, table

if TYPE_CHECKING:
    from windlass.core.event import Event, Ignored
    from windlass.ports.forge import Request

FORGES = (
    "github", "gitlab", "gitea", "forgejo", "gogs", "bitbucket-cloud", "bitbucket-dc", "azure",
    "generic", "plain",
)  # fmt: skip
FIRST_LINE = re.compile(r"[A-Z]+ \S+ HTTP/|HTTP/")


@click.command("read")
@click.option("--forge", required=True, type=click.Choice(FORGES), help="Whose dialect it is.")
@click.option(
    "--headers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="A file of its headers: lines `Name: value`, or one JSON object.",
)
@click.option("--repository", default="", help="The repository's name, if not as the body says.")
@click.argument("body", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON.")
def recorded(
    *, forge: str, headers: Path | None, repository: str, body: Path, as_json: bool
) -> None:
    """Say what the recorded webhook BODY means. Needs no server, and checks no signature."""
    from windlass.core.event import Ignored
    from windlass.ports.forge import Request

    named = read_headers(headers.read_bytes()) if headers else {}
    request = Request(headers=named, body=body.read_bytes(), at=time.time())
    found = meant(forge, request, repository=repository, where=str(body))
    if isinstance(found, Ignored):
        if as_json:
            show("[]")
        raise Failure(f"It is ignored: {clean(found.reason)}.", where=str(body))
    if as_json:
        show(json.dumps([told(event) for event in found], indent=2))
        return
    table(
        ("EVENT", "REPOSITORY", "BRANCH OR TAG", "COMMIT", "NUMBER", "BY", "TITLE"),
        [
            (
                event.label,
                event.repository,
                event.branch or event.tag or "",
                short(event.sha or ""),
                str(event.number or ""),
                event.sender or "",
                event.title or "",
            )
            for event in found
        ],
    )


def meant(
    forge: str, request: Request, *, repository: str = "", where: str = ""
) -> tuple[Event, ...] | Ignored:
    """The events of a request, or why it is ignored; a `Failure` when it cannot be read."""
    from windlass.core.errors import BadDelivery, NotFound
    from windlass.wiring.dialects import events

    try:
        return events(forge, request, repository=repository)
    except BadDelivery as error:
        raise Failure(f"It cannot be read: {error}.", where=where) from error
    except NotFound as error:
        raise Failure(f"{error.message}.", next_step=error.hint, code=Exit.NOT_FOUND) from error


def read_headers(text: bytes) -> dict[str, str]:
    """Headers by their name in lower case, as a browser, curl or a JSON file has them."""
    lines = text.decode("latin-1").splitlines()
    if text.lstrip().startswith(b"{"):
        try:
            given = json.loads(text)
        except ValueError as error:
            raise Failure(f"The headers are no JSON: {error}.", code=Exit.USAGE) from error
        return {str(name).lower(): str(value) for name, value in given.items()}
    pairs = [line.partition(":") for line in lines if not FIRST_LINE.match(line)]
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def told(event: Event) -> dict[str, object]:
    """An event as JSON has it; null where there is none."""
    return {
        "type": event.kind,
        "action": event.action,
        "repository": event.repository or None,
        "branch": event.branch,
        "tag": event.tag,
        "sha": event.sha,
        "before": event.before,
        "number": event.number,
        "base": event.base,
        "head": event.head,
        "base_sha": event.base_sha,
        "head_sha": event.head_sha,
        "sender": event.sender,
        "sender_id": event.sender_id,
        "author": event.author,
        "author_id": event.author_id,
        "fork": event.fork,
        "fork_owner": event.fork_owner or None,
        "title": event.title,
        "body": event.body,
        "labels": list(event.labels),
        "draft": event.draft,
        "url": event.url,
        "message": event.message,
        "files": None if event.files is None else list(event.files),
        "at": event.at,
    }
