"""
An OIDC issuer on loopback: discovery, its keys, and tokens that it signs.

    with Issuer(tmp_path) as issuer:
        issuer.token(aud="windlass", exp=now + 300, repository="acme/shop")
        issuer.rotate()                        # signs with another key, and publishes that alone
        issuer.faults.append(Reply(503))       # as every server here
"""

from __future__ import annotations

import json
from pathlib import Path

from joserfc import jws
from joserfc.jwk import ECKey

from windlass.testing.servers.serving import Call, Reply, Server, route


class Issuer(Server):
    """`said` is its configuration, `set` are the keys that it publishes; both may be changed."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.said: dict[str, object] = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.set: object = None
        self._made = 0
        self.rotate()

    def rotate(self) -> None:
        """Sign with a new key from now on, and forget the one before."""
        self._made += 1
        self.key = ECKey.generate_key("P-256", {"kid": f"key-{self._made}"})
        self.set = {"keys": [self.key.as_dict(private=False)]}

    def token(self, *, key: ECKey | None = None, **claims: object) -> str:
        """A token of this issuer's, signed by its present key or by another one."""
        key = key or self.key
        said = json.dumps({"iss": self.url, **claims})
        return jws.serialize_compact({"alg": "ES256", "kid": str(key.kid)}, said, key)

    @route("GET", "/.well-known/openid-configuration")
    def configuration(self, _: Call) -> Reply:
        """Where the keys are."""
        return Reply(200, self.said)

    @route("GET", "/keys")
    def keys(self, _: Call) -> Reply:
        """The keys."""
        return Reply(200, self.set)
