"""What goes wrong is told by class, in one shape, and never as a traceback."""

from __future__ import annotations

import pytest

from windlass.core.errors import (
    ConfigError,
    Conflict,
    Fault,
    NotAllowed,
    NotFound,
    Permanent,
    Place,
    Transient,
    UserError,
)

CLASSES = (
    (UserError("mend it"), 400),
    (
        ConfigError((Fault("no such key", Place(".windlass.yaml", 3, 7), "did you mean `do`?"),)),
        400,
    ),
    (NotAllowed("not yours"), 403),
    (NotFound("not here"), 404),
    (Conflict("not now"), 409),
    (Permanent("the forge says no"), 502),
    (Transient("the forge is down"), 503),
    (ZeroDivisionError("secret detail"), 500),
)


@pytest.mark.parametrize(("error", "status"), CLASSES, ids=lambda each: type(each).__name__)
def test_the_class_decides_the_status(web, error, status):
    """One table; the text of a bug is not told."""
    web.sample.asked.failure = error
    answer = web.client.post("/api/v1/runs/3/rerun", headers=web.bearer)
    assert answer.status_code == status
    said = answer.json()["error"]
    assert set(said) == {"code", "message", "hint", "faults", "inputs"}
    assert "Traceback" not in answer.text
    assert "secret detail" not in answer.text


def test_what_may_succeed_later_says_when(web):
    """`Retry-After` in whole seconds, never too early."""
    web.sample.asked.failure = Transient("busy", retry_after=2.3)
    answer = web.client.post("/api/v1/runs/3/rerun", headers=web.bearer)
    assert answer.headers["Retry-After"] == "3"


def test_every_fault_of_a_configuration_has_its_place(web):
    """File, line, column, text and remedy arrive apart."""
    web.sample.asked.failure = CLASSES[1][0]
    answer = web.client.post("/api/v1/runs/3/rerun", headers=web.bearer)
    assert answer.json()["error"]["faults"] == [
        {
            "file": ".windlass.yaml",
            "line": 3,
            "column": 7,
            "message": "no such key",
            "hint": "did you mean `do`?",
            "code": "config",
        }
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/runs/99",
        "/events/99",
        "/builds/nothing",
        "/deliveries/nothing",
        "/deployments/99",
        "/runs/3/jobs/nothing/log",
        "/runs/3/jobs/ci/lint/log?attempt=9",
        "/nothing",
        *(
            f"/{kind}?repository=acme/none"
            for kind in ("runs", "events", "deliveries", "builds", "deployments", "refusals")
        ),
        *(f"/{kind}/{2**63}" for kind in ("runs", "events", "deployments")),
    ],
)
def test_what_is_not_there_is_404(web, path):
    """And says what could be asked instead, in the API's own shape."""
    answer = web.client.get(f"/api/v1{path}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not-found"


@pytest.mark.parametrize(
    "path",
    [
        "/runs/x",
        *(f"/{kind}?state=failed,gone" for kind in ("runs", "deliveries", "deployments")),
        "/runs?limit=0",
        "/runs?limit=501",
        "/runs?before=99999999999999999999999",
        "/explain?repository=acme/shop",
        "/runs/3/jobs/ci/lint/log?offset=-1",
    ],
)
def test_a_bad_question_is_400(web, path):
    """Never 422, never 500."""
    answer = web.client.get(f"/api/v1{path}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad-request"


def test_an_unknown_key_is_an_error(web):
    """A misspelt field is never ignored."""
    body = {"url": "/srv/x.git", "frge": "github"}
    answer = web.client.post("/api/v1/repositories", json=body, headers=web.bearer)
    assert answer.status_code == 400
    assert "frge" in answer.text
