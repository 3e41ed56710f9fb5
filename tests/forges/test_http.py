"""The one HTTP client of all forges."""

from __future__ import annotations

import asyncio
import time

import pytest

from windlass.core.errors import Conflict, NotAllowed, NotFound, Permanent, Transient, UserError
from windlass.forges.http.api import Api
from windlass.forges.http.client import Credential, Denied, Http
from windlass.reach import Reach
from windlass.testing.servers.serving import Call, Reply, Server, paged, route


class Shelf(Server):
    """Numbers on pages, and an echo of what was sent."""

    @route("GET", "/numbers")
    def numbers(self, call: Call) -> Reply:
        """A hundred and fifty of them."""
        return paged(call, [{"n": n} for n in range(150)], self.url)

    @route("GET", "/same")
    def same(self, call: Call) -> Reply:
        """Something that does not change."""
        if call.headers.get("if-none-match") == '"one"':
            return Reply(304, None, {"etag": '"one"'})
        return Reply(200, {"is": "same"}, {"etag": '"one"'})

    @route("POST", "/echo")
    def echo(self, call: Call) -> Reply:
        """What was sent, and by whom."""
        return Reply(200, {"body": call.body, "who": call.headers.get("authorization", "")})


class Ticking:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def shelf(tmp_path):
    with Shelf(tmp_path) as server:
        yield server


@pytest.fixture
def clock():
    return Ticking()


@pytest.fixture
def ask(shelf, clock):
    """Run questions on one client, one after the other."""

    def run(play, *, within=5.0, reach=None):
        async def main():
            http = Http(clock, reach or Reach(frozenset({"127.0.0.1"})), within=within)
            try:
                key = {"authorization": "Bearer hunter2-hunter2"}
                return await play(Api(http, shelf.url, Credential(shelf.url, key)))
            finally:
                await http.close()

        return asyncio.run(main())

    return run


def test_every_page_is_read(ask):
    """A list is complete, however many pages it has."""

    async def play(api):
        return [one["n"] async for one in api.every("/numbers", {"per_page": 40})]

    assert ask(play) == list(range(150))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Denied),
        (403, Denied),
        (404, NotFound),
        (409, Conflict),
        (422, Permanent),
        (301, Permanent),
        (429, Transient),
        (500, Transient),
        (503, Transient),
    ],
)
def test_an_answer_is_an_error_of_ours(ask, shelf, status, kind):
    """By its class it is known what to do; its text says what the forge said, without the token."""
    shelf.faults.append(Reply(status, {"message": "no, hunter2-hunter2"}))

    async def play(api):
        with pytest.raises(kind) as caught:
            await api.get("/same")
        return str(caught.value)

    said = ask(play)
    assert str(status) in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "wanted",
    [
        ({"retry-after": "17"}, 17.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1090"}, 90.0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "1090"}, 90.0),
    ],
)
@pytest.mark.parametrize("status", [403, 429])
def test_a_pause_is_kept_without_asking_again(ask, shelf, clock, status, wanted):
    """Until it is over nothing is sent; then everything is as before."""
    headers, wait = wanted
    shelf.faults.append(Reply(status, {"message": "slow down"}, headers))

    async def play(api):
        for _ in range(3):
            with pytest.raises(Transient) as caught:
                await api.get("/same")
            assert caught.value.retry_after == wait
        assert len(shelf.calls) == 1
        clock.time += wait + 1
        return await api.get("/same")

    assert ask(play) == {"is": "same"}


def test_a_spent_budget_is_not_overdrawn(ask, shelf, clock):
    """The last call that was free says so, and the next waits for the reset."""
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1060"}
    shelf.faults.append(Reply(200, {"is": "last"}, spent))

    async def play(api):
        assert await api.get("/same") == {"is": "last"}
        with pytest.raises(Transient) as caught:
            await api.get("/same")
        assert caught.value.retry_after == 60.0
        assert [one.origin for one in api.http.circuits()] == [shelf.url]

    ask(play)


def test_what_has_not_changed_is_not_sent_again(ask, shelf):
    """An answer is kept with its mark, and the forge says that it still holds."""

    async def play(api):
        return [await api.get("/same") for _ in range(3)]

    assert ask(play) == [{"is": "same"}] * 3
    assert [one.headers.get("if-none-match") for one in shelf.calls] == [None, '"one"', '"one"']


def test_a_silent_forge_is_given_up(ask, shelf):
    """A call has an end, whatever the other side does."""
    shelf.faults.append(Reply(200, {}, wait=2.0))

    async def play(api):
        began = time.monotonic()
        with pytest.raises(Transient, match=r"within 0\.2 s"):
            await api.get("/same")
        assert time.monotonic() - began < 2.0

    ask(play, within=0.2)


def test_a_forge_that_is_down_is_left_alone(ask, shelf, clock):
    """After three failures it is not asked for a while; an outage has one beginning and an end."""
    shelf.faults += [Reply(502)] * 3

    async def play(api):
        for _ in range(5):
            with pytest.raises(Transient):
                await api.get("/same")
        assert len(shelf.calls) == 3
        (circuit,) = api.http.circuits()
        assert circuit.origin == shelf.url
        assert "502" in circuit.reason
        assert (circuit.since, circuit.until) == (1000.0, 1015.0)
        clock.time += 16
        shelf.faults.append(Reply(502))
        with pytest.raises(Transient):
            await api.get("/same")
        (circuit,) = api.http.circuits()
        assert (circuit.since, circuit.until) == (1000.0, 1046.0)
        clock.time += 31
        assert await api.get("/same") == {"is": "same"}
        assert api.http.circuits() == ()

    ask(play)


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff"])
def test_a_page_of_a_proxy_is_no_answer(ask, shelf, body):
    """It is worth another try, and no exception of a library."""
    shelf.faults.append(Reply(200, body))

    async def play(api):
        with pytest.raises(Transient, match="not JSON"):
            await api.get("/same")

    ask(play)


def test_a_credential_goes_to_its_own_origin(ask, shelf):
    """S-31: sent to another host, a call carries nothing of it."""

    async def play(api):
        mine = await api.post("/echo", {"a": 1})
        other = Credential("https://elsewhere.example", api.credential.headers)
        theirs = await api.http.send("POST", f"{shelf.url}/echo", other, body={})
        return mine, theirs.json()

    mine, theirs = ask(play)
    assert mine == {"body": {"a": 1}, "who": "Bearer hunter2-hunter2"}
    assert theirs["who"] == ""


def test_a_page_elsewhere_is_not_followed(ask, shelf):
    """A forge cannot lead us, and our token, to another host."""
    link = {"link": '<http://169.254.169.254/latest>; rel="next"'}
    shelf.faults.append(Reply(200, [], link))

    async def play(api):
        with pytest.raises(Permanent, match="another host"):
            [one async for one in api.every("/numbers")]

    ask(play)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.1.2.3/",
        "https://192.168.0.1/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
        "http://example.org/",
        "file:///etc/passwd",
        "ext::sh -c id",
        "gopher://127.0.0.1/",
    ],
)
def test_no_private_address_is_asked(ask, url):
    """S-30: in no spelling, and by no protocol but the web's."""

    async def play(api):
        with pytest.raises((UserError, Transient)) as caught:
            await api.http.send("GET", url, Credential(""))
        # A machine whose resolver does not take a number for a name says so; nothing was asked.
        assert isinstance(caught.value, UserError) or "resolved" in str(caught.value)

    ask(play, reach=Reach())


def test_a_name_that_moves_inside_is_refused_at_the_call(ask, monkeypatch):
    """S-30: what counts is the address that is connected to, not the one of an earlier look."""
    answers = iter([("93.184.216.34",), ("127.0.0.1",)])

    async def resolve(_host, _port):
        return next(answers)

    monkeypatch.setattr("windlass.reach._resolve", resolve)

    async def play(api):
        reach = Reach()
        assert await reach.addresses("rebind.example", 443) == ("93.184.216.34",)
        with pytest.raises(NotAllowed, match="not a public address"):
            await api.http.send("GET", "https://rebind.example/", Credential(""))

    ask(play, reach=Reach())
