"""
Bad input to a real server, through its real doors: HTTP, Git and the command line.

Each is told what is wrong, in words; none harms what is there, makes an event of
its own, or keeps the next good webhook from its run.
"""

from __future__ import annotations

import http.client
import itertools
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from standing import WINDLASS, Standing, git

from windlass.engine.wellformed import MENDED
from windlass.forges.plain.program.signing import headers

LIMIT = 1 << 20
CONFIGURATION = """
listeners:
  each: {on: push, branches: ["good/**", "zzz*"], do: [{pipeline: ci}]}
pipelines:
  ci: {jobs: {test: {steps: [{run: 'printenv CI_COMMIT_BRANCH > OUT/$CI_PIPELINE_NUMBER'}]}}}
"""
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """One server for all, and the repository `shop`."""
    made = Standing.prepare(tmp_path_factory.mktemp("bad") / "s")
    (made.folder / "out").mkdir()
    made.repository(CONFIGURATION.replace("OUT", str(made.folder / "out")))
    made.up("--body-limit", str(LIMIT))
    made.connect()
    yield made
    made.remove()


@pytest.fixture
def server(whole: Standing) -> Iterator[Standing]:
    """It, still in good health afterwards: the next good webhook has its run."""
    yield whole
    assert whole.ready()
    reply = whole.post(fresh(whole), f"good-{next(NUMBERS)}")
    assert reply.status == 202
    whole.until("rest", whole.at_rest)
    (state, runs) = whole.rows(
        f"select delivery.state, event.matched from delivery join event"
        f" on event.delivery = delivery.id where delivery.id = '{reply.json['delivery']}'"
    )[0]
    assert (state, runs) == ("done", 1)
    assert whole.rows("select distinct state from run") == [("succeeded",)]


def good(server: Standing) -> bytes:
    """A push that starts a run."""
    head = git(server.folder / "shop.git", "rev-parse", "main")
    return server.push(f"good/{next(NUMBERS)}", head, head)


def fresh(server: Standing) -> bytes:
    """A push of a commit of its own, whose status is told for the first time."""
    bare, branch = server.folder / "shop.git", f"good/{next(NUMBERS)}"
    head = git(bare, "rev-parse", "main")
    sha = git(bare, "commit-tree", f"{head}^{{tree}}", "-p", head, "-m", branch)
    git(bare, "update-ref", f"refs/heads/{branch}", sha)
    return server.push(branch, sha)


@contextmanager
def nothing_made(server: Standing, *tables: str) -> Iterator[None]:
    """No delivery, event or run is lost or made meanwhile."""
    names = tables or ("delivery", "event", "verdict", "run")
    before = [server.count(name) for name in names]
    yield
    assert [server.count(name) for name in names] == before


# ---------------------------------------------------------------- webhooks that are refused


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"webhook_signature": "v1,AAAA"}, "the signature is wrong"),
        ({"webhook_signature": ""}, "there is no webhook-signature header"),
        ({"webhook_id": "another"}, "the signature is wrong"),
        ({"webhook_timestamp": "1000000000"}, "more than 300 seconds old, or from the future"),
    ],
)
def test_a_wrong_signature_is_401(server, changed, message):
    """Whatever of it is wrong; the answer says where to look, and people can see it."""
    with nothing_made(server):
        reply = server.post(good(server), "signed", **changed)
        status, said = reply.said
        assert (status, message in said) == (401, True)
        advice = "see Signed posts" if message.startswith("there is no") else "same webhook secret"
        assert advice in reply.json["error"]["hint"]
        server.until(
            "the note",
            lambda: any(message in one["reason"] for one in server.api("/refusals")["items"]),
        )


def test_an_unknown_endpoint_is_404(server):
    """It says so, and no more."""
    with nothing_made(server):
        reply = server.post(good(server), "lost", endpoint="A" * 24)
    assert reply.said == (404, "there is no such webhook address")


@pytest.mark.parametrize("declared", [True, False])
def test_an_oversized_body_is_413(server, declared):
    """Unread when it says its size, at the limit when it does not."""
    body = b" " * (LIMIT + 1)
    with nothing_made(server):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        signed = headers(server.secret, "large", time.time(), body)
        if declared:
            connection.putrequest("POST", f"/hooks/{server.endpoint}")
            for name, value in (signed | {"content-length": str(len(body))}).items():
                connection.putheader(name, value)
            connection.endheaders()
        else:
            connection.request("POST", f"/hooks/{server.endpoint}", iter([body]), signed)
        answer = connection.getresponse()
        said = json.loads(answer.read())["error"]["message"]
        connection.close()
    assert (answer.status, said) == (413, "the body is larger than 1024 KiB")


def _more(text: bytes) -> Callable[[bytes], bytes]:
    return lambda body: body[:-1] + b',"x":' + text + b"}"


MALFORMED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda _: b"", "the body is no JSON: Input is a zero-length, empty document"),
    "text": (lambda _: b"hello", "the body is no JSON: unexpected character"),
    "cut off": (lambda body: body[:-5], "the body is no JSON: unexpected end of data"),
    "two": (lambda body: body * 2, "the body is no JSON: unexpected content after document"),
    "NaN": (_more(b"NaN"), "the body is no JSON: unexpected character"),
    "infinity": (_more(b"-Infinity"), "the body is no JSON: no digit after sign"),
    "a float": (_more(b"1e999"), "the body is no JSON: number is infinity"),
    "a big number": (_more(b"9" * 30), "the body has a number beyond 64 bits"),
    "a long number": (_more(b"9" * 10000), "the body is no JSON: number is infinity"),
    "a name twice": (_more(b'1,"ref":"refs/heads/good/2"'), "the body has a name twice"),
    "NUL": (lambda body: body.replace(b"good/", b"good/\0"), "unexpected control character"),
    "UTF-16": (lambda body: body.decode().encode("utf-16"), "str is not valid UTF-8"),
    "UTF-16 plain": (lambda body: body.decode().encode("utf-16-le"), "the body is no JSON"),
    "Latin-1": (lambda body: body.replace(b"good/", b"good/\xe9"), "str is not valid UTF-8"),
    "half a pair": (lambda body: body.replace(b"good/", b"\xed\xa0\x80"), "not valid UTF-8"),
    "a mark": (lambda body: b"\xef\xbb\xbf" + body, "UTF-8 byte order mark"),
    "deep": (lambda _: b"[" * 100_000 + b"]" * 100_000, "depth limit exceeded"),
    "deep inside": (_more(b"[" * 1000 + b"]" * 1000), "the body is no JSON: nested too deep"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_json_is_400_though_it_is_signed(server, what):
    """What cannot be read in one way only is not kept; the answer says what is wrong."""
    bend, message = MALFORMED[what]
    with nothing_made(server):
        status, said = server.post(bend(good(server)), f"malformed-{next(NUMBERS)}").said
    assert (status, message in said) == (400, True), said


# ---------------------------------------------------------------- webhooks that say nothing


def told(server: Standing, body: bytes) -> tuple[str, str]:
    """What became of a webhook that was taken, as a person is told."""
    reply = server.post(body, f"odd-{next(NUMBERS)}")
    assert reply.status == 202
    server.until("rest", server.at_rest)
    found = server.api(f"/deliveries/{reply.json['delivery']}")
    return found["state"], found["reason"]


WRONG: dict[str, tuple[object, ...]] = {
    "event": (None, 7, [], {}, True),
    "at": ([], {}, "x", True),
    "sender": ([], 7, "x"),
    "sender.name": ([], 7, {}),
    "ref": (None, 7, [], {}, True),
    "before": (None, 7, [], {}),
    "after": (None, 7, [], {}),
    "commit": (7, [], {}, True),
    "commits": ({}, 7, "x", [7]),
    "files_complete": (7, [], {}, "x"),
}


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_type_in_any_field_is_kept_and_flagged(server, field):
    """The forge has done its part (202); the delivery says which field is wrong, no event does."""
    with nothing_made(server, "event", "run"):
        for value in WRONG[field]:
            said = json.loads(good(server))
            inside, name = said, field
            if "." in field:
                outer, _, name = field.partition(".")
                inside = said[outer]
            inside[name] = value
            state, reason = told(server, json.dumps(said).encode())
            assert state == "failed"
            assert re.match(rf"it cannot be read: {field}[^ ]* is (not|missing)", reason), reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", "the body is not a JSON object"),
        (b"null", "the body is not a JSON object"),
        (b'{"event":"push","x":%s}' % (b"[" * 100 + b"]" * 100), "nested deeper than 64"),
        (b'{"event":"push","ref":"refs/heads/\\u0000"}', "ref is not a text without NUL"),
        (b'{"event":"push"}', "is missing"),
    ],
)
def test_json_that_says_nothing_is_kept_and_flagged(server, body, reason):
    """It is JSON and signed, so it is kept with its reason."""
    with nothing_made(server, "event", "run"):
        state, said = told(server, body)
    assert (state, reason in said) == ("failed", True), said


def test_half_a_pair_in_an_escape_is_mended_and_flagged(server):
    """Real commit messages have it; the event is good, and the delivery says what was done."""
    body = good(server).replace(b'"name": "dev"', rb'"name": "\ud83d"')
    assert told(server, body) == ("done", f"1 run; {MENDED}")


# ---------------------------------------------------------------- configurations


TEN_FAULTS = """
listeners:
  one: {on: pusch, do: [{pipeline: ci}]}
  two: {on: push, branchs: [main], do: [{pipeline: ci}]}
  three: {on: push, do: [{pipeline: missing}]}
  four: {on: push, if: "event.branch ==", do: [{pipeline: ci}]}
  five: {on: push, do: []}
pipelines:
  ci:
    jobs:
      a: {needs: [nobody], steps: [{run: "true"}]}
      b: {steps: [{run: 'echo ${{ event.title }}'}]}
      c: {timeout: soon, steps: [{run: "true"}]}
      d: {deploy: api, environment: nowhere}
"""
FAULTS = (
    ".windlass.yaml:3:13: 'pusch' is no event, did you mean 'push'?",
    ".windlass.yaml:4:19: unknown key 'branchs' in a listener, did you mean 'branches'?",
    ".windlass.yaml:5:37: there is no pipeline 'missing'",
    ".windlass.yaml:6:40: the condition is wrong: it ends too early",
    ".windlass.yaml:7:20: 'do' is empty",
    ".windlass.yaml:11:19: there is no job 'nobody'",
    ".windlass.yaml:12:31: '${{' is not allowed in a script",
    ".windlass.yaml:13:20: found 'soon', expected a duration such as 30s, 10m or 1h30m",
    ".windlass.yaml:14:19: there is no service 'api'",
    ".windlass.yaml:14:37: there is no environment 'nowhere'",
)
CYCLE = """
listeners: {each: {on: push, do: [{pipeline: ci}]}}
pipelines:
  ci:
    jobs:
      a: {needs: [c], steps: [{run: "true"}]}
      b: {needs: [a], steps: [{run: "true"}]}
      c: {needs: [b], steps: [{run: "true"}]}
"""
ROUND = (".windlass.yaml:6:11: jobs wait for each other in a circle: a -> c -> b -> a",)


@pytest.mark.parametrize(
    ("name", "text", "faults"), [("faulty", TEN_FAULTS, FAULTS), ("cyclic", CYCLE, ROUND)]
)
def test_a_faulty_configuration_is_told_whole(server, name, text, faults):
    """Every fault at once: in the event, on the commit, and by `windlass lint`; nothing starts."""
    work = server.repository("listeners: {}\n", name)
    done = server.cli("repo", "add", str(server.folder / f"{name}.git"), "--name", name)
    assert done.returncode == 0, done.stderr
    (work / ".windlass.yaml").write_text(text, encoding="utf-8")
    git(work, "commit", "-qam", "faulty")
    with nothing_made(server, "run", "verdict"):
        git(work, "push", "-q", "origin", "HEAD:main")
        server.until("the event", lambda: server.count(f"event where repository = '{name}'"))
        server.until("rest", server.at_rest)
    (event,) = server.api(f"/events?repository={name}")["items"]
    lines = event["fault"].splitlines()
    assert len(lines) == len(faults)
    assert all(line.startswith(fault) for line, fault in zip(lines, faults, strict=True)), lines
    sha = git(work, "rev-parse", "HEAD")
    file = server.folder / f"{name}.git/windlass/statuses/{sha}.json"
    (status,) = json.loads(file.read_bytes()).values()
    assert status["state"] == "failure"
    assert status["description"].startswith(faults[0][:40])
    lint = server.cli("lint", str(work))
    assert lint.returncode == 1
    assert [one for one in faults if one not in lint.stdout + lint.stderr] == []


# ---------------------------------------------------------------- names, places, servers


def test_a_branch_whose_name_is_shell_code_is_a_name(server):
    """It arrives in the step letter by letter, and nothing of it runs."""
    branch = 'zzz";echo${IFS}x;#'
    work = server.folder / "shop-work"
    git(work, "push", "-q", "origin", f"HEAD:refs/heads/{branch}")
    server.until("the event", lambda: server.count("event where branch like 'zzz%'"))
    server.until("rest", server.at_rest)
    (number,) = server.rows("select number from run where branch like 'zzz%'")[0]
    assert (server.folder / "out" / str(number)).read_text(encoding="utf-8") == f"{branch}\n"


@pytest.mark.parametrize(
    ("make", "code", "text"),
    [
        (None, 6, "there is no such folder"),
        (Path.mkdir, 1, "is not a Git repository"),
        (lambda path: path.write_text("text"), 1, "is not a Git repository"),
    ],
)
def test_a_repository_that_is_none_is_refused(server, tmp_path, make, code, text):
    """With what it is, and what to do about it; nothing is connected."""
    path = tmp_path / "shop2.git"
    if make is not None:
        make(path)
    with nothing_made(server, "repository"):
        done = server.cli("repo", "add", str(path))
    assert done.returncode == code, done.stderr
    assert f"error: {path}" in done.stderr
    assert text in done.stderr
    assert "next:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_server_is_refused_and_told_who_is_there(server):
    """The data folder has one server; its process and address are named, and it goes on."""
    with nothing_made(server):
        done = subprocess.run(
            [*WINDLASS, "up", "--data", str(server.data), "--address", "127.0.0.1:0"],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert f"in use by process {server.process.pid} at 127.0.0.1:{server.port}" in done.stderr
    assert "next:  stop that server first, or name another data folder" in done.stderr
    assert "Traceback" not in done.stderr
