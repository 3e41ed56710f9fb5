"""
`windlass doctor`: what is in order around the server, and what is not.
"""

from __future__ import annotations

import click

from windlass.cli.answers import Finding, Listed
from windlass.cli.connection import Api, asks_server
from windlass.cli.exits import Exit, Failure
from windlass.cli.output import clean, show


@click.command()
@asks_server
def doctor(api: Api) -> None:
    """
    Look whether everything is in order: address, clock, disk, database, and each repository.

    Each line passes or gives its fix; exit code 1 when there is anything to do.
    """
    found = api.post(Listed[Finding], "/doctor", {}).items
    wrong = [one for one in found if not one.passed]
    if not api.as_json:
        for one in found:
            mark = "ok   " if one.passed else "WRONG"
            show(f"{mark} {one.check}: {clean(one.subject)}: {clean(one.said)}")
            if one.fix:
                show(f"      fix: {clean(one.fix)}")
    if wrong:
        count = "One thing is" if len(wrong) == 1 else f"{len(wrong)} things are"
        raise Failure(f"{count} not in order.", code=Exit.ERROR)
