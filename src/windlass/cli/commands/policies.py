"""
`windlass repo policy`: what is allowed to a repository.
"""

from __future__ import annotations

from urllib.parse import quote

import click

from windlass.cli.answers import Policy
from windlass.cli.connection import Api, asks_server
from windlass.cli.output import fields

ANY = ["**"]


@click.command("policy")
@click.argument("name")
@click.option(
    "--require-digest/--no-require-digest",
    "digest",
    default=None,
    help="Whether every image is named NAME@sha256:....",
)
@click.option(
    "--allow-image",
    "images",
    multiple=True,
    metavar="GLOB",
    help="An image that may be used, as ghcr.io/acme/**; `any` or `none`. Repeatable; the last"
    " that fits decides, and one that begins with ! forbids.",
)
@click.option(
    "--allow-fork",
    "forks",
    multiple=True,
    metavar="OWNER",
    help="Whose forks may have pull requests run, as acme-*; `any` or `none`. Repeatable.",
)
@click.option("--show", is_flag=True, help="Change nothing; so it is without other options, too.")
@asks_server
def policy(  # noqa: PLR0913 - one parameter for each option
    api: Api,
    name: str,
    images: tuple[str, ...],
    forks: tuple[str, ...],
    *,
    digest: bool | None,
    show: bool,
) -> None:
    """
    Say what is allowed to the repository NAME, whatever its own files say.

    What is given replaces what was; what is not given stays. It holds for all that starts from
    now on, and for held runs, too.
    """
    path = f"/repositories/{quote(name)}/policy"
    wanted = {
        "require_digest": digest,
        "allow_images": list(images) or None,
        "allow_forks": list(forks) or None,
    }
    changes = {key: value for key, value in wanted.items() if value is not None}
    if show and changes:
        raise click.UsageError("--show changes nothing: leave it or the other options away")
    said = api.post(Policy, path, changes) if changes else api.get(Policy, path)
    if not api.as_json:
        fields(
            [
                ("require digest", "yes" if said.require_digest else "no"),
                ("allowed images", patterns(said.allow_images)),
                ("allowed forks", patterns(said.allow_forks)),
            ]
        )


def patterns(allowed: list[str]) -> str:
    """A list of patterns in words."""
    return "any" if allowed == ANY else " ".join(allowed) or "none"


def short(policy: Policy | None) -> str:
    """What a policy is about, for a column; a server from before policies tells none."""
    if policy is None:
        return ""
    said = ["digest"] if policy.require_digest else []
    said += ["images"] if policy.allow_images != ANY else []
    return ", ".join(said + (["forks"] if policy.allow_forks != ANY else []))
