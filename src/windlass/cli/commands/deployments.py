"""
What runs where, and everything that changes it.

A service is named `REPOSITORY:SERVICE`, or by its name alone where only one
repository has it.
"""

from __future__ import annotations

import click

from windlass.cli.answers import Board, Cell, Deployment, Place, Run
from windlass.cli.connection import Api, asks_server
from windlass.cli.exits import Exit, Failure
from windlass.cli.only import connected
from windlass.cli.output import say, short, show, state, table
from windlass.cli.waiting import started, waits


def _service(api: Api, name: str) -> tuple[str, str]:
    """The repository and the service that are meant."""
    repository, colon, service = name.rpartition(":")
    if colon:
        return repository, service
    rows = Api(api.url, api.token).get(Board, "/environments").rows
    having = [row.repository for row in rows if row.service == name]
    if len(having) > 1:
        there = connected(api)
        having = [one for one in having if one in there] or having
    if len(having) == 1:
        return having[0], name
    raise Failure(
        f"No repository has deployed a service {name!r} yet."
        if not having
        else f"Several repositories have a service {name!r}: {', '.join(having)}.",
        next_step=f"name it as REPOSITORY:{name}",
        code=Exit.NOT_FOUND,
    )


@click.group()
def environments() -> None:
    """What runs where."""


@environments.command("list")
@asks_server
def every(api: Api) -> None:
    """Services by environments; `+` marks what waits to get there."""
    board = api.get(Board, "/environments")
    if not api.as_json:
        table(
            ("SERVICE", *(name.upper() for name in board.environments)),
            [
                (
                    f"{row.repository}:{row.service}",
                    *(_cell(row.cells.get(name)) for name in board.environments),
                )
                for row in board.rows
            ],
            empty="Nothing was deployed yet: windlass runs list shows what was started",
        )


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    words = [short(cell.place.sha), cell.place.status]
    if cell.place.pinned:
        words.append("pinned")
    words += [f"+{short(each.sha)} {each.state} ({each.number})" for each in cell.waiting]
    return " ".join(word for word in words if word)


@click.command()
@click.argument("service")
@click.argument("environment")
@click.option(
    "--ref", default="", help="A branch, tag or commit (7 digits or more); else the default branch."
)
@click.option("--digest", default="", help="A build, by its digest.")
@click.option("--why", default="", help="Kept with the deployment.")
@waits
@asks_server
def deploy(  # noqa: PLR0913  # each is an option
    api: Api,
    service: str,
    environment: str,
    *,
    ref: str,
    digest: str,
    why: str,
    wait: bool,
    timeout: float,
) -> None:
    """Deploy SERVICE to ENVIRONMENT."""
    if ref and digest:
        raise click.UsageError("Give --ref or --digest, not both.")
    repository, name = _service(api, service)
    body = {
        "repository": repository,
        "service": name,
        "environment": environment,
        "ref": ref,
        "digest": digest,
        "why": why,
    }
    started(api, api.post(Run, "/deployments", body), wait=wait, timeout=timeout)


@click.command()
@click.argument("service")
@click.argument("environment")
@click.option("--digest", default="", help="A build that ran there; else the one before.")
@click.option("--why", default="", help="Kept with the deployment, and shown as the pin.")
@waits
@asks_server
def rollback(  # noqa: PLR0913  # each is an option
    api: Api,
    service: str,
    environment: str,
    *,
    digest: str,
    why: str,
    wait: bool,
    timeout: float,
) -> None:
    """Bring SERVICE in ENVIRONMENT back to an earlier build, and keep it there until `unpin`."""
    repository, name = _service(api, service)
    body = {
        "repository": repository,
        "service": name,
        "environment": environment,
        "digest": digest,
        "why": why,
    }
    started(api, api.post(Run, "/rollbacks", body), wait=wait, timeout=timeout)


@click.command()
@click.argument("service")
@click.argument("environment")
@asks_server
def unpin(api: Api, service: str, environment: str) -> None:
    """Let SERVICE in ENVIRONMENT follow its listeners again."""
    repository, name = _service(api, service)
    query = {"repository": repository, "service": name, "environment": environment}
    place = api.delete(Place, "/pins", query)
    say(f"{place.service} in {place.environment} follows its listeners again.")


def _decided(api: Api, found: Deployment) -> None:
    if not api.as_json:
        show(f"{found.number}  {state(found.state)}")
    if found.state == "approval":
        say(f"{len(found.approvals)} of {found.needed} approvals.")


@click.command()
@click.argument("deployment", type=int)
@asks_server
def approve(api: Api, deployment: int) -> None:
    """Let DEPLOYMENT go on; the consent is bound to its commit and digest."""
    _decided(api, api.post(Deployment, f"/deployments/{deployment}/approve"))


@click.command()
@click.argument("deployment", type=int)
@click.option("--why", default="", help="Kept with the deployment.")
@asks_server
def reject(api: Api, deployment: int, why: str) -> None:
    """Refuse DEPLOYMENT."""
    path = f"/deployments/{deployment}/reject"
    _decided(api, api.post(Deployment, path, {"why": why}))
