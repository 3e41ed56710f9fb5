"""Pull requests of a bare repository: opened and updated by pushes, merged as a forge would."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from windlass.core.errors import Conflict
from windlass.forges.plain.merging import person
from windlass.ports.forge import Merge, PullState
from windlass.testing.plain import ENVIRONMENT, Bench, run


def merge(forge, bench, number, method="merge", by="bob"):
    return asyncio.run(forge.merge(bench.url, number, Merge(method=method, by=by)))


def show(forge, bench, number):
    return asyncio.run(forge.show(bench.url, number))


def labels(events):
    return [(event.label, event.number or event.branch) for event in events]


def logged(bench, form, span):
    return run(bench.bare, "git", "log", f"--format={form}", span).stdout.splitlines()


@pytest.fixture
def optional(installed):
    """The bench, with push options allowed."""
    run(installed.bare, "git", "config", "receive.advertisePushOptions", "true")
    return installed


def test_a_push_opens_a_pull_request(installed, forge, events):
    """When `git push` returns, the ref has moved and the pusher knows the number."""
    sha = installed.commit({"a": "1"}, "Add one\n\nBecause.")
    said = installed.push("HEAD:refs/for/main/one")
    assert said.startswith("Pull request 1 opened: http://127.0.0.1:")
    assert installed.refs() == {
        "refs/heads/main": installed.at("main"),
        "refs/pull/1/head": sha,
    }
    (event,) = events(1)
    assert event.label == "pull_request opened"
    assert (event.number, event.base, event.head, event.sha) == (1, "main", "one", sha)
    assert (event.title, event.body) == ("Add one", "Because.")
    assert event.base_sha == installed.at("main")
    assert event.files == ("a",)
    assert event.author_id == event.sender_id
    assert show(forge, installed, 1).head_sha == sha


def test_the_pusher_is_led_to_what_is_known_of_the_pull_request(bench, forge, hook):
    """Below whatever path Windlass lives, and whatever the repository is called there."""
    named = replace(hook, url="http://127.0.0.1:9/ci/hooks/7", repository="acme/a&b")
    asyncio.run(forge.install(bench.url, named))
    bench.commit({"a": "1"}, "Add one")
    assert bench.push("HEAD:refs/for/main/one").splitlines()[0] == (
        "Pull request 1 opened:"
        " http://127.0.0.1:9/ci/explain?repository=acme%2Fa%26b&pull_request=1"
    )


def test_an_amended_push_updates_it(installed, forge, events):
    """History that was rewritten goes to the same number, and the event tells from where."""
    first = installed.commit({"a": "1"}, "Add one")
    installed.push("HEAD:refs/for/main/one")
    installed.git("commit", "--quiet", "--amend", "--message", "Add one, better")
    said = installed.push("HEAD:refs/for/main/one")
    assert said.startswith("Pull request 1 updated")
    event = events(2)[1]
    assert event.label == "pull_request updated"
    assert event.before == first
    assert event.sha == installed.at("refs/pull/1/head") == installed.git("rev-parse", "HEAD")


def test_the_same_commit_again_is_no_event(installed, receiver):
    """Pushing what is there already changes nothing."""
    installed.commit({"a": "1"})
    installed.push("HEAD:refs/for/main/one")
    installed.push("HEAD:refs/for/main/one")
    installed.push("main:new")
    kinds = [json.loads(one.body)["event"] for one in receiver.wait(2)]
    assert kinds == ["pull_request", "push"]


@pytest.mark.parametrize(
    ("branch", "ref", "found"),
    [
        ("release/1.0", "refs/for/release/1.0/fix/it", ("release/1.0", "fix/it")),
        ("release", "refs/for/release/1.0/fix", ("release", "1.0/fix")),
        ("release", "refs/for/release/x", ("release", "x")),
        ("main2", "refs/for/main/main", ("main", "main")),
    ],
)
def test_the_longest_branch_wins(installed, forge, branch, ref, found):
    """Where the branch ends and the topic begins is decided by the branches that exist."""
    installed.push(f"main:refs/heads/{branch}")
    installed.commit({"a": "1"})
    installed.push(f"HEAD:{ref}")
    pull = show(forge, installed, 1)
    assert (pull.base, pull.head) == found


def test_without_a_topic_it_is_the_pushers(installed, forge):
    """`refs/for/main` alone is one pull request of the person who pushes."""
    installed.commit({"a": "1"})
    assert "opened" in installed.push("HEAD:refs/for/main", also={"GL_USER": "ada"})
    installed.commit({"a": "2"})
    assert "1 updated" in installed.push("HEAD:refs/for/main", also={"GL_USER": "ada"})
    assert show(forge, installed, 1).head == "ada"


@pytest.mark.parametrize(
    ("refspec", "said"),
    [
        ("HEAD:refs/for/nowhere/one", "no branch begins nowhere/one"),
        ("origin/main:refs/for/main/one", "main has this commit already"),
    ],
)
def test_what_cannot_be_one_is_told(installed, forge, refspec, said):
    """No such branch, nothing new: the pusher hears why, and nothing is left behind."""
    installed.commit({"a": "1"})
    assert said in installed.push(refspec)
    assert list(installed.refs()) == ["refs/heads/main"]
    assert asyncio.run(forge.list(installed.url, "all")) == ()


def test_push_options_name_it(optional, forge, events):
    """title=, description=, draft and ready are taken; a draft is not merged."""
    optional.commit({"a": "1"})
    options = ("--push-option=title=Mine", "--push-option=description=Text = x")
    optional.push(*options, "--push-option=draft", "HEAD:refs/for/main/one")
    with pytest.raises(Conflict, match="draft"):
        merge(forge, optional, 1)
    optional.push("--push-option=ready", "HEAD:refs/for/main/one")
    opened, ready = events(2)
    assert (opened.title, opened.body, opened.draft) == ("Mine", "Text = x", True)
    assert (ready.label, ready.title, ready.draft) == ("pull_request ready", "Mine", False)
    assert merge(forge, optional, 1).state is PullState.MERGED


def test_numbers_are_unique(installed, forge, tmp_path):
    """Many who push at once get a number each."""
    clones = []
    for at in range(8):
        clone = tmp_path / f"clone{at}"
        run(tmp_path, "git", "clone", "--quiet", installed.url, str(clone))
        run(clone, "git", "commit", "--quiet", "--allow-empty", f"--message=c{at}")
        clones.append(clone)

    def push(clone):
        done = run(clone, "git", "push", "--quiet", "origin", f"HEAD:refs/for/main/{clone.name}")
        return done.stderr.split("Pull request ")[1].split(" ")[0]

    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(push, clones))
    assert sorted(map(int, numbers)) == list(range(1, 9))
    heads = {pull.number: pull.head_sha for pull in asyncio.run(forge.list(installed.url, "all"))}
    assert {f"refs/pull/{number}/head": sha for number, sha in heads.items()} == {
        ref: sha for ref, sha in installed.refs().items() if ref.startswith("refs/pull/")
    }


def test_numbers_of_another_forge_are_not_taken(installed):
    """A repository that was mirrored with its pull requests keeps their refs."""
    run(installed.bare, "git", "update-ref", "refs/pull/41/head", "refs/heads/main")
    assert installed.propose("one", {"a": "1"}) == 42


def test_a_push_to_the_base_merges_by_ancestry(installed, forge, events):
    """Whoever merges by hand has merged the pull request, and the event says what."""
    number = installed.propose("one", {"a": "1"})
    other = installed.propose("two", {"b": "1"})
    installed.git("checkout", "--quiet", "--detach", "origin/main")
    installed.git("fetch", "--quiet", "origin", f"refs/pull/{number}/head")
    installed.git("merge", "--quiet", "--no-ff", "--no-edit", "FETCH_HEAD")
    tip = installed.git("rev-parse", "HEAD")
    installed.push("HEAD:main")
    push, merged = events(4)[2:]
    assert labels([push, merged]) == [("push", "main"), ("pull_request merged", number)]
    assert merged.sha == tip
    assert show(forge, installed, number).merge_sha == tip
    assert show(forge, installed, other).state is PullState.OPEN


def test_a_merge_sends_what_a_forge_sends(installed, forge, events):
    """The push of the base comes first, then the merge, both by the one who merged."""
    number = installed.propose("one", {"a": "1"})
    before = installed.at("main")
    asyncio.run(forge.approve(installed.url, number, "carol"))
    done = merge(forge, installed, number)
    _, review, push, merged = events(4)
    assert labels([review, push, merged]) == [
        ("review approved", number),
        ("push", "main"),
        ("pull_request merged", number),
    ]
    assert (push.before, push.sha, push.sender_id) == (before, done.merge_sha, "os:bob")
    assert (merged.sha, merged.head_sha) == (done.merge_sha, done.head_sha)
    assert review.sender_id == "os:carol"
    assert installed.at("main") == done.merge_sha


def test_each_method_has_its_history(installed, forge):
    """A merge has two parents, a squash one commit, a rebase each commit with its author."""
    people = {"GIT_AUTHOR_NAME": "Eve", "GIT_AUTHOR_EMAIL": "eve@example.org"}
    found = {}
    for method in ("merge", "squash", "rebase"):
        installed.git("fetch", "--quiet", "origin")
        installed.git("checkout", "--quiet", "--detach", "origin/main")
        for step in ("first", "second"):
            (installed.work / f"{method}-{step}").write_text(step)
            installed.git("add", "--all")
            words = ("git", "commit", "--quiet", f"--message={method} {step}\n\nWhy.")
            run(installed.work, *words, also=people)
        number = int(installed.push(f"HEAD:refs/for/main/{method}").split(" ")[2])
        installed.git("checkout", "--quiet", "--detach", "origin/main")
        installed.commit({"README": method}, "Go on")
        installed.push("HEAD:main")
        before = installed.at("main")
        done = merge(forge, installed, number, method, "Bob <bob@example.org>")
        found[method] = logged(installed, "%an|%ae|%cn|%s", f"{before}..{done.merge_sha}")
    bob, eve = "Bob|bob@example.org|Bob|", "Eve|eve@example.org|"
    assert found == {
        "merge": [
            f"{bob}Merge pull request 1 from merge",
            f"{eve}Ada|merge second",
            f"{eve}Ada|merge first",
        ],
        "squash": [f"{bob}squash first (#2)"],
        "rebase": [f"{eve}Bob|rebase second", f"{eve}Bob|rebase first"],
    }


def test_a_merge_refuses_a_branch_that_moves(installed, forge, monkeypatch):
    """When the base moves between looking and moving it, nothing has happened."""
    number = installed.propose("one", {"a": "1"})
    moved = run(
        installed.bare,
        *("git", "commit-tree", "main^{tree}", "-p", "main", "-m", "meanwhile"),
    ).stdout.strip()
    real = forge_module().merged

    def slow(git, pull, method, by):
        made = real(git, pull, method, by)
        run(installed.bare, "git", "update-ref", "refs/heads/main", moved)
        return made

    monkeypatch.setattr(forge_module(), "merged", slow)
    with pytest.raises(Conflict):
        merge(forge, installed, number)
    assert show(forge, installed, number).state is PullState.OPEN
    assert installed.at("main") == moved
    assert not list((installed.bare / "windlass/spool").glob("*.act"))


def forge_module():
    from windlass.forges.plain import pull_requests  # noqa: PLC0415 - looked at by one test

    return pull_requests


@pytest.mark.parametrize(
    ("text", "name", "email"),
    [
        ("ada", "ada", "ada@localhost"),
        ("Ada Lovelace", "Ada Lovelace", "Ada-Lovelace@localhost"),
        ("Ada <ada@example.org>", "Ada", "ada@example.org"),
    ],
)
def test_a_person_has_a_name_and_an_address(text, name, email):
    """Git wants both; who gives a name alone gets an address of this machine."""
    assert (person(text).name, person(text).email) == (name, email)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for somebody else")
def test_root_leaves_nothing_of_its_own(forge, hook):
    """A merge by root in somebody's repository leaves only files of that person there."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        bench = Bench(Path(name))
        for path in (bench.bare, *bench.bare.rglob("*")):
            os.chown(path, 65534, 65534)
        asyncio.run(forge.install(bench.url, hook))
        bench.commit({"a": "1"})
        trusting = Path(name) / "gitconfig"
        trusting.write_text(f"[safe]\n\tdirectory = {bench.bare}\n")
        run(bench.bare.parent, "chown", "-R", "65534:65534", str(bench.work))
        subprocess.run(
            [*("git", "push", "--quiet", bench.url), "HEAD:refs/for/main/one"],
            cwd=bench.work,
            env={**ENVIRONMENT, "GIT_CONFIG_GLOBAL": str(trusting)},
            user=65534,
            group=65534,
            extra_groups=[],
            check=True,
        )
        merge(forge, bench, 1)
        strangers = [path for path in bench.bare.rglob("*") if path.lstat().st_uid != 65534]
        assert strangers == []
        assert bench.at("main") == show(forge, bench, 1).merge_sha
