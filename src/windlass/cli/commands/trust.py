"""
`windlass repo trust`: whose tokens a repository takes.
"""

from __future__ import annotations

from urllib.parse import quote

import click

from windlass.cli.answers import Trust
from windlass.cli.connection import Api, asks_server
from windlass.cli.output import fields


@click.command("trust")
@click.argument("name")
@click.option(
    "--oidc-issuer",
    "issuer",
    metavar="URL",
    help="Trust tokens of this OIDC issuer; `none` takes the trust away.",
)
@click.option(
    "--oidc-audience", "audience", metavar="AUDIENCE", help="For whom a token has to be (`aud`)."
)
@click.option(
    "--oidc-claim",
    "said",
    multiple=True,
    metavar="NAME=VALUE",
    help="What a token must claim; repeatable, and of values for the same NAME one will do.",
)
@click.option("--show", is_flag=True, help="Change nothing; so it is without other options, too.")
@asks_server
def trust(  # noqa: PLR0913 - one parameter for each option
    api: Api,
    name: str,
    issuer: str | None,
    audience: str | None,
    said: tuple[str, ...],
    *,
    show: bool,
) -> None:
    """
    Say whose tokens the repository NAME takes in place of a signature.

    What is given replaces what was, all claims at once; what is not given stays. It holds for all
    that comes from now on.
    """
    path = f"/repositories/{quote(name)}/trust"
    wanted = {
        "issuer": "" if issuer == "none" else issuer,
        "audience": audience,
        "claims": claims_of(said) or None,
    }
    changes = {key: value for key, value in wanted.items() if value is not None}
    if show and changes:
        raise click.UsageError("--show changes nothing: leave it or the other options away")
    now = api.post(Trust, path, changes) if changes else api.get(Trust, path)
    if not api.as_json:
        pairs = [f"{claim}={one}" for claim, values in now.claims.items() for one in values]
        fields(
            [
                ("issuer", now.issuer or "none"),
                *([("audience", now.audience)] if now.issuer else []),
                *(("claim", pair) for pair in pairs),
            ]
        )


def claims_of(said: tuple[str, ...]) -> dict[str, list[str]]:
    """What tokens must claim, by name."""
    claims: dict[str, list[str]] = {}
    for one in said:
        name, equals, value = one.partition("=")
        if not name or not equals or not value:
            raise click.BadParameter(
                f"{one!r} is no claim; write it as NAME=VALUE, such as repository=acme/shop",
                param_hint="--oidc-claim",
            )
        claims.setdefault(name, []).append(value)
    return claims
