"""Whether what was deployed works, asked of a real server on loopback."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from windlass.core.pipeline import Health
from windlass.targets import health


@asynccontextmanager
async def serving(*answers):
    """A server that gives these answers in turn, the last for ever; its port, and its requests."""
    seen: list[str] = []

    going = set()

    async def answer(reader, writer):
        going.add(asyncio.current_task())
        with suppress(OSError):
            request = await reader.read(4096)  # small enough to come in one piece
            seen.append(request.decode(errors="replace").partition("HTTP")[0][4:-1])
            writer.write(answers[min(len(seen), len(answers)) - 1])
            await writer.drain()
        with suppress(OSError):
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], seen
    if going:
        await asyncio.wait(going)


def says(status, *headers):
    lines = [f"HTTP/1.1 {status} Text", *headers, "Content-Length: 0", "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode()


def ask(look, *answers, path="/healthz", timeout=5.0):
    """What a look at the server says, and what the server was asked for."""

    async def go():
        async with serving(*answers) as (port, seen):
            url = f"http://127.0.0.1:{port}{path}"
            return await look(Health(url=url, timeout=timeout), never), seen

    return asyncio.run(go())


async def never(script, limit):
    raise AssertionError(script)


@pytest.mark.parametrize("status", [200, 204, 299])
def test_2xx_is_healthy(status):
    """Any success is one."""
    assert ask(health.check, says(status)) == ("", ["/healthz"])


@pytest.mark.parametrize("status", [304, 404, 500, 503])
def test_anything_else_is_not(status):
    """The text names the URL and the status."""
    why, _ = ask(health.check, says(status))
    assert why.endswith(f"/healthz answered {status}")


def test_waiting_goes_on_until_it_works():
    """A service that needs a moment is given it."""
    why, seen = ask(health.wait, says(503), says(503), says(200))
    assert (why, len(seen)) == ("", 3)


def test_waiting_ends_with_what_was_seen_last():
    """The time limit holds, and the text says why it was not healthy."""
    why, _ = ask(health.wait, says(503), timeout=1)
    assert why.startswith("not healthy within 1 s: ")
    assert why.endswith("answered 503")


def test_a_server_that_says_nothing_is_not_waited_for():
    """A connection that stays silent ends with the time limit."""
    why, _ = ask(health.check, b"HTTP/1.1 200 OK\r\n", timeout=0.3)
    assert why


def test_a_server_whose_certificate_proves_nothing_is_not_healthy():
    """An https URL is checked as a browser checks it."""

    async def go():
        async with serving(says(200)) as (port, _):
            return await health.check(Health(url=f"https://127.0.0.1:{port}/", timeout=5), never)

    assert asyncio.run(go()).startswith("https://127.0.0.1")


def test_a_redirect_on_the_same_host_is_followed():
    """`/healthz` that sends on to `/healthz/` works."""
    why, seen = ask(health.check, says(302, "Location: /other"), says(200))
    assert (why, seen) == ("", ["/healthz", "/other"])


@pytest.mark.parametrize(
    "to", ["http://elsewhere.example/", "//other.example/x", "ftp://127.0.0.1/x"]
)
def test_a_redirect_elsewhere_is_not_followed(to):
    """A service cannot send the server to another host."""
    why, seen = ask(health.check, says(302, f"Location: {to}"))
    assert "not followed" in why
    assert len(seen) == 1


def test_redirects_in_a_ring_end():
    """A ring is left after a few rounds."""
    why, seen = ask(health.check, says(302, "Location: /a"))
    assert "sends on and on" in why
    assert len(seen) <= 10


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x.example/", "http://", "no url", ":"]
)
def test_what_is_no_web_address_is_said_at_once(url):
    """No time is spent on a URL that can never answer."""
    for look in (health.check, health.wait):
        assert asyncio.run(look(Health(url=url, timeout=3600), never))


def test_a_command_is_asked_with_its_time_limit():
    """One look at a command never takes longer than the health check's time limit."""
    asked = []

    async def run(script, limit):
        asked.append((script, limit))
        return ""

    assert asyncio.run(health.check(Health(command="true", timeout=3), run)) == ""
    assert asked == [("true", 3)]


def test_no_health_is_healthy():
    """Who states no check is not asked for one."""
    assert asyncio.run(health.wait(Health(), never)) == ""
