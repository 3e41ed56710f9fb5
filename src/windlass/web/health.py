"""
For machines that watch: alive, ready, and figures.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from windlass.core.errors import WindlassError
from windlass.ports.records import Delivery, Deployment, StoredRun
from windlass.ports.store import Tx
from windlass.web.parts import parts_of
from windlass.web.views.board import WAITING
from windlass.web.views.runs import list_repositories

# Rows are read to be counted, so a flood is not counted to its end.
MOST = 1000
ACTIVE = ("held", "pending", "running", "waiting")


async def alive(_request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


async def ready(request: Request) -> Response:
    """The store answers, so webhooks can be taken."""
    try:
        await parts_of(request).store.read(list_repositories)
    except WindlassError as error:
        return PlainTextResponse(
            f"not ready: {error}\n", status_code=503, headers={"Retry-After": "5"}
        )
    return PlainTextResponse("ok\n")


async def metrics(request: Request) -> Response:
    """Figures in the text format of Prometheus: what the engine counted, and what waits now."""
    parts = parts_of(request)
    now = CollectorRegistry()
    await parts.store.read(lambda tx: _gauge(tx, now))
    texts = [generate_latest(now)]
    if parts.registry is not None:
        texts.append(generate_latest(parts.registry))
    return Response(b"".join(texts), media_type="text/plain; version=0.0.4; charset=utf-8")


def _gauge(tx: Tx, registry: CollectorRegistry) -> None:
    runs = Gauge(
        "cicd_pipeline_run_active", "Runs that have not ended.", ["state"], registry=registry
    )
    counted = dict.fromkeys(ACTIVE, 0)
    for stored in tx.find(StoredRun, state=ACTIVE, limit=MOST):
        counted[stored.state] += 1
    for state, count in counted.items():
        runs.labels(state).set(count)
    waiting = Gauge(
        "windlass_deployments_waiting",
        "Deployments that wait to be let through.",
        registry=registry,
    )
    waiting.set(len(tx.find(Deployment, state=WAITING)))
    backlog = Gauge(
        "windlass_deliveries_waiting",
        f"Deliveries stored and not yet read; {MOST} means that many or more.",
        registry=registry,
    )
    backlog.set(len(tx.find(Delivery, state="received", limit=MOST)))
    problems = Gauge(
        "windlass_repositories_with_problem", "Repositories that need a person.", registry=registry
    )
    problems.set(sum(bool(each.problem) for each in list_repositories(tx)))
