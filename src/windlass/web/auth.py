"""
Who asks: tokens, signed cookies, one-time links.

A token proves a person. Programs send it with every request; a browser trades
it once for a signed cookie. Nothing is stored: a cookie is checked by its
signature, whose key comes from the tokens, so new tokens end all sessions.

A shared token (named `operator`) lets each person give a name of their own,
which is noted but not proven; a token of any other name is that person.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from itsdangerous import BadSignature, URLSafeTimedSerializer

SHARED = "operator"
SESSION_SECONDS = 14 * 86400
INVITE_SECONDS = 15 * 60
TRIES_PER_MINUTE = 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


def safe_name(name: str) -> str:
    """The name a person gave, or nothing when it cannot be one."""
    return name if NAME.fullmatch(name) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A person who proved a token; `csrf` is empty when each request brings the token itself."""

    name: str
    id: str = ""
    csrf: str = ""

    @property
    def by_token(self) -> bool:
        """Whether the token came with this request, so that no foreign page can have sent it."""
        return not self.id


@dataclass(slots=True)
class Keys:
    """The tokens (name -> token), and what is signed with a key made from them."""

    tokens: Mapping[str, str] = field(repr=False)
    _key: bytes = field(init=False, repr=False)
    _ended: set[str] = field(init=False, default_factory=set)
    _used: set[str] = field(init=False, default_factory=set)
    _misses: list[float] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        text = "\0".join(f"{name}\0{token}" for name, token in sorted(self.tokens.items()))
        self._key = hashlib.sha256(b"windlass session\0" + text.encode()).digest()

    def who(self, token: str, claimed: str = "") -> Session | None:
        """The person whose token this is; every token is compared, in constant time."""
        given, found = token.encode(), ""
        for name, known in self.tokens.items():
            if known and hmac.compare_digest(known.encode(), given):
                found = name
        if not found:
            return None
        return Session(name=(safe_name(claimed) or found) if found == SHARED else found)

    def cookie(self, name: str) -> str:
        """A signed session for this person, under a fresh id."""
        return self._signer("session").dumps([name, secrets.token_urlsafe(12)])

    def session(self, cookie: str) -> Session | None:
        """The session in a cookie; None when it is not ours, too old, or ended."""
        found = self._read("session", cookie, SESSION_SECONDS)
        if found is None or found[1] in self._ended:
            return None
        return Session(name=found[0], id=found[1], csrf=self._csrf(found[1]))

    def end(self, session: Session) -> None:
        """Sign out: the cookie is worth nothing any more."""
        self._ended.add(session.id)

    def invite(self, name: str = SHARED) -> str:
        """A code for a link that signs in once, within a quarter of an hour."""
        return self._signer("invite").dumps([name, secrets.token_urlsafe(12)])

    def redeem(self, code: str) -> str:
        """The name in an invitation, once; empty when it is used, old or not ours."""
        found = self._read("invite", code, INVITE_SECONDS)
        if found is None or found[1] in self._used:
            return ""
        self._used.add(found[1])
        return found[0]

    def state(self, session: Session, about: str) -> str:
        """What goes along to another site and back: this session began it, about this."""
        return self._signer("state").dumps([session.id, about])

    def stated(self, session: Session, text: str) -> str:
        """What such a state was about; empty when it is old, not ours, or another session's."""
        found = self._read("state", text, INVITE_SECONDS)
        return found[1] if session.id and found and found[0] == session.id else ""

    def missed(self, now: float) -> None:
        """Note a wrong token."""
        self._misses.append(now)

    def tired(self, now: float) -> bool:
        """Whether too many wrong tokens came within a minute."""
        self._misses[:] = [at for at in self._misses if at > now - 60]
        return len(self._misses) >= TRIES_PER_MINUTE

    def csrf_fits(self, session: Session, given: str) -> bool:
        """Whether a form was made for this session."""
        return bool(session.csrf) and hmac.compare_digest(session.csrf.encode(), given.encode())

    def _csrf(self, identity: str) -> str:
        return hmac.new(self._key, b"csrf " + identity.encode(), hashlib.sha256).hexdigest()

    def _signer(self, salt: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._key, salt=salt)

    def _read(self, salt: str, text: str, age: int) -> tuple[str, str] | None:
        try:
            found = self._signer(salt).loads(text, max_age=age)
        except BadSignature:
            return None
        match found:
            case [str(name), str(identity)]:
                return name, identity
            case _:
                return None
