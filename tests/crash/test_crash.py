"""
Killed at any point of the walk, the server comes back right.

The walk is a push that reaches dev, a pull request that is checked, and its merge
that reaches production. Each test kills the server with SIGKILL at some points of it,
far from each other, starts it again each time, lets the walk end, and asks the same
questions.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from journey import Journey, git

pytestmark = pytest.mark.timeout(400)

# The walks, and how often each is killed: WALKS points lie between two kills of one.
# Together more than there are points; `test_every_point_has_a_test` says when not.
WALKS, KILLS = 16, 3

EVENTS = [
    ("branch", "created", "FB1"),
    ("pull_request", "merged", "topic"),
    ("pull_request", "opened", "topic"),
    ("push", "pushed", "FB1"),
    ("push", "pushed", "main"),
]
RUNS = [(1, "dev", "succeeded"), (2, "check", "succeeded"), (3, "release", "succeeded")]
LISTENERS = 3


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """A repository that is connected, kept so that each test can begin with it."""
    made = Journey.prepare(tmp_path_factory.mktemp("crash") / "j")
    made.keep()
    return made


@pytest.fixture
def journey(prepared: Journey) -> Iterator[Journey]:
    """A repository that is connected, and nothing has happened yet."""
    fresh = prepared.again()
    yield fresh
    fresh.end()


def oracle(journey: Journey) -> None:
    """Everything once, nothing lost, nothing left open."""
    rows = journey.rows
    assert rows("pragma integrity_check") == [("ok",)]
    assert sorted(rows("select kind, action, branch from event")) == EVENTS
    verdicts = rows("select event, count(*) from verdict group by event")
    assert [count for _, count in verdicts] == [LISTENERS] * len(EVENTS)
    assert rows("select number, listener, state from run order by number") == RUNS
    # The pull request and the merge have one tree between them: built once.
    assert len(rows("select identity from build")) == 2
    ledger = (journey.folder / "ledger").read_text(encoding="utf-8").splitlines()
    assert sorted(ledger) == ["1 make", "2 make", "2 test"]
    places = rows("select place, state from deployment order by number")
    assert places == [
        ("shop/dev/api", "succeeded"),
        ("shop/production/api", "succeeded"),
    ]
    # One commit in the state repository for each, whatever was done twice.
    state = journey.folder / "data" / "state.git"
    commits = git(state, "log", "--format=%(trailers:key=Windlass-Deployment,valueonly)", "main")
    assert len(commits.split()) == 2
    statuses = {
        status["context"]: status["state"]
        for status in journey.ask("/pull-requests/1?repository=shop")["statuses"]
    }
    assert statuses == {"windlass/pipeline/ci": "success"}
    assert rows("select id, error from effect where state = 'failed'") == []


def test_every_point_has_a_test(journey: Journey) -> None:
    """The walk that nobody disturbs passes fewer points than there are tests."""
    journey.start()
    journey.walk()
    oracle(journey)
    journey.stop()
    points = (journey.folder / "points").read_text(encoding="utf-8").splitlines()
    assert 35 < len(points) <= WALKS * KILLS


@pytest.mark.parametrize("first", range(1, WALKS + 1))
def test_killed_there_it_comes_back(journey: Journey, first: int) -> None:
    """After kills at these points the walk ends as if there had been none."""
    journey.fatal = tuple(range(first, WALKS * KILLS + 1, WALKS))
    journey.start()
    journey.walk()
    oracle(journey)
    assert journey.restarts >= KILLS - 1
