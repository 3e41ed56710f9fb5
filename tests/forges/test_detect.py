"""Which forge is behind an address."""

from __future__ import annotations

import asyncio

import pytest

from windlass.core.errors import UserError
from windlass.forges.http.client import Http
from windlass.reach import Reach
from windlass.testing.servers.serving import Call, Reply, Server
from windlass.wiring.detect import detect
from windlass.wiring.world import SystemClock


class Doors(Server):
    """Answers at the given paths, and says 404 elsewhere."""

    def __init__(self, root, doors):
        super().__init__(root)
        self.doors = doors

    def answer(self, call: Call) -> Reply:
        """What stands at a path."""
        return self.doors.get(call.path, Reply(404, {"message": "not found"}))


def asked(url):
    async def main():
        http = Http(SystemClock(), Reach(frozenset({"127.0.0.1"})))
        try:
            return await detect(http, url)
        finally:
            await http.close()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "forge"),
    [
        ("https://github.com/acme/shop", "github"),
        ("https://GitHub.com/acme/shop", "github"),
        ("https://gitlab.com/a/b/c", "gitlab"),
        ("https://bitbucket.org/acme/shop", "bitbucket-cloud"),
        ("https://dev.azure.com/acme/p/_git/shop", "azure"),
        ("https://acme.visualstudio.com/p/_git/shop", "azure"),
        ("https://codeberg.org/acme/shop", "forgejo"),
    ],
)
def test_well_known_hosts_need_no_question(url, forge):
    """Nothing is asked where the name says it all."""
    assert asked(url) == forge


VERSION = Reply(200, {"version": "1"})


@pytest.mark.parametrize(
    ("doors", "forge"),
    [
        ({"/api/forgejo/v1/version": VERSION, "/api/v1/version": VERSION}, "forgejo"),
        ({"/api/v1/version": VERSION, "/api/v1/repos/search": Reply(200, {"data": []})}, "gitea"),
        ({"/api/v4/version": Reply(401, {"message": "401 Unauthorized"})}, "gitlab"),
        ({"/api/v3/meta": Reply(200, {"verifiable_password_authentication": False})}, "github"),
        ({"/api/v3/meta": Reply(401, {"message": "Must authenticate"})}, "github"),
        ({"/rest/api/1.0/application-properties": VERSION}, "bitbucket-dc"),
        ({"/api/v1/repos/search": Reply(200, {"data": [], "ok": True})}, "gogs"),
        ({"/_apis/connectionData": Reply(200, {"instanceId": "x"})}, "azure"),
    ],
)
def test_a_host_of_ones_own_is_asked(tmp_path, doors, forge):
    """Each forge has an address that no other has."""
    with Doors(tmp_path, doors) as server:
        assert asked(f"{server.url}/acme/shop") == forge


@pytest.mark.parametrize("reply", [Reply(404), Reply(401), Reply(200, b"<html>")])
def test_a_stranger_is_not_taken_for_a_forge(tmp_path, reply):
    """A web site is none, nor is one that guards its doors; the text says how to go on."""
    doors = ("/api/v1/version", "/rest/api/1.0/application-properties")
    with Doors(tmp_path, dict.fromkeys(doors, reply)) as server:
        with pytest.raises(UserError, match="cannot be told") as caught:
            asked(f"{server.url}/acme/shop")
        assert "--forge" in caught.value.hint
