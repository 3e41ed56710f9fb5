"""The one way to run git."""

from __future__ import annotations

import asyncio
import os
import select
from pathlib import Path

import pytest
import uvloop

from windlass.core.errors import NotFound, Permanent, Transient, UserError
from windlass.git.program import Git, git_folder


def fake(tmp_path: Path, script: str) -> Git:
    """Git replaced by a small shell script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "git"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Git(tmp_path / "home", search=f"{folder}:/usr/bin:/bin")


def ends(pid: int) -> bool:
    """Whether a process is gone, or goes within ten seconds."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 10)[0])
    finally:
        os.close(watched)


def test_the_environment_is_built_from_nothing(tmp_path, monkeypatch):
    """What our own environment holds, secrets among it, does not reach git."""
    monkeypatch.setenv("WINDLASS_SECRET", "hunter2")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    out = asyncio.run(fake(tmp_path, "env").run("x")).decode()
    assert "hunter2" not in out
    assert "/elsewhere" not in out
    assert "GIT_TERMINAL_PROMPT=0" in out
    assert "GIT_ALLOW_PROTOCOL=none" in out


def test_a_slow_git_and_all_it_started_are_killed(tmp_path):
    """After the time limit nothing is left, also no child of the child."""
    git = fake(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; wait")

    async def play() -> None:
        with pytest.raises(Transient, match="did not end within"):
            await git.run("fetch", within=1.5)

    asyncio.run(play())
    assert ends(int((tmp_path / "child").read_text()))


def test_a_cancelled_call_leaves_nothing_behind(tmp_path):
    """Cancelling the task kills the process group."""
    pipe = tmp_path / "started"
    os.mkfifo(pipe)
    git = fake(tmp_path, f"sleep 60 & echo $! > {pipe}; wait")

    async def play() -> int:
        task = asyncio.create_task(git.run("fetch"))
        child = int(await asyncio.to_thread(pipe.read_text))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return child

    assert ends(asyncio.run(play()))


def test_endless_output_is_stopped(tmp_path):
    """Memory is bounded by the limit, and the error says so."""
    git = fake(tmp_path, "yes")
    git.limit = 1 << 16
    with pytest.raises(Permanent, match="printed more than"):
        asyncio.run(git.run("log"))


def test_input_nobody_reads_is_no_error(tmp_path):
    """A git that ends early decides by its exit code, under both event loops."""
    git = fake(tmp_path, "exec 0<&-; echo done")
    for run in (asyncio.run, uvloop.run):
        assert run(git.run("x", stdin=b"y" * 1_000_000)) == b"done\n"


def test_a_missing_git_says_what_to_install(tmp_path):
    """No traceback, and the next thing to do."""
    with pytest.raises(Permanent, match="install git"):
        asyncio.run(Git(tmp_path / "home", search=str(tmp_path)).run("version"))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("fatal: Could not resolve host: code.example", Transient),
        ("error: The requested URL returned error: 503", Transient),
        ("fatal: early EOF", Transient),
        ("fatal: Authentication failed for 'https://x'", Permanent),
        ("fatal: repository not found", Permanent),
    ],
)
def test_the_words_of_git_decide_whether_to_try_again(tmp_path, said, kind):
    """A network that is down passes; a wrong password does not."""
    with pytest.raises(kind):
        asyncio.run(fake(tmp_path, f'echo "{said}" >&2; exit 128').run("fetch"))


def test_no_error_text_has_a_credential(tmp_path):
    """User, password and authorization header are gone, the rest of the text stays."""
    said = "fatal: https://me:hunter2@code.example/a.git Authorization: Basic aHVudGVyMg=="
    with pytest.raises(Permanent) as caught:
        asyncio.run(fake(tmp_path, f'echo "{said}" >&2; exit 1').run("fetch"))
    assert "hunter2" not in str(caught.value)
    assert "aHVudGVyMg" not in str(caught.value)
    assert "code.example/a.git" in str(caught.value)


def test_a_path_that_is_no_repository_is_named(tmp_path):
    """A wrong path is a person's to mend: the text names it, the hint says how."""
    with pytest.raises(NotFound, match="is not a Git repository") as caught:
        Git(tmp_path / "home").allow(tmp_path)
    assert "git init --bare" in caught.value.hint
    with pytest.raises(UserError):
        git_folder(Path("/tmp/a\nb"))


def test_an_odd_path_can_be_registered(make_origin, tmp_path):
    """Quotes, backslashes, spaces and semicolons in a path stay a path."""
    odd = make_origin('o "d\\d; # x')
    git = Git(tmp_path / "home")
    git.allow(odd.path)
    known = asyncio.run(git.run("config", "--global", "--get-all", "safe.directory"))
    assert known.decode().strip() == str(odd.path)
