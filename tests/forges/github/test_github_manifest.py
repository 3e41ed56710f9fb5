"""An App is registered without typing: what GitHub is asked for, and what comes back."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from windlass.core.errors import NotFound, UserError
from windlass.forges.github.app import app
from windlass.forges.github.manifest import exchange, manifest
from windlass.forges.http.client import Http
from windlass.reach import Reach
from windlass.testing.servers.github import GitHub


class Now:
    """The machine's time."""

    def now(self):
        return time.time()

    async def sleep(self, _seconds):
        raise AssertionError


def exchanged(host, code):
    async def main():
        http = Http(Now(), Reach(frozenset({"127.0.0.1"})))
        try:
            return await exchange(http, host, code)
        finally:
            await http.close()

    return asyncio.run(main())


def test_the_manifest_asks_for_no_more_than_is_used():
    """Nothing of the code can be written, there is no webhook of the App, and it is not public."""
    made = manifest("https://windlass.example/", "windlass-acme")
    permissions = made["default_permissions"]
    assert {name for name, may in permissions.items() if may == "read"} == {"contents", "metadata"}
    assert "administration" not in permissions
    assert permissions["repository_hooks"] == permissions["checks"] == "write"
    assert made["hook_attributes"]["active"] is False
    assert made["redirect_url"] == "https://windlass.example/connect/github/done"
    assert made["public"] is False
    json.dumps(made)


def test_a_code_becomes_an_app_once(tmp_path):
    """What is stored can be read again, and holds no secret that is not needed."""
    with GitHub(tmp_path) as github:
        github.codes["abc123"] = manifest("https://windlass.example", "windlass-acme")
        stored = exchanged(github.url, "abc123")
        assert app(stored).bot == "windlass-acme[bot]"
        assert set(json.loads(stored)) == {"id", "slug", "pem"}
        assert "PRIVATE" not in repr(app(stored))
        with pytest.raises(NotFound) as caught:
            exchanged(github.url, "abc123")
        assert "again" in caught.value.hint


@pytest.mark.parametrize("code", ["", "../../user", "a b", "a/b", "x" * 201])
def test_what_is_no_code_is_not_sent(tmp_path, code):
    """A code comes from a browser, and is part of an address."""
    with GitHub(tmp_path) as github:
        with pytest.raises(UserError):
            exchanged(github.url, code)
        assert not github.calls
