"""What jobs as processes promise beyond the contract of all executors."""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from windlass.core.errors import Transient
from windlass.executors.folder import JobFolder, read_entry
from windlass.executors.process import ProcessExecutor
from windlass.executors.runner.nursery import NICE
from windlass.logs.local import LocalLogs
from windlass.ports.executor import Ended, Outcome, StepEnded, StepStarted
from windlass.testing.contracts.executor import end_of, finish, follow, order, run, texts


def test_nothing_is_left_behind(ground, living):
    """Daemons of a step, in their own session, deaf to TERM, end with the job."""
    script = """
    sleep 300 &
    setsid sh -c 'sleep 300 & sleep 300' &
    sh -c 'trap "" TERM; sleep 300; sleep 300' &
    (setsid nohup sleep 300 >/dev/null 2>&1 &)
    echo started
    """
    end = run(finish(ground.executor(), order(script, job="job")))
    assert end.outcome is Outcome.SUCCEEDED
    assert living() == set()


def test_a_job_gives_way_to_the_server(ground):
    """While all cores work, webhooks and pages come first."""
    end = run(finish(ground.executor(), order("nice", job="job")))
    assert end.outcome is Outcome.SUCCEEDED
    assert texts(ground.logs, "job") == [str(min(os.nice(0) + NICE, 19))]


def test_a_daemon_serves_the_steps_after_its_own(ground):
    """It lives until the job ends, and what it prints still reaches the log."""
    first = "(while true; do if [ -e ask ]; then echo heard; rm ask; fi; sleep 0.02; done) &"
    second = "touch ask; while [ -e ask ]; do sleep 0.02; done"
    end = run(finish(ground.executor(), order(first, second, job="job")))
    assert end.outcome is Outcome.SUCCEEDED
    assert texts(ground.logs, "job") == ["heard"]


def test_a_killed_runner_loses_the_job_and_its_processes(ground, living, folder):
    """The end is journaled as WORKER_LOST, once and for all, and all of its processes are gone."""

    async def work():
        executor = ground.executor()
        await executor.start(order("setsid sleep 300 & echo ready; sleep 300", job="job"))
        entries = executor.watch("job")
        await anext(aiter(entries))
        await _line(ground, b"ready")
        runners = _runners(folder)
        child = next(pid for pid in runners if _parent(pid) in runners)
        os.kill(child, signal.SIGKILL)
        lost = [entry async for entry in entries][-1]
        assert living() == set()
        return lost, end_of(await follow(ground.executor(), "job"))

    lost, later = run(work())
    assert lost.outcome is Outcome.WORKER_LOST
    assert "signal 9" in lost.reason
    assert later == lost
    assert any("signal 9" in text for text in texts(ground.logs, "job", "w"))


@pytest.mark.parametrize("both", [True, False])
def test_a_runner_without_its_parent_loses_the_job_too(ground, living, folder, both):
    """Then the server finds that nobody holds the job, ends what is left and journals the end."""

    async def work():
        executor = ground.executor()
        await executor.start(order("setsid sleep 300 & echo ready; sleep 300", job="job"))
        entries = executor.watch("job")
        await anext(aiter(entries))
        await _line(ground, b"ready")
        runners = _runners(folder)
        parents = {pid for pid in runners if _parent(pid) not in runners}
        for pid in runners if both else parents:
            os.kill(pid, signal.SIGKILL)
        lost = [entry async for entry in entries][-1]
        return lost, end_of(await follow(ground.executor(), "job"))

    lost, later = run(work())
    assert (lost.outcome, later) == (Outcome.WORKER_LOST, lost)
    assert living() == set()


def test_a_stopped_runner_that_does_not_answer_is_killed(ground, living, folder, monkeypatch):
    """Stop ends a job even when its runner is frozen."""
    monkeypatch.setattr("windlass.executors.process._UNHEARD", 0.2)

    async def work():
        executor = ground.executor()
        await executor.start(order("sleep 300", job="job"))
        await anext(aiter(executor.watch("job")))
        for pid in _runners(folder):
            os.kill(pid, signal.SIGSTOP)
        await executor.stop("job")
        return end_of(await follow(executor, "job"))

    assert run(work()).outcome is Outcome.STOPPED
    assert living() == set()


def test_stop_gives_a_step_time_to_tidy_up(ground):
    """TERM comes first, and what the step says then is kept."""

    async def work():
        executor = ground.executor()
        script = "trap 'echo tidied; exit 9' TERM; echo ready; while true; do sleep 0.02; done"
        await executor.start(order(script, job="job"))
        await _line(ground, b"ready")
        await executor.stop("job")
        return end_of(await follow(executor, "job"))

    end = run(work())
    assert (end.outcome, end.exit_code) == (Outcome.STOPPED, 9)
    assert texts(ground.logs, "job", "o") == ["ready", "tidied"]


def test_time_limits_hold_while_the_server_is_away(ground, folder):
    """The runner keeps them, by the monotonic clock, and journals the end."""

    async def begin():
        await ground.executor().start(replace(order("sleep 300", job="job"), timeout=0.3))

    run(begin())
    assert _journaled(folder).outcome is Outcome.TIMED_OUT


def test_a_step_gets_nothing_of_the_servers_environment(ground, monkeypatch):
    """Only what the order says, a PATH, and folders of its own."""
    monkeypatch.setenv("WINDLASS_DATABASE", "postgresql://secret")
    run(finish(ground.executor(), order("env", job="job")))
    names = {text.partition("=")[0] for text in texts(ground.logs, "job")}
    allowed = {"PATH", "HOME", "TMPDIR", "CI_WORKSPACE", "WINDLASS_OUTPUT", "PWD", "OLDPWD"}
    assert names <= allowed | {"SHLVL", "_"}


def test_a_step_reads_nothing_and_holds_nothing_of_the_server(ground):
    """Standard input is empty, no descriptor is inherited, broken pipes end writers."""
    script = "cat; ls /proc/self/fd | wc -w; yes | head -n 1"
    run(finish(ground.executor(), order(script, job="job")))
    # 0, 1, 2, and the one with which ls reads the folder.
    assert texts(ground.logs, "job") == ["4", "y"]


def test_steps_run_where_artifacts_are_rooted(ground):
    """The path of an order is the working folder too; one that leads out is refused."""
    checkout = (("mkdir", "-p", "{workspace}/services/api"),)
    wanted = replace(order("pwd", job="job"), checkout=checkout, path="services/api")
    run(finish(ground.executor(), wanted))
    assert texts(ground.logs, "job")[0].endswith("/workspace/services/api")
    for job, path in (("up", "../.."), ("none", "services/web")):
        wrong = replace(order("echo never", job=job), checkout=checkout, path=path)
        end = run(finish(ground.executor(), wrong))
        assert (end.outcome, path in end.reason) == (Outcome.FAILED, True)


def test_a_script_may_be_longer_than_an_argument(ground):
    """The kernel takes 128 KiB in one argument; a script may have more."""
    script = "echo begin\n" + "# filler\n" * 20_000 + "exit 6"
    assert run(finish(ground.executor(), order(script, job="job"))).exit_code == 6


def test_what_cannot_be_started_says_so(ground):
    """As a shell does, with 127 and a line in the log."""
    wanted = replace(order("true", job="job"), checkout=(("no-such-program",),))
    end = run(finish(ground.executor(), wanted))
    assert (end.step, end.exit_code) == (-1, 127)
    assert "no-such-program" in texts(ground.logs, "job", "e")[0]


def test_a_flood_is_capped_with_a_notice(ground):
    """The step is not slowed down by it and goes on to its end."""
    end = run(finish(ground.executor(), order("yes line | head -c 20000000; exit 3", job="job")))
    assert end.exit_code == 3
    data = ground.logs.path("job").read_bytes()
    assert len(data) < (1 << 20) + 1000
    assert b" w the log has reached its limit" in data.splitlines()[-1]


def test_a_full_disk_ends_the_job_and_says_so(ground, tmp_path):
    """When the log cannot be written, the job fails with that reason."""
    log = ground.logs.path("job")
    log.symlink_to("/dev/full")
    end = run(finish(ground.executor(), order("echo text; sleep 60", job="job")))
    assert end.outcome is Outcome.FAILED
    assert "disk full" in end.reason


def test_a_runner_that_cannot_begin_is_told_of(ground, monkeypatch):
    """`start` says why, and may be called again."""
    monkeypatch.setattr("windlass.executors.nursery._MAIN", "/no/such/program.py")
    with pytest.raises(Transient, match="No such file"):
        run(ground.executor().start(order("true", job="job")))
    monkeypatch.undo()
    assert run(finish(ground.executor(), order("true", job="job"))).outcome is Outcome.SUCCEEDED


def test_a_folder_that_cannot_be_made_is_no_traceback(tmp_path):
    """It may be better later."""
    executor = ProcessExecutor(tmp_path / "jobs", LocalLogs(tmp_path / "logs"))
    (tmp_path / "jobs").rmdir()
    (tmp_path / "jobs").write_text("")
    with pytest.raises(Transient):
        run(executor.start(order("true", job="job")))


def test_what_was_ordered_and_never_began_is_lost_in_the_end(ground, folder):
    """After a power cut there may be a folder and no journal; a run always ends."""
    ground.executor()
    folder.mkdir()
    (folder / "order.json").write_text('{"id": "job", "log": "job"}')
    end = end_of(run(follow(ground.executor(), "job")))
    assert (end.outcome, "never began" in end.reason) == (Outcome.WORKER_LOST, True)


def test_half_a_line_in_a_journal_is_cut_off(ground, folder):
    """A power cut may leave it; the end that follows is whole."""
    run(finish(ground.executor(), order("true", job="job")))
    _journaled(folder)
    first = (folder / "journal").read_bytes().splitlines(keepends=True)[0]
    (folder / "journal").write_bytes(first + b'{"entry": "step_e')
    entries = run(follow(ground.executor(), "job"))
    assert [type(entry) for entry in entries] == [StepStarted, Ended]


def test_clearing_removes_what_steps_have_locked(ground, folder):
    """Folders without write permission too."""
    script = "mkdir -p a/b; echo x > a/b/c; chmod 500 a/b; chmod 000 a"

    async def work():
        executor = ground.executor()
        await finish(executor, order(script, job="job"))
        await executor.clear("job")

    run(work())
    assert [path.name for path in folder.parent.iterdir()] == ["poke"]


def test_the_journal_of_the_first_release_is_read():
    """A golden line of each kind; later releases must read them too."""
    lines = [
        b'{"entry": "step_started", "step": -1, "at": 1.5, "log": 7}',
        b'{"entry": "step_ended", "step": 0, "at": 2, "exit_code": 137, "timed_out": true}',
        (
            b'{"entry": "ended", "at": 3, "outcome": "timed_out", "exit_code": 137, "step": 0,'
            b' "reason": "r", "outputs": {"a": "\\u00e9"}, "package": true}'
        ),
    ]
    assert [read_entry(line, Path("/j")) for line in lines] == [
        StepStarted(step=-1, at=1.5, log=7),
        StepEnded(step=0, at=2, exit_code=137, timed_out=True),
        Ended(
            at=3,
            outcome=Outcome.TIMED_OUT,
            exit_code=137,
            step=0,
            reason="r",
            outputs={"a": "é"},
            package=Path("/j/package.tar"),
        ),
    ]


def test_ids_never_share_a_folder(tmp_path):
    """Neither two odd ones, nor an odd one and a plain one that looks like its folder."""
    ids = ["a", "A", "a/b", "a%2Fb", "a b", ".", "..", "", "=a"]
    ids.append(JobFolder(tmp_path, "a/b").name)
    folders = {JobFolder(tmp_path, job).path for job in ids}
    assert len(folders) == len(ids)
    assert {path.parent for path in folders} == {tmp_path}


async def _line(ground, text):
    """Until the log has this text."""
    async with aclosing(ground.logs.follow("job")) as parts:
        async for part in parts:
            if text in part.data:
                return


def _journaled(folder):
    """The end, read from the file alone, once the runner has let go of its lock."""
    with (folder / "lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
    return read_entry((folder / "journal").read_bytes().splitlines()[-1], folder)


def _runners(folder):
    """The runner of the job in this very folder, and its parent."""
    found = set()
    for place in Path("/proc").iterdir():
        try:
            words = (place / "cmdline").read_bytes().split(b"\0") if place.name.isdigit() else []
        except OSError:
            continue
        if bytes(folder) in words and any(word.endswith(b"/__main__.py") for word in words):
            found.add(int(place.name))
    return found


def _parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
