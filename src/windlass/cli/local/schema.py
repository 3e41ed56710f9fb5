"""
`windlass schema`: the JSON Schema of the configuration, for editors.
"""

from __future__ import annotations

import json

import click

from windlass.cli.output import show


@click.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors that complete and check."""
    from windlass.config.editors import json_schema

    show(json.dumps(json_schema(), indent=2))
