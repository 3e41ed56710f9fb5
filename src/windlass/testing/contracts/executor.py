"""
What every executor does.

Subclass `ExecutorContract` and give it a `ground`: something that makes executors
over one and the same place, as a server does that is started again.

    class TestMine(ExecutorContract):
        @pytest.fixture
        def ground(self, tmp_path):
            logs = LocalLogs(tmp_path / "logs")
            return Ground(lambda: MyExecutor(tmp_path / "jobs", logs), logs)

Scripts keep to `echo`, `exit`, `true`, `false`, `sleep`, `mkdir`, `kill -9 $$`,
variables and redirection, which the fake understands as well.
"""

from __future__ import annotations

import asyncio
import hashlib
import tarfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import TypeVar

import pytest

from windlass.core.errors import Conflict
from windlass.ports.executor import (
    Ended,
    Executor,
    Logs,
    Order,
    OrderStep,
    Outcome,
    Progress,
    StepEnded,
    StepStarted,
)

T = TypeVar("T")

TOKEN = "s3cret-token-of-acme"


@dataclass(frozen=True, slots=True)
class Ground:
    """A place where jobs run: executors over it, one after the other, and its logs."""

    executor: Callable[[], Executor]
    logs: Logs


def run(work: Coroutine[object, object, T]) -> T:
    """Run it to its end, within a time that only a hanging job exceeds."""

    async def limited() -> T:
        return await asyncio.wait_for(work, 60)

    return asyncio.run(limited())


def order(*scripts: str, job: str = "7/test") -> Order:
    """A job with a step for each script; its log has the job's id."""
    steps = tuple(OrderStep(name=f"step {n}", run=text) for n, text in enumerate(scripts))
    return Order(id=job, log=job, steps=steps)


async def follow(executor: Executor, job: str, after: int = 0) -> list[Progress]:
    """Everything that happens to a job, until its end."""
    return [entry async for entry in executor.watch(job, after)]


async def finish(executor: Executor, wanted: Order) -> Ended:
    """Start a job and wait for its end."""
    await executor.start(wanted)
    return end_of(await follow(executor, wanted.id))


def end_of(entries: list[Progress]) -> Ended:
    """The end, which is the last entry and the only one of its kind."""
    last = entries[-1]
    assert isinstance(last, Ended)
    assert not any(isinstance(entry, Ended) for entry in entries[:-1])
    return last


def texts(logs: Logs, key: str, stream: str = "oe") -> list[str]:
    """The texts of a log's lines, of these streams."""
    lines = [line.split(" ", 3) for line in logs.read(key).data.decode().splitlines()]
    return [text for _, _, where, text in lines if where in stream]


class Life:
    """Promises about one job's life."""

    @pytest.fixture
    def ground(self) -> Ground:
        """Where the jobs of this test run."""
        raise NotImplementedError

    def test_a_job_runs_its_steps_in_order(self, ground: Ground) -> None:
        """Each step starts when the one before it has ended, and the end comes last."""
        executor = ground.executor()

        async def work() -> list[Progress]:
            await executor.start(order("echo one", "echo two"))
            return await follow(executor, "7/test")

        entries = run(work())
        kinds = [(type(e), e.step) for e in entries]
        assert kinds[:4] == [(StepStarted, 0), (StepEnded, 0), (StepStarted, 1), (StepEnded, 1)]
        assert end_of(entries).outcome is Outcome.SUCCEEDED
        assert texts(ground.logs, "7/test") == ["one", "two"]

    def test_starting_twice_is_one_job(self, ground: Ground) -> None:
        """However often, at once or later, one id runs once."""

        async def work() -> Ended:
            wanted = order("echo only")
            executor = ground.executor()
            await asyncio.gather(*(executor.start(wanted) for _ in range(4)))
            await finish(executor, wanted)
            return await finish(ground.executor(), wanted)

        assert run(work()).outcome is Outcome.SUCCEEDED
        assert texts(ground.logs, "7/test") == ["only"]

    @pytest.mark.parametrize("code", [1, 3, 77, 255])
    def test_exit_codes_are_exact(self, ground: Ground, code: int) -> None:
        """What a step returns is what is told, and nothing runs after it."""
        executor = ground.executor()
        wanted = order(f"exit {code}", "echo never")
        end = run(finish(executor, wanted))
        assert (end.outcome, end.exit_code, end.step) == (Outcome.FAILED, code, 0)
        assert str(code) in end.reason
        assert texts(ground.logs, "7/test") == []

    def test_a_killed_step_has_128_and_the_signal(self, ground: Ground) -> None:
        """As shells have it."""
        assert run(finish(ground.executor(), order("kill -9 $$"))).exit_code == 137

    def test_an_allowed_failure_stops_nothing(self, ground: Ground) -> None:
        """The next step runs, and the job succeeds."""
        wanted = order("exit 4", "echo after")
        steps = (replace(wanted.steps[0], allow_failure=True), wanted.steps[1])
        end = run(finish(ground.executor(), replace(wanted, steps=steps)))
        assert end.outcome is Outcome.SUCCEEDED
        assert texts(ground.logs, "7/test") == ["after"]

    def test_a_failed_checkout_runs_no_step(self, ground: Ground) -> None:
        """It is step -1."""
        wanted = replace(order("echo never"), checkout=(("false",),))
        end = run(finish(ground.executor(), wanted))
        assert (end.outcome, end.step) == (Outcome.FAILED, -1)
        assert texts(ground.logs, "7/test") == []

    def test_a_step_that_takes_too_long_is_ended(self, ground: Ground) -> None:
        """Its own limit counts, and the job has timed out."""
        wanted = order("sleep 60")
        steps = (replace(wanted.steps[0], timeout=0.2),)
        end = run(finish(ground.executor(), replace(wanted, steps=steps)))
        assert (end.outcome, end.step) == (Outcome.TIMED_OUT, 0)

    def test_a_job_that_takes_too_long_is_ended(self, ground: Ground) -> None:
        """The job's limit counts whatever its steps may take."""
        wanted = replace(order("true", "sleep 60"), timeout=0.3)
        end = run(finish(ground.executor(), wanted))
        assert (end.outcome, end.step) == (Outcome.TIMED_OUT, 1)

    def test_outputs_are_told(self, ground: Ground) -> None:
        """Lines name=value, the later one over the earlier one."""
        wanted = order(
            'echo url=old >> "$WINDLASS_OUTPUT"',
            'echo url=http://x/?a=b >> "$WINDLASS_OUTPUT"',
        )
        assert run(finish(ground.executor(), wanted)).outputs == {"url": "http://x/?a=b"}

    def test_variables_reach_the_steps_they_are_for(self, ground: Ground) -> None:
        """The job's reach all, a step's own only it, and go before."""
        wanted = replace(order('echo "$A $B"', 'echo "$A $B"'), env={"A": "job", "B": "job"})
        steps = (replace(wanted.steps[0], env={"B": "step"}), wanted.steps[1])
        run(finish(ground.executor(), replace(wanted, steps=steps)))
        assert texts(ground.logs, "7/test") == ["job step", "job job"]

    def test_secrets_reach_steps_and_not_the_log(self, ground: Ground) -> None:
        """Nor an output, nor a reason."""
        wanted = replace(
            order(f'echo "got $TOKEN" {TOKEN}x', 'echo t=$TOKEN >> "$WINDLASS_OUTPUT"'),
            secrets={"TOKEN": TOKEN},
        )
        end = run(finish(ground.executor(), wanted))
        assert texts(ground.logs, "7/test") == ["got *** ***x"]
        assert end.outputs == {"t": "***"}

    def test_a_steps_own_secret_is_its_own(self, ground: Ground) -> None:
        """Named with the step's number, it reaches no other step, and is masked in all."""
        script = 'echo "[$KEY]"'
        wanted = replace(order(script, script, f"echo {TOKEN}"), secrets={"1:KEY": TOKEN})
        run(finish(ground.executor(), wanted))
        assert texts(ground.logs, "7/test") == ["[]", "[***]", "***"]

    def test_artifacts_are_packed_the_same_each_time(self, ground: Ground) -> None:
        """Equal files have an equal digest, and nothing else is in the tar."""
        script = "mkdir -p dist/sub; echo a > dist/a.txt; echo b > dist/sub/b.txt; echo c > other"
        digests = set()
        for job in ("1/build", "2/build"):
            wanted = replace(order(script, job=job), artifacts=("dist/",))
            end = run(finish(ground.executor(), wanted))
            assert end.package is not None
            digests.add(hashlib.sha256(end.package.read_bytes()).hexdigest())
            with tarfile.open(end.package) as tar:
                assert tar.getnames() == ["dist", "dist/a.txt", "dist/sub", "dist/sub/b.txt"]
        assert len(digests) == 1

    def test_an_artifact_that_is_not_there_fails_the_job(self, ground: Ground) -> None:
        """A build without its files is no build."""
        wanted = replace(order("true"), artifacts=("dist/",))
        end = run(finish(ground.executor(), wanted))
        assert (end.outcome, end.package) == (Outcome.FAILED, None)
        assert "dist/" in end.reason


class Following:
    """Promises about watching, stopping and finding jobs."""

    @pytest.fixture
    def ground(self) -> Ground:
        """Where the jobs of this test run."""
        raise NotImplementedError

    def test_watch_resumes_anywhere_without_a_gap(self, ground: Ground) -> None:
        """From each entry on, the same entries."""
        executor = ground.executor()
        run(finish(executor, order("true", "true", "exit 2")))
        whole = run(follow(executor, "7/test"))
        for after in range(len(whole)):
            assert run(follow(ground.executor(), "7/test", after)) == whole[after:]

    def test_watch_tells_as_it_goes_on(self, ground: Ground) -> None:
        """A step's start is told while the step runs."""
        executor = ground.executor()

        async def work() -> Ended:
            await executor.start(order("sleep 60"))
            entries = executor.watch("7/test")
            assert isinstance(await anext(aiter(entries)), StepStarted)
            await executor.stop("7/test")
            return end_of([entry async for entry in entries])

        assert run(work()).outcome is Outcome.STOPPED

    def test_a_job_is_found_again_after_a_restart(self, ground: Ground) -> None:
        """Another executor over the same place lists it, watches it and ends it."""

        async def work() -> list[Progress]:
            await ground.executor().start(order("sleep 60"))
            later = ground.executor()
            assert await later.list() == ("7/test",)
            await later.stop("7/test")
            return await follow(ground.executor(), "7/test")

        assert end_of(run(work())).outcome is Outcome.STOPPED

    def test_stopping_twice_is_stopping_once(self, ground: Ground) -> None:
        """And stopping what has ended changes nothing."""

        async def work() -> tuple[Ended, Ended]:
            executor = ground.executor()
            await executor.start(order("sleep 60"))
            await asyncio.gather(executor.stop("7/test"), executor.stop("7/test"))
            stopped = end_of(await follow(executor, "7/test"))
            ended = await finish(executor, order("exit 5", job="8/test"))
            await executor.stop("8/test")
            assert end_of(await follow(executor, "8/test")) == ended
            return stopped, ended

        stopped, ended = run(work())
        assert (stopped.outcome, ended.exit_code) == (Outcome.STOPPED, 5)

    def test_what_was_stopped_does_not_start_again(self, ground: Ground) -> None:
        """Neither a job that ran, nor one that was not known yet."""

        async def work() -> None:
            executor = ground.executor()
            await executor.start(order("sleep 60"))
            await executor.stop("7/test")
            await executor.stop("9/unknown")
            for job in ("7/test", "9/unknown"):
                with pytest.raises(Conflict):
                    await ground.executor().start(order("echo never", job=job))

        run(work())
        assert texts(ground.logs, "9/unknown") == []

    def test_a_job_that_is_not_here_is_lost(self, ground: Ground) -> None:
        """Whoever waits for it gets an end."""
        end = end_of(run(follow(ground.executor(), "no such job")))
        assert end.outcome is Outcome.WORKER_LOST

    def test_a_cleared_job_is_gone(self, ground: Ground) -> None:
        """Twice is once; a job that runs is not cleared."""

        async def work() -> None:
            executor = ground.executor()
            await executor.start(order("sleep 60"))
            with pytest.raises(Conflict):
                await executor.clear("7/test")
            await executor.stop("7/test")
            await executor.clear("7/test")
            await executor.clear("7/test")
            assert await executor.list() == ()

        run(work())

    @pytest.mark.parametrize(
        "job", ["../up", "/etc/x", "a b", "ü", "a/../b", "x" * 300, ".hid", "="]
    )
    def test_an_id_may_be_any_text(self, ground: Ground, job: str) -> None:
        """It runs, is listed, and leaves nothing outside."""

        async def work() -> tuple[str, ...]:
            executor = ground.executor()
            await finish(executor, replace(order("echo ran", job=job), log="log"))
            return await executor.list()

        assert run(work()) == (job,)
        assert texts(ground.logs, "log") == ["ran"]


class ExecutorContract(Life, Following):
    """Promises of the port `Executor`."""
