"""The dialect of signed posts keeps the contract, and takes nothing on trust."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.jwk import OKPKey

from windlass.forges.generic.anchor import written
from windlass.forges.generic.dialect import GenericDialect
from windlass.forges.plain.program.signing import headers
from windlass.ports.forge import Request
from windlass.testing.contracts.dialect import DialectContract

AT = 1_700_000_000.0
BODIES = ({"type": "image.pushed", "data": {"tag": "v1"}}, {"any": ["thing", 1, None]})


class TestGeneric(DialectContract):
    @pytest.fixture
    def dialect(self):
        return GenericDialect()

    @pytest.fixture
    def signed(self):
        return lambda request, secret: replace(
            request, headers=headers(secret, "msg_1", request.at, request.body)
        )

    @pytest.fixture
    def samples(self):
        return [Request(headers={}, body=json.dumps(one).encode(), at=AT) for one in BODIES]


ISSUER, AUDIENCE, CLAIMS = "https://tokens.example", "https://ci.example/hooks/7", {"sub": "ada"}


def key_of(secret):
    """The key of an issuer that a secret of the contract stands for."""
    raw = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(secret).digest())
    return OKPKey.import_key(raw, {"kid": "one"})


def anchor_of(secret):
    """The trust anchor of that issuer."""
    keys = json.dumps({"keys": [key_of(secret).as_dict(private=False)]})
    return written(issuer=ISSUER, audience=AUDIENCE, claims=CLAIMS, jwks=keys)


class Anchored(GenericDialect):
    """The dialect, with an issuer in place of each secret."""

    def verify(self, request, secrets):
        return super().verify(request, tuple(map(anchor_of, filter(None, secrets))))


class TestBearer(DialectContract):
    """The same promises, kept by a token that is bound to its body."""

    @pytest.fixture
    def dialect(self):
        return Anchored()

    @pytest.fixture
    def signed(self):
        def sign(request, secret):
            digest = hashlib.sha256(request.body).hexdigest()
            claims = {
                **CLAIMS,
                "iss": ISSUER,
                "aud": AUDIENCE,
                "exp": request.at + 60,
                "jti": "token-1",
                "body_sha256": digest,
            }
            head = {"alg": "Ed25519", "kid": "one"}
            token = jws.serialize_compact(
                head, json.dumps(claims), key_of(secret), algorithms=["Ed25519"]
            )
            return replace(request, headers={"authorization": f"Bearer {token}"})

        return sign

    @pytest.fixture
    def samples(self):
        return [Request(headers={}, body=json.dumps(one).encode(), at=AT) for one in BODIES]


def test_nothing_but_the_type_is_taken_from_a_post():
    """A sender who claims a branch, a commit or a person is not believed."""
    body = {"type": "x", "branch": "main", "sha": "a" * 40, "sender": {"login": "root", "id": 1}}
    request = Request(headers={}, body=json.dumps(body).encode(), at=AT)
    (event,) = GenericDialect().read(request, "acme/shop")
    assert (event.label, event.title) == ("generic", "x")
    assert event.branch is event.sha is event.sender is event.sender_id is None


def test_a_post_may_say_nothing():
    """That it came is enough."""
    (event,) = GenericDialect().read(Request(headers={}, body=b"{}", at=AT), "acme/shop")
    assert (event.label, event.title) == ("generic", None)
