"""Listeners on pages and in the API, and manual ones that are run from there."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from windlass.core.errors import Transient
from windlass.ports.records import StoredEvent
from windlass.testing.sample.web import TOKEN, sample_web

PAGE = "/repositories/acme/shop/listeners"
ASK = "/api/v1/repositories/acme/shop/manual"
GIVEN = {"target": "dev", "version": "v1"}
FORM = {"input.target": "dev", "input.version": "v1", "input.note": "a=b&c", "branch": "main"}


def told(web, inputs, **more):
    """What the API answers to a wish for `rollout`."""
    body = {"listener": "rollout", "inputs": inputs, **more}
    return web.client.post(ASK, json=body, headers=web.bearer)


def test_the_page_tells_what_each_listener_is_and_did(web):
    """Its events, conditions, line, last verdict and last run; who is a stranger may sign in."""
    text = web.client.get(PAGE).text
    branches = "branches: [&#34;FB*&#34;"
    for part in ("0 3 * * *", branches, ".windlass.yaml:2:3", "run 5", "<code>paths</code>"):
        assert part in text
    assert "Sign in to run" in text
    assert "<form" not in text
    assert f'href="{PAGE}"' in web.client.get("/repositories").text


def test_a_form_has_a_field_of_each_type(web):
    """Choices are lists, numbers are numbers, defaults are filled in, texts are no markup."""
    web.sign_in()
    text = web.client.get(PAGE).text
    assert text.count("/run") >= 2
    for part in (
        '<select name="input.target" required>',
        "<option>production</option>",
        "<option selected>small</option>",
        'name="input.count" type="number" step="any" value="2"',
        "<option selected>true</option>",
        'name="input.version" value="" maxlength="8192" spellcheck="false" required',
        "&lt;b&gt;For&lt;/b&gt; the log",
    ):
        assert part in text
    assert "nothing of it was fetched yet" not in text


def test_a_form_that_is_sent_leads_to_the_run(web):
    """Under the name of who is signed in; a second click with the same token is the same event."""
    csrf = web.sign_in()
    for _ in range(2):
        answer = web.send(f"{PAGE}/rollout/run", csrf=csrf, token="click", **FORM)
        assert (answer.status_code, answer.headers["location"]) == (303, "/runs/1")
    asked = ("run_listener", "acme/shop", "rollout", "main", "", "alice")
    assert web.asked[-1] == (*asked, "target=dev", "version=v1", "note=a=b&c")
    events = web.sample.store.fill(lambda tx: tx.find(StoredEvent, action="asked"))
    assert len(events) == 1
    page = web.client.get(f"/events/{events[0].number}").text
    assert "a person asked for it" in page
    assert '<dt>version</dt><dd><code class="break">v1</code></dd>' in page
    assert "1 of 1" in web.client.get("/events").text


def test_a_form_of_another_page_is_refused(web):
    """Without the token of the session nothing is asked."""
    web.sign_in()
    assert web.send(f"{PAGE}/rollout/run", csrf="x", **FORM).status_code == 403
    assert web.send(f"{PAGE}/rollout/run", csrf="x", **{f"f{n}": "" for n in range(60)})
    assert not [one for one in web.asked if one[0] == "run_listener"]


def test_what_does_not_fit_is_shown_by_its_name(web):
    """All of it, with what it may be: beside the fields of the form, and in the API."""
    csrf = web.sign_in()
    wrong = {"input.target": "mars", "input.count": "<b>", "input.note": "by <hand>", "ref": "v1"}
    answer = web.send(f"{PAGE}/rollout/run", csrf=csrf, **wrong)
    assert answer.status_code == 400
    for part in (
        'id="run-rollout" open',
        'aria-describedby="fault-rollout-target"',
        'id="fault-rollout-target">one of dev, production, not &#39;mars&#39;<',
        'id="fault-rollout-version">a text, not nothing<',
        "&lt;b&gt;",
        'value="by &lt;hand&gt;"',
        'name="ref" value="v1"',
    ):
        assert part in answer.text
    assert answer.text.count('<details class="ask" id="run-cache" open') == 0
    assert web.send(f"{PAGE}/gone/run", csrf=csrf).status_code == 404
    assert "data-live" not in answer.text
    answer = told(web, {"target": "mars", "count": [1], "size": None})
    assert answer.status_code == 400
    said = answer.json()["error"]["message"]
    assert said == "inputs.count: a text, a number, true or false"
    answer = told(web, {"target": "mars", "count": True, "size": None})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "wrong-input"
    assert answer.json()["error"]["inputs"] == [
        {
            "name": "target",
            "expected": "one of dev, production",
            "actual": "'mars'",
            "message": "target: found 'mars', expected one of dev, production",
        },
        {
            "name": "version",
            "expected": "a text",
            "actual": "nothing",
            "message": "version: found nothing, expected a text",
        },
        {
            "name": "count",
            "expected": "a number",
            "actual": "'true'",
            "message": "count: found 'true', expected a number",
        },
    ]


def test_the_api_takes_values_as_they_are(web):
    """A number is a number, a truth a truth; the event tells them typed."""
    answer = told(web, {**GIVEN, "count": 3, "dry": False}, branch="main")
    assert answer.status_code == 202
    (number,) = web.client.get(f"/api/v1/deliveries/{answer.json()['delivery']}").json()["events"]
    event = web.client.get(f"/api/v1/events/{number}").json()
    typed = {**GIVEN, "size": "small", "count": 3, "dry": False, "note": ""}
    assert event["inputs"] == typed


def test_it_needs_a_token(web):
    """Reading may be open; having something run never is."""
    assert web.client.post(ASK, json={"listener": "cache"}).status_code == 401
    web.sample.asked.failure = Transient("the forge is away")
    assert told(web, GIVEN).status_code == 503


def test_what_is_not_known_yet_is_said(web):
    """A repository of which nothing was fetched has a page all the same."""
    web.sample.asked.written = None
    assert "nothing of it was fetched yet" in web.client.get(PAGE).text
    assert web.client.get(f"/api/v1{PAGE}").status_code == 400
    assert web.client.get("/repositories/gone/listeners").status_code == 404
    assert web.client.get("/api/v1/repositories/gone/listeners").status_code == 404


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
NAMES = st.sampled_from(["target", "version", "count", "dry", "note", "size"]) | st.text(
    st.characters(exclude_categories=())
)


@pytest.fixture(scope="module")
def server():
    """One web for all examples."""
    return TestClient(sample_web().app, raise_server_exceptions=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.fixed_dictionaries(
        {
            "listener": st.just("rollout") | NAMES,
            "inputs": st.dictionaries(NAMES, JSON, max_size=6),
        },
        optional={"branch": JSON, "ref": JSON, "more": JSON},
    )
    | JSON,
    st.text(st.characters(codec="ascii", categories=("L", "N", "P")), max_size=20),
)
def test_no_input_is_ever_our_fault(server, body, key):
    """Whatever is sent, the answer is 202 or says what is wrong with it."""
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Idempotency-Key": key,
        "Content-Type": "application/json",
    }
    answer = server.post(ASK, content=json.dumps(body), headers=headers)
    assert answer.status_code in {202, 400, 404}
    assert answer.status_code == 202 or answer.json()["error"]["message"]
