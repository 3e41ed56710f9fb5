"""The keys of an OIDC issuer are found by discovery, and an issuer leads us nowhere else."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from joserfc import jwk, jws

from windlass.core.errors import NotFound, Permanent, UserError
from windlass.forges.generic.anchor import written
from windlass.forges.generic.dialect import GenericDialect
from windlass.forges.generic.keys import jwks
from windlass.forges.http.client import Http
from windlass.ports.forge import Request
from windlass.reach import Reach
from windlass.testing.servers.oidc import Issuer

RSA = jwk.RSAKey.generate_key(2048, {"kid": "rsa"})
SET = {"keys": [RSA.as_dict(private=False)]}


class Wall:
    """The clock on the wall."""

    def now(self):
        return time.time()


@pytest.fixture
def issuer(tmp_path):
    with Issuer(tmp_path) as server:
        server.set = SET
        yield server


def found(issuer):
    async def main():
        http = Http(Wall(), Reach(frozenset({"127.0.0.1"})))
        try:
            return await jwks(http, issuer)
        finally:
            await http.close()

    return asyncio.run(main())


def test_the_keys_of_an_issuer_make_an_anchor(issuer):
    """Found by discovery, without what is private or not for us, and a token fits them."""
    full = {**RSA.as_dict(private=True), "x5c": ["MIIC" * 400]}
    issuer.set = {"keys": [full, {"kty": "oct", "k": "x"}, {"kty": "new"}, 7]}
    brings = found(issuer.url)
    assert json.loads(brings) == {"keys": [RSA.as_dict(private=False)]}
    trust = written(issuer=issuer.url, audience="us", claims={"sub": "ada"}, jwks=brings)
    claims = {"iss": issuer.url, "aud": "us", "sub": "ada", "exp": 2.0, "jti": "token-1"}
    token = jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, json.dumps(claims), RSA)
    request = Request(headers={"authorization": f"Bearer {token}"}, body=b"{}", at=1.0)
    assert GenericDialect().verify(request, (trust,)).delivery_key == "token-1"


def test_an_issuer_is_what_it_calls_itself(issuer):
    """Another name, be it by a slash, would make tokens of one the other's."""
    for name in (f"{issuer.url}/", "https://tokens.example", "", 7, None):
        issuer.said["issuer"] = name
        with pytest.raises(UserError, match="calls itself"):
            found(issuer.url)


@pytest.mark.parametrize(
    "where", ["http://else.example/keys", "file:///etc/passwd", "", "//x", "http://[x"]
)
def test_keys_are_not_read_over_plain_http_elsewhere(issuer, where):
    """The set is kept where the issuer is, or behind TLS."""
    issuer.said["jwks_uri"] = where
    with pytest.raises(UserError, match="not https"):
        found(issuer.url)
    assert len(issuer.calls) == 1


def test_a_set_on_a_private_host_is_not_asked_for(issuer):
    """S-30: an issuer leads us to no address that is not public."""
    issuer.said["jwks_uri"] = "https://169.254.169.254/keys"
    with pytest.raises(UserError, match="not a public address"):
        found(issuer.url)


@pytest.mark.parametrize(
    "given", ["", "x", "file:///x", "https://h?x", "https://h#x", "https://a:b@h"]
)
def test_what_is_no_issuer_is_refused_in_words(given):
    """An address, and nothing with it."""
    with pytest.raises(UserError, match="no issuer"):
        found(given)


def test_an_issuer_without_keys_is_named(issuer):
    """None at all, or none that we could use."""
    for keys in ([], [{"kty": "oct", "k": "x"}], None):
        issuer.set = {"keys": keys}
        with pytest.raises(UserError, match="no key"):
            found(issuer.url)
    issuer.set = {"keys": {}}
    issuer.faults = []
    with pytest.raises((UserError, Permanent)):
        found(issuer.url)


def test_what_is_not_there_is_an_error_of_ours(issuer):
    """No exception of a library comes out."""
    with pytest.raises(NotFound):
        found(f"{issuer.url}/realms/x")
