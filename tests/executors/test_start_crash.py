"""The server may die anywhere in `start`, and starting again makes it one job."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from windlass.core.errors import Transient
from windlass.executors import folder as folder_module
from windlass.executors import launch as launch_module
from windlass.executors import nursery as nursery_module
from windlass.executors.folder import JobFolder
from windlass.executors.launch import ProcessLimits, launch
from windlass.executors.nursery import Nursery
from windlass.ports.executor import Outcome
from windlass.testing.contracts.executor import end_of, follow, order, run

FILES = {launch_module.__file__, folder_module.__file__, nursery_module.__file__}


def die_at_line(number, folder, wanted, log):
    """Start the job in a process that kills itself at the n-th line; whether it came that far."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    passed = 0

    def trace(frame, event, _):
        nonlocal passed
        if frame.f_code.co_filename not in FILES:
            return None
        if event == "line":
            passed += 1
            if passed == number:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    try:
        sys.settrace(trace)
        launch(Nursery(), folder, wanted, log, ProcessLimits())
    finally:
        os._exit(0)


def test_a_server_killed_at_any_line_of_start_makes_one_job(ground, tmp_path):
    """Never two runners, never none: the step's mark is there once, and the job succeeds."""
    executor = ground.executor()
    number, died = 0, True
    while died:
        number += 1
        job = f"job{number}"
        mark = tmp_path / job
        wanted = order(f"echo x >> {mark}", job=job)
        folder = JobFolder(tmp_path / "jobs", job)
        died = die_at_line(number, folder, wanted, ground.logs.path(job))
        run(executor.start(wanted))
        assert end_of(run(follow(executor, job))).outcome is Outcome.SUCCEEDED, number
        assert mark.read_text() == "x\n", number
    assert number > 50


def test_a_message_cut_short_starts_nothing(ground, tmp_path, monkeypatch):
    """A server that dies while it tells the runner what to do leaves no half-told job."""
    whole = launch_module.dump
    executor = ground.executor()
    for size in (0, 3, 8, 9, 100):
        job = f"job{size}"
        wanted = order(f"echo x >> {tmp_path / job}", job=job)
        monkeypatch.setattr(launch_module, "dump", lambda work, size=size: whole(work)[:size])
        with pytest.raises(Transient, match="did not begin"):
            run(executor.start(wanted))
        monkeypatch.undo()
        run(executor.start(wanted))
        assert end_of(run(follow(executor, job))).outcome is Outcome.SUCCEEDED
        assert (tmp_path / job).read_text() == "x\n"
