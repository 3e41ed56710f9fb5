"""A token of an OIDC issuer, in place of a signature: what is trusted, and all that is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import pytest
from joserfc import jwk, jws
from joserfc.jws import JWSRegistry

from windlass.core.errors import BadDelivery
from windlass.forges.generic.anchor import signing_keys
from windlass.forges.generic.bearer import LEEWAY
from windlass.forges.generic.dialect import GenericDialect
from windlass.forges.plain.program.signing import headers
from windlass.ports.forge import Request

AT = 1_700_000_000.0
ISSUER, AUDIENCE = "https://tokens.example", "https://windlass.example/hooks/7"
BODY = b'{"type": "image.pushed"}'
RSA = jwk.RSAKey.generate_key(2048, {"kid": "rsa"})
EC = jwk.ECKey.generate_key("P-256", {"kid": "ec"})
ED = jwk.OKPKey.generate_key("Ed25519", {"kid": "ed"})
OTHER = jwk.RSAKey.generate_key(2048, {"kid": "rsa"})
SIGNERS = {"RS256": RSA, "ES256": EC, "EdDSA": ED, "Ed25519": ED}
SET = {"keys": [one.as_dict(private=False) for one in (RSA, EC, ED)]}
CLAIMS = {
    "iss": ISSUER, "aud": AUDIENCE, "exp": AT + 300, "iat": AT, "nbf": AT,
    "sub": "repo:acme/shop", "repository": "acme/shop", "jti": "token-1",
}  # fmt: skip
SECRET = b"correct horse battery staple"


class _Quiet(JWSRegistry):
    """Signs by whatever it is told to."""

    def get_alg(self, name):
        return self.algorithms[name]

    def check_header(self, header):
        pass


def token(alg="RS256", key=None, header=None, **changed):
    """A token that is right but for what is changed; None leaves a claim out."""
    claims = {k: v for k, v in {**CLAIMS, **changed}.items() if v is not None}
    key = key or SIGNERS[alg]
    protected = {"alg": alg, "kid": key.kid, **(header or {})}
    protected = {name: value for name, value in protected.items() if value is not None}
    registry = _Quiet(strict_check_header=False)
    return jws.serialize_compact(protected, json.dumps(claims), key, registry=registry)


def anchored(**changed):
    """The trust anchor of an endpoint."""
    said = {
        "issuer": ISSUER, "audience": AUDIENCE, "jwks": SET, "claims": {"repository": "acme/shop"},
        **changed,
    }  # fmt: skip
    return b"oidc:" + json.dumps(said).encode()


def brought(value, body=BODY, at=AT, scheme="Bearer"):
    return Request(headers={"authorization": f"{scheme} {value}"}, body=body, at=at)


def verify(request, *secrets):
    return GenericDialect().verify(request, secrets or (anchored(),))


def refused(request, *secrets):
    with pytest.raises(BadDelivery) as caught:
        verify(request, *secrets)
    assert not caught.value.trusted
    return str(caught.value)


def encoded(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


# -- what is trusted


@pytest.mark.parametrize("alg", SIGNERS)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_a_token_of_the_issuer_is_trusted(alg, scheme):
    """By each algorithm, and its id is the delivery's."""
    assert verify(brought(token(alg), scheme=scheme)).delivery_key == "token-1"


@pytest.mark.parametrize("odd", [None, 7, "", "a\nb", "x" * 300])
def test_without_an_id_token_and_body_are_the_key(odd):
    """The same post is one, and the same body with tomorrow's token is another."""
    keys = [
        verify(brought(token(jti=odd, exp=AT + seconds))).delivery_key
        for seconds in (300, 300, 301)
    ]
    assert keys[0] == keys[1] != keys[2]
    assert all(key.startswith("sha256:") for key in keys)


def test_secrets_and_issuers_stand_side_by_side():
    """Each is told by its place, and neither gets in the other's way."""
    secrets = (SECRET, anchored(issuer="https://else.example"), anchored())
    assert verify(brought(token()), *secrets).secret == 2
    signed = Request(headers=headers(SECRET, "msg_1", AT, BODY), body=BODY, at=AT)
    for order in (secrets, secrets[::-1]):
        assert verify(signed, *order).secret == order.index(SECRET)
    # Whoever signs may bring a token for somebody else, a proxy for example.
    both = replace(signed, headers={**signed.headers, "authorization": "Bearer x"})
    assert verify(both, SECRET).secret == 0


def test_one_of_several_values_will_do():
    """An audience, of the token or of the endpoint, and a claim may be lists."""
    assert verify(brought(token(aud=["x", AUDIENCE])))
    assert verify(brought(token()), anchored(audience=["x", AUDIENCE]))
    several = anchored(claims={"repository": ["acme/api", "acme/shop"], "sub": "repo:acme/shop"})
    assert verify(brought(token()), several)


def test_clocks_may_differ_by_a_minute():
    """Not by more, to either side."""
    for good in ({"exp": AT - LEEWAY + 1}, {"nbf": AT + LEEWAY}, {"iat": AT + LEEWAY}):
        assert verify(brought(token(**good)))
    assert verify(brought(token(iat=None, nbf=None)))


def test_the_only_key_need_not_be_named():
    """An issuer with one key may leave its id out; one with several may not."""
    alone = anchored(jwks={"keys": [RSA.as_dict(private=False)]})
    assert verify(brought(token(header={"kid": None})), alone)
    double = {**RSA.as_dict(private=False), "kid": "again"}
    refused(brought(token(header={"kid": None})), anchored(jwks={"keys": [*SET["keys"], double]}))


def test_a_token_may_be_bound_to_its_body():
    """Then another body is refused, and so is a claim that is no digest."""
    digest = hashlib.sha256(BODY).hexdigest()
    for good in (digest, digest.upper()):
        assert verify(brought(token(body_sha256=good)))
    assert "another body" in refused(brought(token(body_sha256=digest), body=BODY + b" "))
    for odd in ("", 7, [digest], digest[:-1], "\ud800"):
        refused(brought(token(body_sha256=odd)))


# -- what is not


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"iss": "https://tokens.example/"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"iss": [ISSUER]}, "issuer"),
        ({"aud": "https://windlass.example/hooks/8"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": {AUDIENCE: 1}}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": ["x"] * 1000 + [AUDIENCE]}, "audience"),
        ({"exp": AT - LEEWAY}, "expired"),
        ({"exp": None}, "never would"),
        ({"exp": "1700000300"}, "no time"),
        ({"exp": True}, "no time"),
        ({"nbf": AT + LEEWAY + 1}, "future"),
        ({"iat": AT + LEEWAY + 1}, "future"),
        ({"iat": [AT]}, "no time"),
        ({"repository": "acme/shop2"}, "repository"),
        ({"repository": None}, "repository"),
        ({"repository": ["acme/shop"]}, "repository"),
        ({"repository": True}, "repository"),
    ],
)
def test_each_claim_has_to_hold(changed, words):
    """The issuer, the audience, the times and what the operator asks for, each by itself."""
    assert words in refused(brought(token(**changed)))


def test_true_is_not_one():
    """Values are compared by their kinds too."""
    refused(brought(token(level=1)), anchored(claims={"level": True}))
    refused(brought(token(level=True)), anchored(claims={"level": 1}))
    assert verify(brought(token(level=1)), anchored(claims={"level": 1}))


def test_a_token_without_a_signature_is_refused():
    """`alg: none`, in every spelling, with and without something in its place."""
    for alg in ("none", "None", "NONE", "", "nOnE"):
        head, body = encoded({"alg": alg, "kid": "rsa"}), encoded(CLAIMS)
        good = token().rpartition(".")[2]
        for signature in ("", "x", good):
            refused(brought(f"{head}.{body}.{signature}"))


@pytest.mark.parametrize("form", ["pem", "der", "jwk", "n"])
def test_a_public_key_is_no_secret(form):
    """HS256 with the issuer's public key as its secret: the oldest trick."""
    public = RSA.as_dict(private=False)
    key = {
        "pem": RSA.as_pem(private=False),
        "der": RSA.as_der(private=False),
        "jwk": json.dumps(public).encode(),
        "n": base64.urlsafe_b64decode(public["n"] + "=="),
    }[form]
    for kid in ("rsa", None):
        signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{encoded(CLAIMS)}"
        mac = hmac.new(key, signed.encode(), hashlib.sha256).digest()
        refused(brought(f"{signed}.{encoded(mac)}"))


def test_a_secret_of_the_set_is_no_key():
    """An issuer that publishes a symmetric key, or a private one, makes nobody trusted by it."""
    known = jwk.OctKey.import_key(b"x" * 32, {"kid": "oct"})
    refused(brought(token("HS256", known)), anchored(jwks={"keys": [known.as_dict(private=True)]}))
    assert not any(signing_keys({"keys": [known.as_dict(private=True)]}))


def test_another_key_is_refused():
    """With the same id, with an id of its own, and with one that it brings along."""
    refused(brought(token(key=OTHER)))
    assert "does not have" in refused(brought(token(header={"kid": "unknown"})))
    for odd in (7, ["rsa"], {}, "", "../rsa"):
        refused(brought(token(header={"kid": odd})))
    public = OTHER.as_dict(private=False)
    for extra in ({"jwk": public}, {"jku": "https://evil.example/keys"}, {"x5u": "https://x"}):
        refused(brought(token(key=OTHER, header=extra)))


@pytest.mark.parametrize(("alg", "kid"), [("ES256", "rsa"), ("RS256", "ec"), ("EdDSA", "ec")])
def test_a_key_signs_in_its_own_way_alone(alg, kid):
    """What names a key of another kind is refused before anything is computed."""
    assert "another way" in refused(brought(token(alg, header={"kid": kid})))


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "HS256", "ES512", "dir", "x", 7, None])
def test_another_algorithm_is_refused(alg):
    """The three that are said, and none besides."""
    head, _, rest = token().partition(".")
    bent = encoded({**json.loads(base64.urlsafe_b64decode(head + "==")), "alg": alg})
    refused(brought(f"{bent}.{rest}"))
    if alg in {"RS384", "RS512", "PS256"}:
        refused(brought(token(alg, RSA)))


@pytest.mark.parametrize(
    "changed",
    [
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"alg": "RS512"},
        {"n": 7},
        {"n": "é"},
        {"e": ""},
        {"kid": 7},
        {"kty": "oct"},
        {"kty": ["RSA"]},
        {"crv": "P-256"},
    ],
)
def test_a_key_for_something_else_is_no_key(changed):
    """For encryption, for another algorithm, or bent: left out, and the others still count."""
    bent = {**RSA.as_dict(private=False), **changed}
    assert not any(signing_keys({"keys": [bent]}))
    trust = anchored(jwks={"keys": [bent, 7, None, {}, EC.as_dict(private=False)]})
    refused(brought(token()), trust)
    assert verify(brought(token("ES256")), trust)


def test_a_short_key_is_no_key():
    """RSA below 2048 bits is not looked at."""
    number = encoded((1 << 1023 | 1).to_bytes(128, "big"))
    assert not any(signing_keys({"keys": [{"kty": "RSA", "kid": "x", "n": number, "e": "AQAB"}]}))


@pytest.mark.parametrize(
    "extra", [{"crit": ["exp"]}, {"crit": []}, {"b64": False, "crit": ["b64"]}]
)
def test_what_is_not_understood_is_refused(extra):
    """A header that asks for more than we know, as RFC 7515 wants it."""
    head, _, rest = token().partition(".")
    bent = {**json.loads(base64.urlsafe_b64decode(head + "==")), **extra}
    refused(brought(f"{encoded(bent)}.{rest}"))
    refused(brought(token(header=extra)))


def test_two_headers_are_none():
    """Sent twice, an authorization is a list, as the server hands it on; no one is chosen."""
    good = token()
    for value in (f"{good}, Bearer {good}", f"{good}, {good}", f"x, Bearer {good}", f"{good},"):
        refused(brought(value))
    refused(brought(f"x, Bearer {good}", scheme="Basic"))


@pytest.mark.parametrize(
    "value",
    [
        "", ".", "..", "...", "a.b", "a.b.c.d", "a.b.c", "\0", "\ud800.a.b", "é.é.é", "x" * 70_000,
        f"{'A' * 90_000}.a.b", "e30.e30.e30", "W10.e30.e30", "bnVsbA.e30.e30", "IiI.e30.e30",
        encoded(b"[" * 5_000) + ".a.b", encoded({"alg": "RS256", "kid": "rsa"}) + "..",
    ],
)  # fmt: skip
def test_garbage_is_refused(value):
    """Whatever stands after the word, nothing but a refusal comes of it."""
    refused(brought(value))
    refused(brought(value, scheme="bearer"))


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b"null", b"\xff", b'{"exp": NaN}', b"{"])
def test_a_signed_token_of_nonsense_is_refused(payload):
    """What is signed need not be claims."""
    head = {"alg": "RS256", "kid": "rsa"}
    refused(brought(jws.serialize_compact(head, payload, RSA)))


def test_each_part_of_a_token_counts():
    """One character changed in any part: refused."""
    good = token("EdDSA")
    for at in range(0, len(good) - 2, 7):
        other = "A" if good[at] != "A" else "B"
        refused(brought(good[:at] + other + good[at + 1 :]))


def test_a_bad_token_is_not_rescued_by_a_signature():
    """Where an issuer is trusted, a token that is brought decides alone."""
    signed = headers(SECRET, "msg_1", AT, BODY)
    for value in ("Bearer x", "bearer", f"Bearer {token(exp=1)}"):
        request = Request(headers={**signed, "authorization": value}, body=BODY, at=AT)
        refused(request, SECRET, anchored())


def test_an_anchor_signs_nothing():
    """It is public, so a signature made with it is worth nothing."""
    trust = anchored()
    refused(Request(headers=headers(trust, "msg_1", AT, BODY), body=BODY, at=AT), trust)
    refused(Request(headers=headers(b"", "msg_1", AT, BODY), body=BODY, at=AT), trust)


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": None}, {"issuer": ""}, {"audience": None}, {"audience": []}, {"audience": [7]},
        {"audience": ""}, {"claims": None}, {"claims": {}}, {"claims": {"sub": None}},
        {"claims": {"sub": []}}, {"claims": {"sub": [""]}}, {"claims": []}, {"jwks": None},
        {"jwks": {}}, {"jwks": {"keys": {}}}, {"jwks": []}, {"jwks": "x"},
    ],
)  # fmt: skip
def test_an_anchor_that_asks_for_nothing_trusts_nobody(changed):
    """Without an issuer, an audience, a claim or a key there is no trust, and no other error."""
    refused(brought(token(iss=changed.get("issuer", ISSUER))), anchored(**changed))


@pytest.mark.parametrize("secret", [b"oidc:", b"oidc:{", b"oidc:[]", b"oidc:\xff", b"oidc:7"])
def test_an_anchor_that_is_none_trusts_nobody(secret):
    """And the next one still does."""
    refused(brought(token()), secret)
    assert verify(brought(token()), secret, anchored()).secret == 1
