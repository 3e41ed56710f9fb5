"""
Whether what was deployed works: a URL that answers 2xx, or a command that exits 0.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import httpx2

from windlass.core.pipeline import Health

# Runs the command of a health check with this time limit; empty when it exited 0.
Run = Callable[[str, float], Awaitable[str]]

ONE_LOOK = 10.0
REDIRECTS = 5
SCHEMES = frozenset({"http", "https"})


async def check(health: Health, run: Run) -> str:
    """Look once; empty when it works, else why not."""
    limit = min(health.timeout, ONE_LOOK)
    if health.url:
        return _fault(health.url) or await _ask(health.url, limit)
    return await run(health.command, limit) if health.command else ""


async def wait(health: Health, run: Run) -> str:
    """Look until it works, for `health.timeout` seconds; empty when it does, else why not."""
    if health.url and (fault := _fault(health.url)):
        return fault
    # The first look comes to its own end, so that there is always something to tell.
    why, pause = await check(health, run), 0.1
    try:
        async with asyncio.timeout(health.timeout):
            while why:
                await asyncio.sleep(pause)
                pause = min(2 * pause, 2.0)
                why = await check(health, run)
    except TimeoutError:
        return f"not healthy within {health.timeout:g} s: {why}"
    return ""


def _fault(text: str) -> str:
    """What is wrong with a URL, for good; empty when nothing is."""
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        return f"{text} is no URL: {error}"
    return "" if url.scheme in SCHEMES and url.host else f"{text} is neither http:// nor https://"


async def _ask(url: str, limit: float) -> str:
    try:
        async with asyncio.timeout(limit):
            return await _follow(httpx2.URL(url))
    except TimeoutError:
        return f"{url} did not answer within {limit:g} s"
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        return f"{url}: {str(error) or type(error).__name__}"


async def _follow(url: httpx2.URL) -> str:
    """GET without the body; redirects only to the same host, where they cannot lead elsewhere."""
    host = url.host
    for _ in range(REDIRECTS):
        status, to = await _get(url)
        if 200 <= status < 300:
            return ""
        if not to:
            return f"{url} answered {status}"
        following = url.join(to)
        if following.host != host or following.scheme not in SCHEMES:
            return f"{url} sends on to {following}, which is not followed"
        url = following
    return f"{url} sends on and on"


async def _get(url: httpx2.URL) -> tuple[int, str]:
    """The status, and where a redirect leads."""
    # Reading the machine's certificates takes long enough to hold up everybody else.
    trust = await asyncio.to_thread(ssl.create_default_context) if url.scheme == "https" else False
    async with (
        httpx2.AsyncClient(trust_env=False, verify=trust) as client,
        client.stream("GET", url) as answer,
    ):
        to = answer.headers.get("location", "") if answer.is_redirect else ""
        return answer.status_code, to
