"""
Runs of the sample: green, red, going on, and held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from windlass.core.event import Event, Kind
from windlass.core.pipeline import Job, JobKind, Step
from windlass.core.run import ENDED, JobRun, Run, State, StepRun
from windlass.ports.records import StoredRun

SHOP = "acme/shop"


def sha(letter: str) -> str:
    """A commit of the sample."""
    return (letter * 40)[:40]


def push(branch: str, commit: str, message: str, sender: str) -> Event:
    """Somebody pushed."""
    return Event(
        kind=Kind.PUSH,
        action="pushed",
        repository=SHOP,
        branch=branch,
        sha=commit,
        before=sha("0a"),
        sender=sender,
        message=message,
        files=("services/api/cart.py", "services/api/tests/test_cart.py"),
    )


def pull(action: str, number: int, title: str, sender: str, *, fork: bool = False) -> Event:
    """Something happened to a pull request."""
    return Event(
        kind=Kind.PULL_REQUEST,
        action=action,
        repository=SHOP,
        number=number,
        base="main",
        head=f"feature/{number}",
        branch=f"feature/{number}",
        sha=sha("d4"),
        head_sha=sha("d4"),
        sender=sender,
        author=sender,
        title=title,
        fork=fork,
    )


def _steps(names: tuple[str, ...]) -> tuple[Step, ...]:
    return tuple(Step(name=name, run=f"make {name}") for name in names)


def job(spec: Job, state: State, *, start: float = 0.0, seconds: float = 20.0) -> JobRun:
    """A job of the sample; a failed one failed in its last step."""
    names = ("install", "tests") if "test" in spec.name else ("run",)
    has_steps = spec.kind in {JobKind.STEPS, JobKind.BUILD}
    started = state not in {State.PENDING, State.SKIPPED, State.HELD}
    ended = started and state in ENDED
    failed = state is State.FAILED
    count = len(names) + 1 if has_steps and started else 0
    part = seconds / max(count, 1)
    parts = []
    for at in range(count):
        last = at == count - 1
        over = ended or not last
        parts.append(
            StepRun(
                started_at=start + at * part,
                ended_at=start + (at + 1) * part if over else None,
                exit_code=int(failed and last) if over else None,
                log=at * 400,
            )
        )
    return JobRun(
        job=replace(spec, steps=_steps(names) if has_steps else ()),
        action=spec.name.partition("/")[0],
        state=state,
        started_at=start if started else None,
        ended_at=start + seconds if ended else None,
        exit_code=int(failed) if ended else None,
        step=count - 2 if failed and count else None,
        reason=f"step {names[-1]!r} ended with exit code 1" if failed else "",
        steps=tuple(parts),
    )


def steps(name: str, *, needs: tuple[str, ...] = (), final: bool = False) -> Job:
    """A job of steps, as written."""
    return Job(name=name, kind=JobKind.STEPS, needs=needs, final=final)


def build(name: str, *, needs: tuple[str, ...] = ()) -> Job:
    """A job that builds the service, as written."""
    return Job(name=name, kind=JobKind.BUILD, needs=needs, service="api")


def deploy(name: str, environment: str, *, needs: tuple[str, ...]) -> Job:
    """A job that deploys the service, as written."""
    return Job(name=name, kind=JobKind.DEPLOY, needs=needs, service="api", environment=environment)


def stored(  # noqa: PLR0913, PLR0917  # a sample reads best as a row
    number: int, event: Event, listener: str, state: State, jobs: tuple[JobRun, ...], at: float
) -> StoredRun:
    """A run of the sample as the store holds it."""
    by_name: Mapping[str, JobRun] = {each.job.name: each for each in jobs}
    ends = [each.ended_at for each in jobs if each.ended_at is not None]
    ended = max(ends, default=at) if state in ENDED else None
    commit = event.sha or ""
    run = Run(
        number=number,
        repository=event.repository,
        event=event,
        listener=listener,
        sha=commit,
        status_sha=commit,
        config_sha=sha("c0"),
        branch=event.branch or "main",
        jobs=by_name,
        state=state,
        trusted=not event.fork,
        reason="a stranger's fork: someone with write permission must let it run"
        if state is State.HELD
        else "",
        created_at=at,
        ended_at=ended,
    )
    return StoredRun(
        number=number,
        repository=event.repository,
        event=number,
        listener=listener,
        cause="event",
        state=str(state),
        branch=run.branch,
        sha=commit,
        status_sha=commit,
        pull_request=event.number or 0,
        concurrency="",
        created_at=at,
        ended_at=ended,
        run=run,
    )


def ci_jobs(at: float, *, red: bool) -> tuple[JobRun, ...]:
    """A pipeline with a matrix, a join and an end."""
    end = State.FAILED if red else State.SUCCEEDED
    after = State.SKIPPED if red else State.SUCCEEDED
    tests = ("ci/test 3.11", "ci/test 3.12", "ci/test 3.13")
    return (
        job(steps("ci/lint"), State.SUCCEEDED, start=at, seconds=9),
        job(steps(tests[0]), State.SUCCEEDED, start=at, seconds=41),
        job(steps(tests[1]), end, start=at, seconds=38),
        job(steps(tests[2]), State.SUCCEEDED, start=at, seconds=44),
        job(build("ci/build", needs=("ci/lint", *tests)), after, start=at + 45, seconds=12),
        job(steps("ci/tell", final=True), State.SUCCEEDED, start=at + 60, seconds=2),
    )


def cd_jobs(at: float, *, waits: bool) -> tuple[JobRun, ...]:
    """From the build to production, which may wait for a person."""
    last = State.WAITING if waits else State.SUCCEEDED
    staging = deploy("cd/staging", "staging", needs=("cd/build",))
    production = deploy("cd/production", "production", needs=("cd/smoke",))
    return (
        job(build("cd/build"), State.SUCCEEDED, start=at, seconds=1),
        job(staging, State.SUCCEEDED, start=at + 1, seconds=14),
        job(steps("cd/smoke", needs=("cd/staging",)), State.SUCCEEDED, start=at + 15, seconds=6),
        job(production, last, start=at + 21, seconds=16),
    )


def dev_jobs(at: float, *, going: bool) -> tuple[JobRun, ...]:
    """Build and deploy to dev."""
    first = State.RUNNING if going else State.SUCCEEDED
    second = State.PENDING if going else State.SUCCEEDED
    return (
        job(build("build api"), first, start=at, seconds=8),
        job(deploy("deploy api", "dev", needs=("build api",)), second, start=at + 8, seconds=3),
    )


def all_runs(now: float) -> tuple[StoredRun, ...]:
    """The runs of the sample, oldest first."""
    minute = 60.0
    first, second = now - 300 * minute, now - 90 * minute
    third, fourth = now - 26 * minute, now - 9 * minute
    fifth, last = now - 4 * minute, now - 20
    return (
        stored(
            1,
            pull("merged", 41, "Show stock in the cart", "alice"),
            "release",
            State.SUCCEEDED,
            cd_jobs(first, waits=False),
            first,
        ),
        stored(
            2,
            push("FB1", sha("b2"), "Try the new cart\n\nFor the spring sale.", "bob"),
            "feature-to-dev",
            State.SUCCEEDED,
            dev_jobs(second, going=False),
            second,
        ),
        stored(
            3,
            pull("opened", 42, "Round prices before tax, not after", "bob"),
            "pull-request",
            State.FAILED,
            ci_jobs(third, red=True),
            third,
        ),
        stored(
            4,
            pull("merged", 40, "Keep the cart for a month", "carol"),
            "release",
            State.WAITING,
            cd_jobs(fourth, waits=True),
            fourth,
        ),
        stored(
            5,
            pull("opened", 43, "Fix a typo <script>alert(1)</script>", "mallory", fork=True),
            "pull-request",
            State.HELD,
            (job(steps("ci/lint"), State.PENDING), job(steps("ci/test 3.12"), State.PENDING)),
            fifth,
        ),
        stored(
            6,
            push("FB7", sha("e6"), "Sort the basket by price", "alice"),
            "feature-to-dev",
            State.RUNNING,
            dev_jobs(last, going=True),
            last,
        ),
    )
