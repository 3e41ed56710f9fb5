"""
Which forge is behind an address: by its name where that is known, else by asking.

Every forge answers an address that no other has. Each is asked without a credential, and
an answer of 401 or 403 is an answer too: somebody guards that door.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from windlass.core.errors import Transient, UserError, WindlassError
from windlass.forges.http.answers import Denied
from windlass.forges.http.client import Credential, Http

HOSTS: Mapping[str, str] = {
    "github.com": "github",
    "gitlab.com": "gitlab",
    "bitbucket.org": "bitbucket-cloud",
    "dev.azure.com": "azure",
    "ssh.dev.azure.com": "azure",
    "codeberg.org": "forgejo",
    "gitea.com": "gitea",
}
ENDINGS: Mapping[str, str] = {".visualstudio.com": "azure", ".ghe.com": "github"}

# Asked in this order; the first that is there tells. Forgejo answers as Gitea does, too.
DOORS: tuple[tuple[str, str, str], ...] = (
    ("forgejo", "/api/forgejo/v1/version", "version"),
    ("gitlab", "/api/v4/version", ""),
    ("gitea", "/api/v1/version", "version"),
    ("github", "/api/v3/meta", ""),
    ("bitbucket-dc", "/rest/api/1.0/application-properties", "version"),
    ("gogs", "/api/v1/repos/search", "data"),
    ("azure", "/_apis/connectionData", "instanceId"),
)


async def detect(http: Http, url: str) -> str:
    """The name of the forge; `UserError` when nothing there is one that we know."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if known := HOSTS.get(host):
        return known
    for ending, known in ENDINGS.items():
        if host.endswith(ending):
            return known
    base = f"{parts.scheme}://{parts.netloc}"
    found = await asyncio.gather(*(_there(http, base, path, key) for _, path, key in DOORS))
    for (name, _, _), there in zip(DOORS, found, strict=True):
        if there:
            return name
    raise UserError(
        f"it cannot be told which code host {host} is",
        hint="say it: --forge github, gitlab, gitea, forgejo, gogs, bitbucket-cloud, bitbucket-dc,"
        " azure or generic",
        code="forge-unknown",
    )


async def _there(http: Http, base: str, path: str, key: str) -> bool:
    try:
        said = (await http.send("GET", base + path, Credential(""))).json()
    except Denied:
        return not key  # any program may guard its doors; this path is one forge's alone
    except Transient as error:
        if "not JSON" in str(error):
            return False
        raise
    except WindlassError:
        return False
    return not key or (isinstance(said, dict) and key in said)
