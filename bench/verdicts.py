"""
How long it takes to give every listener its verdict on one event.

    python bench/verdicts.py

Prints a table: median and best of several rounds, in milliseconds, and the
target of each row where there is one.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from windlass.core.errors import Place
from windlass.core.event import Event, Kind
from windlass.core.filters import Context
from windlass.core.listener import Listener, Listeners, Trigger, need_files, select

PLACE = Place(".windlass.yaml", 1, 1)
PUSH = (Trigger(Kind.PUSH, ("pushed",)),)
ROUNDS = 30


def listener(name: str, *, branches: tuple[str, ...] = (), condition: str = "") -> Listener:
    """One listener on push."""
    return Listener(
        name=name, on=PUSH, actions=(), branches=branches, paths=("src/**",), condition=condition
    )


def measured(work: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median and best of some rounds, in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times), min(times)


def main() -> None:
    """Measure and print."""
    payload = {
        "ref": "refs/heads/FB1",
        "repository": {"name": "shop", "topics": [f"t{n}" for n in range(50)]},
        "commits": [{"id": "0" * 40, "message": "m" * 80, "added": ["a"] * 20}] * 20,
    }
    files = tuple(f"src/part{n}/file.py" for n in range(50))
    event = Event(
        kind=Kind.PUSH, action="pushed", repository="acme/r500", branch="FB1", labels=("a",)
    )
    context = Context(event=event, payload=payload, files=files)
    rows: list[tuple[str, tuple[float, float], str]] = []

    boards = {
        f"acme/r{r}": Listeners(
            {f"l{n}": listener(f"l{n}", branches=(f"FB{n}", "x/**")) for n in range(10)}
        )
        for r in range(1000)
    }
    work = lambda: select(boards[event.repository], context)  # noqa: E731
    rows.append(("10,000 listeners, 1,000 repositories", measured(work), "1 ms"))

    for count in (250, 500, 1000, 2000):
        written = {
            f"l{n}": listener(
                f"l{n}", condition=f'event.branch == "FB{n}" && !("hold" in event.labels)'
            )
            for n in range(count)
        }
        one = Listeners(written)
        limit = "10 ms" if count == 1000 else ""
        name = f"{count:,} listeners with CEL, one repository"
        rows.append((name, measured(lambda one=one: select(one, context)), limit))

    on_payload = {
        f"l{n}": listener(f"l{n}", condition=f'payload.repository.name == "s{n}"')
        for n in range(1000)
    }
    one = Listeners(on_payload)
    rows.append(("1,000 listeners with CEL on payload", measured(lambda: select(one, context)), ""))
    unknown = Context(event=event, payload=payload)
    rows.append(("the same: are files needed?", measured(lambda: need_files(one, unknown)), ""))
    rows.append(("preparing 1,000 with CEL", measured(lambda: Listeners(on_payload), 5), ""))

    print(f"{'what':44} {'median ms':>10} {'best ms':>9}  target")
    for name, (median, best), limit in rows:
        print(f"{name:44} {median:10.3f} {best:9.3f}  {limit}")


if __name__ == "__main__":
    main()
