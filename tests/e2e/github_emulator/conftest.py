"""The emulator behind the face of an Enterprise Server, and Ada who works with it."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import os
import re
import shutil
import subprocess
import threading
import time
from urllib.parse import urlencode

import pytest
from joserfc.jwk import RSAKey

from windlass.forges.github.forge import GitHubForge
from windlass.forges.http.client import Http
from windlass.reach import Reach
from windlass.testing.plain import run
from windlass.testing.servers.serving import Reply, Server, basic

ADA, TOKEN = "ada", "ghp_" + "a" * 36
BOB, BOBS = "bob", "ghp_" + "b" * 36

SHOP = "/repos/acme/shop"
# What a person's browser brings back from GitHub, once it has made an App.
CODE = "made"

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
    """
    The face of an Enterprise Server before the emulator at `port_behind`, and what that lacks.

    Ours are Git over HTTP, commit statuses, and the App's key in exchange for a code.
    """

    port_behind = 0

    def __init__(self, root, app):
        super().__init__(root)
        self.app = app
        self.statuses = []
        self.tokens = {TOKEN}
        # Held while a commit is in the emulator and not yet in Git, or the other way round.
        self.still = threading.Lock()

    def answer(self, call):
        """Hand a call of the API on, unless the emulator has nothing of its kind."""
        with self.lock:
            self.calls.append(call)
        if not call.path.startswith("/api/v3/"):
            return Reply(404, {"message": "Not Found"})
        path = call.path.removeprefix("/api/v3")
        return self._ours(call, path) or self._behind(call, path)

    def _ours(self, call, path):
        if call.method == "POST" and path == f"/app-manifests/{CODE}/conversions":
            return Reply(201, self.app)
        if call.method == "POST" and (found := re.fullmatch(f"{SHOP}/statuses/(\\w+)", path)):
            self.statuses.append({"sha": found[1], **call.body})
            return Reply(201, self.statuses[-1])
        if found := re.fullmatch(f"{SHOP}/commits/(\\w+)/status", path):
            newest = {one["context"]: one for one in self.statuses if one["sha"] == found[1]}
            return Reply(200, {"sha": found[1], "statuses": [*newest.values()]})
        return None

    def _behind(self, call, path):
        path += f"?{urlencode(call.query)}" if call.query else ""
        said = json.dumps(dict(call.body)) if call.body else None
        passed = ("authorization", "accept", "content-type", "user-agent")
        headers = {name: call.headers[name] for name in passed if name in call.headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.port_behind, timeout=20)
        try:
            connection.request(call.method, path, said, headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if path.endswith("/access_tokens"):
            self.tokens.add(json.loads(body).get("token"))
        return Reply(answer.status, body)

    def git(self, *asked):
        """Git, once it knows what the emulator knows."""
        with self.still:
            super().git(*asked)

    def readable(self, headers):
        """Git takes a token as a password."""
        said = headers.get("authorization")
        return said in {basic("x-access-token", token) for token in self.tokens}


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
    # To a hook it lets an App that may administrate; GitHub has a right for just that.
    names = ("administration", "checks", "issues", "pull_requests")
    permissions = dict.fromkeys(names, "write")
    installation = {"installation_id": 9, "account": "acme"}
    seed = {
        "tokens": {
            token: {"login": login, "scopes": ["repo"]}
            for login, token in ((ADA, TOKEN), (BOB, BOBS))
        },
        "github": {
            "users": [
                {"login": login, "name": login.title(), "email": f"{login}@example.org"}
                for login in (ADA, BOB)
            ],
            "orgs": [
                {
                    "login": "acme",
                    "members": [{"login": one, "role": "admin"} for one in (ADA, BOB)],
                }
            ],
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
    with Front(tmp_path / "git", app) as server:
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
        self.bare = front.root / "acme/shop.git"
        self.bare.parent.mkdir(parents=True)
        self.work = folder / "work"
        run(folder, "git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        address = f"http://x-access-token:{TOKEN}@{front.host}/acme/shop.git"
        run(folder, "git", "clone", "--quiet", address, str(self.work))

    def git(self, *words):
        dates = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
        return run(self.work, "git", *words, also=dates).stdout.strip()

    def commit(self, branch, files):
        """Commit files on a branch and push it; the commit."""
        exists = self.git("branch", "--list", branch)
        self.git("checkout", "--quiet", *([] if exists else ["-b"]), branch)
        for name, text in files.items():
            (self.work / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Add {', '.join(files)}")
        self.git("push", "--quiet", "origin", branch)
        return self.git("rev-parse", "HEAD")

    def heads(self):
        """The branches, as Git lists them over HTTP."""
        listed = self.git("ls-remote", "--heads", "origin").splitlines()
        return {ref: sha for sha, ref in (line.split("\t") for line in listed)}

    def api(self, method, path, *, token=TOKEN, **body):
        """Ask the emulator."""
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.front.port_behind, timeout=20)
        connection.request(method, SHOP + path, json.dumps(body), headers)
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

    def propose(self, branch, files):
        """Push a branch and open a pull request of it to `main`; its number and its head."""
        sha = self.commit(branch, files)
        self.know(sha, branch, new=True)
        with self.front.still:
            number = self.api("POST", "/pulls", title="A change", head=branch, base="main")[
                "number"
            ]
            self.git("push", "--quiet", str(self.bare), f"{sha}:refs/pull/{number}/head")
        return number, sha

    def merge(self, number):
        """Bob merges it; the commit that the emulator made of it, made in Git too."""
        with self.front.still:
            sha = self.api("PUT", f"/pulls/{number}/merge", token=BOBS)["sha"]
            made = self.api("GET", f"/git/commits/{sha}")
            also = {
                f"GIT_{role.upper()}_{name.upper()}": made[role][name]
                for role in ("author", "committer")
                for name in ("name", "email", "date")
            }
            parents = [word for one in made["parents"] for word in ("-p", one["sha"])]
            words = ("commit-tree", made["tree"]["sha"], *parents, "-m", made["message"])
            assert run(self.work, "git", *words, also=also).stdout.strip() == sha
            self.git("push", "--quiet", str(self.bare), f"{sha}:main")
        return sha


@pytest.fixture
def ada(front, tmp_path):
    """Ada, with `main` pushed."""
    person = Person(front, tmp_path)
    person.know(person.commit("main", {"README": "README"}), "main", new=True)
    return person
