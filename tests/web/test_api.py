"""The API says what the store holds, and asks the engine for the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden" / "api" / "openapi.json"

READS = (
    ("/repositories", "acme/payments"),
    ("/repositories/acme/shop/policy", '"allow_forks":["**"]'),
    ("/events", "Write down how to round"),
    ("/events?repository=acme/shop&limit=2", '"next":6'),
    ("/events/3", '"condition":"paths"'),
    ("/events/3/explain", "pull-request: started run 3"),
    ("/explain?repository=acme/shop&sha=abcdef1", "No webhook told of abcdef1"),
    ("/deliveries", '"state":"done"'),
    ("/deliveries/d00000003", "refs/heads/feature/42"),
    ("/deliveries?state=failed", '"items":[]'),
    ("/deliveries/d00000003/body", '"full_name": "acme/shop"'),
    ("/refusals", "203.0.113.9"),
    ("/runs?state=failed", '"number":3'),
    ("/runs/3", '"exit_code":1'),
    ("/runs/3/jobs/ci/test%203.12/log", "AssertionError"),
    ("/runs/3/jobs/ci%2Ftest%203.12/log", "AssertionError"),
    ("/builds?service=web", '"service":"web"'),
    ("/environments", '"environments":["dev","staging","production"]'),
    ("/deployments?state=approval&run=4", '"needed":2'),
    ("/deployments/7", '"approvals":["alice"]'),
    ("/repositories/acme/shop/listeners", '"options":["dev","production"]'),
    ("/repositories/acme%2Fshop/listeners", '"condition":"paths"'),
    ("/status", '"version":"1.2.3"'),
)


@pytest.mark.parametrize(("path", "part"), READS, ids=[path for path, _ in READS])
def test_what_is_stored_can_be_read(web, path, part):
    """Every GET answers 200 with what the sample holds."""
    answer = web.client.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    assert part in answer.text


CHANGES = (
    ("POST", "/repositories", {"url": "/srv/git/new.git", "name": "new"}, 201, "add_repository"),
    ("POST", "/repositories/acme/shop/check", None, 200, "check_repository"),
    ("POST", "/repositories/acme%2Fshop/check", None, 200, "check_repository"),
    ("POST", "/repositories/acme/shop/secret", None, 200, "webhook_secret"),
    ("POST", "/repositories/acme/shop/recover", None, 200, "recover"),
    ("POST", "/repositories/acme/shop/policy", {"allow_forks": ["none"]}, 200, "set_policy"),
    ("POST", "/repositories/acme/shop/manual", {"listener": "cache"}, 202, "run_listener"),
    ("DELETE", "/repositories/acme/shop", None, 204, "remove_repository"),
    ("POST", "/runs/6/cancel", {"reason": "enough"}, 200, "cancel"),
    ("POST", "/runs/6/cancel", None, 200, "cancel"),
    ("POST", "/runs/3/rerun", None, 202, "rerun"),
    ("POST", "/runs/5/release", None, 200, "release"),
    ("POST", "/events/replay", {"token": "12345678", "events": [3]}, 202, "replay"),
    ("POST", "/deployments/7/approve", None, 200, "approve"),
    ("POST", "/deployments/7/reject", {"why": "no"}, 200, "reject"),
)
PLACE = {"repository": "acme/shop", "service": "web", "environment": "production"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "word"), CHANGES, ids=[f"{c[0]} {c[1]}" for c in CHANGES]
)
def test_a_change_is_asked_of_the_engine_under_the_actors_name(  # noqa: PLR0917
    web, method, path, body, status, word
):
    """Who holds the token acts under the name that came with it."""
    answer = web.client.request(method, f"/api/v1{path}", json=body, headers=web.bearer)
    assert answer.status_code == status, answer.text
    assert web.asked[-1][0] == word
    if word not in {"recover", "check_repository"}:
        assert "alice" in web.asked[-1]


def test_a_policy_is_changed_in_parts_and_shown_with_its_repository(web):
    """What is not named stays; the page says it, too; a wrong pattern changes nothing."""
    path = "/api/v1/repositories/acme/shop/policy"
    for body in ({"require_digest": True}, {"allow_forks": ["acme-*"]}):
        web.client.post(path, json=body, headers=web.bearer)
    refused = web.client.post(path, json={"allow_images": ["a b"]}, headers=web.bearer)
    assert (refused.status_code, "is no pattern" in refused.text) == (400, True)
    policy = {"require_digest": True, "allow_images": ["**"], "allow_forks": ["acme-*"]}
    assert web.client.get(path).json() == policy
    listed = web.client.get("/api/v1/repositories").json()["items"]
    assert policy in [each["policy"] for each in listed]
    assert "Policy: images by digest; forks: acme-*" in web.client.get("/repositories").text
    assert web.client.post(path, json={"require_digest": False}).status_code == 401


def test_a_trust_is_changed_in_parts_and_taken_away(web):
    """What is not named stays; strangers neither see nor change it."""
    path = "/api/v1/repositories/acme/shop/trust"
    first = {"issuer": "https://id.example", "audience": "x", "claims": {"sub": ["a", "b"]}}
    for body in (first, {"audience": "y"}):
        assert web.client.post(path, json=body, headers=web.bearer).status_code == 200
    assert web.client.get(path, headers=web.bearer).json() == {**first, "audience": "y"}
    taken = web.client.post(path, json={"issuer": ""}, headers=web.bearer).json()
    assert taken == {"issuer": "", "audience": "", "claims": {}}
    wrong = web.client.post(path, json={"issuer": "", "audience": "y"}, headers=web.bearer)
    assert (wrong.status_code, "without an issuer" in wrong.text) == (400, True)
    assert web.client.post(path, json=first).status_code == 401
    assert web.client.get(path).status_code == 401


def test_deploy_and_rollback_answer_with_the_run_that_does_it(web):
    """The caller can wait for that run."""
    for path, word in (("/deployments", "deploy"), ("/rollbacks", "rollback")):
        answer = web.client.post(f"/api/v1{path}", json=PLACE, headers=web.bearer)
        assert answer.status_code == 202
        assert answer.json()["jobs"]
        assert web.asked[-1][:4] == (word, "acme/shop", "web", "production")


def test_unpin_names_the_place_in_the_query(web):
    """DELETE /pins carries no body."""
    answer = web.client.delete("/api/v1/pins", params=PLACE, headers=web.bearer)
    assert answer.json()["pinned"] == ""


def test_a_list_goes_on_below_its_next(web):
    """`next` of one part is `before` of the following one; nothing is missed or doubled."""
    seen, before = [], None
    while True:
        query = {"limit": 2} | ({} if before is None else {"before": before})
        part = web.client.get("/api/v1/runs", params=query).json()
        seen += [run["number"] for run in part["items"]]
        before = part["next"]
        if before is None:
            break
    assert seen == [6, 5, 4, 3, 2, 1]


def test_credentials_in_a_url_are_not_told(web):
    """A password that someone put into a repository's URL stays here."""
    body = {"url": "https://bob:hunter2@forge.example/x.git", "name": "x"}
    web.client.post("/api/v1/repositories", json=body, headers=web.bearer)
    assert "hunter2" not in web.client.get("/api/v1/repositories").text


def test_the_schema_changes_only_on_purpose(web):
    """Delete tests/golden/api/openapi.json and run this test to write it anew."""
    schema = web.client.get("/api/v1/openapi.json").json()
    text = json.dumps(schema, indent=1, sort_keys=True) + "\n"
    if not GOLDEN.exists():
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(text)
        pytest.fail("the golden file was missing and is written now")
    assert text == GOLDEN.read_text()


def test_every_operation_has_a_name_of_its_own(web):
    """Clients are generated by operation ids: camelCase, unique."""
    schema = web.client.get("/api/v1/openapi.json").json()
    names = [each["operationId"] for path in schema["paths"].values() for each in path.values()]
    assert len(names) == len(set(names)) > 25
    assert all(name.isalnum() and name[0].islower() for name in names)
