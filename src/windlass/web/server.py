"""
How the web is served: one process, uvicorn with uvloop and httptools.

The one place for these settings, so that what is measured is what runs.
"""

from __future__ import annotations

import gc

import uvicorn
from starlette.types import ASGIApp


def configured(app: ASGIApp, *, host: str, port: int, grace: int = 5) -> uvicorn.Config:
    """The server's configuration; `grace` is how many seconds open requests have at the end."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=grace,
    )


def settle() -> None:
    """
    Call once when everything is made: what lives now lives for good.

    Parsed webhooks make many short-lived objects; with the collector's defaults each few
    of them had it walk the whole program, a tenth of the time of a busy server.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
