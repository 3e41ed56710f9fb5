"""
What a runner is told: an order, and the limits of the executor that took it.

It travels by pipe, from this program to itself, so `marshal` (no import at all)
serves better than JSON (5 ms). Its length goes ahead: a server that dies while
it writes leaves half a message, and half a message starts nothing.
"""

from __future__ import annotations

import marshal

_HEAD = 8


class WorkStep:
    """One step, as in the order."""

    __slots__ = ("allow_failure", "env", "name", "run", "timeout")

    name: str
    run: str
    env: dict[str, str]
    timeout: float | None
    allow_failure: bool


class Work:
    """
    Everything a runner knows; `secrets` and `mask` are nowhere else on this machine's disk.

    `sandbox` is the program that makes one, and its words; empty for steps as they are.
    """

    __slots__ = (
        "artifacts",
        "checkout",
        "checkout_env",
        "env",
        "grace",
        "id",
        "log",
        "log_limit",
        "mask",
        "path",
        "sandbox",
        "search_path",
        "secrets",
        "steps",
        "timeout",
    )

    id: str
    log: str
    steps: list[WorkStep]
    env: dict[str, str]
    secrets: dict[str, str]
    mask: list[str]
    checkout: list[list[str]]
    checkout_env: dict[str, str]
    path: str
    sandbox: list[str]
    artifacts: list[str]
    timeout: float
    grace: float
    log_limit: int
    search_path: str


def dump(work: Work) -> bytes:
    """The message for a runner."""
    fields = {name: getattr(work, name) for name in Work.__slots__}
    fields["steps"] = [
        {name: getattr(step, name) for name in WorkStep.__slots__} for step in work.steps
    ]
    body = marshal.dumps(fields)
    return len(body).to_bytes(_HEAD, "big") + body


def load(message: bytes) -> Work | None:
    """The work in a message, None when it was cut short."""
    size, body = int.from_bytes(message[:_HEAD], "big"), message[_HEAD:]
    if len(message) < _HEAD or len(body) != size:
        return None
    work = Work()
    for name, value in marshal.loads(body).items():  # noqa: S302 - our own bytes, by our own pipe
        setattr(work, name, value)
    steps = []
    for fields in work.steps:
        step = WorkStep()
        for name, value in fields.items():  # type: ignore[attr-defined]
            setattr(step, name, value)
        steps.append(step)
    work.steps = steps
    return work
