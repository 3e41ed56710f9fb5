"""
How an App is registered without typing: GitHub's manifest flow.

A page sends the person, with a manifest, to GitHub; GitHub makes the App and sends them
back to `redirect_url` with a code; the code is exchanged, once and within an hour, for
the App's number, name and key. The App gets no webhook: ours are made for each repository.
"""

from __future__ import annotations

import re

import orjson

from windlass.core.errors import NotFound, Permanent, UserError
from windlass.forges.github.app import HEADERS
from windlass.forges.github.place import base, origin
from windlass.forges.http.api import Api, text
from windlass.forges.http.client import Credential, Http

# What the App may do; nothing can be written into a repository's files.
PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "deployments": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "repository_hooks": "write",
    "statuses": "write",
}
# Where GitHub sends the person back to, below the public address.
DONE = "/connect/github/done"
_CODE = re.compile(r"[\w-]{1,200}", re.ASCII)


def manifest(public_url: str, name: str) -> dict[str, object]:
    """What GitHub is asked to make of the App `name` of the server at `public_url`."""
    root = public_url.rstrip("/")
    return {
        "name": name,
        "url": root,
        "hook_attributes": {"url": f"{root}/hooks/", "active": False},
        "redirect_url": root + DONE,
        "public": False,
        "default_permissions": dict(PERMISSIONS),
        "default_events": [],
    }


async def exchange(http: Http, host: str, code: str) -> str:
    """
    The App's JSON text (`id`, `slug`, `pem`) for the code that GitHub gave; `host` is its origin.

    What else GitHub tells, as the App's other secrets, is not kept.
    """
    if not _CODE.fullmatch(code):
        raise UserError("that is no code of GitHub", hint="begin again: register the App")
    root = base(origin(host))
    api = Api(http, root, Credential(origin(root)), HEADERS)
    try:
        made = await api.post(f"/app-manifests/{code}/conversions")
    except NotFound as error:
        hint = "it holds for an hour and once: register the App again"
        raise NotFound("GitHub does not know the code of the App", hint=hint) from error
    number, slug, pem = (text(made, name) for name in ("id", "slug", "pem"))
    if not (number.isdecimal() and slug and pem):
        raise Permanent("GitHub told no number, name and key of the App")
    return orjson.dumps({"id": int(number), "slug": slug, "pem": pem}).decode()
