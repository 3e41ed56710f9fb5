"""
The API of one forge for one repository's adapter: paths in place of addresses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from windlass.core.errors import Permanent, UserError
from windlass.forges.http.client import Answer, Credential, Http

# Pages followed at most; a hundred entries each.
PAGES = 1000

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Api:
    """`base` has no slash at its end; `headers` go with every call."""

    http: Http
    base: str
    credential: Credential
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Answer:
        """One call; see `Http.send` for what it raises."""
        return await self.http.send(
            method,
            self.base + path,
            self.credential,
            body=body,
            headers=self.headers,
            params=params,
        )

    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Json:
        """One object."""
        return fields((await self.send("GET", path, params=params)).json())

    async def post(self, path: str, body: object = None) -> Json:
        """Make something; what was made, empty when the forge does not say."""
        answer = await self.send("POST", path, {} if body is None else body)
        return fields(answer.json()) if answer.body else {}

    async def every(
        self, path: str, params: Mapping[str, str | int] | None = None
    ) -> AsyncIterator[Json]:
        """Every object of a list, over all its pages, by `Link` headers of the same origin."""
        answer = await self.send("GET", path, params=params)
        for _ in range(PAGES):
            for one in items(answer.json()):
                yield fields(one)
            if not answer.next:
                return
            if urlsplit(answer.next)[:2] != urlsplit(self.base)[:2]:
                raise Permanent(f"{self.base} leads to a page on another host")
            answer = await self.http.send("GET", answer.next, self.credential, headers=self.headers)
        raise Permanent(f"{self.base}{path} has more than {PAGES} pages")


def fields(value: object) -> Json:
    """An object of an answer; anything else is an answer of another program."""
    if not isinstance(value, dict):
        raise Permanent("the forge answered with something else than an object")
    return value


def items(value: object) -> list[object]:
    """A list of an answer."""
    if not isinstance(value, list):
        raise Permanent("the forge answered with something else than a list")
    return value


def text(value: Json, *path: str) -> str:
    """A text, or a number as text, in an object; empty when it is not there."""
    at: object = value
    for name in path:
        at = at.get(name) if isinstance(at, dict) else None
    return str(at) if isinstance(at, str | int) and not isinstance(at, bool) else ""


def report(error: UserError) -> Permanent:
    """What a refused report is: nobody waits for it, and another try would end the same way."""
    return Permanent(f"{error.message}" + (f" ({error.hint})" if error.hint else ""))
