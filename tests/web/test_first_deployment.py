"""An environment is on the board from the moment that something waits to get there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from windlass.ports.records import Deployment

NEW = "acme/shop/canary/web"


def test_what_waits_for_its_first_deployment_is_on_the_board(web):
    """Nothing was ever deployed there, and still one sees that it waits, and for what."""
    store = web.sample.parts.store
    known = asyncio.run(store.read(lambda tx: tx.get(Deployment, 7)))
    first = replace(known, number=99, run=99, place=NEW, environment="canary", state="approval")
    asyncio.run(store.transaction(lambda tx: tx.add(first)))
    board = web.client.get("/api/v1/environments").json()
    assert "canary" in board["environments"]
    cell = next(row["cells"]["canary"] for row in board["rows"] if "canary" in row["cells"])
    assert [each["number"] for each in cell["waiting"]] == [99]
    assert (cell["place"]["status"], cell["deployment"]) == ("empty", None)
    assert web.client.get("/").status_code == 200
    assert web.client.get("/places/acme/shop/at/canary/of/web").status_code == 200
