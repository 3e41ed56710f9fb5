"""A push tells Windlass, and nothing about Windlass can harm a push."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from windlass.core.errors import Conflict, NotFound, UserError
from windlass.forges.plain import installing
from windlass.forges.plain.forge import PlainForge
from windlass.forges.plain.script import KEPT
from windlass.ports.forge import Hook
from windlass.testing.plain import ENVIRONMENT, Bench, run

NOWHERE = Hook(url="http://127.0.0.1:9/", secret=b"x")


def labels(events):
    return [(event.label, event.branch or event.tag or event.number) for event in events]


def waiting(bench):
    return sorted(path.name for path in (bench.bare / "windlass/spool").iterdir())


@pytest.fixture
def broken(bench):
    """The bench with a hook whose Python is gone."""
    asyncio.run(PlainForge().install(bench.url, NOWHERE))
    script = bench.bare / "hooks/post-receive"
    text = script.read_text()
    start = text.index("for wl_python in")
    end = text.index("; do", start)
    script.write_text(text[:start] + "for wl_python in /gone/python" + text[end:])
    return bench


def test_a_push_is_told(installed, events):
    """A new branch, a further push, a tag and deletions arrive in their words and order."""
    first = installed.commit({"a": "1"})
    installed.push("main")
    installed.push("main:new", "main:refs/tags/v1")
    installed.push(":new", ":refs/tags/v1")
    found = events(5)
    assert labels(found) == [
        ("push", "main"),
        ("push", "new"),
        ("branch created", "new"),
        ("tag created", "v1"),
        ("branch deleted", "new"),
        ("tag deleted", "v1"),
    ]
    assert found[0].sha == first
    assert found[0].files == ("a",)
    assert found[0].message == "Change"
    assert found[0].author == "Ada"


def test_the_pusher_hears_of_it(installed):
    """One line tells where the event goes, and where it is seen."""
    said = installed.push("main:new")
    assert re.fullmatch(r"windlass: telling http://127\.0\.0\.1:\d+/events", said)


def test_an_annotated_tag_is_its_commit(installed, events):
    """An event names the commit, not the tag's own object."""
    installed.git("tag", "--annotate", "--message=x", "v1")
    installed.push("v1")
    assert events(1)[0].sha == installed.at("main")


def test_other_refs_are_no_events(installed, events):
    """Notes and the like are nobody's business."""
    assert installed.push("main:refs/notes/x") == ""
    installed.push("main:new")
    assert labels(events(1))[0] == ("push", "new")


def test_a_push_without_python_succeeds(broken):
    """Where Windlass and every Python are gone, the push stands, says so, and is kept."""
    said = broken.push("main:new")
    assert said == "windlass: kept, and sent when the server is back"
    assert len(waiting(broken)) == 1


def test_a_push_without_the_spool_succeeds(installed, events):
    """Where the folder is gone or full, the push stands and the pusher is warned."""
    spool = installed.bare / "windlass/spool"
    shutil.rmtree(spool)
    assert installed.push("main:one") == ""
    spool.symlink_to("/proc/self")
    assert "not kept" in installed.push("main:two")
    assert {"refs/heads/one", "refs/heads/two"} <= set(installed.refs())


def test_a_spooled_pull_request_opens_later(broken, hook, events):
    """A proposal that nobody could take in opens with the first push after the repair."""
    broken.commit({"a": "1"})
    assert "the pull request" not in broken.push("HEAD:refs/for/main/one")
    asyncio.run(PlainForge().install(broken.url, hook))
    broken.push("HEAD~1:refs/heads/new")
    assert labels(events(2))[0] == ("pull_request opened", 1)
    assert "refs/for/main/one" not in broken.refs()


def test_a_hook_of_the_owner_goes_on(bench, forge, hook, events, tmp_path):
    """It hears the same lines, in its own environment, its word and exit code stand."""
    owner = bench.bare / "hooks/post-receive"
    heard = tmp_path / "heard"
    owner.write_text(f'#!/bin/sh\ncat > "{heard}"\necho "PATH is $PATH"\numask\nexit 7\n')
    owner.chmod(0o755)
    asyncio.run(forge.install(bench.url, hook))
    also = {"PATH": f"{ENVIRONMENT['PATH']}:/very/own"}
    said = bench.push("main:new", "main:refs/notes/x", also=also)
    tip = bench.at("main")
    assert heard.read_text() == f"{'0' * 40} {tip} refs/heads/new\n{'0' * 40} {tip} refs/notes/x\n"
    assert ":/very/own" in said
    assert labels(events(1))[0] == ("push", "new")


@pytest.mark.parametrize("kind", ["none", "file", "symlink", "not executable"])
def test_removal_restores_exactly(bench, forge, hook, tmp_path, kind):
    """What stood at the hook's place stands there again, and nothing of ours is left."""
    owner = bench.bare / "hooks/post-receive"
    target = tmp_path / "elsewhere"
    target.write_text("#!/bin/sh\n")
    if kind == "symlink":
        owner.symlink_to(target)
    elif kind != "none":
        owner.write_text("#!/bin/sh\necho mine\n")
        owner.chmod(0o755 if kind == "file" else 0o640)
    before = snapshot(bench.bare)
    for _ in range(2):
        asyncio.run(forge.install(bench.url, hook))
    assert (bench.bare / f"hooks/{KEPT}").exists() == (kind != "none")
    for _ in range(2):
        asyncio.run(forge.remove(bench.url, hook))
    assert snapshot(bench.bare) == before


def snapshot(root):
    """Every path with its mode and content."""
    return {
        str(path.relative_to(root)): (
            stat.S_IMODE(path.lstat().st_mode),
            path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes(),
        )
        for path in root.rglob("*")
    }


def test_pull_requests_outlive_the_hook(installed, forge, hook):
    """Removing the hook forgets no pull request."""
    number = installed.propose("one", {"a": "1"})
    asyncio.run(forge.remove(installed.url, hook))
    assert asyncio.run(forge.show(installed.url, number)).title == "Add one"


def test_a_replaced_hook_is_told(installed, forge, hook):
    """An owner who writes over our hook is told by `check`, and both hooks run after a repair."""
    (installed.bare / "hooks/post-receive").unlink()
    assert asyncio.run(forge.check(installed.url, hook)).problem.endswith("is not there")
    (installed.bare / "hooks/post-receive").write_text("#!/bin/sh\n")
    assert "not ours" in asyncio.run(forge.check(installed.url, hook)).problem
    assert not asyncio.run(forge.install(installed.url, hook)).problem
    (installed.bare / "hooks/post-receive").unlink()
    (installed.bare / "hooks/post-receive").write_text("#!/bin/sh\n# another\n")
    with pytest.raises(Conflict, match="earlier one"):
        asyncio.run(forge.install(installed.url, hook))


def renamed(bare):
    """What a pusher is told leads elsewhere."""
    path = bare / "windlass/hook.json"
    path.write_text(path.read_text().replace('"pull": "', '"pull": "http://elsewhere/'))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda bare: (bare / "windlass/secret").write_bytes(b"other"), "another secret"),
        (lambda bare: (bare / "windlass/secret").chmod(0o644), "others can read"),
        (lambda bare: (bare / "windlass/hook.json").write_text("{}"), "sends to nowhere"),
        (renamed, "was changed"),
        (lambda bare: (bare / "hooks/post-receive").chmod(0o644), "does not run"),
        (
            lambda bare: shutil.rmtree(bare / "windlass" / installing.program_name()),
            "another version",
        ),
    ],
)
def test_each_harm_is_named_and_repaired(installed, forge, hook, harm, said):
    """Whatever part of the hook is spoilt, `check` says which, and installing mends it."""
    harm(installed.bare)
    state = asyncio.run(forge.check(installed.url, hook))
    assert said in state.problem
    assert not asyncio.run(forge.install(installed.url, hook)).problem


def test_the_secret_is_nobodys_business(installed, hook):
    """The secret is in one file of mode 0600, in no hook, setting or argument."""
    holders = [
        path
        for path in installed.bare.rglob("*")
        if path.is_file() and hook.secret in path.read_bytes()
    ]
    assert holders == [installed.bare / "windlass/secret"]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600


def test_a_hostile_environment_does_nothing(installed, events, tmp_path):
    """PATH, IFS, locale, umask and Git's own variables of the pusher change no event."""
    evil = tmp_path / "evil"
    evil.mkdir()
    for name in ("git", "mv", "python3", "umask"):
        (evil / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/harmed\n")
        (evil / name).chmod(0o755)
    run(tmp_path, "git", "clone", "--quiet", "--bare", installed.url, "other.git")
    lines = f"{'0' * 40} {installed.at('main')} refs/heads/main\n"
    done = subprocess.run(
        [installed.bare / "hooks/post-receive"],
        cwd=installed.bare,
        input=lines,
        text=True,
        capture_output=True,
        env={
            "PATH": str(evil),
            "IFS": "/",
            "ENV": str(evil / "git"),
            "LC_ALL": "de_DE.ISO-8859-1",
            "GIT_DIR": str(tmp_path / "other.git"),
            "GIT_OBJECT_DIRECTORY": "/nowhere",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.hooksPath",
            "GIT_CONFIG_VALUE_0": str(evil),
            "GIT_PUSH_OPTION_COUNT": "1; touch harmed",
            "GIT_PUSH_OPTION_0": "$(touch harmed)",
            "PYTHONPATH": str(evil),
            "PYTHONSTARTUP": str(evil / "git"),
            "REMOTE_USER": "$(touch harmed)",
            "wl_kept": "1",
            "wl_name": "/etc/passwd",
        },
    )
    assert done.returncode == 0, done.stderr
    assert labels(events(1))[0] == ("push", "main")
    assert not list(tmp_path.rglob("harmed"))


def test_a_server_in_front_names_the_person(installed, events):
    """GL_USER or REMOTE_USER is shown; the identity that counts stays the system's."""
    installed.push("main:new", also={"REMOTE_USER": "ada@example.org"})
    event = events(1)[0]
    assert event.sender == "ada@example.org"
    assert event.sender_id.startswith("os:")
    assert "ada" not in event.sender_id


def test_a_push_of_many_refs_is_told_whole(installed, events):
    """Three hundred branches in one push are three hundred webhooks."""
    installed.push(*(f"main:refs/heads/b{at}" for at in range(300)))
    names = {event.branch for event in events(300)}
    assert names == {f"b{at}" for at in range(300)}


def test_a_hostile_title_stays_one_title(installed, events):
    """No character of a push option can become a line of its own in the spool."""
    installed.commit({"a": "1"})
    run(installed.bare, "git", "config", "receive.advertisePushOptions", "true")
    title = "one\u2028ref x\x0bref y\x85\x1cmerged 1 squash; $(touch x)`'\""
    installed.push(f"--push-option=title={title}", "HEAD:refs/for/main/one")
    event = events(1)[0]
    assert event.label == "pull_request opened"
    assert event.title == title


@pytest.fixture
def open_folder():
    """A folder that every user of the machine can reach; pytest's own are private."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_may_push(open_folder, forge, hook, events):
    """Who may write the repository, but not read the secret, pushes; the event waits."""
    bench = Bench(open_folder)
    for path in (bench.bare, *bench.bare.rglob("*")):
        path.chmod(0o777 if path.is_dir() else path.stat().st_mode | 0o666)
    run(bench.bare, "git", "config", "core.sharedRepository", "all")
    asyncio.run(forge.install(bench.url, hook))
    trusting = open_folder / "gitconfig"
    trusting.write_text(f"[safe]\n\tdirectory = {bench.bare}\n")
    done = subprocess.run(
        ["git", f"--git-dir={bench.bare}", "push", "--quiet", bench.url, "main:refs/heads/new"],
        env={**ENVIRONMENT, "GIT_CONFIG_GLOBAL": str(trusting)},
        cwd="/",
        user=65534,
        group=65534,
        extra_groups=[],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "refs/heads/new" in bench.refs()
    (request,) = asyncio.run(forge.missed(bench.url, NOWHERE, 0.0))
    assert json.loads(request.body)["sender"]["id"] == "os:nobody"
    assert labels(events(1))[0] == ("push", "new")


@pytest.mark.parametrize("where", ["missing", "empty", "work tree", "git folder", "file"])
def test_what_is_no_bare_repository_is_named(bench, forge, hook, tmp_path, where):
    """Each mistake in the path has a text that says what to do."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    url, text = {
        "missing": (tmp_path / "no", "no such folder"),
        "empty": (tmp_path / "empty", "not a Git repository"),
        "work tree": (bench.work, "is a work tree"),
        "git folder": (bench.work / ".git", "is a work tree"),
        "file": (tmp_path / "file", "not a Git repository"),
    }[where]
    with pytest.raises(UserError, match=text) as caught:
        asyncio.run(forge.install(str(url), hook))
    assert caught.value.hint
    assert isinstance(caught.value, NotFound) == (where == "missing")


def test_hooks_elsewhere_are_named(bench, forge, hook):
    """A repository whose hooks Git takes from elsewhere cannot be watched, and says so."""
    run(bench.bare, "git", "config", "core.hooksPath", "/elsewhere")
    with pytest.raises(Conflict, match=r"core\.hooksPath is /elsewhere"):
        asyncio.run(forge.install(bench.url, hook))
    assert not (bench.bare / "windlass").exists()


@pytest.mark.parametrize("url", ["", "ftp://x/", "http://", "http://x/a b", "http://x/é", "x"])
def test_a_strange_address_is_refused(bench, forge, url):
    """What cannot be posted to is refused before anything is written."""
    with pytest.raises(UserError):
        asyncio.run(forge.install(bench.url, Hook(url=url, secret=b"x")))
    assert not (bench.bare / "windlass").exists()


def test_an_empty_secret_is_refused(bench, forge):
    """A webhook that nobody could trust is not set up."""
    with pytest.raises(UserError, match="secret"):
        asyncio.run(forge.install(bench.url, Hook(url="http://x/", secret=b"")))


def test_the_sender_imports_little(installed):
    """What would cost every push several milliseconds stays out of the sender."""
    copy = installed.bare / "windlass" / installing.program_name()
    code = (
        f"import sys; sys.path.insert(0, {str(copy)!r});"
        "import windlass.forges.plain.program.main;"
        "print(*sys.modules)"
    )
    out = run(Path("/"), "/usr/bin/env", "python3", "-I", "-S", "-c", code).stdout.split()
    slow = {"typing", "dataclasses", "subprocess", "pathlib", "http.client", "urllib.parse", "ssl"}
    assert not slow & set(out)
