"""A sender elsewhere that has no secret: its OIDC token is what it is trusted by, the whole way."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time

import httpx2
import pytest

from windlass.engine import issuers, refuse, watch
from windlass.settings.reading import read
from windlass.settings.sources import Host
from windlass.testing.servers.oidc import Issuer
from windlass.wiring import server

TOKEN = "t" * 43
CONFIGURATION = """\
listeners:
  deployed: {on: generic, do: [{pipeline: ci}]}
pipelines:
  ci: {jobs: {test: {steps: [{run: "true"}]}}}
"""


def repository(folder):
    """A bare repository with a listener."""
    work, bare = folder / "work", folder / "deploys.git"
    work.mkdir()
    (work / ".windlass.yaml").write_text(CONFIGURATION)
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for words in (
        ("init", "-q", "-b", "main"), ("add", "."), (*who, "commit", "-q", "-m", "Begin"),
        ("clone", "-q", "--bare", str(work), str(bare)),
    ):  # fmt: skip
        subprocess.run(["git", "-C", str(work), *words], check=True)
    return bare


class Sender:
    """A pipeline elsewhere, and what its server says."""

    def __init__(self, client, bearer, issuer, hook=""):
        self.client = client
        self.bearer = bearer
        self.issuer = issuer
        self.hook = hook

    async def send(self, token=None, body=b'{"type": "image.pushed"}', **claims):
        """A post with a token that is right but for these claims."""
        said = {"aud": "windlass", "exp": time.time() + 300, "repository": "acme/shop", **claims}
        token = token or self.issuer.token(**said)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return await self.client.post(self.hook, content=body, headers=headers)

    async def ask(self, method, path, body=None):
        """What the API says."""
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=self.bearer)

    async def add(self, url, **oidc):
        """Connect a repository whose endpoint trusts the issuer."""
        asked = {"url": str(url), "name": "deploys", "forge": "generic", "oidc": oidc}
        return await self.ask("POST", "/repositories", asked)

    async def until(self, path, *wanted):
        """Ask again and again, until all of this stands in the answer; its items."""
        until = time.monotonic() + 20
        while True:
            answer = await self.ask("GET", path)
            if all(part in answer.text for part in wanted):
                return answer.json()["items"]
            assert time.monotonic() < until, answer.text
            await asyncio.sleep(0.02)


@pytest.fixture
def sender(tmp_path, monkeypatch):
    """Run a story with a whole server and an issuer; a minute is over at once."""
    monkeypatch.setattr(issuers, "APART", 0.0)
    monkeypatch.setattr(watch, "TICK", 0.1)
    monkeypatch.setattr(refuse, "PAUSE", 0.1)

    def run(work):
        async def whole(issuer, bound):
            flags = {
                "data": str(tmp_path / "data"),
                "address": "127.0.0.1:0",
                "private_hosts": issuer.host,
            }
            settings = read(flags, {"WINDLASS_API_TOKEN": TOKEN}, Host.here())
            settings.data.mkdir(mode=0o700)
            async with server._running(settings, bound) as running:
                transport = httpx2.ASGITransport(running.app)
                host = f"http://{bound.getsockname()[0]}:{bound.getsockname()[1]}"
                async with httpx2.AsyncClient(transport=transport, base_url=host) as client:
                    bearer = {"authorization": f"Bearer {TOKEN}"}
                    await work(Sender(client, bearer, issuer))

        with Issuer(tmp_path) as issuer, socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            asyncio.run(asyncio.wait_for(whole(issuer, bound), 60))

    return run


def test_a_signed_post_of_a_pipeline_elsewhere(sender, tmp_path):
    """Connected by the API; a good token is an event and a run, every other is refused in words."""
    bare = repository(tmp_path)

    async def work(here):
        issuer = here.issuer
        answer = await here.add(bare, issuer=issuer.url, audience="windlass")
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "oidc"
        assert "any workflow of" in answer.json()["error"]["message"]
        said = {"issuer": issuer.url, "audience": "windlass"}
        answer = await here.add(bare, **said, claims={"repository": ["acme/shop"]})
        assert answer.status_code == 201, answer.text
        here.hook = answer.json()["webhook"]

        good = await here.send(jti="one")
        assert good.status_code == 202, good.text
        assert (await here.send(jti="one")).json() == good.json()
        (event,) = await here.until("/events", '"matched":1')
        assert (event["kind"], event["title"]) == ("generic", "image.pushed")

        refused = {
            "the token is for another audience": {"aud": "https://github.com/acme"},
            "the token's repository is another": {"repository": "eve/shop"},
            "the token has expired, or never would": {"exp": time.time() - 90},
        }
        for why, changed in refused.items():
            answer = await here.send(**changed)
            assert (answer.status_code, answer.json()["error"]["message"]) == (401, why)
        old = issuer.key
        issuer.rotate()
        unknown = await here.send(jti="two")
        assert unknown.status_code == 401
        assert "read again" in unknown.json()["error"]["hint"]
        while (answer := await here.send(jti="two")).status_code == 401:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        assert answer.status_code == 202
        stale = issuer.token(key=old, aud="windlass", exp=time.time() + 300, repository="acme/shop")
        assert (await here.send(stale)).status_code == 401

        missing = "the token is signed by a key that its issuer does not have"
        found = await here.until("/refusals", *refused, missing)
        assert {one["repository"] for one in found} == {"deploys"}
        page = await here.client.get("/events", headers=here.bearer)
        assert "the token is for another audience" in page.text
        findings = (await here.ask("POST", "/doctor")).json()["items"]
        (line,) = [one for one in findings if one["check"] == "issuer"]
        assert (line["subject"], line["passed"]) == (issuer.url, True)
        kept = [await here.ask("GET", f"/deliveries/{good.json()['delivery']}"), page]
        assert not any("eyJ" in one.text for one in kept)  # a token is nobody's to read

    sender(work)
