"""
Starting a runner for a job, once, whatever dies in the middle of it.

The lock is taken here and handed to the runner as an open descriptor, so it is
never free between the two. The runner makes the journal and says "begun"; until
then the job has not begun, and launching it again is right.
"""

from __future__ import annotations

import json
import os
import select
import time
from dataclasses import dataclass
from pathlib import Path

from windlass.core.errors import Conflict, Permanent, Transient
from windlass.core.redact import mask_text
from windlass.executors.folder import JobFolder
from windlass.executors.leftovers import kill_runner
from windlass.executors.nursery import Nursery
from windlass.executors.runner.begin import BEGUN
from windlass.executors.runner.work import Work, WorkStep, dump
from windlass.executors.sandbox import Sandbox
from windlass.ports.executor import Order

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Seconds that a folder may be locked without a beginning, and that a runner may take to begin.
_LOCKED, _BEGIN = 5.0, 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimits:
    """
    What jobs on this machine may take, and how they are treated.

    `log` in bytes for each job; `grace` in seconds between asking a process to
    end and killing it; `patience` in seconds for a job that was ordered and never
    begun, before it counts as lost; `search_path` is the steps' PATH. Without a
    `sandbox` isolated jobs are refused.
    """

    log: int = 1 << 30
    grace: float = 5.0
    patience: float = 60.0
    search_path: str = SEARCH_PATH
    sandbox: Sandbox | None = None


def launch(
    nursery: Nursery, folder: JobFolder, order: Order, log: Path, limits: ProcessLimits
) -> None:
    """Begin the job unless it has begun; `Conflict` when it was stopped, `Transient` on trouble."""
    if order.isolated and limits.sandbox is None:
        raise Permanent(f"job {order.id} has to be isolated, and this machine has no sandbox")
    until = time.monotonic() + _LOCKED
    try:
        folder.path.mkdir(mode=0o700, exist_ok=True)
        while True:
            if folder.stop.exists():
                raise Conflict(f"job {order.id} was stopped and does not start again")
            if folder.begun():
                return
            with folder.locked() as lock:
                if lock is not None and not folder.begun():
                    _write_order(folder, order)
                    work = _work(folder, order, log, limits)
                    _spawn(nursery, folder, order.id, dump(work), lock)
                    return
            # A runner is just beginning, or a watcher is having a look.
            if time.monotonic() > until:
                raise Transient(f"job {order.id}: its folder is locked, and nothing begins")
            time.sleep(0.01)
    except OSError as error:
        raise Transient(f"job {order.id} cannot start in {folder.path}: {error}") from error


def _write_order(folder: JobFolder, order: Order) -> None:
    """For people, and for a server that comes back; the runner gets its own by pipe."""
    text = json.dumps(
        {
            "id": order.id,
            "log": order.log,
            "steps": [{"name": step.name, "run": step.run} for step in order.steps],
            "env": dict(order.env),
            "path": order.path,
            "artifacts": order.artifacts,
            "timeout": order.timeout,
        }
    )
    new = folder.path / "order.new"
    new.write_text(mask_text(text, (*order.secrets.values(), *order.mask)), encoding="utf-8")
    new.replace(folder.order)


def _spawn(nursery: Nursery, folder: JobFolder, job: str, work: bytes, lock: int) -> None:
    """Start the runner and wait until the job has begun, or say why it has not."""
    errors = folder.path / "stderr"
    # In memory, for there are secrets in it, and never half: who reads it waits for nobody.
    orders = os.memfd_create("orders", os.MFD_CLOEXEC)
    answer, said = os.pipe()
    with (
        errors.open("wb") as file,
        os.fdopen(orders, "w+b") as told,
        os.fdopen(answer, "rb") as heard,
    ):
        try:
            told.write(work)
            told.seek(0)
            nursery.bear(folder.path, (lock, orders, said, file.fileno()))
        finally:
            os.close(said)
        if not select.select([heard], [], [], _BEGIN)[0]:
            kill_runner(folder.path)
            raise Transient(f"job {job}: its runner did not begin in {_BEGIN:g} s")
        begun = heard.read(len(BEGUN)) == BEGUN
    if not begun and not folder.begun():
        why = errors.read_text(encoding="utf-8", errors="replace")[-500:].strip()
        raise Transient(f"job {job}: its runner did not begin: {why or 'it gave no reason'}")


def _work(folder: JobFolder, order: Order, log: Path, limits: ProcessLimits) -> Work:
    work = Work()
    work.id, work.timeout, work.path, work.log = order.id, order.timeout, order.path, str(log)
    work.steps = []
    for step in order.steps:
        told = WorkStep()
        told.name, told.run, told.env = step.name, step.run, dict(step.env)
        told.timeout, told.allow_failure = step.timeout, step.allow_failure
        work.steps.append(told)
    work.env, work.secrets, work.mask = dict(order.env), dict(order.secrets), list(order.mask)
    work.checkout = [list(argv) for argv in order.checkout]
    work.checkout_env = dict(order.checkout_env)
    work.artifacts = list(order.artifacts)
    work.grace, work.log_limit = limits.grace, limits.log
    work.search_path = limits.search_path
    work.sandbox = []
    if order.isolated and limits.sandbox is not None:
        work.sandbox = limits.sandbox.command(folder.path, order.readable, network=order.network)
    return work
