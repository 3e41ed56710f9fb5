"""Laws of the order of jobs, over graphs that nobody would draw."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from windlass.core.graph import Cycle, check, cycles, followers, layers, ready

NAMES = [f"j{n}" for n in range(9)]


@st.composite
def dags(draw):
    """Jobs that need only jobs before them in some hidden order, written in another."""
    names = draw(st.permutations(NAMES[: draw(st.integers(1, len(NAMES)))]))
    needs = {
        name: tuple(draw(st.lists(st.sampled_from(names[:at]), unique=True, max_size=4)))
        if at
        else ()
        for at, name in enumerate(names)
    }
    return {name: needs[name] for name in draw(st.permutations(names))}


@st.composite
def graphs(draw):
    """Any needs at all: cycles, jobs that need themselves, jobs that are not there."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    wanted = st.lists(st.sampled_from([*names, "nobody"]), max_size=4).map(tuple)
    return {name: draw(wanted) for name in names}


def reaches(needs, start):
    """Everything a job needs, near or far, found the slow way."""
    found, waiting = set(), list(needs.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs.get(name, ())
    return found


@given(dags(), st.randoms(use_true_random=False))
def test_jobs_in_any_order_come_to_an_end(needs, random):
    """However long each job takes, all of them run, and none before what it needs."""
    ended: list[str] = []
    touched: set[str] = set()
    running: list[str] = []
    while True:
        for job in ready(needs, succeeded=ended, touched=touched):
            assert job not in touched
            assert reaches(needs, job) <= set(ended)
            running.append(job)
            touched.add(job)
        if not running:
            break
        ended.append(running.pop(random.randrange(len(running))))
    assert set(ended) == set(needs)


@given(dags(), st.data())
def test_more_success_never_takes_a_job_away(needs, data):
    """What may start now may still start when more has ended."""
    names = list(needs)
    some = data.draw(st.sets(st.sampled_from(names)))
    more = some | data.draw(st.sets(st.sampled_from(names)))
    touched = data.draw(st.sets(st.sampled_from(names)))
    before = ready(needs, succeeded=some, touched=touched)
    after = ready(needs, succeeded=more, touched=touched)
    assert set(before) <= set(after)
    assert [job for job in needs if job in after] == list(after)


@given(graphs())
def test_a_cycle_is_found_if_and_only_if_there_is_one(needs):
    """Every job that waits for itself is in, or behind, a cycle that is named."""
    found = cycles(needs)
    looping = {job for job in needs if job in reaches(needs, job)}
    assert bool(found) == bool(looping)
    for cycle in found:
        around = [*cycle, cycle[0]]
        assert len(set(cycle)) == len(cycle)
        assert all(after in needs[job] for job, after in pairwise(around))
    named = {job for cycle in found for job in cycle}
    for job in looping:
        assert named & ({job} | reaches(needs, job))


@given(graphs())
def test_a_graph_without_a_fault_runs_to_its_end(needs):
    """What `check` lets through is a graph in which every job can start."""
    if check(needs):
        return
    ended: set[str] = set()
    while new := ready(needs, succeeded=ended, touched=ended):
        ended |= set(new)
    assert ended == set(needs)


@given(dags())
def test_a_graph_that_can_end_has_no_fault(needs):
    """No false alarm."""
    assert check(needs) == ()


@given(graphs())
def test_every_missing_job_is_named(needs):
    """A need that leads nowhere is told with the job that has it."""
    told = {(f.job, f.wanted) for f in check(needs) if not isinstance(f, Cycle)}
    assert told == {
        (job, name) for job, wanted in needs.items() for name in wanted if name not in needs
    }


@given(graphs(), st.sampled_from(NAMES))
def test_followers_are_those_that_need_it(needs, job):
    """Near or far, and nobody else."""
    assert set(followers(needs, job)) == {
        name for name in needs if job in reaches(needs, name) and job in needs
    }


@given(graphs())
def test_layers_hold_each_job_once_and_only_look_left(needs):
    """A drawing shows every job, right of what it needs, as far left as it can stand."""
    columns = layers(needs)
    assert sorted(job for column in columns for job in column) == sorted(needs)
    at = {job: n for n, column in enumerate(columns) for job in column}
    if cycles(needs):
        return
    for job, wanted in needs.items():
        before = [at[name] for name in wanted if name in needs]
        assert at[job] == max(before, default=-1) + 1
