"""
`windlass builds`: what was built, and from what.
"""

from __future__ import annotations

from urllib.parse import quote

import click

from windlass.cli.answers import Build, Listed
from windlass.cli.connection import Api, Query, asks_server
from windlass.cli.output import age, fields, short, table


@click.group()
def builds() -> None:
    """What was built, and from what."""


@builds.command("list")
@click.option("--repository", default="", help="Only of this repository.")
@click.option("--service", default="", help="Only of this service.")
@click.option("--limit", default=30, type=click.IntRange(1, 500))
@asks_server
def every(api: Api, repository: str, service: str, limit: int) -> None:
    """Builds, newest first."""
    query: Query = {"repository": repository, "service": service, "limit": limit}
    found = api.get(Listed[Build], "/builds", query).items
    if not api.as_json:
        table(
            ("DIGEST", "REPOSITORY", "SERVICE", "TREE", "RUN", "BYTES", "AGE", "COMMITS"),
            [
                (
                    short(each.digest),
                    each.repository,
                    each.service,
                    short(each.tree),
                    str(each.run),
                    str(each.size),
                    age(each.created_at),
                    " ".join(map(short, each.commits)),
                )
                for each in found
            ],
            empty="No such build; windlass runs list shows what was started",
        )


@builds.command("show")
@click.argument("name")
@asks_server
def one(api: Api, name: str) -> None:
    """One build, by its digest or identity."""
    build = api.get(Build, f"/builds/{quote(name)}")
    if not api.as_json:
        fields(
            [
                ("digest", build.digest),
                ("identity", build.identity),
                ("repository", build.repository),
                ("service", build.service),
                ("tree", build.tree),
                ("run", str(build.run)),
                ("bytes", str(build.size)),
                ("trusted", "yes" if build.trusted else "no: from a stranger's code"),
                ("made", build.created_at.isoformat()),
                ("commits", " ".join(build.commits)),
            ]
        )
