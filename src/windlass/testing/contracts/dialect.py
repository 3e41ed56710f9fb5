"""
What every dialect does with what strangers send.

Subclass `DialectContract` and give it the fixtures `dialect`, `signed` and `samples`:

    class TestMine(DialectContract):
        @pytest.fixture
        def dialect(self):
            return MyDialect()

        @pytest.fixture
        def signed(self):
            return lambda request, secret: replace(request, headers=...)

        @pytest.fixture
        def samples(self):
            return [Request(headers={"x-event": "push"}, body=..., at=1_700_000_000.0)]
"""

from __future__ import annotations

import contextlib
import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from windlass.core.errors import BadDelivery
from windlass.core.event import ACTIONS, Ignored
from windlass.ports.forge import Dialect, Request

Sign = Callable[[Request, bytes], Request]
_Holder = dict[str, object] | list[object]

SECRET, OLDER = b"correct horse battery staple", b"the one before"

# What no text, number, flag, object or list of a body may be.
STRANGE: tuple[object, ...] = (
    None, True, -1, 7, 1.5, 10**30, 1e300, "", "\0", "x" * 70_000, "--upload-pack=x", "a..b",
    "refs/heads/../x", "\u202e\n", "0" * 40, [], {}, [None], [[]], {"a": 1}, [{"name": 7}],
)  # fmt: skip

# How often bytes are damaged instead of a field, and a field is taken away.
_BYTES = 0.2

# Bodies that no forge means, whatever it signs.
MALFORMED: tuple[bytes, ...] = (
    b"", b"\0", b"null", b"[]", b"7", b'"text"', b"{", b'{"a":1}x', b"\xef\xbb\xbf{}", b"{}\xff",
    '{"a":1}'.encode("utf-16"), b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1e999}',
    b'{"a":"\\ud800"}', b'{"a":1,"a":2}', b'{"a":"\x01"}', b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b"[" * 100_000, b'{"a":' + b"9" * 10_000 + b"}",
)  # fmt: skip


class Bent:
    """Makes strange bodies of a good one: something else in one place, or in several."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._tree = json.loads(body)
        self._places = list(_places(self._tree))

    def make(self, chance: random.Random) -> bytes:
        """Another one."""
        if chance.random() < _BYTES:
            return _damaged(self._body, chance)
        with contextlib.ExitStack() as after:
            for holder, key in chance.choices(self._places, k=chance.choice((1, 1, 1, 2, 5))):
                self._bend(holder, key, chance, after)
            return json.dumps(self._tree).encode()

    def _bend(
        self, holder: _Holder, key: str | int, chance: random.Random, after: contextlib.ExitStack
    ) -> None:
        value = chance.choice(STRANGE)
        if isinstance(holder, list):
            after.callback(holder.__setitem__, int(key), holder[int(key)])
            holder[int(key)] = value
            return
        after.callback(_restore, holder, dict(holder))
        if chance.random() < _BYTES:
            holder.pop(str(key), None)
        else:
            holder[str(key)] = value


def _restore(holder: dict[str, object], was: dict[str, object]) -> None:
    holder.clear()
    holder.update(was)


def _damaged(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body))
    piece = chance.choice((b"", b"\0", b"\xff", b'"', b"{", b"]", b",", b"9" * 400, b"\\u0000"))
    return body[:at] + piece + body[at + chance.randrange(4) :]


def _places(tree: object) -> Iterator[tuple[_Holder, str | int]]:
    """Every place of a document in which a value stands."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield tree, name
            yield from _places(value)
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield tree, index
            yield from _places(value)


class DialectContract:
    """Promises of the port `Dialect`."""

    @pytest.fixture
    def dialect(self) -> Dialect:
        """The dialect under test."""
        raise NotImplementedError

    @pytest.fixture
    def signed(self) -> Sign:
        """How this forge signs: the request with its headers, as of `request.at`."""
        raise NotImplementedError

    @pytest.fixture
    def samples(self) -> Sequence[Request]:
        """One unsigned request of each kind that this dialect reads into events."""
        raise NotImplementedError

    @pytest.fixture
    def good(self, samples: Sequence[Request], signed: Sign) -> Request:
        """A request that is right in everything."""
        return signed(samples[0], SECRET)

    def test_what_is_signed_is_trusted(self, dialect: Dialect, good: Request) -> None:
        """The right secret is trusted, and the same delivery has the same key."""
        first = dialect.verify(good, (SECRET,))
        assert first.delivery_key
        assert dialect.verify(good, (SECRET,)) == first

    def test_either_secret_is_trusted(
        self, dialect: Dialect, signed: Sign, samples: Sequence[Request]
    ) -> None:
        """While a secret is replaced both count, and the one that matched is told."""
        old = signed(samples[0], OLDER)
        assert dialect.verify(old, (SECRET, OLDER)).secret == 1

    def test_another_secret_is_refused(self, dialect: Dialect, good: Request) -> None:
        """A signature by a secret that is not ours is not trusted."""
        _refused(dialect, good, OLDER)

    def test_no_secret_means_no_trust(
        self, dialect: Dialect, signed: Sign, samples: Sequence[Request]
    ) -> None:
        """Without a secret, or with an empty one, nothing is trusted, not even its signature."""
        _refused(dialect, signed(samples[0], SECRET))
        _refused(dialect, signed(samples[0], b""), b"")
        _refused(dialect, samples[0], b"", SECRET)

    def test_each_header_counts(
        self, dialect: Dialect, signed: Sign, samples: Sequence[Request], good: Request
    ) -> None:
        """A signing header that is missing, empty, short, bent or monstrous is refused."""
        unsigned = samples[0].headers
        added = [name for name, value in good.headers.items() if unsigned.get(name) != value]
        proven = [name for name in added if _decides(dialect, good, name)]
        assert proven
        for name in proven:
            value = good.headers[name]
            kept = {key: value for key, value in good.headers.items() if key != name}
            _refused(dialect, replace(good, headers=kept), SECRET)
            for other in _bends(value):
                _refused(dialect, replace(good, headers={**kept, name: other}), SECRET)

    def test_each_byte_counts(self, dialect: Dialect, good: Request) -> None:
        """One bit of the body changed, one byte more or less: refused."""
        body = good.body
        for at in range(0, len(body), max(1, len(body) // 50)):
            bent = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
            _refused(dialect, replace(good, body=bent), SECRET)
        for other in (
            body[:-1],
            body + b"\n",
            b"",
            json.dumps(json.loads(body), indent=3).encode(),
        ):
            _refused(dialect, replace(good, body=other), SECRET)

    def test_the_same_bytes_are_the_same_events(
        self, dialect: Dialect, samples: Sequence[Request]
    ) -> None:
        """Reading is pure, and each event is one of our words about the right repository."""
        for request in samples:
            events = dialect.read(request, "acme/shop")
            assert not isinstance(events, Ignored), events
            assert events
            assert dialect.read(request, "acme/shop") == events
            for event in events:
                assert event.action in ACTIONS[event.kind]
                assert event.repository == "acme/shop"

    @pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:20]))
    def test_a_malformed_body_is_a_bad_delivery(
        self, dialect: Dialect, samples: Sequence[Request], body: bytes
    ) -> None:
        """What is not one strict JSON object is refused as unreadable, not as untrusted."""
        for request in samples:
            with pytest.raises(BadDelivery) as caught:
                dialect.read(replace(request, body=body), "acme/shop")
            assert caught.value.trusted

    def test_s11_a_strange_body_does_no_harm(
        self, dialect: Dialect, samples: Sequence[Request]
    ) -> None:
        """Bent in one or several places, a body gives events, Ignored or BadDelivery."""
        chance = random.Random(1)  # noqa: S311 - the same strange bodies every time
        strange = [(request, Bent(request.body)) for request in samples]
        for number in range(bent_bodies()):
            request, bent = strange[number % len(strange)]
            read_calmly(dialect, replace(request, body=bent.make(chance)))


def bent_bodies() -> int:
    """How many strange bodies a reader is given; a nightly run sets WINDLASS_FUZZ to a million."""
    return int(os.environ.get("WINDLASS_FUZZ") or (10_000 if os.environ.get("CI") else 2_000))


def read_calmly(dialect: Dialect, request: Request) -> None:
    """Read a body that may be anything; only `BadDelivery` may come of it, and no strange event."""
    try:
        events = dialect.read(request, "acme/shop")
    except BadDelivery:
        return
    for event in () if isinstance(events, Ignored) else events:
        assert event.action in ACTIONS[event.kind]
        for name in (event.branch, event.tag, event.base, event.head):
            assert name is None or not name.startswith("-")


def _refused(dialect: Dialect, request: Request, *secrets: bytes) -> None:
    with pytest.raises(BadDelivery) as caught:
        dialect.verify(request, secrets)
    assert not caught.value.trusted


def _decides(dialect: Dialect, good: Request, name: str) -> bool:
    """Whether the signature is, or covers, this header."""
    try:
        dialect.verify(replace(good, headers={**good.headers, name: "bent"}), (SECRET,))
    except BadDelivery:
        return True
    return False


def _bends(value: str) -> Iterator[str]:
    yield from ("", " ", value[:-1], value + "0", value.upper() + "x", "\0", "é" * 20, "\ud800")
    yield from ("sha1=" + value, "x" * 65_536, f"{value},{value}", f"{value}\r\n{value}")
