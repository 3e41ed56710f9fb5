"""S-21: what a job that is a process reaches of the server and of other jobs, and what not."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import NAME
from playing import play, runs
from standing import Standing

_CAPBSET_DROP = 24
# CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_PERFMON: with them one reads every process.
_CAPABILITIES = (19, 21, 38)


def unprivileged() -> None:
    """From now on, also as root, only what any process of the same user may."""
    for one in _CAPABILITIES:
        ctypes.CDLL(None).prctl(_CAPBSET_DROP, one, 0, 0, 0)


def begin(words: list[str], **how: Any) -> subprocess.Popen[bytes]:
    """A process that may no more than a step, so that nothing else keeps a step from it."""
    return subprocess.Popen(words, preexec_fn=unprivileged, **how)  # noqa: PLW1509


def read(path: str) -> subprocess.CompletedProcess[bytes]:
    """What a step sees of a file."""
    words = ["cat", path]
    return subprocess.run(words, preexec_fn=unprivileged, capture_output=True, check=False)


def test_s21_the_servers_environment_and_memory_are_closed_to_steps(tmp_path: Path) -> None:
    """Of any other process of the same user both can be read, so the server closes them itself."""
    server = Standing.prepare(tmp_path / "s")
    with (tmp_path / "log").open("wb") as said:
        server.process = begin(server.command, stdout=said, stderr=said)
    other = begin(["sleep", "60"], env={"OPEN": "yes"})
    try:
        server.until("start", server.ready)
        assert read(f"/proc/{other.pid}/environ").stdout == b"OPEN=yes\0"
        for what in ("environ", "maps", "mem"):
            assert b"ermission denied" in read(f"/proc/{server.process.pid}/{what}").stderr
    finally:
        other.kill()
        other.wait()
        server.remove()


JOBS = """\
listeners: {each: {on: push, branches: ["FB*"], do: [{pipeline: ci}]}}
pipelines:
  ci:
    jobs:
      one: {env: {MINE: "one"}, steps: [{run: "echo one > left; echo x > $TMPDIR/left"}]}
      two:
        needs: [one]
        env: {PATH_OF: "${{ event.branch }}"}
        steps: [{run: 'echo "seen=${MINE-nothing}$(ls left $TMPDIR $HOME)" >> "$WINDLASS_OUTPUT"'}]
"""


def test_s21_a_job_begins_with_nothing_of_another(tmp_path):
    """Its variables, its workspace, its home and its temporary folder are its own, and empty."""

    async def work(here, story):
        await story.play([{"push": {"branch": "FB1", "files": {"a.txt": "1"}}}])
        (run,) = await runs(here)
        said = run.jobs["ci/two"].outputs["seen"]
        assert said.startswith("nothing")
        assert "left" not in said

    play(tmp_path, JOBS, work, processes=True)


HERE = """\
listeners: {each: {on: push, branches: ["FB*"], do: [{pipeline: ci}]}}
pipelines:
  ci:
    jobs:
      one:
        env: {TOKEN: {from_secret: token}}
        steps: [{run: 'echo "seen=$(ls -d FOLDER/jobs) $(id -u) $TOKEN" >> "$WINDLASS_OUTPUT"'}]
"""


@pytest.mark.parametrize("everyone", [False, True])
def test_s21_where_the_operator_says_so_every_job_is_in_the_sandbox(tmp_path, everyone):
    """With its secrets, for it is a colleague's; what is outside of its folders is not there."""

    async def work(here, story):
        here.world.vault.put("token", NAME, b"s3cr3t-token")
        await story.play([{"push": {"branch": "FB1", "files": {"a.txt": "1"}}}])
        (run,) = await runs(here)
        inside = "1000 ***"
        outside = f"{tmp_path}/jobs {os.getuid()} ***"
        said = run.jobs["ci/one"].outputs["seen"]
        assert " ".join(said.split()) == (inside if everyone else outside)

    configuration = HERE.replace("FOLDER", str(tmp_path))
    play(tmp_path, configuration, work, processes=True, sandboxed=True, everyone=everyone)


def test_s21_the_servers_secrets_are_in_no_environment_above_a_step(tmp_path, monkeypatch):
    """Runner and nursery are programs of their own that begin with a bare environment."""
    monkeypatch.setenv("WINDLASS_SECRET_TOKEN", "hush-hush")
    walk = f"""
        pid=$PPID
        while [ $pid -gt 1 ] && [ $pid != {os.getpid()} ]; do
          tr '\\0' '\\n' < /proc/$pid/environ >> {tmp_path}/seen
          echo $pid >> {tmp_path}/walked
          pid=$(awk '/^PPid/ {{print $2}}' /proc/$pid/status)
        done"""
    script = tmp_path / "walk.sh"
    script.write_text(walk, encoding="utf-8")
    said = JOBS.replace("echo one > left; echo x > $TMPDIR/left", f"sh {script}")

    async def work(here, story):
        await story.play([{"push": {"branch": "FB1", "files": {"a.txt": "1"}}}])
        assert (tmp_path / "walked").read_text(encoding="utf-8").count("\n") >= 2
        assert "hush-hush" not in (tmp_path / "seen").read_text(encoding="utf-8")

    play(tmp_path, said, work, processes=True)
