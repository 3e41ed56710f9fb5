"""
Every forge that Windlass knows, by the name that people use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from windlass.core.errors import AdapterError, UserError
from windlass.engine import tokens
from windlass.engine.world import Forge, Looked
from windlass.forges.azure.dialect import example as azure_example
from windlass.forges.azure.forge import AzureForge
from windlass.forges.bitbucket_cloud.forge import BitbucketCloudForge
from windlass.forges.bitbucket_dc.forge import BitbucketDataCenterForge
from windlass.forges.bitbucket_dc.place import parsed
from windlass.forges.by_hand import ByHand
from windlass.forges.generic.issuers import Issuers
from windlass.forges.gitea.forge import GiteaForge
from windlass.forges.github.forge import GitHubForge
from windlass.forges.gitlab.forge import GitLabForge
from windlass.forges.gogs.forge import GogsForge
from windlass.forges.http.client import Credential, Http, Tokens
from windlass.forges.plain.forge import PlainForge
from windlass.ports.forge import Dialect, Reports, Source, Webhooks
from windlass.ports.target import Clock, Vault
from windlass.settings.table import Settings
from windlass.wiring.dialects import DIALECTS

PLAIN = "plain"
# Where other packages name what they bring.
GROUP = "windlass.forges"


class _Adapter(Webhooks, Reports, Source, Protocol):
    """What one adapter is to the engine."""


def forges(settings: Settings, http: Http, vault: Vault, clock: Clock) -> Mapping[str, Forge]:
    """The ports of ours and of other packages; nothing is asked of any of them yet."""

    def token(url: str) -> str | None:
        return tokens.stored(vault, tokens.TOKEN, url)

    known = dict(_ours(settings, http, vault, clock, token))
    for entry in entry_points(group=GROUP):
        if entry.name in known:
            raise UserError(
                f"{entry.value} wants to be the forge {entry.name}, and there is one of that name",
                hint=f"take the package away, or give it another name in {GROUP}",
                code="plugin",
            )
        known[entry.name] = _loaded(entry, http, token, clock)
    return known


def _loaded(entry: EntryPoint, http: Http, token: Tokens, clock: Clock) -> Forge:
    """What another package's function makes."""
    try:
        made = entry.load()(http, token, clock)
    except Exception as error:  # a package of somebody else may raise anything
        raise UserError(
            f"the forge {entry.name} of {entry.value} cannot be loaded: {error}",
            hint="take the package away, or see what it needs",
            code="plugin",
        ) from error
    if not isinstance(made, Forge):
        raise UserError(f"{entry.value} makes no forge but {made!r:.80}", code="plugin")
    return made


def _ours(
    settings: Settings, http: Http, vault: Vault, clock: Clock, token: Tokens
) -> Mapping[str, Forge]:

    def app(url: str) -> str | None:
        return tokens.stored(vault, tokens.APP, url)

    plain = PlainForge(str(settings.hook_python))
    gitea = GiteaForge(http, token)
    return {
        PLAIN: Forge(
            dialect=DIALECTS[PLAIN],
            webhooks=plain,
            reports=plain,
            source=plain,
            pull_requests=plain,
        ),
        "github": _forge("github", GitHubForge(http, token, app, clock)),
        "gitlab": _forge(
            "gitlab", GitLabForge(http, token), pull_ref="refs/merge-requests/{number}/head"
        ),
        "gitea": _forge("gitea", gitea),
        "forgejo": _forge("forgejo", gitea),
        "gogs": _forge("gogs", GogsForge(http, token)),
        # It keeps no ref of a pull request that Git could fetch.
        "bitbucket-cloud": replace(
            _forge("bitbucket-cloud", BitbucketCloudForge(http, token), pull_ref=""), logins=False
        ),
        "bitbucket-dc": Forge(
            dialect=DIALECTS["bitbucket-dc"],
            webhooks=(data_center := BitbucketDataCenterForge(http, token)),
            reports=data_center,
            source=data_center,
            pull_ref="refs/pull-requests/{number}/from",
            clone=_scm,
        ),
        "azure": Forge(
            dialect=DIALECTS["azure"],
            webhooks=(azure := AzureForge(http, token)),
            reports=azure,
            source=azure,
            pull_ref="",
            signed=False,
            logins=False,
            example=azure_example,
        ),
        "generic": Forge(
            dialect=DIALECTS["generic"],
            webhooks=(anyone := ByHand("the sender")),
            reports=anyone,
            source=anyone,
            by_hand=True,
            anchors=Issuers(http),
        ),
    }


def _forge(name: str, adapter: _Adapter, *, pull_ref: str = "refs/pull/{number}/head") -> Forge:
    dialect: Dialect = DIALECTS[name]
    return Forge(
        dialect=dialect,
        webhooks=adapter,
        reports=adapter,
        source=adapter,
        pull_ref=pull_ref,
        clone=_dot_git,
    )


def _dot_git(url: str) -> str:
    """Where Git finds it without being sent on."""
    return url if url.endswith(".git") or "://" not in url else f"{url}.git"


def _scm(url: str) -> str:
    at = parsed(url)
    return f"{at.base}/scm/{at.owner}/{at.name}.git"


async def looked(http: Http, url: str) -> Looked:
    """The status of an address, and the time by its own clock."""
    try:
        answer = await http.send("GET", url, Credential(""), headers={"accept": "*/*"})
    except (UserError, AdapterError) as error:
        status = getattr(error, "status", 0)
        if not status:
            raise
        return Looked(status, None)
    date = answer.headers.get("date", "")
    try:
        at = parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        at = None
    return Looked(answer.status, at)
