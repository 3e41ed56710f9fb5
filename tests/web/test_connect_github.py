"""Registering a GitHub App: nothing is copied by hand, and nobody else's code is taken."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest


def began(web, query=""):
    """The form's action, and the policy of its page."""
    answer = web.client.get(f"/connect/github{query}")
    assert answer.status_code == 200
    action = html.unescape(
        re.search(r'<form method="post" action="(https?:[^"]*)"', answer.text)[1]
    )
    return action, answer.headers["content-security-policy"], answer.text


def state_of(action):
    return parse_qs(urlsplit(action).query)["state"][0]


def test_the_way_to_github_and_back(web):
    """The page leads to GitHub with the manifest; the code that comes back is the App's."""
    web.sign_in("ada")
    action, policy, text = began(web)
    assert action.startswith("https://github.com/settings/apps/new?state=")
    assert "form-action 'self' https://github.com;" in policy
    manifest = html.unescape(re.search(r'name="manifest" value="([^"]*)"', text)[1])
    assert json.loads(manifest)["default_permissions"] == {"checks": "write"}
    back = f"/connect/github/done?code=abc123&state={state_of(action)}"
    answer = web.client.get(back, follow_redirects=True)
    assert ("register_app", "https://github.com", "abc123", "ada") in web.asked
    assert "https://github.com/apps/windlass-acme/installations/new" in answer.text


def test_an_organization_on_a_github_of_ones_own(web):
    """Host and owner are chosen on the page."""
    web.sign_in()
    action, policy, _ = began(web, "?host=https://git.corp:8443&owner=acme")
    assert action.startswith("https://git.corp:8443/organizations/acme/settings/apps/new?state=")
    assert "https://git.corp:8443;" in policy


def test_a_code_that_somebody_else_began_is_not_taken(web):
    """The state belongs to the session that began."""
    web.sign_in("ada")
    action, _, _ = began(web)
    stolen = state_of(action)
    web.client.cookies.clear()
    web.sign_in("eve")
    for state in (stolen, "", "x.y.z"):
        answer = web.client.get(f"/connect/github/done?code=abc&state={state}")
        assert answer.status_code == 403
    assert not [one for one in web.asked if one[0] == "register_app"]


@pytest.mark.parametrize(
    "path", ["/connect/github", "/connect/github/done", "/connect/github/ready"]
)
def test_who_is_not_signed_in_signs_in_first(web, path):
    """Also where reading is open."""
    answer = web.client.get(path, follow_redirects=False)
    assert answer.status_code in {303, 401}
    assert not [one for one in web.asked if one[0] == "register_app"]


@pytest.mark.parametrize(
    "host",
    ["javascript:alert(1)", "https://a'b.example", "https://x; script-src *", "ftp://github.com"],
)
def test_no_odd_address_gets_into_the_policy(web, host):
    """A host is a scheme, a name and a port, or it is refused."""
    web.sign_in()
    answer = web.client.get("/connect/github", params={"host": host})
    assert (
        answer.status_code == 400
        or "form-action 'self';" in answer.headers["content-security-policy"]
    )
