"""
Results as commit statuses: what anybody with a token may set.
"""

from __future__ import annotations

from windlass.forges.github.access import Asked
from windlass.forges.github.words import STATES, description
from windlass.forges.http.api import fields, items, text
from windlass.ports.forge import Status


async def put(asked: Asked, status: Status) -> None:
    """Set the status of (commit, context), unless it stands there already."""
    wanted = {
        "context": status.context,
        "state": STATES[status.state],
        "description": description(status),
        **({"target_url": status.url} if status.url else {}),
    }
    there = await asked.api.get(f"{asked.path}/commits/{status.sha}/status", {"per_page": 100})
    for one in map(fields, items(there.get("statuses") or [])):
        if text(one, "context") == status.context and _same(wanted, one):
            return
    await asked.api.post(f"{asked.path}/statuses/{status.sha}", wanted)


def _same(wanted: dict[str, str], one: dict[str, object] | object) -> bool:
    names = ("state", "description", "target_url")
    return all(text(fields(one), name) == wanted.get(name, "") for name in names)
