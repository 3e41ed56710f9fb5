"""
`windlass settings`: each setting, its value, and where it came from.
"""

from __future__ import annotations

import json

import click

from windlass.cli.local.operator import read_settings, with_flags
from windlass.cli.output import show, table
from windlass.settings.page import describe


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@with_flags
def settings(*, as_json: bool, file: str, **flags: str | None) -> None:
    """Show each setting and where it came from; secrets are masked."""
    rows = describe(read_settings(flags, file=file))
    if as_json:
        said = [{"name": row.name, "value": row.value, "origin": row.origin} for row in rows]
        show(json.dumps(said, indent=2))
        return
    table(("SETTING", "VALUE", "ORIGIN"), [(row.name, row.value, row.origin) for row in rows])
