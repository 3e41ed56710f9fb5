"""
The executor's side of the world: `Executor`, `Logs`, `Artifacts`.

A job is handed over whole, as an `Order`, and lives on its own from then on:
the server may die and come back, and finds it by `list` and `watch`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStep:
    """One step of an order: its script for `sh`, and its own variables."""

    name: str
    run: str
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    allow_failure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    Everything a job needs to run without asking back.

    `id` is the idempotency key: starting one id twice is one job. `checkout` are
    argument lists (with `checkout_env`) that make the workspace hold the commit;
    `{workspace}` in an argument stands for its path. `secrets` (variable name -> value,
    or `STEP:NAME` for one step's own) reach the runner by pipe and are masked in the
    log; `mask` are further values to mask. `artifacts` are globs below the workspace
    (and `path`), packed when all steps succeeded. `log` is the key of the log in `Logs`.
    The steps of an `isolated` job reach nothing but the workspace, what programs are made of, the
    paths `readable`, and the network if it says so; an executor that cannot do that refuses
    (`Permanent`).
    """

    id: str
    log: str
    steps: tuple[OrderStep, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    mask: tuple[str, ...] = field(default=(), repr=False)
    checkout: tuple[tuple[str, ...], ...] = ()
    checkout_env: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    artifacts: tuple[str, ...] = ()
    timeout: float = 3600.0
    isolated: bool = False
    network: bool = True
    readable: tuple[str, ...] = ()


class Outcome(StrEnum):
    """How a job ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"
    WORKER_LOST = "worker_lost"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """Step `step` (from 0; -1 is the checkout) has started; `log` is the log's size then."""

    step: int
    at: float
    log: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """Step `step` has ended with this exit code (128 + n when killed by signal n)."""

    step: int
    at: float
    exit_code: int
    timed_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """
    The job has ended, for good.

    `outputs` are the lines `name=value` that steps wrote to `$WINDLASS_OUTPUT`;
    `package` is a deterministic tar of the artifacts, to be taken before `Executor.stop`
    clears the job away; `reason` is for people.
    """

    at: float
    outcome: Outcome
    exit_code: int | None = None
    step: int | None = None
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    package: Path | None = None


Progress = StepStarted | StepEnded | Ended


class Executor(Protocol):
    """Where jobs run."""

    async def start(self, order: Order) -> None:
        """Begin the job, once per id; refused (`Conflict`) when the id was stopped before."""

    def watch(self, job: str, after: int = 0) -> AsyncIterator[Progress]:
        """
        What happened to a job, from its entry number `after` on, and as it goes on.

        Ends after `Ended`. A job whose runner is gone ends as WORKER_LOST.
        """

    async def stop(self, job: str) -> None:
        """End the job with everything it started; of an unknown id: refuse its later start."""

    async def list(self) -> tuple[str, ...]:
        """Ids of the jobs that are here, running or ended and not yet cleared."""

    async def clear(self, job: str) -> None:
        """Forget an ended job and remove its workspace; twice is once."""


@dataclass(frozen=True, slots=True)
class LogPart:
    """Whole log lines as stored, and the offset (bytes) at which the next read goes on."""

    data: bytes
    next: int


class Logs(Protocol):
    r"""
    Where the lines of jobs stand, masked already.

    One line is `MILLISECONDS STEP STREAM TEXT\\n`: UTC milliseconds, step number
    (-1 checkout), stream `o`, `e` or `w` (Windlass itself), and UTF-8 text. Offsets are bytes.
    """

    def append(self, key: str, data: bytes) -> None:
        """Add whole lines."""

    def read(self, key: str, offset: int = 0, limit: int = 1 << 20) -> LogPart:
        """Whole lines from `offset`, about `limit` bytes at most; empty when there are none yet."""

    def follow(self, key: str, offset: int = 0) -> AsyncIterator[LogPart]:
        """Parts from `offset` on, as they come, until the log is closed."""

    def close(self, key: str) -> None:
        """Nothing more will come; followers end."""

    def path(self, key: str) -> Path:
        """The local file of this log, for a runner that writes it itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A stored artifact set: `digest` is `sha256:HEX` of its bytes, `size` in bytes."""

    digest: str
    size: int
    path: Path


class Artifacts(Protocol):
    """Content-addressed files; a digest never changes its content."""

    def put(self, source: Path) -> Artifact:
        """Store a file; the same content twice is one."""

    def get(self, digest: str) -> Artifact:
        """The file, its digest checked; `NotFound`, or `Permanent` when it was tampered with."""

    def list(self) -> tuple[str, ...]:
        """All digests."""
