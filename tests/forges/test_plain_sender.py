"""No event is lost between a push and Windlass, whatever is down or killed in between."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from windlass.forges.plain import installing
from windlass.forges.plain.dialect import PlainDialect
from windlass.forges.plain.program import compose, folder, send, spool
from windlass.forges.plain.program.folder import Folder
from windlass.forges.plain.program.git import Git
from windlass.forges.plain.program.main import receive
from windlass.forges.plain.program.post import Answer, Endpoint, NoAnswer
from windlass.forges.plain.program.pulls import Pulls
from windlass.ports.forge import Hook
from windlass.testing.plain import Bench, Receiver, run

SECRET = b"correct horse battery staple"
NOWHERE = Hook(url="http://127.0.0.1:9/", secret=SECRET)
ZERO = "0" * 40


class Killed(BaseException):
    """What `kill -9` is to the code under test: nothing catches it."""


@pytest.fixture
def quiet(bench, forge):
    """The bench with a hook that only spools, so that the test sends."""
    asyncio.run(forge.install(bench.url, NOWHERE))
    script = bench.bare / "hooks/post-receive"
    script.write_text(script.read_text().replace("for wl_python in", "for wl_python in '' #"))
    script.write_text(script.read_text().replace("'' #", "''\n do :; done; for wl_gone in"))
    return bench


def held(bench):
    """Ids and bodies of what the outbox holds."""
    paths = send.outbox(Folder(bench.url))
    return {send.identity(path): json.loads(Path(path).read_bytes()) for path in paths}


def spooled(bench, *lines, name="1.0.push"):
    """Spool a push without the hook, at a time of its own."""
    path = bench.bare / "windlass/spool" / name
    path.write_text("".join(f"{line}\n" for line in lines))
    os.utime(path, ns=(10**18, 10**18))
    return path


def composed(bench):
    with Folder(bench.url).state():
        compose.compose(Folder(bench.url), Git(bench.url))
    return held(bench)


@pytest.mark.parametrize("harm", ["killed", "not allowed"])
def test_a_git_that_cannot_run_loses_no_proposal(quiet, tmp_path, monkeypatch, harm):
    """What it does not answer is no `no`: the push stays spooled, and opens when Git is back."""
    quiet.commit({"a": "1"})
    quiet.push("HEAD:refs/for/main/one")
    (entry,) = spool.waiting(Folder(quiet.url))
    program = tmp_path / "git"
    end = {"killed": "kill -9 $$", "not allowed": "exit 128"}[harm]
    program.write_text(f"#!/bin/sh\n{end}\n")
    program.chmod(0o755)
    with pytest.raises(OSError, match="git does not run"):
        compose.compose(Folder(quiet.url), Git(quiet.url, str(program)))
    assert spool.waiting(Folder(quiet.url)) == [entry]
    assert [body["action"] for body in composed(quiet).values()] == ["opened"]


def test_a_git_that_is_killed_half_way_loses_no_proposal(quiet, tmp_path):
    """Memory runs out for the second call, for example."""
    quiet.commit({"a": "1"})
    quiet.push("HEAD:refs/for/main/one")
    (entry,) = spool.waiting(Folder(quiet.url))
    program = tmp_path / "git"
    once = tmp_path / "once"
    program.write_text(f'#!/bin/sh\n[ -e {once} ] && kill -9 $$\ntouch {once}\nexec git "$@"\n')
    program.chmod(0o755)
    with pytest.raises(OSError, match="killed by signal 9"):
        compose.compose(Folder(quiet.url), Git(quiet.url, str(program)))
    assert spool.waiting(Folder(quiet.url)) == [entry]


def test_a_sender_whose_repository_was_replaced_loses_nothing(bench, forge, receiver, tmp_path):
    """As after a restore: it goes on in the one that has its path now."""
    asyncio.run(forge.install(bench.url, Hook(url=receiver.url, secret=SECRET)))
    receiver.answers += [503] * 100
    shutil.copytree(bench.bare, tmp_path / "kept", symlinks=True)
    new = bench.commit({"a": "1"})
    bench.push("HEAD:refs/heads/one")
    receiver.wait(5)
    time.sleep(0.5)  # it rests for three seconds now
    bench.bare.rename(tmp_path / "gone")
    shutil.rmtree(tmp_path / "gone")
    shutil.copytree(tmp_path / "kept", bench.bare, symlinks=True)
    run(bench.bare, "git", "fetch", "--quiet", str(bench.work), "HEAD:refs/for/main/one")
    entry = spooled(bench, f"ref {ZERO} {new} refs/for/main/one")
    until = time.monotonic() + 20
    while entry.exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert [pull.head_sha for pull in Pulls(Folder(bench.url), Git(bench.url)).all()] == [new]


def test_it_is_sent_when_windlass_is_back(installed, receiver, events):
    """503 and no answer keep an event; it comes again with the same id and body."""
    receiver.answers += [503, 503]
    installed.push("main:new")
    first, second, third = receiver.wait(3)
    ids = {one.headers["webhook-id"] for one in (first, second, third)}
    assert len(ids) == 1
    assert first.body == second.body == third.body
    assert events(1)[-1].branch == "new"


def test_the_order_is_kept(installed, receiver):
    """What cannot be sent yet holds back what came after it."""
    receiver.answers += [503]
    installed.push("main:refs/heads/one")
    installed.push("main:refs/heads/two")
    bodies = [json.loads(one.body) for one in receiver.wait(3)]
    refs = [body["ref"] for body in bodies]
    assert refs[-2:] == ["refs/heads/one", "refs/heads/two"]


def test_what_is_refused_for_good_is_laid_aside(installed, forge, receiver, hook):
    """A 4xx answer is kept with the event, the next goes on, and recovery still finds it."""
    receiver.answers += [422]
    installed.push("main:one")
    receiver.wait(1)
    installed.push("main:two")
    receiver.wait(2)
    place = Folder(installed.url)
    with folder.Lock(place.path("sending"), wait=20):
        assert not send.outbox(place)
    refused = installed.bare / "windlass/refused"
    (answer,) = refused.glob("*.answer")
    assert answer.read_text().startswith("answered 422")
    (found,) = asyncio.run(forge.missed(installed.url, NOWHERE, 0.0))
    assert json.loads(found.body)["ref"] == "refs/heads/one"
    assert asyncio.run(forge.missed(installed.url, NOWHERE, time.time() + 60)) == ()


def test_recovery_finds_what_was_never_sent(quiet, forge):
    """Everything spooled is found, signed anew each time, with ids that do not change."""
    quiet.push("main:one")
    quiet.push("main:two")
    dialect = PlainDialect()
    first = asyncio.run(forge.missed(quiet.url, NOWHERE, time.time() + 60))
    keys = [dialect.verify(one, (SECRET,)).delivery_key for one in first]
    again = asyncio.run(forge.missed(quiet.url, NOWHERE, 0.0))
    assert [dialect.verify(one, (SECRET,)).delivery_key for one in again] == keys
    assert [dialect.read(one, "x")[0].branch for one in first] == ["one", "two"]


def test_check_tells_what_waits(quiet, forge):
    """An event that nobody takes is no secret."""
    assert not spool.waiting(Folder(quiet.url))
    quiet.push("main:new")
    (quiet.bare / "windlass/trouble").write_text("connection refused")
    script = quiet.bare / "hooks/post-receive"
    script.write_text(installing.hook_text(Folder(quiet.url), NOWHERE, forge.pythons))
    problem = asyncio.run(forge.check(quiet.url, NOWHERE)).problem
    assert "1 events wait" in problem
    assert "connection refused" in problem


def test_a_spoilt_entry_holds_back_nothing(quiet):
    """A file that nobody understands is laid aside with the reason."""
    spooled(quiet, "nonsense", name="0.0.push")
    spooled(quiet, "merged 1 squash", name="1.0.push")
    spooled(quiet, f"ref {ZERO} zzz refs/heads/x", name="2.0.push")
    quiet.push("main:new")
    assert [body["ref"] for body in composed(quiet).values()] == ["refs/heads/new"]
    refused = sorted(path.name for path in (quiet.bare / "windlass/refused").glob("*.push"))
    assert refused == ["0.0.push", "1.0.push", "2.0.push"]


def scenes(bench):
    """What may stand in the spool, as the lines of one entry; there is a pull request before."""
    main = bench.at("main")
    head = bench.commit({"a": "1"}, "Add one")
    bench.git("checkout", "--quiet", "--detach", "origin/main")
    other = bench.commit({"b": "1"}, "Add two")
    bench.push(f"{head}:refs/for/main/one", f"{other}:refs/hidden/x")
    composed(bench)
    return {
        "push": [f"ref {ZERO} {main} refs/heads/x"],
        "many": [f"ref {ZERO} {main} refs/heads/x{at}" for at in range(3)],
        "opened": [f"ref {ZERO} {other} refs/for/main/three"],
        "draft": ["option draft", f"ref {ZERO} {other} refs/for/main/three"],
        "updated": ["option title=x", f"ref {ZERO} {other} refs/for/main/one"],
        "by ancestry": [f"ref {main} {head} refs/heads/main"],
        "closed": ["by bob", "closed 1"],
        "approved": ["by bob", f"approved 1 {head}"],
        "merged": ["by bob", "merged 1 merge", f"ref {main} {head} refs/heads/main"],
    }


SCENES = (
    "push", "many", "opened", "draft", "updated", "by ancestry", "closed", "approved", "merged",
)  # fmt: skip


@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_every_point_it_ends_the_same(quiet, tmp_path, monkeypatch, scene):
    """After a kill before any change of a file or ref, the next sender finishes the same work."""
    lines = scenes(quiet)[scene]
    for path in (quiet.bare / "windlass/outbox").iterdir():
        path.unlink()
    name = "1.0.act" if lines[0].startswith("by") else "1.0.push"
    if scene == "merged":
        run(quiet.bare, "git", "update-ref", "refs/heads/main", lines[-1].split(" ")[2])

    def ended(point):
        """The state after a kill at this point and a sender that is not killed."""
        copy = tmp_path / f"copy{point}"
        shutil.copytree(quiet.bare, copy, symlinks=True)
        bench = copied(quiet, copy)
        spooled(bench, *lines, name=name)
        with monkeypatch.context() as patch:
            counted = planted(patch, point)
            with contextlib.suppress(Killed):
                composed(bench)
        bodies = composed(bench)
        pulls = [vars(pull) for pull in Pulls(Folder(str(copy)), Git(str(copy))).all()]
        state = {identity: without_path(body) for identity, body in bodies.items()}
        return counted[0] >= point, (state, pulls, bench.refs())

    killed, expected = ended(10**6)
    assert not killed
    assert expected[0]
    for point in range(1, 1000):
        killed, state = ended(point)
        if not killed:
            break
        assert state == expected, point
    assert point > 2


def copied(bench, path):
    other = object.__new__(Bench)
    other.bare, other.work = path, bench.work
    return other


def without_path(body):
    return {key: value for key, value in body.items() if key != "repository"}


def planted(patch, point):
    """Count every change of a file or ref, and kill before the one with this number."""
    counted = [0]

    def counting(real, counts=lambda *_: True):
        def call(*words, **more):
            if counts(*words):
                counted[0] += 1
                if counted[0] == point:
                    raise Killed
            return real(*words, **more)

        return call

    patch.setattr(folder.os, "replace", counting(os.replace))
    patch.setattr(folder.Folder, "drop", counting(folder.Folder.drop))
    moves = counting(Git.run, lambda _git, *words: words[0] == "update-ref")
    patch.setattr(Git, "run", moves)
    return counted


def test_kill_nine_between_two_webhooks_loses_none(quiet, tmp_path):
    """Senders that are killed again and again deliver everything, in order, at least once."""
    with Receiver() as receiver:
        settings = installing.settings_of(Hook(url=receiver.url, secret=SECRET))
        (quiet.bare / "windlass/hook.json").write_text(json.dumps(settings))
        quiet.push(*(f"main:refs/heads/b{at:02}" for at in range(30)))
        copy = quiet.bare / "windlass" / installing.program_name() / "start.py"
        argv = [sys.executable, "-I", "-S", "-X", "utf8", str(copy), "send"]
        for wanted in (1, 7, 19):
            process = subprocess.Popen(argv, cwd=quiet.bare)
            receiver.wait(wanted)
            process.send_signal(signal.SIGKILL)
            process.wait()
        subprocess.run(argv, cwd=quiet.bare, check=True)
    refs = [json.loads(one.body)["ref"] for one in receiver.requests]
    ids = {one.headers["webhook-id"]: one.body for one in receiver.requests}
    assert sorted(set(refs)) == [f"refs/heads/b{at:02}" for at in range(30)]
    assert refs == sorted(refs)
    assert len(ids) == 30


def test_one_sender_at_a_time(quiet):
    """A second sender leaves at once, and what it came for is the first one's work."""
    place = Folder(quiet.url)
    quiet.push("main:new")
    with place.sending():
        send.send(place, Git(quiet.url))
    assert spool.waiting(place)


def test_a_busy_repository_delays_no_push(quiet, capsys, monkeypatch):
    """When the lock is held for long, the pusher is told and the entry stays."""
    place = Folder(quiet.url)
    with place.state():
        monkeypatch.setattr(Folder, "state", lambda _: folder.Lock(place.path("lock"), wait=0))
        assert receive(place, Git(quiet.url)) == 1
    assert "busy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "taken", "final"),
    [
        *((code, True, False) for code in (200, 202, 204)),
        *((code, False, False) for code in (408, 425, 429, 500, 503)),
        *((code, False, True) for code in (301, 400, 401, 404, 409, 413, 422)),
    ],
)
def test_each_answer_has_a_meaning(status, taken, final):
    """2xx is taken, what may pass is tried again, anything else is for good."""
    answer = Answer(status, None, "")
    assert (answer.taken, answer.final) == (taken, final)


def test_no_http_is_no_answer():
    """A port where nobody, or nobody sensible, answers is told as such."""
    with pytest.raises(NoAnswer):
        Endpoint(installing.settings_of(NOWHERE)).post({}, b"")
