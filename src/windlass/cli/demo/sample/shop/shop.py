"""
A small shop on the web.

    /           a page that says what is offered, and which release this is
    /price      what PIECES of something cost: /price?pieces=3&each=500
    /version    which release this is, for programs
    /healthz    whether it works

Who starts it says by variables where it listens and which release it is.
"""

from __future__ import annotations

import html
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from prices import total

HERE = Path(__file__).resolve().parent
RELEASE = {
    "environment": os.environ.get("CI_ENVIRONMENT_NAME", "none"),
    "commit": os.environ.get("CI_COMMIT_SHA", ""),
    "digest": os.environ.get("CI_ARTIFACT_DIGEST", ""),
}


class Shop(BaseHTTPRequestHandler):
    """Answers one visitor."""

    def do_GET(self) -> None:
        """Show what was asked for."""
        url = urlsplit(self.path)
        if url.path == "/":
            self._answer(200, "text/html; charset=utf-8", page())
        elif url.path == "/price":
            asked = parse_qs(url.query)
            pieces, each = int(asked["pieces"][0]), int(asked["each"][0])
            self._answer(200, "application/json", json.dumps({"total": total(pieces, each)}))
        elif url.path == "/version":
            self._answer(200, "application/json", json.dumps(RELEASE))
        elif url.path == "/healthz":
            self._answer(200, "text/plain", "ok\n")
        else:
            self._answer(404, "text/plain", "There is no such page.\n")

    def _answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def page() -> str:
    """The page, as its file is now."""
    text = (HERE / "page.html").read_text(encoding="utf-8")
    for name, value in RELEASE.items():
        text = text.replace(f"@{name}@", html.escape(value))
    return text


def main() -> None:
    """Listen where CI_ENVIRONMENT_URL says, and note the process id in the file that is named."""
    port = urlsplit(os.environ.get("CI_ENVIRONMENT_URL", "http://127.0.0.1:8000")).port or 80
    server = ThreadingHTTPServer(("127.0.0.1", port), Shop)
    if len(sys.argv) > 1:
        note = Path(sys.argv[1])
        note.with_suffix(".new").write_text(f"{os.getpid()}\n", encoding="ascii")
        note.with_suffix(".new").replace(note)
    print(f"{RELEASE['environment']} listens on port {port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
