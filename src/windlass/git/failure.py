"""
What a failure of git means: try again, or not.

Git says it only in words, so this is the one place that reads them. The words
reach people without credentials and control characters.

>>> scrub("fatal: unable to access 'https://me:hunter2@example.org/a.git/'")
"fatal: unable to access 'https://***@example.org/a.git/'"
"""

from __future__ import annotations

import re

from windlass.core.errors import AdapterError, Permanent, Transient

_LONGEST = 600

_CREDENTIALS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/'\"]*@")
_HEADER = re.compile(r"(?i)(authorization: *\w+ +)\S+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_NOISE = re.compile(r"(?:hint|warning|remote: (?:Enumerating|Counting|Compressing|Total)).*")

_PASSING = re.compile(
    r"Could not resolve host|[Cc]ould(?: not|n.t) connect"
    r"|Connection (?:refused|reset|timed out|closed)|timed out|early EOF"
    r"|[Oo]peration too slow|hung up unexpectedly|unexpected disconnect|Network is unreachable"
    r"|No route to host|returned error: (?:408|429|5\d\d)|RPC failed|No space left on device"
    r"|\.lock': File exists|but expected|Cannot allocate memory|Resource temporarily unavailable"
    r"|Too many open files|[Tt]emporary failure|kex_exchange_identification"
)

# The first that fits adds what to do next.
_ADVICE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"returned error: 30\d|redirect"), "use the address that it redirects to"),
    (
        re.compile(r"Authentication failed|could not read Username|returned error: 40[13]"),
        "check the credential of the repository",
    ),
    (re.compile(r"Permission denied \(publickey"), "check the SSH key of the server's user"),
    (re.compile(r"dubious ownership"), "register the path of the repository"),
    (re.compile(r"No space left"), "free some disk space"),
)


def scrub(text: str) -> str:
    """The text without the credentials of URLs and headers."""
    return _HEADER.sub(r"\1***", _CREDENTIALS.sub(r"\1***@", text))


def failure(command: str, said: str, code: int) -> AdapterError:
    """The error to raise for what git said on its way out."""
    text = _short(scrub(said)) or (f"killed by signal {-code}" if code < 0 else f"exit code {code}")
    advice = next((f" ({what})" for pattern, what in _ADVICE if pattern.search(said)), "")
    kind = Transient if code < 0 or _PASSING.search(said) else Permanent
    return kind(f"git {command}: {text}{advice}")


def _short(said: str) -> str:
    lines = [line.strip() for line in _CONTROL.sub(" ", said.replace("\r", "\n")).splitlines()]
    kept = [line for line in lines if line and not _NOISE.match(line)]
    text = "; ".join(kept or [line for line in lines if line])
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
