"""
A first pip is taken only from where the machine points to, and only with the pinned hash.

The index is a real one on loopback.
"""

from __future__ import annotations

import hashlib
import importlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
WHEEL = "pip-1.0-py3-none-any.whl"
CONTENT = b"a wheel"


class Index(ThreadingHTTPServer):
    """A package index with one wheel, which remembers what it was asked."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked: list[tuple[str, str | None]] = []
        super().__init__(("127.0.0.1", 0), Answer)

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    """The page of pip, or the wheel."""

    server: Index

    def do_GET(self) -> None:
        """Answer with the page that links to the wheel, or with the wheel."""
        self.server.asked.append((self.path, self.headers["Authorization"]))
        page = f'<a href="../../files/{WHEEL}#sha256=00">{WHEEL}</a> <a href="x.tar.gz">x</a>'
        body = self.server.content if self.path.endswith(".whl") else page.encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Keep the test's output to itself."""


@pytest.fixture
def first_pip(monkeypatch, tmp_path):
    """The program under test, on a machine that is set up for nothing."""
    for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.syspath_prepend(HERE / "tools")
    return importlib.import_module("first_pip")


@pytest.fixture
def lock(tmp_path) -> Path:
    """A lock that pins the wheel."""
    file = tmp_path / "requirements-pip.txt"
    digest = hashlib.sha256(CONTENT).hexdigest()
    file.write_text(f"pip==1.0 \\\n    --hash=sha256:{digest}\n")
    return file


@pytest.fixture(params=[CONTENT])
def index(request) -> Iterator[Index]:
    """A running index; its content is the parameter."""
    with Index(request.param) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_configured_index_gives_the_pinned_wheel(first_pip, lock, index, tmp_path, monkeypatch):
    """A wheel with the pinned hash is taken, and the credential goes in a header alone."""
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:p%40ss@{index.host}/simple")
    wheel = first_pip.pinned(lock, tmp_path)
    assert wheel.name == WHEEL
    assert wheel.read_bytes() == CONTENT
    basic = "Basic bWU6cEBzcw=="
    assert index.asked == [("/simple/pip/", basic), (f"/files/{WHEEL}", basic)]


@pytest.mark.parametrize("index", [b"another wheel"], indirect=True)
def test_a_wheel_with_another_hash_is_not_used(first_pip, lock, index, tmp_path, monkeypatch):
    """What an index gives under the right name counts for nothing without the right hash."""
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{index.host}/simple/")
    assert first_pip.pinned(lock, tmp_path) is None
    assert not list(tmp_path.glob("*.whl"))


def test_an_index_that_does_not_answer_is_no_crash(first_pip, lock, tmp_path, monkeypatch):
    """A dead index leads on to the next way, with a line that says so."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert first_pip.pinned(lock, tmp_path) is None


def test_a_machine_that_is_set_up_for_no_index_asks_none(first_pip, lock, tmp_path):
    """No index is known by name: without a setting nothing is fetched."""
    assert first_pip.pinned(lock, tmp_path) is None


def test_a_folder_of_wheels_is_enough(first_pip, lock, tmp_path, monkeypatch):
    """`find-links` in pip.conf works without any network."""
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / WHEEL).write_bytes(CONTENT)
    (tmp_path / "scratch").mkdir()
    (tmp_path / "pip.conf").write_text(f"[global]\nfind-links = {tmp_path / 'wheels'}\n")
    assert first_pip.pinned(lock, tmp_path / "scratch").read_bytes() == CONTENT
    monkeypatch.setenv("PIP_FIND_LINKS", "somewhere")
    assert first_pip.setting("find-links") == "somewhere"
