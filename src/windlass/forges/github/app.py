"""
A GitHub App: how it proves who it is, and the tokens that its installations get.

The App signs a statement of its own (a JWT of ten minutes) with its key, and gets for it
a token of the installation that holds this one repository. That token lives an hour; it
is kept here until shortly before its end, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from windlass.core.errors import BadDelivery, NotFound, Permanent, UserError
from windlass.forges.github.place import Place
from windlass.forges.http.api import Api, text
from windlass.forges.http.client import Credential, Http
from windlass.forges.times import moment
from windlass.ports.target import Clock

HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
# Seconds: our clock may be ahead; GitHub takes no more than ten minutes in all.
BACK, LIFE = 60, 9 * 60
# A token is not used in its last minute.
SPARE = 60.0
# How long it is remembered that an App is not installed for a repository.
ABSENT = 300.0
# A token that was refused this soon after it was made is not refused for its age.
NEW = 30.0


@dataclass(frozen=True, slots=True)
class App:
    """What is stored of an App, for one origin."""

    id: int
    slug: str
    pem: str = field(repr=False)

    @property
    def bot(self) -> str:
        """The login under which it speaks."""
        return f"{self.slug}[bot]"


def app(stored: str) -> App:
    """The App of the JSON text that was stored."""
    try:
        return msgspec.json.decode(stored, type=App)
    except msgspec.MsgspecError:
        raise UserError(
            "what is stored of the GitHub App cannot be read", hint="register the App again"
        ) from None


def statement(who: App, now: float) -> str:
    """The App's own proof, for the calls that only an App may make; `now` is UTC seconds."""
    claims = {"iss": str(who.id), "iat": int(now) - BACK, "exp": int(now) + LIFE}
    try:
        return jwt.encode({"alg": "RS256"}, claims, RSAKey.import_key(who.pem))
    except (JoseError, ValueError):
        raise UserError(
            f"the key of the GitHub App {who.slug} cannot be used", hint="register the App again"
        ) from None


@dataclass(frozen=True, slots=True)
class Granted:
    """A token of an installation and the time it was made and ends (UTC seconds)."""

    token: str = field(repr=False)
    made: float
    until: float


class Installations:
    """The tokens of installations, kept in memory."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._kept: dict[tuple[int, str], Granted] = {}
        self._absent: dict[tuple[int, str], float] = {}

    async def token(self, place: Place, who: App, spare: float = SPARE) -> str | None:
        """A token for this repository alone, good for `spare` seconds; None: not installed."""
        now, key = self._clock.now(), (who.id, place.api)
        if (kept := self._kept.get(key)) and kept.until - spare > now:
            return kept.token
        if self._absent.get(key, 0.0) > now:
            return None
        proof = {"authorization": f"Bearer {statement(who, now)}"}
        api = Api(self._http, place.base, Credential(_origin(place.base), proof), HEADERS)
        try:
            found = await api.get(f"{place.path}/installation")
        except NotFound:
            self._absent[key] = now + ABSENT
            return None
        made = await api.post(
            f"/app/installations/{int(text(found, 'id') or 0)}/access_tokens",
            {"repositories": [place.name]},
        )
        granted = Granted(text(made, "token"), now, _end(text(made, "expires_at")))
        if not granted.token:
            raise Permanent(f"{place.base} gave no token for {place.path}")
        self._forget_old(now)
        self._kept[key] = granted
        return granted.token

    def refused(self, place: Place, who: App) -> bool:
        """Forget a token that GitHub does not take any more; whether another may do better."""
        kept = self._kept.pop((who.id, place.api), None)
        return kept is not None and self._clock.now() - kept.made > NEW

    def _forget_old(self, now: float) -> None:
        self._kept = {key: one for key, one in self._kept.items() if one.until > now}
        self._absent = {key: until for key, until in self._absent.items() if until > now}


def _origin(base: str) -> str:
    return "/".join(base.split("/")[:3])


def _end(said: str) -> float:
    try:
        return moment(said or None) or 0.0
    except BadDelivery:
        raise Permanent("a token ends at no time that can be read") from None
