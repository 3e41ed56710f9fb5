"""
`windlass help`: what stands behind no single command.
"""

from __future__ import annotations

import click

from windlass.cli.exits import MEANINGS

FIND = """\
The server, from the first of these that is there:
  --server URL
  WINDLASS_SERVER
  server.json in the data folder (WINDLASS_DATA), which `windlass up` writes
  the setting `public_url`

The token:
  --token TOKEN (others on the machine can read it in the list of processes)
  WINDLASS_TOKEN, WINDLASS_TOKEN_FILE
  the data folder's own, and only for the server of that folder

With a shared token, what you do is noted under WINDLASS_ACTOR, or your user name.\
"""


@click.command("help")
@click.argument("topic", type=click.Choice(("exit-codes", "server")), required=False)
@click.pass_context
def topics(ctx: click.Context, topic: str | None) -> None:
    """More about a TOPIC: exit-codes, server."""
    match topic:
        case "exit-codes":
            for code, meaning in MEANINGS.items():
                click.echo(f"{code:>3}  {meaning}")
        case "server":
            click.echo(FIND)
        case _:
            click.echo(ctx.parent.get_help() if ctx.parent else ctx.get_help())
