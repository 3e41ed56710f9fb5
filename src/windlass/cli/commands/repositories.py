"""
`windlass repo`: connect repositories, and look after their webhooks.
"""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

import click

from windlass.cli.answers import Added, Hook, Listed, Recovered, Repository, Secret
from windlass.cli.connection import Api, asks_server
from windlass.cli.exits import Exit, Failure
from windlass.cli.output import fields, say, table


@click.group()
def repo() -> None:
    """Connect repositories, and look after their webhooks."""


@repo.command("add")
@click.argument("url")
@click.option("--name", default="", help="Its name here; taken from the URL otherwise.")
@click.option(
    "--forge", default="plain", help="plain (a bare repository on this machine) or github."
)
@asks_server
def add(api: Api, url: str, name: str, forge: str) -> None:
    """Connect the repository at URL, and put its webhook in place."""
    if forge == "plain" and "://" not in url:
        url = str(Path(url).resolve())  # the server stands in another folder
    added = api.post(Added, "/repositories", {"url": url, "name": name, "forge": forge})
    if not api.as_json:
        fields(
            [
                ("name", added.repository.name),
                ("forge", added.repository.forge),
                ("branch", added.repository.default_branch),
                ("webhook", api.url + added.webhook),
            ]
        )
    if added.hook.problem:
        say(f"The webhook is not in place: {added.hook.problem}")


@repo.command("list")
@asks_server
def every(api: Api) -> None:
    """All repositories."""
    found = api.get(Listed[Repository], "/repositories").items
    if not api.as_json:
        table(
            ("NAME", "FORGE", "BRANCH", "URL", "PROBLEM"),
            [
                (each.name, each.forge, each.default_branch, each.url, each.problem)
                for each in found
            ],
        )


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
