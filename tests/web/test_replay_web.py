"""Replays and deliveries, as the API and the pages tell them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from windlass.engine.requests import replay as engine
from windlass.ports.records import Delivery, StoredEvent, StoredRun

ASK = {"token": "0123456789", "events": [3]}


def failed(web, identity="f1", **more):
    """A delivery that could not be handled."""

    def work(tx):
        old = tx.get(Delivery, "d00000003")
        bad = replace(old, id=identity, delivery_key=identity, state="failed", attempts=3)
        tx.add(replace(bad, reason="RuntimeError: <not> foreseen", **more))

    web.sample.store.fill(work)


def replay(web, **ask):
    """What the API answers to a replay."""
    return web.client.post("/api/v1/events/replay", json=ask, headers=web.bearer)


def test_a_replay_names_the_first_original_and_the_new_delivery(web):
    """Once more with the same token it is the same wish, and a dry run does nothing."""
    would = replay(web, **ASK, dry_run=True).json()["items"]
    assert would == [
        {
            "original": "d00000003",
            "event": 3,
            "events": [3],
            "repository": "acme/shop",
            "delivery": None,
            "fresh": False,
        }
    ]
    (done,) = replay(web, **ASK).json()["items"]
    assert done == {**would[0], "delivery": done["delivery"], "fresh": True}
    shown = web.client.get(f"/api/v1/deliveries/{done['delivery']}").json()
    assert (shown["source"], shown["origin"]) == ("replay", "d00000003")
    assert shown["deploys"] is False
    assert web.client.get("/api/v1/deliveries/d00000003").json()["replays"] == [shown["id"]]


@pytest.mark.parametrize(("most", "manual"), [(500, 2), (1, 1)])
@pytest.mark.parametrize("dry", [True, False])
def test_what_is_left_out_of_a_range_is_counted_as_far_as_it_goes(
    web, monkeypatch, most, manual, dry
):
    """Of what goes at once, and the same before it is confirmed and when it is done."""
    monkeypatch.setattr(engine, "MOST", most)

    def work(tx):
        delivery, event = tx.get(Delivery, "d00000003"), tx.get(StoredEvent, 3)
        tx.add(replace(delivery, id="x91", delivery_key="x91"))
        for number, kind in ((90, "manual"), (91, "push"), (92, "manual")):
            tx.add(replace(event, number=number, delivery=f"x{number}", kind=kind))

    web.sample.store.fill(work)
    answer = replay(web, token="0123456789", dry_run=dry, **{"from": 90}).json()
    assert [one["event"] for one in answer["items"]] == [91]
    assert answer["left_out"] == manual


def test_what_is_asked_wrongly_is_answered_in_words(web):
    """An unknown key too, so that a typing error replays nothing."""
    for ask, status, words in (
        ({"token": "0123456789"}, 400, "say what to replay"),
        ({**ASK, "failed": True}, 400, "not both"),
        ({**ASK, "allow_deploys": True}, 400, "allow_deploys"),
        ({"token": "0123456789", "events": [99]}, 404, "there is no event 99"),
    ):
        answer = replay(web, **ask)
        assert answer.status_code == status, answer.text
        assert words in answer.json()["error"]["message"]


def test_a_replay_needs_a_person(web):
    """Reading may be open; this is not."""
    assert web.client.post("/api/v1/events/replay", json=ASK).status_code == 401


def test_where_webhooks_go_is_told_to_who_is_signed_in(web):
    """The address is a part of what keeps strangers out."""
    path = "/api/v1/deliveries/d00000003"
    assert web.client.get(path).json()["hook"] == ""
    assert web.client.get(path, headers=web.bearer).json()["hook"] == "/hooks/" + "a" * 32


def test_a_body_is_never_shown_as_a_page(web):
    """It is whatever a stranger wrote."""
    answer = web.client.get("/api/v1/deliveries/d00000003/body")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert web.client.get("/api/v1/deliveries/none/body").status_code == 404


def test_what_could_not_be_handled_is_on_the_page_until_it_is_mended(web):
    """With its reason, escaped, and a button; and gone when a replay has come through."""
    failed(web)
    assert "f1" in web.client.get("/events").text
    web.sign_in()
    page = web.client.get("/events").text
    assert "RuntimeError: &lt;not&gt; foreseen" in page
    assert 'action="/deliveries/f1/replay"' in page
    failed(web, "f2", origin="f1", source="replay")
    assert "repeats <code>f1</code>" in web.client.get("/events").text
    web.sample.store.fill(lambda tx: tx.save(replace(tx.get(Delivery, "f2"), state="done")))
    assert "could not be handled" not in web.client.get("/events").text


def test_a_run_of_a_replay_says_so(web):
    """In the API, in the list of runs and on its own page; no other run does."""

    def work(tx):
        new = tx.find(StoredRun, order="-number", limit=1)[0]
        event = replace(new.run.event, recovered=True)
        tx.save(replace(new, origin=3, run=replace(new.run, event=event)))
        return new.number

    number = web.sample.store.fill(work)
    answers = web.client.get("/api/v1/runs").json()["items"]
    assert [one["number"] for one in answers if one["origin"] == 3] == [number]
    assert {one["origin"] for one in answers} == {3, None}
    page = web.client.get("/runs").text
    assert page.count("· repeats event 3") == page.count("· recovered") == 1
    assert 'repeats <a href="/events/3">' in web.client.get(f"/runs/{number}").text


def test_a_form_from_elsewhere_replays_nothing(web):
    """As with every form, it is made for one session."""
    web.sign_in()
    answer = web.send("/events/3/replay", csrf="x", token="12345678")
    assert answer.status_code == 403
    assert ("replay" in {asked[0] for asked in web.asked}) is False
