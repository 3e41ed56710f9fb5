"""
A programmable executor in this very process.

It understands scripts of `echo`, `exit`, `true`, `false`, `sleep`, `mkdir`,
`kill -N $$`, variables and redirection into files; any other command succeeds
and does nothing. `results` overrules a step by its name. A second executor with
the same `jobs` is the first one after a restart.

>>> import asyncio, tempfile
>>> from windlass.ports.executor import Order, OrderStep
>>> from windlass.testing.fakes.logs import FakeLogs
>>> async def code(script):
...     fake = FakeExecutor(Path(tempfile.mkdtemp()), FakeLogs())
...     await fake.start(Order(id="1", log="1", steps=(OrderStep(name="a", run=script),)))
...     return [entry async for entry in fake.watch("1")][-1].exit_code
>>> asyncio.run(code("make dist; exit 3"))
3
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tarfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from windlass.core.errors import Conflict
from windlass.core.redact import mask_text, seen_by
from windlass.ports.executor import (
    Ended,
    Logs,
    Order,
    OrderStep,
    Outcome,
    Progress,
    StepEnded,
    StepStarted,
)
from windlass.testing.fakes.script import KILLED, Script


@dataclass(slots=True)
class FakeJob:
    """What is known of one job; `starts` counts how often it was asked for."""

    order: Order | None = None
    entries: list[Progress] = field(default_factory=list)
    stopped: bool = False
    starts: int = 0

    @property
    def ended(self) -> bool:
        """Whether it has an end."""
        return bool(self.entries) and isinstance(self.entries[-1], Ended)


class FakeExecutor:
    """An `Executor` without processes."""

    def __init__(
        self,
        root: Path,
        logs: Logs,
        *,
        jobs: dict[str, FakeJob] | None = None,
        results: Mapping[str, int] | None = None,
    ) -> None:
        self._root = root
        self._logs = logs
        self._results = results or {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.jobs = {} if jobs is None else jobs

    async def start(self, order: Order) -> None:
        """Begin the job, once per id; refused (`Conflict`) when the id was stopped before."""
        job = self.jobs.setdefault(order.id, FakeJob())
        if job.stopped:
            raise Conflict(f"job {order.id} was stopped and does not start again")
        job.starts += 1
        if job.order is None:
            job.order = order
            task = asyncio.create_task(self._run(job, order))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def watch(self, job: str, after: int = 0) -> AsyncIterator[Progress]:
        """What happened to a job, from its entry number `after` on, and as it goes on."""
        known = self.jobs.get(job)
        if known is None:
            yield Ended(at=time.time(), outcome=Outcome.WORKER_LOST, reason="no such job here")
            return
        while True:
            for entry in known.entries[after:]:
                after += 1
                yield entry
                if isinstance(entry, Ended):
                    return
            await asyncio.sleep(0.001)

    async def stop(self, job: str) -> None:
        """End the job; of an unknown id: refuse its later start."""
        known = self.jobs.setdefault(job, FakeJob())
        if known.ended:
            return
        known.stopped = True
        if known.order is None:
            known.entries.append(_end(Outcome.STOPPED, "stopped on request"))
        async for _ in self.watch(job):
            pass

    async def list(self) -> tuple[str, ...]:
        """Ids of the jobs that are here."""
        return tuple(sorted(job for job, known in self.jobs.items() if known.order))

    async def clear(self, job: str) -> None:
        """Forget an ended job; twice is once."""
        known = self.jobs.get(job)
        if known is None:
            return
        if not known.ended:
            raise Conflict(f"job {job} still runs", hint="stop it first")
        del self.jobs[job]
        shutil.rmtree(self._folder(job), ignore_errors=True)

    def lose(self, job: str) -> None:
        """Let the job's worker die, as by `kill -9`."""
        known = self.jobs[job]
        if not known.ended:
            known.entries.append(_end(Outcome.WORKER_LOST, "the fake was told to lose it"))

    def _folder(self, job: str) -> Path:
        return self._root / hashlib.sha256(job.encode()).hexdigest()[:20]

    async def _run(self, job: FakeJob, order: Order) -> None:
        try:
            async with asyncio.timeout(order.timeout):
                end = await self._steps(job, order)
        except TimeoutError:
            step = job.entries[-1].step if job.entries else None
            reason = f"the job took longer than {order.timeout:g} s"
            end = Ended(at=time.time(), outcome=Outcome.TIMED_OUT, step=step, reason=reason)
        if not job.ended:
            job.entries.append(end)

    async def _steps(self, job: FakeJob, order: Order) -> Ended:
        folder = self._folder(order.id)
        place = folder / "workspace" / order.path
        place.mkdir(parents=True, exist_ok=True)
        checkout = OrderStep(name="", run="\n".join(" ".join(argv) for argv in order.checkout))
        steps = [(-1, checkout)] if order.checkout else []
        for index, step in [*steps, *enumerate(order.steps)]:
            job.entries.append(StepStarted(step=index, at=time.time()))
            code, late = await self._step(job, order, index, step)
            job.entries.append(
                StepEnded(step=index, at=time.time(), exit_code=code, timed_out=late)
            )
            if job.stopped:
                return _end(Outcome.STOPPED, "stopped on request", step=index, code=code)
            if code and not step.allow_failure:
                outcome = Outcome.TIMED_OUT if late else Outcome.FAILED
                reason = f'step "{step.name}" ended with exit code {code}'
                return _end(outcome, reason, step=index, code=code)
        return self._packed(order, folder, place)

    async def _step(
        self, job: FakeJob, order: Order, index: int, step: OrderStep
    ) -> tuple[int, bool]:
        if step.name in self._results:
            return self._results[step.name], False
        folder = self._folder(order.id)
        variables = {**order.env, **seen_by(order.secrets, index), **step.env}
        variables |= {"WINDLASS_OUTPUT": str(folder / "output")}
        script = Script(folder / "workspace" / order.path, variables, lambda: job.stopped)
        late = False
        try:
            async with asyncio.timeout(step.timeout):
                code = await script.run(step.run)
        except TimeoutError:
            code, late = KILLED, True
        secrets = (*order.secrets.values(), *order.mask)
        for stream, text in script.printed:
            line = f"{time.time_ns() // 1_000_000} {index} {stream} {mask_text(text, secrets)}\n"
            self._logs.append(order.log, line.encode())
        return code, late

    def _packed(self, order: Order, folder: Path, place: Path) -> Ended:
        secrets = (*order.secrets.values(), *order.mask)
        output = folder / "output"
        text = mask_text(output.read_text(encoding="utf-8"), secrets) if output.exists() else ""
        outputs = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        package = folder / "package.tar" if order.artifacts else None
        if package and (missing := _pack(place, order.artifacts, package)):
            return _end(Outcome.FAILED, f"no file matches the artifact pattern {missing}")
        return Ended(
            at=time.time(),
            outcome=Outcome.SUCCEEDED,
            exit_code=0,
            outputs=outputs,
            package=package,
        )


def _end(
    outcome: Outcome, reason: str, *, step: int | None = None, code: int | None = None
) -> Ended:
    return Ended(at=time.time(), outcome=outcome, reason=reason, step=step, exit_code=code)


def _pack(place: Path, globs: tuple[str, ...], target: Path) -> str:
    """Tar what matches, with all that is below it; the glob that matches nothing, if any."""
    found: set[Path] = set()
    for glob in globs:
        matched = set(place.glob(glob.rstrip("/")))
        if not matched:
            return glob
        found |= matched | {below for path in matched for below in path.rglob("*")}
    with tarfile.open(target, "w") as tar:
        for path in sorted(found):
            member = tarfile.TarInfo(str(path.relative_to(place)))
            if path.is_dir():
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(member)
            else:
                member.size = path.stat().st_size
                with path.open("rb") as file:
                    tar.addfile(member, file)
    return ""
