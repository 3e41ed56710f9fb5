"""Attacks on the web: each is refused before any route or engine sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from windlass.testing.sample.web import TOKEN, sample_web
from windlass.web.parts import loopback_hosts

BEARER = {"Authorization": f"Bearer {TOKEN}"}
OWN = {"Origin": "http://testserver"}
CHANGES = ("/runs/3/rerun", "/runs/6/cancel", "/deployments/7/approve", "/logout")


@pytest.fixture
def sample():
    return sample_web()


@pytest.fixture
def client(sample):
    return TestClient(sample.app, raise_server_exceptions=False)


def signed_in(sample, client, name="alice"):
    """A browser with a session; returns the token of its forms."""
    answer = client.post("/login", data={"token": TOKEN, "name": name}, headers=OWN)
    assert answer.status_code == 200
    return sample.parts.keys.session(client.cookies["windlass_session"]).csrf


def routes(client):
    """Every operation of the API: method and path, with made-up values in it."""
    schema = client.get("/api/v1/openapi.json", headers=BEARER).json()
    for path, operations in schema["paths"].items():
        filled = path.replace("{name}", "acme/shop").replace("{job}", "ci/lint")
        filled = filled.replace("{number}", "3").replace("{identity}", "d00000003")
        for method in operations:
            yield method.upper(), f"/api/v1{filled}"


def test_no_change_without_a_token(sample, client):
    """Every operation that changes something needs one, also on a loopback address."""
    changing = [each for each in routes(client) if each[0] != "GET"]
    assert len(changing) > 12
    for method, path in changing:
        answer = client.request(method, path, json={})
        assert answer.status_code == 401, (method, path)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert sample.asked.asked == []


def test_no_reading_without_a_token_where_others_can_reach_it(sample):
    """Off loopback nothing is told but that we live; pages lead to signing in."""
    client = TestClient(sample.closed().app)
    for method, path in routes(client):
        assert client.request(method, path).status_code == 401, path
    assert client.get("/metrics").status_code == 401
    assert client.get("/live/").status_code == 401
    assert client.get("/api/v1/openapi.json").status_code == 401
    answer = client.get("/runs/3?job=ci/lint", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/runs/3%3Fjob%3Dci/lint"
    assert client.get("/healthz").status_code == 200
    assert client.get("/api/v1/runs", headers=BEARER).status_code == 200


def test_a_wrong_token_is_refused_even_for_what_anyone_may_read(client):
    """Whoever sends one means to be someone."""
    for said in ("Bearer x", "Bearer ", "Basic eDp5", f"Bearer {TOKEN}x", "Bearer \xff"):
        headers = {"Authorization": said.encode("latin-1")}
        assert client.get("/api/v1/runs", headers=headers).status_code == 401


def test_a_cookie_changes_nothing_through_the_api(sample, client):
    """The API takes changes only from who sends the token itself: no foreign page can."""
    signed_in(sample, client)
    answer = client.post("/api/v1/runs/3/rerun", headers=OWN)
    assert answer.status_code == 401
    assert sample.asked.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "http://evil.testserver"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://testserver:81"},
        {"Origin": "null"},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_is_refused(sample, client, headers):
    """With a good cookie and even a good form token: the browser says where it came from."""
    csrf = signed_in(sample, client)
    for path in CHANGES:
        assert client.post(path, data={"csrf": csrf}, headers=headers).status_code == 403
    assert client.post("/login", data={"token": TOKEN}, headers=headers).status_code == 403
    assert sample.asked.asked == []


def test_a_form_without_its_token_is_refused(sample, client):
    """Also from our own origin, also with another session's token, also as JSON."""
    other = sample.parts.keys.session(sample.parts.keys.cookie("bob")).csrf
    signed_in(sample, client)
    for path in CHANGES:
        for data in ({}, {"csrf": ""}, {"csrf": other}):
            assert client.post(path, data=data, headers=OWN).status_code == 403
        plain = {**OWN, "Content-Type": "text/plain"}
        assert client.post(path, content='{"csrf": "x"}', headers=plain).status_code == 403
    assert sample.asked.asked == []


def test_reading_has_no_effect(sample, client):
    """No GET of any page or operation asks the engine to change something."""
    signed_in(sample, client)
    for path in CHANGES:
        assert client.get(path).status_code in {404, 405}
    changing = {"cancel", "rerun", "release", "deploy", "rollback", "approve", "reject", "unpin"}
    for method, path in routes(client):
        if method == "GET" and "follow" not in path:
            client.get(path)
    assert not changing & {asked[0] for asked in sample.asked.asked}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8470", 200),
        ("localhost", 200),
        ("[::1]:8470", 200),
        ("ci.example", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("evil.example:8470", 421),
    ],
)
def test_a_rebound_name_reaches_nothing(sample, host, status):
    """On loopback only known names are answered, so no foreign page can read through DNS."""
    hosts = loopback_hosts("https://ci.example")
    app = replace(sample, parts=replace(sample.parts, hosts=hosts)).app
    client = TestClient(app)
    for path in ("/", "/api/v1/runs", "/metrics", "/static/style.css"):
        assert client.get(path, headers={"Host": host}).status_code == status


def test_webhooks_are_left_to_their_own_guard(sample):
    """A forwarder may use any name; the signature decides, and the size limit is another."""

    async def hook(request):
        return PlainTextResponse(str(len(await request.body())))

    route = Route("/hooks/{endpoint}", hook, methods=["POST"])
    parts = replace(sample.parts, hooks=(route,), hosts=loopback_hosts(), open_reading=False)
    client = TestClient(replace(sample, parts=parts).app)
    answer = client.post("/hooks/x", content=b"x" * 1_000_000, headers={"Host": "forwarder"})
    assert answer.text == "1000000"


def test_a_large_request_is_refused(sample, client):
    """By its declared length before reading, and by its real one when it declares none."""
    body = b"x" * 300_000

    def pieces():
        for _ in range(300):
            yield b"x" * 1000

    for content in (body, pieces()):
        answer = client.post("/api/v1/repositories", content=content, headers=BEARER)
        assert answer.status_code == 413
    assert client.post("/login", content=body, headers=OWN).status_code == 413
    odd = {**OWN, "Content-Length": "many"}
    assert client.post("/login", content=b"", headers=odd).status_code == 413
    assert sample.asked.asked == []


@pytest.mark.parametrize("path", ["/", "/runs/3", "/runs/99", "/api/v1/runs", "/nothing", "/login"])
def test_every_answer_carries_the_headers(client, path):
    """No inline script or style, no frame, no sniffing, nothing kept by caches."""
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert "server" not in headers


def test_a_static_path_leads_nowhere_else(client):
    """No file of ours but those for browsers."""
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/events", "/events/5", "/runs", "/runs/5", "/approvals"])
def test_a_title_stays_text(client, path):
    """What a stranger wrote is shown as written, on every page that shows it."""
    text = client.get(path).text
    assert "<script>alert(1)" not in text
    if path != "/approvals":
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_an_endless_cookie_or_header_is_nobody(client):
    """Odd cookies, odd names: never a 500."""
    for cookie in ("windlass_session=" + "x" * 3000, "windlass_session", "a=b; ;;=", '="'):
        assert client.get("/", headers={"Cookie": cookie}).status_code == 200
    headers = {**BEARER, "Windlass-Actor": "a" * 200}
    assert client.post("/api/v1/runs/3/rerun", headers=headers).status_code == 202
