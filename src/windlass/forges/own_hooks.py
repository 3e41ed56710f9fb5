"""
Which of the webhooks on a forge are ours: those that lead to where our own do.

>>> hook = Hook(url="https://ci.example/hooks/7", secret=b"x")
>>> ours("https://CI.example:443/hooks/8", hook), ours("https://ci.example/other/8", hook)
(True, False)
"""

from __future__ import annotations

from urllib.parse import urlsplit

from windlass.ports.forge import Hook

_PATH = "/hooks/"
_PORTS = {"https": 443, "http": 80}


def ours(address: str, hook: Hook) -> bool:
    """
    Whether a webhook to `address` is ours: on the origin of `hook`, and below its `/hooks/`.

    A path that stands before it belongs to our address, as behind a proxy, and must be there.
    """
    try:
        (there, path), (here, own) = _parts(address), _parts(hook.url)
    except ValueError:
        return False
    before, found, _ = own.rpartition(_PATH)
    return bool(found) and there == here and path.startswith(f"{before}{_PATH}")


def _parts(address: str) -> tuple[tuple[str, str, int], str]:
    """Scheme, host and port, and the path; `ValueError` for what is no address."""
    parts = urlsplit(address)
    port = _PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    return (parts.scheme, parts.hostname or "", port), parts.path
