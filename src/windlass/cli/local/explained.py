"""
`windlass explain --forge`: what listeners would make of a recorded webhook, without a server.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TypedDict

from windlass.cli.exits import Failure
from windlass.cli.local.recorded import read_headers, told
from windlass.cli.output import clean, indented, say, show


class Recording(TypedDict):
    """What is given instead of a server."""

    forge: str | None
    config: Path | None
    headers: Path | None
    changed: Path | None
    named: str


def explain_recorded(body: Path, given: Recording, *, as_json: bool) -> None:
    """Print what every listener says to every event of a recorded request."""
    from windlass.cli.local.judging import (
        Recorded,
        as_data,
        configured,
        judge_recorded,
        read_changed,
        received,
    )
    from windlass.core.event import Ignored
    from windlass.core.listener import Open

    listeners = configured(given["config"] or Path(), json_wanted=as_json)
    headers = read_headers(given["headers"].read_bytes()) if given["headers"] else {}
    request = received(headers, body.read_bytes(), at=time.time(), where=str(body))
    files = read_changed(given["changed"].read_bytes()) if given["changed"] else None
    recorded = Recorded(given["forge"] or "", str(body), given["named"])
    found = judge_recorded(listeners, recorded, request, files)
    if isinstance(found, Ignored):
        if as_json:
            show("[]")
        raise Failure(f"It is ignored: {clean(found.reason)}.", where=str(body))
    if as_json:
        answer = [
            {
                "event": told(one.event),
                "listeners": [as_data(name, said) for name, said in one.verdicts.items()],
            }
            for one in found
        ]
        show(json.dumps(answer, indent=2))
    else:
        for one in found:
            for line in one.lines:
                indented(line)
    left = [said for one in found for said in one.verdicts.values() if isinstance(said, Open)]
    if any(said.condition != "unless" for said in left):
        say("The request does not tell all changed files: give them with --files.")
