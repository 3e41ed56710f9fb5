"""Shadow, as the API and the pages tell it."""

from __future__ import annotations

from dataclasses import replace

from windlass.ports.records import ConfigurationCheck, StoredVerdict

CHECK = ConfigurationCheck(
    event=3,
    repository="acme/shop",
    pull_request=42,
    sha="a" * 40,
    state="differs",
    summary="1 event of the last 14 days would now start <new>",
    lines=("<new>: would now start pipeline ci on event 1 (push main)",),
    at=0.0,
)
FILES = {".windlass.yaml": "listeners: {}\n"}


def shadow(web, **ask):
    """What the API answers."""
    return web.client.post("/api/v1/listeners/shadow", json=ask, headers=web.bearer)


def test_the_answer_has_three_lists_and_counts(web):
    """Each difference with its listener, its event, what is before and after, and a link."""
    answer = shadow(web, files=FILES, repository="acme/shop").json()
    assert answer["compared"] == answer["starts"]["events"] > 0
    assert answer["unchanged"] == answer["unknown"] == answer["stops"]["events"] == 0
    assert answer["starts"]["listeners"] == {"new": answer["compared"]}
    first = answer["starts"]["items"][0]
    assert first["path"] == f"/events/{first['event']}"
    assert (first["listener"], first["before"], first["after"]) == ("new", "", "pipeline ci")


def test_what_is_asked_wrongly_is_answered_in_words(web):
    """Also when it is not said whose events, and there are several repositories."""
    for ask, status, words in (
        ({"files": FILES}, 400, "say which"),
        ({"files": FILES, "repository": "nowhere"}, 404, "there is no repository nowhere"),
        ({}, 400, "files"),
    ):
        answer = shadow(web, **ask)
        assert answer.status_code == status, answer.text
        assert words in answer.json()["error"]["message"]
    nobody = web.client.post("/api/v1/listeners/shadow", json={"files": FILES})
    assert nobody.status_code == 401


def test_a_listener_in_shadow_is_shown_as_one(web):
    """It matched, and the page and the API say that it started nothing by intent."""

    def work(tx):
        old = next(one for one in tx.find(StoredVerdict, event=3) if one.matched)
        tx.save(replace(old, run=0, shadow=True))

    web.sample.store.fill(work)
    page = web.client.get("/events/3").text
    assert "Would have started (shadow)" in page
    assert page.count("tone-good") == 1  # the signature of the delivery
    verdicts = web.client.get("/api/v1/events/3").json()["verdicts"]
    assert [one["shadow"] for one in verdicts if one["matched"]] == [True]


def test_what_a_pull_request_would_do_stands_on_its_event(web):
    """In words, and no text of it becomes markup."""
    assert "Its configuration" not in web.client.get("/events/3").text
    web.sample.store.fill(lambda tx: tx.add(CHECK))
    page = web.client.get("/events/3").text
    assert "would now start &lt;new&gt;" in page
    assert "<new>" not in page
