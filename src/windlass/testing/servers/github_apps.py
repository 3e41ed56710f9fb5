"""
Apps of the GitHub of the tests: their proofs, installations and tokens, and how they begin.

See https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app and
https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from windlass.testing.servers.github_ground import REPO, ROOT, Bearer, Said, iso
from windlass.testing.servers.github_results import Results
from windlass.testing.servers.serving import Call, Refused, Reply, route

# What an App may be given, and the right it is here.
RIGHTS = {
    "checks": "checks",
    "contents": "contents",
    "deployments": "deployments",
    "issues": "comments",
    "pull_requests": "pulls",
    "repository_hooks": "hooks",
    "statuses": "statuses",
}
# Seconds that a token lives, and that a proof may.
HOUR, TEN_MINUTES = 3600, 600


class Apps(Results):
    """What Apps ask; `codes` are those of manifests that were not exchanged yet."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        # App by number; `_installed` is repository -> installation.
        self.apps: dict[int, Said] = {}
        self.codes: dict[str, Said] = {}

    def register(self, slug: str, permissions: dict[str, str], *installed: str) -> str:
        """A new App, installed for these repositories; what Windlass stores of it."""
        made, pem = self._register(slug, permissions)
        self.apps[made["id"]]["_installed"] = {path: self.new() for path in installed}
        return json.dumps({"id": made["id"], "slug": slug, "pem": pem})

    @route("GET", REPO + "/installation")
    def installation(self, call: Call) -> Reply:
        """The App's installation that holds the repository."""
        app = self._prover(call)
        number = app["_installed"].get(f"{call.names['owner']}/{call.names['name']}")
        if number is None:
            raise Refused(404, "Not Found")
        return Reply(200, {"id": number, "app_id": app["id"], "permissions": app["permissions"]})

    @route("POST", ROOT + "/app/installations/{id}/access_tokens")
    def access_token(self, call: Call) -> Reply:
        """A token of an hour, for the repositories that are named."""
        app = self._prover(call)
        call.only("repositories", "permissions")
        paths = [path for path, id_ in app["_installed"].items() if str(id_) == call.names["id"]]
        if not paths:
            raise Refused(404, "Not Found")
        if app.get("_suspended"):
            raise Refused(403, "This installation has been suspended")
        wanted = call.body.get("repositories", [])
        only = next((path for path in paths if [path.partition("/")[2]] == wanted), None)
        if only is None:
            raise Refused(422, "There is at least one repository that is not accessible")
        token, until = f"ghs_{self.new():036d}", self.now() + HOUR
        rights = frozenset(RIGHTS[name] for name in app["permissions"] if name in RIGHTS)
        shown = {name: app[name] for name in ("id", "slug")}
        self.tokens[token] = Bearer(app["_bot"], rights, app=shown, until=until, only=only)
        return Reply(201, {"token": token, "expires_at": iso(until)})

    @route("POST", ROOT + "/app-manifests/{code}/conversions")
    def conversion(self, call: Call) -> Reply:
        """The App of a manifest, for its code, once."""
        manifest = self.codes.pop(call.names["code"], None)
        if manifest is None:
            raise Refused(404, "Not Found")
        made, pem = self._register(manifest["name"], manifest["default_permissions"])
        secrets = {"client_secret": "hush", "webhook_secret": None, "pem": pem}
        return Reply(201, {"id": made["id"], "slug": made["slug"], **secrets})

    def _register(self, slug: str, permissions: dict[str, str]) -> tuple[Said, str]:
        key, bot = self._key(), self.person(f"{slug}[bot]", bot=True)
        made: Said = {"id": self.new(), "slug": slug, "permissions": permissions}
        self.apps[made["id"]] = {**made, "_key": key, "_bot": bot, "_installed": {}}
        return made, key.as_pem(private=True).decode()

    def _key(self) -> RSAKey:
        """The key of the next App."""
        keys = _keys()
        if len(keys) == len(self.apps):
            keys.append(RSAKey.generate_key(2048))
        return keys[len(self.apps)]

    def _prover(self, call: Call) -> Said:
        """The App that proves itself in a call."""
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        for app in self.apps.values():
            try:
                claims = jwt.decode(token, app["_key"], algorithms=["RS256"]).claims
            except (JoseError, ValueError):
                continue
            if claims.get("iss") != str(app["id"]):
                continue
            if not self.now() < claims["exp"] <= claims["iat"] + TEN_MINUTES:
                raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
            if claims["iat"] > self.now():
                raise Refused(401, "'Issued at' claim ('iat') must be in the past")
            return app
        raise Refused(401, "A JSON web token could not be decoded")


@cache
def _keys() -> list[RSAKey]:
    """Keys of Apps, the same for every server of a process: to make one takes long."""
    return []
