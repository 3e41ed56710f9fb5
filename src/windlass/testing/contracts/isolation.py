"""
What every executor keeps strangers' code from.

Subclass `IsolationContract` and give it a `ground` whose executors take isolated jobs,
beside `ExecutorContract`, for an isolated job is a job all the same. Scripts are for `sh`.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from windlass.ports.executor import Ended, Order, Outcome, StepStarted
from windlass.testing.contracts.executor import (
    Ground,
    end_of,
    finish,
    follow,
    order,
    run,
    texts,
)

# Says of each word whether it is there.
LOOK = 'for it in {}; do if [ -e "$it" ]; then echo "$it is there"; fi; done'


def isolated(*scripts: str, **more: str) -> Order:
    """A stranger's job; `more` are variables of it."""
    return replace(order(*scripts), isolated=True, network=False, env=more)


class IsolationContract:
    """Promises about a job of nobody we know (S-12, S-13, S-21)."""

    @pytest.fixture
    def ground(self) -> Ground:
        """Where the jobs of this test run."""
        raise NotImplementedError

    def end(self, ground: Ground, wanted: Order) -> Ended:
        """The end of a job that ran."""
        return run(finish(ground.executor(), wanted))

    def test_s21_files_of_the_machine_are_not_there(self, ground: Ground, tmp_path: Path) -> None:
        """Neither the server's folder, nor another job's, nor the machine's keys and people."""
        (tmp_path / "secret").write_text("hush", encoding="utf-8")
        paths = f"{tmp_path}/secret /etc/shadow /etc/ssh /run /proc/1/root{tmp_path}/secret"
        end = self.end(ground, isolated(LOOK.format(paths), f"ls {tmp_path} || true"))
        assert end.outcome is Outcome.SUCCEEDED
        assert texts(ground.logs, "7/test", "o") == []

    def test_s21_what_it_may_read_it_may_not_write(self, ground: Ground, tmp_path: Path) -> None:
        """What the order says is readable, and the programs of the machine."""
        shared = tmp_path / "shared"
        shared.mkdir()
        (shared / "object").write_text("of the mirror", encoding="utf-8")
        places = f"{shared}/object /usr/bin/sh /etc/passwd /new $(dirname $HOME)/new"
        tries = f"cat {shared}/object; for it in {places};"
        tries += " do if echo x 2>/dev/null >> $it; then echo wrote $it; fi; done 2>/dev/null"
        wanted = replace(isolated(tries), readable=(str(shared),))
        self.end(ground, wanted)
        assert texts(ground.logs, "7/test", "o") == ["of the mirror"]
        assert (shared / "object").read_text(encoding="utf-8") == "of the mirror"

    def test_s21_other_processes_are_not_there(self, ground: Ground) -> None:
        """Nor what is in the environment of whoever started it."""
        seen = "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c PYTEST_CURRENT_TEST"
        self.end(ground, isolated(f"{seen} || true; ls -d /proc/[0-9]* | wc -l"))
        count, processes = texts(ground.logs, "7/test", "o")
        assert count == "0"
        assert int(processes) < 10

    def test_s21_the_kernel_is_not_to_be_changed(self, ground: Ground) -> None:
        """Not by root's server either, whose files the kernel's are as well."""
        # Of a process's own some may be written, and change nothing but itself.
        find = "find /proc /sys /dev -type f -writable ! -path '/proc/[0-9]*' 2>/dev/null"
        script = f"{find} | while read it; do if : 2>/dev/null >> $it; then echo $it; fi; done"
        self.end(ground, isolated(script))
        assert texts(ground.logs, "7/test", "o") == []

    def test_s32_no_step_bends_the_next_ones_view(self, ground: Ground, tmp_path: Path) -> None:
        """What it puts in place of a folder is not followed by what makes the isolation."""
        shared = tmp_path / "a" / "b" / "shared"
        shared.mkdir(parents=True)
        outside = tmp_path / "outside"
        outside.mkdir()
        bend = (
            'for top in "$HOME" "$TMPDIR" "$CI_WORKSPACE" /tmp /home; do\n'
            '  for at in "$top"/*; do\n'
            f'    mv "$at" "$at-away" && ln -s /oldroot{outside} "$at"\n'
            "  done\n"
            "done 2>/dev/null || true"
        )
        wanted = replace(isolated(bend, f"ls {shared}"), readable=(str(shared),))
        self.end(ground, wanted)
        assert list(outside.iterdir()) == []

    def test_s21_the_network_is_not_there(self, ground: Ground) -> None:
        """Neither ports of this machine, nor its names, nor the addresses beyond it."""
        with socket.create_server(("127.0.0.1", 0)) as here:
            port = here.getsockname()[1]
            connect = (
                "import socket, sys\n"
                f"for where in (('127.0.0.1', {port}), ('169.254.169.254', 80)):\n"
                "    try:\n"
                "        socket.create_connection(where, 2)\n"
                "        print('reached', where)\n"
                "    except OSError as error:\n"
                "        print('no')\n"
            )
            script = f"cat > try.py <<'END'\n{connect}END\n/usr/bin/env python3 try.py"
            self.end(ground, isolated(script))
        assert texts(ground.logs, "7/test", "o") == ["no", "no"]

    def test_s21_no_variable_reaches_what_makes_the_isolation(self, ground: Ground) -> None:
        """It works outside, so a library that a pipeline names there would be a way out."""
        more = {"LD_PRELOAD": "/workspace/evil.so", "GLIBC_TUNABLES": "marker"}
        script = "cat /proc/1/environ | tr '\\0' '\\n' | grep -c -e evil -e marker"
        self.end(ground, isolated(f"env -u LD_PRELOAD {script} || true", **more))
        assert texts(ground.logs, "7/test", "o") == ["0"]

    @pytest.mark.parametrize("value", ["--bind / /host", "a\nb\t'\"$(id)", "", "ü€"])
    def test_s15_variables_are_data(self, ground: Ground, value: str) -> None:
        """Whatever is in them, they come as they are."""
        end = self.end(ground, isolated('printf "%s" "$VALUE" | od -An -tx1', VALUE=value))
        assert end.outcome is Outcome.SUCCEEDED
        said = "".join(texts(ground.logs, "7/test", "o"))
        assert bytes.fromhex(said).decode() == value

    def test_s15_a_variable_that_cannot_be_one_is_refused(self, ground: Ground) -> None:
        """The end of a word inside of one would be a word of its own."""
        end = self.end(ground, isolated("echo ran", VALUE="x\0--bind\0/\0/host"))
        assert (end.outcome, end.exit_code) == (Outcome.FAILED, 127)
        assert "ran" not in texts(ground.logs, "7/test")

    def test_steps_share_the_workspace_and_what_is_theirs(self, ground: Ground) -> None:
        """The next step finds what the one before left, in every folder that it was told of."""
        left = 'echo 1 > file; echo 2 > "$HOME/file"; echo 3 > "$TMPDIR/file"; pwd'
        found = 'cat file "$HOME/file" "$TMPDIR/file"; [ "$PWD" = "$CI_WORKSPACE" ]'
        assert self.end(ground, isolated(left, found)).outcome is Outcome.SUCCEEDED
        assert texts(ground.logs, "7/test", "o")[1:] == ["1", "2", "3"]

    def test_what_a_step_leaves_behind_ends_with_the_job(self, ground: Ground) -> None:
        """However far it went into the background."""
        script = "(setsid sh -c 'while :; do date +%s%N > beat; sleep 0.02; done' &) ; sleep 0.1"
        wanted = replace(isolated(script, "sleep 0.1; cp beat first"), artifacts=("first",))
        assert self.end(ground, wanted).outcome is Outcome.SUCCEEDED

    def test_who_is_stopped_has_time_to_end(self, ground: Ground) -> None:
        """The grace is for what is inside as well."""

        async def work() -> Ended:
            executor = ground.executor()
            end = "sleep 0.2 || true; echo cleaned up; exit 3"
            trap = f"trap '{end}' TERM; echo ready; while :; do sleep 0.05 || true; done"
            await executor.start(isolated(trap))
            async for entry in executor.watch("7/test"):
                if isinstance(entry, StepStarted):
                    break
            await asyncio.sleep(0.5)  # until its shell has come to the trap
            await executor.stop("7/test")
            return end_of(await follow(executor, "7/test"))

        assert run(work()).outcome is Outcome.STOPPED
        assert texts(ground.logs, "7/test", "o") == ["ready", "cleaned up"]

    def test_a_long_script_is_a_script(self, ground: Ground) -> None:
        """Longer than what the kernel takes as one argument."""
        end = self.end(ground, isolated(": " + "x" * 200_000 + "\necho done"))
        assert end.outcome is Outcome.SUCCEEDED
        assert texts(ground.logs, "7/test", "o") == ["done"]
