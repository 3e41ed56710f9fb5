"""
The dialects by the names that people use, for commands that read a recorded request.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.core.errors import BadDelivery, NotFound
from windlass.core.event import Event, Ignored
from windlass.forges.azure.dialect import AzureDialect
from windlass.forges.bitbucket_cloud.dialect import BitbucketCloudDialect
from windlass.forges.bitbucket_dc.dialect import BitbucketDataCenterDialect
from windlass.forges.generic.dialect import GenericDialect
from windlass.forges.gitea.dialect import GiteaDialect
from windlass.forges.github.dialect import GitHubDialect
from windlass.forges.gitlab.dialect import GitLabDialect
from windlass.forges.gogs.dialect import GogsDialect
from windlass.forges.plain.dialect import PlainDialect
from windlass.forges.strict_json import Node, read
from windlass.ports.forge import Dialect, Request

DIALECTS: Mapping[str, Dialect] = {
    "github": GitHubDialect(),
    "gitlab": GitLabDialect(),
    "gitea": GiteaDialect(),
    "forgejo": GiteaDialect(),
    "gogs": GogsDialect(),
    "bitbucket-cloud": BitbucketCloudDialect(),
    "bitbucket-dc": BitbucketDataCenterDialect(),
    "azure": AzureDialect(),
    "generic": GenericDialect(),
    "plain": PlainDialect(),
}

# Where bodies name their repository, the fullest name first.
NAMES = (
    ("project", "path_with_namespace"),
    ("repository", "full_name"),
    ("repository", "path"),
    ("repository", "name"),
    ("pullRequest", "toRef", "repository", "name"),
    ("resource", "repository", "name"),
    ("resource", "pullRequest", "repository", "name"),
)


def events(forge: str, request: Request, *, repository: str = "") -> tuple[Event, ...] | Ignored:
    """
    What a request means in a forge's dialect, unverified; without `repository`, as the body has it.

    Raises `BadDelivery`, or `NotFound` for a forge that Windlass cannot read.
    """
    dialect = DIALECTS.get(forge)
    if dialect is None:
        raise NotFound(
            f"Windlass cannot read {forge} yet", hint=f"it reads {', '.join(sorted(DIALECTS))}"
        )
    return dialect.read(request, repository or _named(request.body))


def _named(body: bytes) -> str:
    """What a body calls its repository; empty when it does not say."""
    try:
        tree = read(body)
        return next((name for path in NAMES if (name := _at(tree, path))), "")
    except BadDelivery:
        return ""


def _at(tree: Node, path: tuple[str, ...]) -> str:
    for name in path[:-1]:
        tree = tree.optional_child(name) or Node({})
    return tree.optional(path[-1]) or ""
