"""
Our GitHub adapter against a GitHub that others wrote.

The emulator comes from its registry, pinned by version and digest, into a folder of this
run; nothing of it is kept. It listens on loopback alone. A proxy gives it the face of an
Enterprise Server: the API below `/api/v3`, and Git, which it lacks, beside it. It has no
commit statuses and no deployments, and tells nothing of a person by number.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from joserfc.jwk import RSAKey

from windlass.forges.github.dialect import GitHubDialect
from windlass.forges.github.forge import GitHubForge
from windlass.forges.http.client import Http
from windlass.ports.forge import Annotation, Hook, PullState, Status, StatusState
from windlass.reach import Reach
from windlass.testing.plain import Receiver, run
from windlass.testing.servers.serving import Call, Reply, Server, basic

SECRET = b"correct horse battery staple"
ADA, TOKEN = "ada", "ghp_ada"
MARKER = "<!-- windlass -->"

# Name -> version and digest.
PACKAGES = {
    "emulate": (
        "0.11.2",
        "sha512-BHs1rG/yPQ4kM+9aUz7fg4MDn0MshxOs0Ch2ciuNFPsN4PfCxQWP/9DGFZx+h+RvcIwX5n+hV308Ba7SxBc6nQ==",
    ),
    "commander": (
        "14.0.3",
        "sha512-H+y0Jo/T1RZ9qPP4Eh1pkcQcLRglraJaSLoyOtHxu6AapkjWVCy2Sit1QQ4x3Dng8qDlSsZEet7g5Pq06MvTgw==",
    ),
    "picocolors": (
        "1.1.1",
        "sha512-xceH2snhtb5M9liqDsmEw56le376mTZkEX/jEb/RxNFyegNul7eNslCXP9FDj/Lcu0X8KEyMceP2ntpaHrDEVA==",
    ),
    "yaml": (
        "2.9.1",
        "sha512-3NxN8+78OdzbT7C/WjGsyfPAtJaN3FNDsWxv7Y7mcDsT/oOmgW8BpyQQFFBnvZE3j9Y2Sdz1ULFLezL7Eb2yFw==",
    ),
}

# Whoever listens, listens on a free port of loopback, and says which.
LOOPBACK = """
const { Server } = require("net");
const listen = Server.prototype.listen;
Server.prototype.listen = function (...words) {
  const then = words.filter((word) => typeof word === "function");
  this.once("listening", () => console.log("port", this.address().port));
  return listen.call(this, 0, "127.0.0.1", ...then);
};
"""
START = """
import { readFileSync } from "fs";
import { createEmulator } from "emulate";
await createEmulator(JSON.parse(readFileSync("options.json", "utf8")));
"""


class Front(Server):
    """The face of an Enterprise Server before the emulator at `port_behind`."""

    port_behind = 0

    def answer(self, call: Call) -> Reply:
        """Hand a call of the API on."""
        with self.lock:
            self.calls.append(call)
        if not call.path.startswith("/api/v3/"):
            return Reply(404, {"message": "Not Found"})
        path = call.path.removeprefix("/api/v3") + (
            f"?{urlencode(call.query)}" if call.query else ""
        )
        said = json.dumps(dict(call.body)) if call.body else None
        passed = ("authorization", "accept", "content-type", "user-agent")
        headers = {name: call.headers[name] for name in passed if name in call.headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.port_behind, timeout=20)
        try:
            connection.request(call.method, path, said, headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read())
        finally:
            connection.close()

    def readable(self, headers):
        """Git takes the token as a password."""
        return headers.get("authorization") == basic("x-access-token", TOKEN)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The emulator's package in a folder of its own, as its digest says it is."""
    folder = tmp_path_factory.mktemp("emulator")
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    (folder / "package.json").write_text("{}")
    wanted = [f"{name}@{version}" for name, (version, _) in PACKAGES.items()]
    options = ("--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
    done = subprocess.run(
        ["npm", "install", *options, *wanted],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    if done.returncode:
        pytest.skip(f"npm cannot install the emulator: {done.stderr[-300:]}")
    lock = json.loads((folder / "node_modules/.package-lock.json").read_text())["packages"]
    found = {
        name.removeprefix("node_modules/"): (one["version"], one["integrity"])
        for name, one in lock.items()
    }
    assert found == PACKAGES
    (folder / "loopback.cjs").write_text(LOOPBACK)
    (folder / "start.mjs").write_text(START)
    return folder


@pytest.fixture
def app():
    """An App, as Windlass stores it."""
    pem = RSAKey.generate_key(2048).as_pem(private=True).decode()
    return {"id": 4711, "slug": "windlass-acme", "pem": pem}


@pytest.fixture
def front(tmp_path, installed, app):
    """The emulator behind its face; `acme/shop` is Ada's, and the App is installed for it."""
    permissions = dict.fromkeys(("checks", "issues", "pull_requests"), "write")
    installation = {"installation_id": 9, "account": "acme"}
    seed = {
        "tokens": {TOKEN: {"login": ADA, "scopes": ["repo"]}},
        "github": {
            "users": [{"login": ADA, "name": "Ada", "email": "ada@example.org"}],
            "orgs": [{"login": "acme", "members": [{"login": ADA, "role": "admin"}]}],
            "repos": [{"owner": "acme", "name": "shop", "auto_init": False}],
            "apps": [
                {
                    "app_id": app["id"],
                    "slug": app["slug"],
                    "name": "Windlass",
                    "private_key": app["pem"],
                    "permissions": permissions,
                    "installations": [{**installation, "repositories": ["acme/shop"]}],
                }
            ],
        },
    }
    with Front(tmp_path / "git") as server:
        options = {"service": "github", "port": 1, "baseUrl": server.url, "seed": seed}
        (installed / "options.json").write_text(json.dumps(options))
        process = subprocess.Popen(
            ["node", "--require", "./loopback.cjs", "start.mjs"],
            cwd=installed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )
        try:
            said = process.stdout.readline()
            found = re.fullmatch(r"port (\d+)\n", said)
            assert found, said + process.stdout.read()
            server.port_behind = int(found[1])
            yield server
        finally:
            process.terminate()
            process.wait(10)
            process.stdout.close()


class Clock:
    """The machine's time."""

    def now(self):
        return time.time()

    async def sleep(self, _seconds):
        raise AssertionError


@pytest.fixture
def ask(app):
    """Ask one adapter, with Ada's token or as the App, in a process of its own."""

    def run(play, *, as_app=False):
        async def main():
            client = Http(Clock(), Reach(frozenset({"127.0.0.1"})))
            stored = json.dumps(app) if as_app else None
            try:
                return await play(GitHubForge(client, lambda _: TOKEN, lambda _: stored, Clock()))
            finally:
                await client.close()

        return asyncio.run(main())

    return run


class Person:
    """Ada at her machine: a clone, and the emulator's API in her browser."""

    def __init__(self, front, folder):
        self.front = front
        bare = front.root / "acme/shop.git"
        bare.parent.mkdir(parents=True)
        self.work = folder / "work"
        run(folder, "git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        address = f"http://x-access-token:{TOKEN}@{front.host}/acme/shop.git"
        run(folder, "git", "clone", "--quiet", address, str(self.work))

    def git(self, *words):
        dates = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
        return run(self.work, "git", *words, also=dates).stdout.strip()

    def commit(self, branch, name):
        """Commit a file on a branch and push it; the commit."""
        exists = self.git("branch", "--list", branch)
        self.git("checkout", "--quiet", *([] if exists else ["-b"]), branch)
        (self.work / name).write_text(name)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Add {name}")
        self.git("push", "--quiet", "origin", branch)
        return self.git("rev-parse", "HEAD")

    def heads(self):
        """The branches, as Git lists them over HTTP."""
        listed = self.git("ls-remote", "--heads", "origin").splitlines()
        return {ref: sha for sha, ref in (line.split("\t") for line in listed)}

    def api(self, method, path, **body):
        """Ask the emulator."""
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.front.port_behind, timeout=20)
        connection.request(method, f"/repos/acme/shop{path}", json.dumps(body), headers)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        assert answer.status < 300, said
        return json.loads(said)

    def know(self, sha, ref, *, new):
        """Give the emulator a commit that was pushed, object by object, and move the ref."""
        tree = []
        for line in self.git("ls-tree", sha).splitlines():
            mode, kind, blob, name = line.split(None, 3)
            content = base64.b64encode((self.work / name).read_bytes()).decode()
            assert self.api("POST", "/git/blobs", content=content, encoding="base64")["sha"] == blob
            tree.append({"path": name, "mode": mode, "type": kind, "sha": blob})
        who = {"name": "Ada", "email": "ada@example.org", "date": "2023-11-14T22:13:20Z"}
        made = self.api(
            "POST",
            "/git/commits",
            message=self.git("log", "-1", "--format=%B", sha),
            tree=self.api("POST", "/git/trees", tree=tree)["sha"],
            parents=self.git("log", "-1", "--format=%P", sha).split(),
            author=who,
            committer=who,
        )
        assert made["sha"] == sha
        if new:
            self.api("POST", "/git/refs", ref=f"refs/heads/{ref}", sha=sha)
        else:
            self.api("PATCH", f"/git/refs/heads/{ref}", sha=sha)


@pytest.fixture
def ada(front, tmp_path):
    """Ada, with `main` pushed."""
    person = Person(front, tmp_path)
    person.know(person.commit("main", "README"), "main", new=True)
    return person


def runs(ada, sha):
    return ada.api("GET", f"/commits/{sha}/check-runs?filter=all")["check_runs"]


class Reading:
    """What comes from the emulator, each webhook verified and read by our dialect."""

    def __init__(self, receiver):
        self.receiver = receiver
        self.count = 0

    def next(self, count=1):
        """The next so many, each as events or as ignored."""
        dialect, begin = GitHubDialect(), self.count
        self.count += count
        found = self.receiver.wait(self.count)[begin:]
        assert all(dialect.verify(one, (SECRET,)) for one in found)
        return [dialect.read(one, "acme/shop") for one in found]

    def event(self):
        """The next one, which is one event."""
        ((event,),) = self.next()
        return event


def test_a_pull_request_from_its_push_to_its_merge(front, ada, ask):
    """What we make is there, what the emulator sends is trusted and understood."""
    url = f"{front.url}/acme/shop"
    with Receiver() as receiver:
        reading, hook = Reading(receiver), Hook(url=receiver.url, secret=SECRET)
        ask(lambda forge: connected(forge, url, hook))
        (made,) = ada.api("GET", "/hooks")
        assert made["config"] == {"url": hook.url, "content_type": "json", "insecure_ssl": "0"}
        assert reading.event().kind == "ping"

        pushed = ada.commit("main", "a.txt")
        ada.know(pushed, "main", new=False)
        event = reading.event()
        assert (event.kind, event.branch, event.sha, event.sender) == ("push", "main", pushed, ADA)

        sha = ada.commit("topic", "b.txt")
        ada.know(sha, "topic", new=True)
        number = ada.api("POST", "/pulls", title="Add b", head="topic", base="main")["number"]
        event = reading.event()
        assert (event.action, event.number, event.sha) == ("opened", number, sha)

        pull = ask(lambda forge: forge.pull(url, number))
        assert (pull.state, pull.head_sha, pull.base) == (PullState.OPEN, sha, "main")
        assert pull.author_id == event.sender_id
        heads = ask(lambda forge: forge.heads(url))
        assert heads == {**ada.heads(), f"refs/pull/{number}/head": sha}

        for text in ("first", "second"):
            ask(lambda forge, text=text: forge.comment(url, number, text))
        comments = ada.api("GET", f"/issues/{number}/comments")
        assert [one["body"] for one in comments] == [f"{MARKER}\nsecond"]
        # The emulator does not say that the issue is a pull request; the edit is not read anyway.
        reasons = sorted(one.reason for one in reading.next(2))
        assert "edited" in reasons[0]
        assert "comment on an issue" in reasons[1]

        merged = ada.api("PUT", f"/pulls/{number}/merge")["sha"]
        event = reading.event()
        assert (event.action, event.sha) == ("merged", merged)
        pull = ask(lambda forge: forge.pull(url, number))
        assert (pull.state, pull.merge_sha) == (PullState.MERGED, merged)
        ask(lambda forge: left(forge, url, hook))
    assert ada.api("GET", "/hooks") == []


async def connected(forge, url, hook):
    """Install the hook, twice, and have a ping sent."""
    first = await forge.install(url, hook)
    assert (first.present, first.problem) == (True, "")
    assert await forge.install(url, hook) == await forge.check(url, hook) == first
    assert await forge.ping(url, hook)
    assert await forge.default_branch(url) == "main"


async def left(forge, url, hook):
    """Nothing was missed; take the hook away."""
    assert await forge.missed(url, hook, 0.0) == ()
    await forge.remove(url)
    assert not (await forge.check(url, hook)).present


def test_an_app_makes_check_runs_and_changes_them(front, ada, ask, app):
    """Its proof and its token are taken; the run is one, and so is the bot's comment."""
    url = f"{front.url}/acme/shop"
    sha = ada.commit("topic", "b.txt")
    ada.know(sha, "topic", new=True)
    number = ada.api("POST", "/pulls", title="Add b", head="topic", base="main")["number"]
    began = Status(sha=sha, context="windlass/ci", state=StatusState.PENDING, url=f"{url}/runs/1")
    marks = (Annotation("b.txt", 1, "it is wrong"),)
    ended = Status(
        sha=sha,
        context="windlass/ci",
        state=StatusState.FAILURE,
        description="it broke",
        url=f"{url}/runs/1",
        annotations=marks,
    )
    # Once with its mark: the emulator lists marks in a form that GitHub does not have.
    for status in (began, began, ended):
        ask(lambda forge, status=status: forge.status(url, status), as_app=True)
    (run,) = runs(ada, sha)
    told = (run["name"], run["status"], run["conclusion"], run["output"]["title"])
    assert told == ("windlass/ci", "completed", "failure", "it broke")
    assert (run["external_id"], run["details_url"]) == ("windlass/ci", f"{url}/runs/1")
    (mark,) = ada.api("GET", f"/check-runs/{run['id']}/annotations")["check_annotations"]
    assert (mark["path"], mark["start_line"], mark["message"]) == ("b.txt", 1, "it is wrong")

    ask(lambda forge: forge.status(url, began), as_app=True)
    assert [one["status"] for one in runs(ada, sha)] == ["in_progress", "completed"]

    for text in ("first", "second"):
        ask(lambda forge, text=text: forge.comment(url, number, text), as_app=True)
    (comment,) = ada.api("GET", f"/issues/{number}/comments")
    assert (comment["body"], comment["user"]["login"]) == (
        f"{MARKER}\nsecond",
        f"{app['slug']}[bot]",
    )
    (token, *_) = _tokens(front)
    assert (token["app"]["id"], token["repository_selection"]) == (app["id"], "selected")


def _tokens(front):
    connection = http.client.HTTPConnection("127.0.0.1", front.port_behind, timeout=20)
    connection.request("GET", "/_emulate/installation-tokens")
    said = json.loads(connection.getresponse().read())["installation_tokens"]
    connection.close()
    return said


def test_the_emulator_listens_on_loopback_alone(front):
    """Nothing of a test can be reached from another machine."""
    lines = "".join(Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6"))
    pattern = rf": (\w+):{front.port_behind:04X} \w+:\w+ 0A "
    assert re.findall(pattern, lines) == ["0100007F"]
