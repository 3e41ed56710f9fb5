"""A secret that a step prints, by accident and in whatever shape, is stored nowhere."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from windlass.executors.process import ProcessExecutor, ProcessLimits
from windlass.logs.local import LocalLogs
from windlass.ports.executor import OrderStep, Outcome
from windlass.testing.contracts.executor import end_of, finish, follow, order, run

SECRET = 'p4ss"w/rd & more\\than'
KEY = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA75Hn2kQm\nq8Zx0Yh4Hn2kQmVd1AQw9z\n-----END KEY-----\n"
SECRETS = {"TOKEN": SECRET, "KEY": KEY, "PIN": "123"}
RAW = SECRET.encode()
SHAPES = [
    RAW,
    b'p4ss"w/rd & more\than',  # as echo prints it
    base64.b64encode(RAW).rstrip(b"="),
    base64.b64encode(b"u:" + RAW)[3:-2],
    RAW.hex().encode(),
    RAW.hex().upper().encode(),
    quote(SECRET, safe="").encode(),
    json.dumps(SECRET)[1:-1].encode(),
    KEY.splitlines()[1].encode(),
    KEY.splitlines()[2].encode(),
    base64.b64encode(KEY.encode())[:60],
]
PRINTS = {
    "plain": 'echo "a $TOKEN b"',
    "without a line end": 'printf %s "$TOKEN"',
    "as it is": 'printf "%s\\n" "$TOKEN"',
    "to the other stream": 'echo "$TOKEN" >&2',
    "byte by byte": 'printf %s "$TOKEN" | dd bs=1 status=none',
    "in two writes": 'printf %s "${TOKEN%more*}"; sleep 0.05; printf "%s\\n" "more${TOKEN#*more}"',
    "base64": 'printf %s "$TOKEN" | base64',
    "base64 after a name": 'printf %s "u:$TOKEN" | base64',
    "base64 in short lines": 'printf %s "$TOKEN" | base64 -w 7',
    "hex": 'printf %s "$TOKEN" | od -An -v -tx1 | tr -d " "',
    "folded": 'printf %s "$TOKEN" | fold -w 5',
    "a whole key": 'printf %s "$KEY"',
    "a key, indented": 'printf %s "$KEY" | sed "s/^/    /"',
    "a part of a key": 'printf %s "$KEY" | head -n 2 | tail -n 1',
    "a key in base64": 'printf %s "$KEY" | base64',
    "traced": 'set -x; : "$TOKEN"',
    "the environment": "env",
    "killed in the middle": 'printf %s "${TOKEN%than}"; kill -9 $$',
    "amid a flood": 'yes "$TOKEN" | head -c 3000000',
    "behind a long line": 'head -c 70000 /dev/zero | tr "\\0" x; echo "$TOKEN"',
}


@pytest.fixture
def logs(tmp_path):
    """Where the log is."""
    return LocalLogs(tmp_path / "logs")


@pytest.fixture
def executor(tmp_path, logs):
    """Where the job runs."""
    return ProcessExecutor(tmp_path / "jobs", logs, ProcessLimits(grace=0.3))


@pytest.mark.parametrize("what", PRINTS)
def test_no_shape_of_a_secret_is_stored(executor, logs, what):
    """Plain, encoded, wrapped, split over writes and lines, cut off, in a flood."""
    wanted = replace(order(PRINTS[what], job="job"), secrets=SECRETS)
    run(finish(executor, wanted))
    data = logs.read("job", 0, 1 << 30).data
    texts = [line.split(b" ", 3)[3] for line in data.splitlines()]
    assert b"***" in data
    for shape in SHAPES:
        assert shape not in data
        assert shape not in b"".join(texts)


def test_the_limit_is_known(executor, logs):
    """Reversed on purpose, a secret gets through: masking guards against accidents."""
    wanted = replace(order('printf %s "$TOKEN" | rev', job="job"), secrets=SECRETS)
    run(finish(executor, wanted))
    assert SECRET[::-1].encode() in logs.read("job").data


def test_a_secret_too_short_to_mask_is_named(executor, logs):
    """Its name, not its value, stands in the log."""
    run(finish(executor, replace(order("true", job="job"), secrets=SECRETS)))
    notices = [line for line in logs.read("job").data.splitlines() if b" w " in line]
    assert len(notices) == 1
    assert b"secret PIN is too short" in notices[0]


def test_a_secret_is_in_no_file_argument_or_environment_of_ours(executor, tmp_path):
    """While the job runs: neither the runner's, nor what the server wrote about the job."""
    step = OrderStep(name="wait", run="sleep 60", env={"SHOWN": "yes"})
    wanted = replace(
        order("", job="job"), steps=(step,), secrets=SECRETS, env={"COPY": f"x{SECRET}x"}
    )

    async def work():
        await executor.start(wanted)
        await anext(aiter(executor.watch("job")))
        try:
            return _ours(tmp_path / "jobs" / "job")
        finally:
            await executor.stop("job")

    for name, data in run(work()).items():
        for shape in SHAPES:
            assert shape not in data, name


def test_a_secret_is_in_no_reason_or_output(executor, tmp_path):
    """What the journal says is masked too."""
    steps = (
        OrderStep(name="one", run='echo "url=https://u:$TOKEN@host" >> "$WINDLASS_OUTPUT"'),
        OrderStep(name=f"two {SECRET}", run="exit 3"),
    )
    run(finish(executor, replace(order("", job="job"), steps=steps, secrets=SECRETS)))
    end = end_of(run(follow(executor, "job")))
    assert end.outcome is Outcome.FAILED
    assert end.outputs == {"url": "https://u:***@host"}
    assert "two ***" in end.reason
    assert RAW not in (tmp_path / "jobs" / "job" / "journal").read_bytes()


def test_terminal_controls_and_markup_are_stored_as_text(executor, logs):
    """Each line stays one line with its head; showing it safely is the reader's part."""
    script = (
        "printf '<script>alert(1)</script>\\n\\033]8;;javascript:x\\033\\\\click\\n"
        "17 0 w not ours\\nnul \\0 here\\n\\377\\376\\n'"
    )
    run(finish(executor, order(script, job="job")))
    lines = logs.read("job").data.decode().splitlines()
    assert all(line.split(" ", 3)[1:3] == ["0", "o"] for line in lines)
    assert lines[2].endswith(" 0 o 17 0 w not ours")
    assert lines[4].endswith("\ufffd\ufffd")


def _ours(folder: Path) -> dict[str, bytes]:
    """Files of the job except its workspace, and what the kernel shows of its runner."""
    found = {}
    for path in folder.iterdir():
        if path.is_file():
            found[path.name] = path.read_bytes()
    for place in Path("/proc").iterdir():
        try:
            words = (place / "cmdline").read_bytes() if place.name.isdigit() else b""
            if b"runner/__main__.py" in words and bytes(folder) in words:
                found[f"{place.name} cmdline"] = words
                found[f"{place.name} environ"] = (place / "environ").read_bytes()
        except OSError:
            continue
    # The runner and its parent; perhaps the step, before it has become a shell.
    assert len([name for name in found if "cmdline" in name]) >= 2
    return found
