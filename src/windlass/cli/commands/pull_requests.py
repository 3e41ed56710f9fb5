"""
`windlass pr`: pull requests of plain Git, which has no face of its own.
"""

from __future__ import annotations

import click

from windlass.cli.answers import Listed, PullRequest
from windlass.cli.connection import Api, asks_server
from windlass.cli.markdown import readable
from windlass.cli.output import age, fields, say, short, show, state, table


@click.group()
def pr() -> None:
    """Pull requests of plain Git."""


def _told(api: Api, pull: PullRequest, what: str) -> None:
    if not api.as_json:
        show(f"{pull.number}  {state(str(pull.state))}")
    say(f"Pull request {pull.number} of {pull.head} into {pull.base}: {what}.")


@pr.command("list")
@click.argument("repository")
@click.option(
    "--state", "wanted", type=click.Choice(("open", "merged", "closed", "all")), default="open"
)
@asks_server
def every(api: Api, repository: str, wanted: str) -> None:
    """Pull requests of REPOSITORY, newest first."""
    query = {"repository": repository, "state": wanted}
    found = api.get(Listed[PullRequest], "/pull-requests", query).items
    if not api.as_json:
        table(
            ("NUMBER", "STATE", "HEAD", "BASE", "AUTHOR", "APPROVED BY", "AGE", "TITLE"),
            [
                (
                    str(each.number),
                    each.state,
                    each.head,
                    each.base,
                    each.author,
                    ", ".join(each.approved_by),
                    age(each.updated_at),
                    each.title,
                )
                for each in found
            ],
        )


@pr.command("show")
@click.argument("repository")
@click.argument("number", type=int)
@asks_server
def one(api: Api, repository: str, number: int) -> None:
    """One pull request, with the reports that stand on it."""
    pull = api.get(PullRequest, f"/pull-requests/{number}", {"repository": repository})
    if api.as_json:
        return
    fields(
        [
            ("number", str(pull.number)),
            ("title", pull.title),
            ("state", pull.state),
            ("author", pull.author),
            ("from", f"{pull.head} ({short(pull.head_sha)})"),
            ("into", pull.base),
            ("merged as", short(pull.merge_sha)),
            ("approved by", ", ".join(pull.approved_by)),
        ]
    )
    if pull.statuses:
        show("")
        table(
            ("STATUS", "STATE", "SAYS"),
            [(each.context, each.state, each.description) for each in pull.statuses],
        )
    if pull.comment:
        show("\n" + readable(pull.comment))


@pr.command("approve")
@click.argument("repository")
@click.argument("number", type=int)
@asks_server
def approve(api: Api, repository: str, number: int) -> None:
    """Approve its present head."""
    path = f"/pull-requests/{number}/approve"
    _told(api, api.post(PullRequest, path, query={"repository": repository}), "approved")


@pr.command("merge")
@click.argument("repository")
@click.argument("number", type=int)
@click.option("--method", type=click.Choice(("merge", "squash", "rebase")), default="merge")
@click.option("--expect-head", default="", metavar="SHA", help="Refuse if the head is another.")
@asks_server
def merge(api: Api, repository: str, number: int, method: str, expect_head: str) -> None:
    """Merge it as a forge would."""
    pull = api.post(
        PullRequest,
        f"/pull-requests/{number}/merge",
        {"method": method, "expect_head": expect_head},
        {"repository": repository},
    )
    _told(api, pull, f"merged as {short(pull.merge_sha)}")


@pr.command("close")
@click.argument("repository")
@click.argument("number", type=int)
@asks_server
def close(api: Api, repository: str, number: int) -> None:
    """Close it unmerged."""
    path = f"/pull-requests/{number}/close"
    _told(api, api.post(PullRequest, path, query={"repository": repository}), "closed")
