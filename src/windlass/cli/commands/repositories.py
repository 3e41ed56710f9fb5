"""
`windlass repo`: connect repositories, and look after their webhooks.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import click

from windlass.cli.answers import Added, Hook, Listed, Recovered, Repository, Rotated, Secret
from windlass.cli.commands.policies import policy, short
from windlass.cli.commands.trust import claims_of, trust
from windlass.cli.connection import Api, asks_server
from windlass.cli.exits import Exit, Failure
from windlass.cli.only import NONE
from windlass.cli.output import fields, moment, say, table


@click.group()
def repo() -> None:
    """Connect repositories, and look after their webhooks."""


repo.add_command(policy)
repo.add_command(trust)


@repo.command("add")
@click.argument("url")
@click.option("--name", default="", help="Its name here; taken from the URL otherwise.")
@click.option("--forge", default="", help="Which code host it is on; found out otherwise.")
@click.option(
    "--token-file",
    type=click.File(),
    metavar="FILE",
    help="A file with the token for the code host; - is standard input. Asked for otherwise.",
)
@click.option(
    "--poll/--webhook",
    "polling",
    default=None,
    help="Ask the code host again and again, or have it send webhooks; by default a webhook where"
    " it can reach the server.",
)
@click.option(
    "--oidc-issuer",
    default="",
    metavar="URL",
    help="Trust tokens of this OIDC issuer; with --forge generic.",
)
@click.option(
    "--oidc-audience", default="", metavar="AUDIENCE", help="For whom a token has to be (`aud`)."
)
@click.option(
    "--oidc-claim",
    "oidc_claims",
    multiple=True,
    metavar="NAME=VALUE",
    help="What a token must claim; repeatable, and of values for the same NAME one will do.",
)
@click.option("--no-input", is_flag=True, help="Ask nothing.")
@asks_server
def add(  # noqa: PLR0913 - one parameter for each option
    api: Api,
    url: str,
    name: str,
    forge: str,
    token_file: TextIO | None,
    *,
    polling: bool | None,
    oidc_issuer: str,
    oidc_audience: str,
    oidc_claims: tuple[str, ...],
    no_input: bool,
) -> None:
    """
    Connect the repository at URL, put its webhook in place, and prove that it arrives.

    URL is the address of a repository on a code host, or the path of a bare repository here.
    """
    began = time.monotonic()
    claims = claims_of(oidc_claims)
    token = token_file.read().strip() if token_file else ""
    if "://" in url:
        if not token and not no_input and sys.stdin.isatty():
            token = _asked(url)
    else:
        url = str(Path(url).resolve())  # the server stands in another folder
    asked: dict[str, object] = {
        "url": url,
        "name": name,
        "forge": forge,
        "token": token,
        "polling": polling,
    }
    if oidc_issuer or oidc_audience or claims:
        oidc = {"issuer": oidc_issuer, "audience": oidc_audience, "claims": claims}
        asked |= {"oidc": oidc}
    added = api.post(Added, "/repositories", asked)
    if not api.as_json:
        where = "none: the code host is asked every half minute"
        fields(
            [
                ("name", added.repository.name),
                ("forge", added.repository.forge),
                ("branch", added.repository.default_branch),
                ("webhook", where if added.repository.polling else api.url + added.webhook),
                *([("issuer", oidc_issuer)] if oidc_issuer else []),
            ]
        )
    if added.ping is not None:
        say(f"Its ping arrived after {added.ping:.1f} s.")
    if added.hook.problem:
        say(f"The webhook is not in place: {added.hook.problem}")
    else:
        say(f"Connected in {time.monotonic() - began:.1f} s.")


@repo.command("token")
@click.argument("url")
@click.option("--token-file", type=click.File(), metavar="FILE", help="A file with the token.")
@asks_server
def token(api: Api, url: str, token_file: TextIO | None) -> None:
    """
    Store the token for the code host of URL, or for one repository's URL.

    It is asked for, or read from standard input where nobody can be asked. A report that was
    refused for want of a right is sent again.
    """
    if token_file is not None:
        said = token_file.read().strip()
    else:
        said = _asked(url) if sys.stdin.isatty() else sys.stdin.read().strip()
    api.ask("POST", "/tokens", body={"url": url, "token": said})
    say(f"The token for {url} is stored.")


def _asked(url: str) -> str:
    """A token that somebody types or pastes unseen; empty when there is none to give."""
    answer: str = click.prompt(
        f"Token for {url} (empty: the one that is stored, or none)",
        default="",
        hide_input=True,
        show_default=False,
        err=True,
    )
    return answer.strip()


@repo.command("list")
@asks_server
def every(api: Api) -> None:
    """All repositories."""
    found = api.get(Listed[Repository], "/repositories").items
    if not api.as_json:
        table(
            ("NAME", "STATE", "FORGE", "BRANCH", "URL", "POLICY", "PROBLEM"),
            [
                (
                    *(each.name, _state(each), each.forge, each.default_branch, each.url),
                    *(short(each.policy), each.problem),
                )
                for each in found
            ],
            empty=NONE,
        )


def _state(one: Repository) -> str:
    """How it is connected, if it still is."""
    if not one.active:
        return "disconnected"
    return "polled" if one.polling else "connected"


@repo.command("check")
@click.argument("name")
@asks_server
def check(api: Api, name: str) -> None:
    """Whether the webhook of NAME is there; a broken one is put right, and what it missed found."""
    state = api.post(Hook, f"/repositories/{quote(name)}/check", {})
    if state.problem or not state.present:
        raise Failure(state.problem or "The webhook is not there.", where=name, code=Exit.ERROR)
    asked = Api(api.url, api.token).post(Recovered, f"/repositories/{quote(name)}/recover", {})
    missed = f" It had missed {asked.found}, found now." if asked.found else ""
    say(f"{name}: the webhook is in place.{missed}")


@repo.command("secret")
@click.argument("name")
@asks_server
def secret(api: Api, name: str) -> None:
    """Print the secret that the webhooks of NAME are signed with."""
    said = api.post(Secret, f"/repositories/{quote(name)}/secret", {})
    if not api.as_json:
        click.echo(said.secret)


@repo.command("rotate")
@click.argument("name")
@asks_server
def rotate(api: Api, name: str) -> None:
    """Give the webhook of NAME a new secret; the one before stays valid for a day."""
    done = api.post(Rotated, f"/repositories/{quote(name)}/rotate", {})
    if not done.by_hand and (done.problem or not done.present):
        raise Failure(done.problem or "The webhook is not there.", where=name, code=Exit.ERROR)
    said = "a new secret." if done.by_hand else "a new secret, and its webhook has it."
    if done.previous_until is not None:
        said += f" The one before is good until {moment(done.previous_until)}."
    if done.by_hand:
        said += f" Give the sender the new one: windlass repo secret {name}."
    say(f"{name}: {said}")


@repo.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@asks_server
def remove(api: Api, name: str, *, yes: bool) -> None:
    """Disconnect NAME; what it did stays on record."""
    if not yes and not _confirmed(f"Disconnect {name}?"):
        raise Failure(
            "Nothing was changed.", next_step="to do it unasked: --yes", code=Exit.DECLINED
        )
    api.ask("DELETE", f"/repositories/{quote(name)}")
    say(f"{name} is disconnected.")


def _confirmed(question: str) -> bool:
    """Whether somebody said yes; nobody did where there is nobody to ask."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        say("")
        return False
