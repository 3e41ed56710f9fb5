"""
`windlass listeners shadow`: recorded events before a configuration that is not merged yet.
"""

from __future__ import annotations

from pathlib import Path

import click

from windlass.cli.commands.replay import since
from windlass.cli.connection import Api, asks_server
from windlass.cli.listener_answers import Differences, Shadow
from windlass.cli.local.files import read_files
from windlass.cli.output import age, say, show, table


@click.command("shadow")
@click.option("--since", "begin", default="14d", show_default=True, metavar="WHEN",
              help="Events since then: 14d, a time.")  # fmt: skip
@click.option(
    "--config",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Where the configuration is; else here.",
)
@click.option("--repository", default="", help="Whose events; else the only one's.")
@asks_server
def shadow(api: Api, begin: str, config: Path, repository: str) -> None:
    """
    Which recorded events would now start something, no longer, or something else.

    The events of a server are judged by the configuration of a folder, and compared with what
    they really started. Nothing is written there, and nothing starts.
    """
    files = {name: data.decode("utf-8", "replace") for name, data in read_files(config).items()}
    body: dict[str, object] = {"files": files, "repository": repository}
    found = api.post(Shadow, "/listeners/shadow", {**body, "since": since(begin) or None})
    if not api.as_json:
        _told(api, "Would now start", found.starts)
        _told(api, "Would no longer start", found.stops)
        _told(api, "Would start something else", found.changes)
    say(f"{found.compared} events of {found.repository} compared, {found.unchanged} unchanged.")
    if found.unknown:
        say(f"{found.unknown} more cannot be judged any more.")
    if found.cut:
        say(f"Not all of them: {found.cut}.")


def _told(api: Api, what: str, found: Differences) -> None:
    """One kind of difference."""
    if not found.items:
        return
    show(f"{what}: {found.events} event{'s' if found.events > 1 else ''}")
    table(
        ("LISTENER", "EVENT", "AGE", "BEFORE", "AFTER", "LINK"),
        [
            (
                each.listener,
                each.title,
                age(each.at),
                each.before or "nothing",
                each.after or "nothing",
                f"{api.url}{each.path}",
            )
            for each in found.items
        ],
    )
    left = sum(found.listeners.values()) - len(found.items)
    if left:
        say(f"and {left} more, older ones")
    show("")
