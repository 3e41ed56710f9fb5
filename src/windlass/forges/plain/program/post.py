"""
One HTTP POST, written by hand: `http.client` takes longer to import than to answer.

One request per connection, no redirects, no proxy from the environment.
"""

from __future__ import annotations

import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 10.0
LIMIT = 65536


class NoAnswer(Exception):
    """The other side could not be reached, or did not answer with HTTP."""


class Answer:
    """What came back: status, seconds until another try when it says so, beginning of the text."""

    def __init__(self, status: int, retry_after: float | None, text: str) -> None:
        self.status = status
        self.retry_after = retry_after
        self.text = text

    @property
    def taken(self) -> bool:
        """Whether the webhook has arrived for good."""
        return 200 <= self.status < 300

    @property
    def final(self) -> bool:
        """Whether another try would be answered in the same way."""
        return not self.taken and self.status < 500 and self.status not in {408, 425, 429}


class Endpoint:
    """Where webhooks go, taken apart when the hook was installed."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.scheme = settings["scheme"]
        self.host = settings["host"]
        self.port = int(settings["port"])
        self.path = settings["path"]
        self.origin = settings["origin"]

    def post(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one webhook; NoAnswer when nobody answers."""
        named = f"[{self.host}]" if ":" in self.host else self.host
        lines = [f"POST {self.path} HTTP/1.1", f"host: {named}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"content-length: {len(body)}", "connection: close", "", ""]
        try:
            with self._connected() as connection:
                connection.sendall("\r\n".join(lines).encode("latin-1") + body)
                return _parse(_receive(connection))
        except (OSError, ValueError) as error:
            raise NoAnswer(f"{self.origin}: {error}") from error

    def _connected(self) -> socket.socket:
        connection = socket.create_connection((self.host, self.port), TIMEOUT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.scheme != "https":
            return connection
        import ssl

        return ssl.create_default_context().wrap_socket(connection, server_hostname=self.host)


def _receive(connection: socket.socket) -> bytes:
    data = b""
    while len(data) < LIMIT:
        part = connection.recv(LIMIT)
        data += part
        if not part or _whole(data):
            break
    return data


def _whole(data: bytes) -> bool:
    """Whether the answer is complete, or complete enough for us."""
    head, end, rest = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n") if end else ():
        if line.startswith(b"content-length:"):
            return len(rest) >= int(line[15:])
    return False


def _parse(data: bytes) -> Answer:
    head, _, rest = data.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    version, status, *_ = [*first.split(" "), "", ""]
    if not version.startswith("HTTP/1.") or not status.isdigit():
        raise ValueError("the answer is not HTTP")
    retry: float | None = None
    for line in lines:
        name, _, value = line.partition(":")
        if name.lower() == "retry-after" and value.strip().isdigit():
            retry = float(value)
    return Answer(int(status), retry, rest[:2000])
