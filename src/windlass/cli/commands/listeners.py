"""
`windlass listeners`: what there are, their tests, trying changed ones, and having a manual one run.
"""

from __future__ import annotations

import time
from secrets import token_urlsafe
from urllib.parse import quote

import click

from windlass.cli.answers import DeliveryDetail, Event, Listed, Run
from windlass.cli.commands.shadow import shadow
from windlass.cli.connection import Api, asks_server
from windlass.cli.exits import Failure
from windlass.cli.listener_answers import Asked, Listener
from windlass.cli.local.listeners import test
from windlass.cli.only import only
from windlass.cli.output import age, say, table
from windlass.cli.waiting import started, waits

# Seconds until somebody who does not wait is told that it goes on without them.
PATIENCE = 10.0
PAUSE = 0.2


@click.group()
def listeners() -> None:
    """What a team wrote under `listeners`."""


listeners.add_command(test)
listeners.add_command(shadow)


@listeners.command("list")
@click.option("--repository", default="", help="Of which; not needed where there is only one.")
@asks_server
def every(api: Api, repository: str) -> None:
    """The listeners of the default branch, and what each did last."""
    name = repository or only(api)
    found = api.get(Listed[Listener], f"/repositories/{quote(name)}/listeners").items
    if not api.as_json:
        table(
            ("LISTENER", "ON", "LAST VERDICT", "AGE", "LAST RUN", "WHERE", "INPUTS"),
            [
                (
                    f"{each.name} (shadow)" if each.shadow else each.name,
                    each.on,
                    _verdict(each),
                    age(each.at),
                    f"{each.run} {each.state}" if each.run else "",
                    each.place,
                    ", ".join(f"{one.name}{'' if one.required else '?'}" for one in each.inputs),
                )
                for each in found
            ],
            empty="No listener yet: write one in .windlass.yaml on the default branch",
        )


def _verdict(one: Listener) -> str:
    if one.verdict is None:
        return ""
    if one.verdict.matched and one.verdict.shadow:
        return "would have started"
    return "matched" if one.verdict.matched else f"missed: {one.verdict.condition}"


@listeners.command("run")
@click.argument("listener")
@click.option("--repository", default="", help="Of which; not needed where there is only one.")
@click.option("--branch", default="", help="On the head of this branch; else the default branch.")
@click.option(
    "--ref", default="", help="On this tag or commit of the branch; a commit by 7 digits or more."
)
@click.option(
    "-f", "--with", "given", multiple=True, metavar="NAME=VALUE", help="The value of an input."
)
@waits
@asks_server
def run(  # noqa: PLR0913 - one parameter for each option
    api: Api,
    listener: str,
    *,
    repository: str,
    branch: str,
    ref: str,
    given: tuple[str, ...],
    wait: bool,
    timeout: float,
) -> None:
    """
    Have LISTENER run, which is `on: manual`.

    It is judged, and deploys, as on any other event: `windlass explain` tells of it too.
    """
    body = {"listener": listener, "branch": branch, "ref": ref, "inputs": _inputs(given)}
    name = repository or only(api)
    path = f"/repositories/{quote(name)}/manual"
    asked = api.post(Asked, path, body, key=token_urlsafe(16))
    quiet = Api(api.url, api.token)
    event = _event(quiet, asked, timeout if wait else PATIENCE)
    if event is None:
        say(f"It is stored as delivery {asked.delivery}. See: windlass events list")
        return
    said = next((one for one in event.verdicts if one.listener == listener), None)
    if said is None or not said.run:
        why = event.fault or "its listeners changed meanwhile"
        if said is not None and not said.matched:
            why = f"`{said.condition}` wants {said.expected}, and it is {said.actual}"
        raise Failure(
            f"{listener} did not start: {why}", next_step=f"windlass explain {event.number}"
        )
    started(api, quiet.get(Run, f"/runs/{said.run}"), wait=wait, timeout=timeout)


def _inputs(given: tuple[str, ...]) -> dict[str, str]:
    inputs: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--with")
        if name in inputs:
            raise click.BadParameter(f"{name!r} is given twice", param_hint="--with")
        inputs[name] = value
    return inputs


def _event(api: Api, asked: Asked, patience: float) -> Event | None:
    """The event that a wish became; None while it is not dispatched."""
    end = time.monotonic() + patience
    while True:
        delivery = api.get(DeliveryDetail, f"/deliveries/{asked.delivery}")
        if delivery.events:
            return api.get(Event, f"/events/{delivery.events[0]}")
        if delivery.state != "received":
            raise Failure(
                f"It came to nothing: {delivery.reason}",
                next_step="windlass events deliveries",
            )
        if time.monotonic() >= end:
            return None
        time.sleep(PAUSE)
