"""Real repositories to work on, made fast, and a host that serves them over HTTP."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, TypeVar

import pytest

from windlass.git.mirror import Mirror
from windlass.git.program import Git

Result = TypeVar("Result")

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


@dataclass(frozen=True)
class Link:
    """A symbolic link in a tree."""

    to: str


Content = bytes | Link | None


@dataclass
class Origin:
    """A bare repository as a team has it. Each commit is a second younger than the last."""

    path: Path
    commits: int = 0

    def git(self, *args: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", f"--git-dir={self.path}", *args],
            input=stdin,
            capture_output=True,
            env=ENVIRONMENT,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def commit(
        self, files: Mapping[str, Content], *, branch: str = "main", parents: tuple[str, ...] = ()
    ) -> str:
        """A commit with these changes on top of the branch, or of `parents`."""
        self.commits += 1
        ref = f"refs/heads/{branch}"
        lines = [
            b"feature done\ncommit %s\nmark :1" % ref.encode(),
            b"committer Ada Example <ada@example.org> %d +0000" % (1_700_000_000 + self.commits),
            b"data 7\nchange\n",
        ]
        before = subprocess.run(
            ["git", f"--git-dir={self.path}", "rev-parse", "-q", "--verify", ref],
            capture_output=True,
            env=ENVIRONMENT,
        ).stdout.strip()
        for number, parent in enumerate(parents or ([before.decode()] if before else [])):
            lines.append((b"merge " if number else b"from ") + parent.encode())
        for path, content in files.items():
            name = b'"%s"' % path.encode("utf-8", "surrogateescape").replace(
                b"\\", b"\\\\"
            ).replace(b'"', b'\\"').replace(b"\n", b"\\n")
            if content is None:
                lines.append(b"D " + name)
                continue
            mode = b"120000" if isinstance(content, Link) else b"100644"
            data = content.to.encode() if isinstance(content, Link) else content
            lines.append(b"M %s inline %s\ndata %d\n%s" % (mode, name, len(data), data))
        lines.append(b"\nget-mark :1\ndone\n")
        return self.git("fast-import", "--quiet", "--force", "--done", stdin=b"\n".join(lines))


MakeOrigin = Callable[..., Origin]


@pytest.fixture
def make_origin(tmp_path: Path) -> MakeOrigin:
    """Make a bare repository: `make_origin("name", "sha256")`."""

    def make(name: str = "origin", width: str = "sha1") -> Origin:
        path = tmp_path / f"{name}.git"
        subprocess.run(
            ["git", "init", "-q", "--bare", "-b", "main", f"--object-format={width}", str(path)],
            check=True,
            env=ENVIRONMENT,
        )
        return Origin(path)

    return make


@pytest.fixture
def origin(make_origin: MakeOrigin) -> Origin:
    return make_origin()


@pytest.fixture
def link() -> type[Link]:
    """Content that is a symbolic link: `link("target")`."""
    return Link


@pytest.fixture
def git(tmp_path: Path, origin: Origin) -> Git:
    """Git that may use the origin."""
    program = Git(tmp_path / "home")
    program.allow(origin.path)
    return program


@pytest.fixture
def with_mirror(git: Git, origin: Origin, tmp_path: Path):
    """Run a coroutine function on a fetched mirror of the origin."""

    def run(play: Callable[[Mirror], Coroutine[None, None, Result]]) -> Result:
        async def main() -> Result:
            async with Mirror(git, tmp_path / "mirrors" / "shop.git", str(origin.path)) as mirror:
                await mirror.fetch()
                return await play(mirror)

        return asyncio.run(main())

    return run


class _Served(BaseHTTPRequestHandler):
    """`git http-backend` behind one login."""

    root: ClassVar[Path]
    seen: ClassVar[list[str]]

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self) -> None:
        path, _, query = self.path.partition("?")
        self.seen.append(self.headers.get("Authorization", ""))
        good = "Basic " + base64.b64encode(b"windlass:hunter2").decode()
        if self.headers.get("Authorization") != good:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
            return
        if path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", f"/{self.path.removeprefix('/moved/')}")
            self.end_headers()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            env={
                **ENVIRONMENT,
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_USER": "windlass",
            },
        )
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for key, value in fields.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)


@dataclass(frozen=True)
class Host:
    """A code host on loopback; `seen` are the Authorization headers it got."""

    url: str
    seen: list[str]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    served = type("Served", (_Served,), {"root": tmp_path, "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), served)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Host(f"http://127.0.0.1:{server.server_port}", served.seen)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
