"""
Deliveries as they came: listed, compared, kept as files, and sent again by hand.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import shlex
from pathlib import Path
from urllib.parse import quote

import click

from windlass.cli.answers import Delivery, DeliveryDetail, Listed, Refusal
from windlass.cli.connection import Api, Query, asks_server
from windlass.cli.exits import Exit, Failure
from windlass.cli.output import age, clean, say, show, table, took

# How a request proves who sent it, by forge: what has to be added to what is kept.
HMAC = 'openssl dgst -sha256 -hmac "$SECRET" < body.json'
SIGNED = {
    "github": f"X-Hub-Signature-256: sha256=HEX, the HEX of: {HMAC}",
    "gitea": f"X-Gitea-Signature: HEX, the HEX of: {HMAC}",
    "forgejo": f"X-Forgejo-Signature: HEX, the HEX of: {HMAC}",
    "gogs": f"X-Gogs-Signature: HEX, the HEX of: {HMAC}",
    "gitlab": "X-Gitlab-Token: $SECRET",
    "bitbucket-cloud": f"X-Hub-Signature: sha256=HEX, the HEX of: {HMAC}",
    "bitbucket-dc": f"X-Hub-Signature: sha256=HEX, the HEX of: {HMAC}",
    "azure": "Authorization: Basic, with $SECRET as the password",
}
OTHERS = "webhook-signature and a present webhook-timestamp, as Standard Webhooks say"
# Lines of each of two deliveries that are compared, and the characters of a line.
LINES = 5000
WIDTH = 2000


@click.command("deliveries")
@click.option("--failed", is_flag=True, help="Only those that could not be handled.")
@click.option("--refused", is_flag=True, help="Requests that were not accepted.")
@click.option("--repository", default="", help="Only of this repository.")
@click.option("--limit", default=30, type=click.IntRange(1, 500))
@asks_server
def every(api: Api, *, failed: bool, refused: bool, repository: str, limit: int) -> None:
    """Webhook requests as they came, newest first."""
    if refused and failed:
        raise click.UsageError("Give --failed or --refused, not both.")
    if refused:
        _refused(api, repository, limit)
        return
    query: Query = {"repository": repository, "limit": limit, "state": "failed" if failed else ""}
    found = api.get(Listed[Delivery], "/deliveries", query).items
    if not api.as_json:
        table(
            ("DELIVERY", "STATE", "SOURCE", "REPOSITORY", "TOOK", "AGE", "REASON"),
            [
                (
                    one.id,
                    one.state,
                    f"replay of {one.origin}" if one.origin else one.source,
                    one.repository,
                    took(one.took_ms),
                    age(one.received_at),
                    one.reason,
                )
                for one in found
            ],
            empty="No such delivery; windlass doctor looks for what keeps webhooks away",
        )


def _refused(api: Api, repository: str, limit: int) -> None:
    query: Query = {"repository": repository, "limit": limit}
    found = api.get(Listed[Refusal], "/refusals", query).items
    if not api.as_json:
        table(
            ("ANSWER", "REPOSITORY", "FROM", "BYTES", "AGE", "REASON"),
            [
                (
                    str(one.status),
                    one.repository,
                    one.source,
                    str(one.size),
                    age(one.at),
                    one.reason,
                )
                for one in found
            ],
            empty="No request was refused",
        )


@click.command("curl")
@click.argument("delivery")
@asks_server
def curl(api: Api, delivery: str) -> None:
    """Print how to send DELIVERY again by hand; secrets are not among what is printed."""
    one = api.get(DeliveryDetail, _path(delivery))
    if api.as_json:
        return
    if not one.hook:
        raise Failure(
            "No webhook brought it, or this token may not see where webhooks go.",
            where=delivery,
            next_step=f"windlass events replay {clean(delivery)}",
        )
    proof = SIGNED.get(one.forge, OTHERS)
    show(f"# The body: windlass events download {clean(one.id)} .")
    show(f"# To sign it: SECRET=$(windlass repo secret {shlex.quote(clean(one.repository))})")
    show(f"# and add -H for {proof}")
    show("# An id that came before counts once: give another one to have it taken anew.")
    headers = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _headers(one)]
    lines = [
        f"curl -X POST {shlex.quote(api.url + one.hook)}",
        *headers,
        "--data-binary @body.json",
    ]
    show(" \\\n  ".join(lines))


@click.command("download")
@click.argument("delivery")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@asks_server
def download(api: Api, delivery: str, folder: Path) -> None:
    """
    Write DELIVERY into FOLDER: headers.json, and body.json as it came.

    `windlass explain --forge` and the tests of listeners take both as they are.
    """
    one = api.get(DeliveryDetail, _path(delivery))
    body = api.ask("GET", f"{_path(delivery)}/body")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dict(_headers(one)), indent=2) + "\n"
        (folder / "headers.json").write_text(text, encoding="utf-8")
        (folder / "body.json").write_bytes(body)
    except OSError as error:
        raise Failure(
            f"It cannot be written: {error.strerror}.",
            where=str(folder),
            next_step="name a folder that you may write to",
        ) from error
    say(f"{folder / 'headers.json'} and {folder / 'body.json'} are written.")
    if one.forge:
        said = f"--forge {one.forge} --headers {folder / 'headers.json'} {folder / 'body.json'}"
        say(f"Try listeners on it: windlass explain {said}")


@click.command("diff")
@click.argument("one")
@click.argument("other")
@asks_server
def diff(api: Api, one: str, other: str) -> None:
    """Compare two deliveries, line by line: their headers and their bodies."""
    quiet = Api(api.url, api.token)
    before, after = _lines(quiet, one), _lines(quiet, other)
    found = list(difflib.unified_diff(before, after, clean(one), clean(other), lineterm=""))
    if api.as_json:
        show(json.dumps({"lines": found}))
        return
    for line in found:
        show(line)
    if not found:
        say("They are the same.")


def _lines(api: Api, identity: str) -> list[str]:
    """A delivery as lines without control characters, cut to what can be compared."""
    one = api.get(DeliveryDetail, _path(identity))
    text = api.ask("GET", f"{_path(identity)}/body").decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    headers = [f"{name}: {value}" for name, value in _headers(one)]
    body = text.splitlines()
    if len(body) > LINES:
        say(f"Only the first {LINES} lines of {clean(identity)} are compared.")
    return [*headers, "", *(_printable(line) for line in body[:LINES])]


def _printable(line: str) -> str:
    """A line with its indentation, less control characters, cut."""
    indented = len(line) - len(line.lstrip(" "))
    return line[:indented] + clean(line[indented:WIDTH])


def _headers(one: DeliveryDetail) -> list[tuple[str, str]]:
    return [(clean(name), clean(value)) for name, value in sorted(one.headers.items())]


def _path(identity: str) -> str:
    if not identity.strip("./"):
        raise Failure(f"{identity!r} is no delivery.", code=Exit.USAGE)
    return f"/deliveries/{quote(identity, safe='')}"


COMMANDS = (every, curl, download, diff)
