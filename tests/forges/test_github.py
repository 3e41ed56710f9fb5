"""What is particular about GitHub; what every forge does is in tests/contract."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import time
from types import SimpleNamespace

import pytest

from windlass.core.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    Permanent,
    Transient,
    UserError,
    WindlassError,
)
from windlass.forges.github.dialect import GitHubDialect
from windlass.forges.github.forge import GitHubForge
from windlass.forges.github.place import place
from windlass.forges.http.client import Http
from windlass.ports.forge import (
    Annotation,
    Hook,
    Permission,
    PullState,
    Request,
    Status,
    StatusState,
)
from windlass.reach import Reach
from windlass.testing.plain import Receiver
from windlass.testing.servers.github import TOKEN, GitHub
from windlass.testing.servers.github_ground import EVERYTHING, Bearer
from windlass.testing.servers.serving import Reply

SECRET = b"correct horse battery staple"
AWAY = Hook(url="http://127.0.0.1:9/hooks/" + "e" * 24, secret=SECRET)
MARKER = "<!-- windlass -->"
PERMISSIONS = dict.fromkeys(
    ("checks", "contents", "deployments", "issues", "pull_requests", "repository_hooks"), "write"
)


class Ticking:
    """A clock that is set by hand, an hour into today."""

    def __init__(self):
        self.time = float(int(time.time()))

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.time += seconds


@pytest.fixture
def clock():
    return Ticking()


@pytest.fixture
def github(tmp_path, clock):
    with GitHub(tmp_path) as server:
        server.now = clock.now
        yield server


@pytest.fixture
def ask(clock):
    """Run questions to one adapter, one after the other, as one process would."""

    def run(play, token=TOKEN, app=None):
        async def main():
            http = Http(clock, Reach(frozenset({"127.0.0.1"})))
            try:
                return await play(GitHubForge(http, lambda _: token, lambda _: app, clock))
            finally:
                await http.close()

        return asyncio.run(main())

    return run


@pytest.fixture
def pulled(github):
    """An open pull request: its address, number and commit."""
    number = github.propose("one", {"a": "1"})
    sha = github.shop.pulls[number]["head"]["sha"]
    return SimpleNamespace(url=github.address, number=number, sha=sha)


@pytest.fixture
def app(github):
    return github.register("windlass-acme", PERMISSIONS, "acme/shop")


def said(pulled, state=StatusState.SUCCESS, **more):
    return Status(sha=pulled.sha, context="windlass/ci", state=state, **more)


def bodies(github):
    return [one["body"] for one in github.shop.comments.values()]


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com/acme/shop", "https://api.github.com/repos/acme/shop"),
        ("https://github.com/acme/shop.git", "https://api.github.com/repos/acme/shop"),
        ("https://www.github.com/acme/shop/", "https://api.github.com/repos/acme/shop"),
        ("https://GitHub.com:443/acme/a.b_c-d", "https://api.github.com/repos/acme/a.b_c-d"),
        ("https://git.corp/acme/shop.git/", "https://git.corp/api/v3/repos/acme/shop"),
        ("https://git.corp:8443/acme/shop", "https://git.corp:8443/api/v3/repos/acme/shop"),
        ("https://acme.ghe.com/acme/shop", "https://api.acme.ghe.com/repos/acme/shop"),
        ("https://notgithub.com/a/b", "https://notgithub.com/api/v3/repos/a/b"),
    ],
)
def test_an_address_leads_to_its_api(url, api):
    """Whatever people paste, as long as it names one repository."""
    assert place(url).api == api


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme/shop",
        "git@github.com:acme/shop.git",
        "ssh://git@github.com/acme/shop",
        "https://github.com/acme",
        "https://github.com/acme/shop/pull/3",
        "https://github.com/acme/..",
        "https://github.com/acme/.git",
        "https://github.com/acme/sh%2Fop",
        "https://github.com/acme/shop?tab=readme",
        "https://github.com:http/acme/shop",
        "https:///acme/shop",
    ],
)
def test_what_is_no_repository_is_told_how_to_be_one(url):
    """A person sees what a right address looks like."""
    with pytest.raises(UserError) as caught:
        place(url)
    assert "https://github.com/OWNER/NAME" in caught.value.hint


def test_a_password_in_an_address_is_not_repeated():
    """It is refused, and is in no text."""
    with pytest.raises(UserError) as caught:
        place("https://ada:hunter2-hunter2@github.com/acme/shop")
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


# ---------------------------------------------------------------- rights


@pytest.mark.parametrize("classic", [True, False])
def test_a_token_without_the_right_to_webhooks_is_told_which(ask, github, classic):
    """GitHub says "not found" to some and "not accessible" to others; we name the right."""
    github.tokens["poor"] = Bearer(github.ada, EVERYTHING - {"hooks"}, classic=classic)
    with pytest.raises(NotAllowed) as caught:
        ask(lambda forge: forge.install(github.address, AWAY), token="poor")
    assert "Webhooks: read and write" in caught.value.hint
    assert "admin:repo_hook" in caught.value.hint


@pytest.mark.parametrize(
    ("right", "name"),
    [
        ("statuses", "Commit statuses: read and write"),
        ("comments", "Pull requests and Issues: read and write"),
        ("deployments", "Deployments: read and write"),
    ],
)
def test_a_report_without_the_right_says_which(ask, github, pulled, right, name):
    """It is permanent, and whoever reads it knows what to grant."""
    github.tokens["poor"] = Bearer(github.ada, EVERYTHING - {right})
    deeds = {
        "statuses": lambda forge: forge.status(pulled.url, said(pulled)),
        "comments": lambda forge: forge.comment(pulled.url, pulled.number, "x"),
        "deployments": lambda forge: forge.deployment(pulled.url, said(pulled), "dev"),
    }
    with pytest.raises(Permanent, match=name):
        ask(deeds[right], token="poor")


def test_without_a_token_one_is_asked_for(ask, github, pulled):
    """What needs one says how to give it; what is public is read without."""
    for deed in (
        lambda forge: forge.install(pulled.url, AWAY),
        lambda forge: forge.permission(pulled.url, "1"),
    ):
        with pytest.raises(NotAllowed) as caught:
            ask(deed, token=None)
        assert f"windlass repo token {pulled.url}" in caught.value.hint
    with pytest.raises(Permanent, match="windlass repo token"):
        ask(lambda forge: forge.status(pulled.url, said(pulled)), token=None)
    assert ask(lambda forge: forge.default_branch(pulled.url), token=None) == "main"
    assert ask(lambda forge: forge.credential(pulled.url), token=None) is None


def test_a_wrong_token_is_told(ask, github):
    """And how to store another."""
    with pytest.raises(NotAllowed) as caught:
        ask(lambda forge: forge.heads(github.address), token="gone")
    assert "windlass repo token" in caught.value.hint


# ---------------------------------------------------------------- webhooks


def test_a_hook_that_is_off_is_told_and_put_right(ask, github):
    """Each thing that differs is named, and installing mends them all with one hook left."""

    async def play(forge):
        assert not (await forge.install(github.address, AWAY)).problem
        (hook,) = github.shop.hooks.values()
        hook["active"], hook["events"] = False, ["push"]
        hook["config"] = {**hook["config"], "insecure_ssl": "1", "content_type": "form"}
        problem = (await forge.check(github.address, AWAY)).problem
        for part in ("switched off", "pull_request_review", "TLS", "JSON"):
            assert part in problem
        assert not (await forge.install(github.address, AWAY)).problem
        assert not (await forge.check(github.address, AWAY)).problem
        assert len(github.shop.hooks) == 1

    ask(play)


def test_only_our_hooks_are_touched(ask, github):
    """Surplus ones of ours go; those of others stay, whatever is asked."""
    urls = [
        "https://chat.example/hooks/" + "x" * 24,
        "http://127.0.0.1:9/other",
        "http://127.0.0.1:10/hooks/7",
        "https://127.0.0.1:9/hooks/7",
        "http://127.0.0.1:9/hooks/old",
        "http://127.0.0.1:9/hooks/older",
    ]
    for number, url in enumerate(urls):
        config = {"url": url, "content_type": "json", "insecure_ssl": "0"}
        hook = {"id": number, "active": True, "events": ["push"], "config": config}
        github.shop.hooks[number] = {**hook, "last_response": {"status": "unused"}}

    def there():
        return {hook["config"]["url"] for hook in github.shop.hooks.values()}

    async def play(forge):
        assert "2 webhooks" in (await forge.check(github.address, AWAY)).problem
        await forge.install(github.address, AWAY)
        assert there() == {*urls[:4], AWAY.url}
        await forge.remove(github.address)
        assert there() == set(urls[:4])

    ask(play)


def test_our_hook_is_known_again_after_a_restart(ask, github):
    """By the form of its address; where two have that form, a person decides."""

    def add(url):
        github.shop.hooks[len(github.shop.hooks)] = {
            "id": len(github.shop.hooks),
            "config": {"url": url},
        }

    add("https://other.example/hooks/7")
    add(AWAY.url)
    ask(lambda forge: forge.remove(github.address))
    assert [hook["config"]["url"] for hook in github.shop.hooks.values()] == [
        "https://other.example/hooks/7"
    ]
    add(AWAY.url)
    add("https://chat.example/hooks/" + "x" * 24)
    with pytest.raises(Conflict, match=r"chat\.example"):
        ask(lambda forge: forge.remove(github.address))
    assert len(github.shop.hooks) == 3


def test_a_failed_delivery_is_told(ask, github):
    """How the last one failed, in GitHub's words."""

    async def play(forge):
        await forge.install(github.address, AWAY)
        github.send()
        state = await forge.check(github.address, AWAY)
        assert state.present
        assert "failed to connect" in state.problem

    ask(play)


def test_an_address_that_github_refuses_is_a_persons_mistake(ask, github):
    """It is said with the setting that mends it."""

    async def play(forge):
        with pytest.raises(UserError) as caught:
            await forge.install(github.address, Hook(url="ftp://x/hooks/7", secret=SECRET))
        assert "public_url" in caught.value.hint

    ask(play)


def test_what_is_sent_is_understood(ask, github):
    """From the hook that we make to the events that our dialect reads."""
    dialect = GitHubDialect()
    with Receiver() as receiver:
        hook = Hook(url=receiver.url, secret=SECRET)
        ask(lambda forge: forge.install(github.address, hook))
        github.push("main", {"a": "1"})
        number = github.propose("one", {"b": "1"})
        updated = github.update(number, {"b": "2"})
        github.say(number, "/windlass run", github.eve)
        merged = github.merge(number)
        github.send()
        events = []
        for one in receiver.wait(9):
            assert dialect.verify(one, (SECRET,)).delivery_key == one.headers["x-github-delivery"]
            events += dialect.read(one, "acme/shop")
    labels = [f"{event.kind} {event.action}" for event in events]
    assert labels == [
        "ping pinged",
        "push pushed",
        "push pushed",
        "branch created",
        "pull_request opened",
        "push pushed",
        "pull_request updated",
        "comment created",
        "push pushed",
        "pull_request merged",
    ]
    assert events[6].sha == updated
    assert events[7].sender_id == str(github.eve.id)
    assert events[9].sha == merged


def test_what_failed_comes_again_and_only_that(ask, github, clock):
    """Not what came through at last, not a ping, not what is older than GitHub's log or `since`."""
    with Receiver() as receiver:
        hook = Hook(url=receiver.url, secret=SECRET)

        async def play(forge):
            await forge.install(github.address, hook)
            receiver.answers[:] = [500, 500]
            github.send()  # the ping
            github.push("main", {"a": "0"})
            github.send()
            clock.time += 3 * 86_400 + 1
            receiver.answers[:] = [202, 500, 500]
            for text in ("1", "2", "3"):
                github.push("main", {"a": text})
            github.send()
            clock.time += 60
            lost = [one.headers["x-github-delivery"] for one in receiver.requests[3:5]]
            assert await forge.missed(github.address, hook, clock.time) == ()
            assert await forge.missed(github.address, hook, 0.0) == ()
            github.send()
            came = [one.headers["x-github-delivery"] for one in receiver.requests[5:]]
            assert came == lost
            await forge.missed(github.address, hook, 0.0)
            assert not github.queue

        ask(play)


def test_the_log_is_read_over_its_pages(ask, github):
    """A hundred and more that failed are found, and one that is gone does not hold up others."""

    async def play(forge):
        await forge.install(github.address, AWAY)
        github.push("main", {"a": "1"})
        github.send()
        one = github.shop.deliveries[-1]
        for number in range(150):
            github.shop.deliveries.append({**one, "id": 10_000 + number, "guid": f"g{number}"})
        await forge.missed(github.address, AWAY, 0.0)
        assert len(github.asked("GET", ".*/deliveries")) == 2
        assert len(github.asked("POST", ".*/attempts")) == 100

    ask(play)


# ---------------------------------------------------------------- reports


def test_a_status_that_stands_is_not_sent_again(ask, github, pulled):
    """It is asked for, and not added to the thousand that GitHub takes."""

    async def play(forge):
        for _ in range(3):
            await forge.status(pulled.url, said(pulled, description="x" * 300, url="https://w/1"))

    ask(play)
    (one,) = github.shop.statuses
    assert len(one["description"]) == 140


def test_a_comment_that_was_deleted_is_made_again(ask, github, pulled):
    """By the same process, which knew its id, and by another one."""

    async def play(forge):
        await forge.comment(pulled.url, pulled.number, "one")
        github.shop.comments.clear()
        await forge.comment(pulled.url, pulled.number, "two")

    ask(play)
    assert bodies(github) == [f"{MARKER}\ntwo"]
    ask(lambda forge: forge.comment(pulled.url, pulled.number, f"{MARKER}\nthree"))
    assert bodies(github) == [f"{MARKER}\nthree"]


@pytest.mark.parametrize("by_app", [True, False])
def test_a_mark_of_somebody_else_is_not_ours(ask, github, pulled, app, by_app):
    """S-27: the author decides, not the mark, and a foreign comment is left alone."""
    who = {"token": None, "app": app} if by_app else {}
    github.say(pulled.number, f"{MARKER} all is well", github.ada if by_app else github.eve)
    for text in ("one", "two"):
        ask(lambda forge, text=text: forge.comment(pulled.url, pulled.number, text), **who)
    assert bodies(github) == [f"{MARKER} all is well", f"{MARKER}\ntwo"]


def test_a_long_comment_is_cut(ask, github, pulled):
    """GitHub takes 65,536 characters and refuses more."""
    ask(lambda forge: forge.comment(pulled.url, pulled.number, "ä" * 70_000))
    assert len(bodies(github)[0]) == 65_000


def test_a_check_run_is_changed_in_place(ask, github, pulled, app):
    """From its beginning to its end it is one, and telling it again sends nothing."""
    lines = tuple(Annotation(f"f{at}.py", at + 1, "it is wrong") for at in range(120))
    ended = said(pulled, StatusState.FAILURE, description="it broke", annotations=lines)

    async def play(forge):
        await forge.status(pulled.url, said(pulled, StatusState.PENDING))
        await forge.status(pulled.url, ended)

    ask(play, token=None, app=app)
    (run,) = github.shop.checks.values()
    assert (run["status"], run["conclusion"], run["external_id"]) == (
        "completed",
        "failure",
        "windlass/ci",
    )
    assert [one["path"] for one in run["_marks"]] == [one.path for one in lines]
    assert len(github.asked("PATCH", ".*/check-runs/.*")) == 3
    ask(lambda forge: forge.status(pulled.url, ended), token=None, app=app)
    assert len(github.asked("PATCH", ".*/check-runs/.*")) == 3


def test_marks_that_were_cut_off_are_completed(ask, github, pulled, app):
    """After a call that failed midway, none is missing and none is there twice."""
    lines = tuple(Annotation("f.py", at + 1, "wrong") for at in range(70))
    ended = said(pulled, StatusState.FAILURE, annotations=lines)
    ask(lambda forge: forge.status(pulled.url, ended), token=None, app=app)
    (run,) = github.shop.checks.values()
    del run["_marks"][50:]
    run["output"]["annotations_count"] = 50
    ask(lambda forge: forge.status(pulled.url, ended), token=None, app=app)
    assert len(run["_marks"]) == 70


def test_what_runs_again_is_a_new_check_run(ask, github, pulled, app):
    """GitHub takes nothing back from `completed`, and no mark away."""
    lines = (Annotation("f.py", 1, "wrong"),)

    async def play(forge):
        await forge.status(pulled.url, said(pulled, StatusState.FAILURE, annotations=lines))
        await forge.status(pulled.url, said(pulled, StatusState.PENDING))
        await forge.status(pulled.url, said(pulled, StatusState.SUCCESS))

    ask(play, token=None, app=app)
    first, second = github.shop.checks.values()
    assert (first["conclusion"], len(first["_marks"])) == ("failure", 1)
    assert (second["conclusion"], len(second["_marks"])) == ("success", 0)


def test_a_check_run_of_another_app_is_left_alone(ask, github, pulled, app):
    """The name alone does not make it ours."""
    other = github.register("somebody", PERMISSIONS, "acme/shop")
    for one in (other, app):
        ask(lambda forge: forge.status(pulled.url, said(pulled)), token=None, app=one)
    assert [run["app"]["slug"] for run in github.shop.checks.values()] == [
        "somebody",
        "windlass-acme",
    ]


@pytest.mark.parametrize("by_app", [True, False])
def test_there_is_one_deployment_of_a_commit_to_a_place(ask, github, pulled, app, by_app):
    """It goes on in one; when another took its place, it is history and a new one is made."""
    who = {"token": None, "app": app} if by_app else {}
    other = SimpleNamespace(sha=github.push("main", {"z": "1"}))

    async def play(forge):
        for state in (StatusState.PENDING, StatusState.SUCCESS, StatusState.SUCCESS):
            await forge.deployment(pulled.url, said(pulled, state), "dev")
        await forge.deployment(pulled.url, said(other), "dev")
        await forge.deployment(pulled.url, said(pulled), "dev")
        await forge.deployment(pulled.url, said(pulled), "prod")

    ask(play, **who)
    told = [
        (one["sha"], one["environment"], [each["state"] for each in one["_statuses"]])
        for one in github.shop.deployments.values()
    ]
    assert told == [
        (pulled.sha, "dev", ["in_progress", "success", "inactive"]),
        (other.sha, "dev", ["success", "inactive"]),
        (pulled.sha, "dev", ["success"]),
        (pulled.sha, "prod", ["success"]),
    ]


def test_what_was_not_deployed_is_no_deployment(ask, github, pulled):
    """A neutral word about nothing makes nothing."""
    ask(lambda forge: forge.deployment(pulled.url, said(pulled, StatusState.NEUTRAL), "dev"))
    assert not github.shop.deployments


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(429, {"message": "slow"}, {"retry-after": "9"}), Transient),
        (Reply(403, {"message": "You have exceeded a secondary rate limit"}), Transient),
        (Reply(500, {"message": f"oops {TOKEN}"}), Transient),
        (Reply(200, b"<html>"), Transient),
        (Reply(200, []), Permanent),
        (Reply(404, {"message": f"no {TOKEN}"}), Permanent),
        (Reply(401, {"message": f"no {TOKEN}"}), Permanent),
        (Reply(422, {"message": f"no {TOKEN}", "errors": [{"message": TOKEN}]}), Permanent),
    ],
)
def test_a_failure_is_one_of_ours_and_keeps_the_token(ask, github, pulled, reply, kind):
    """R-18, S-23: whatever comes back, what to do is known, and the token is in no text."""
    github.faults.append(reply)
    with pytest.raises(kind) as caught:
        ask(lambda forge: forge.status(pulled.url, said(pulled)))
    assert TOKEN not in str(caught.value)
    if "retry-after" in reply.headers:
        assert caught.value.retry_after == 9.0


@pytest.mark.parametrize("body", [{}, [], [1], {"statuses": [1]}, None, "x", {"id": [], "head": 3}])
@pytest.mark.parametrize(
    "deed",
    [
        lambda forge, at: forge.heads(at.url),
        lambda forge, at: forge.pull(at.url, at.number),
        lambda forge, at: forge.default_branch(at.url),
        lambda forge, at: forge.permission(at.url, "1"),
        lambda forge, at: forge.check(at.url, AWAY),
        lambda forge, at: forge.status(at.url, said(at)),
        lambda forge, at: forge.comment(at.url, at.number, "x"),
        lambda forge, at: forge.deployment(at.url, said(at), "dev"),
    ],
)
def test_an_answer_of_another_shape_is_no_crash(ask, github, pulled, deed, body):
    """No library's exception comes out, nor a KeyError."""
    github.faults += [Reply(200, body)] * 4
    with contextlib.suppress(WindlassError):
        ask(lambda forge: deed(forge, pulled))


# ---------------------------------------------------------------- source


def test_a_permission_is_the_forges_own(ask, github):
    """By the number, also after a change of names; what is not known is nothing."""
    github.shop.roles |= {github.bo.id: "write", github.eve.id: "read"}

    def may(number):
        return ask(lambda forge: forge.permission(github.address, str(number)))

    assert may(github.ada.id) is Permission.ADMIN
    assert may(github.bo.id) is Permission.WRITE
    assert may(github.eve.id) is Permission.READ
    calls = len(github.calls)
    for garbage in ("ada", "-1", "1e3", "٣", " 1", "0", "1" * 30, "../user"):
        assert may(garbage) is Permission.NONE
    assert len(github.calls) == calls


def test_a_name_that_changed_hands_gives_no_right(ask, github):
    """Between the two questions the login went to somebody else; the number decides."""
    github.faults.append(Reply(200, {"login": "ada", "id": github.eve.id}))
    found = ask(lambda forge: forge.permission(github.address, str(github.eve.id)))
    assert found is Permission.NONE


def test_a_pull_request_tells_its_end_and_where_it_came_from(ask, github, pulled):
    """Merged, with the commit; closed; from a fork, also from one that is gone."""

    def look():
        return ask(lambda forge: forge.pull(pulled.url, pulled.number))

    pull = github.shop.pulls[pulled.number]
    assert (look().state, look().merge_sha, look().fork) == (PullState.OPEN, "", False)
    assert look().web_url == f"{github.address}/pull/1"
    pull["head"]["repo"] = {"id": 4711}
    assert look().fork
    pull["head"]["repo"] = None
    assert look().fork
    merged = github.merge(pulled.number)
    assert (look().state, look().merge_sha) == (PullState.MERGED, merged)
    pull.update(merged=False)
    assert (look().state, look().merge_sha) == (PullState.CLOSED, "")


@pytest.mark.parametrize("by_app", [True, False])
def test_git_reads_with_the_credential(ask, github, app, by_app):
    """What we are given opens a private repository to Git, and nothing else does."""
    github.shop.private = True
    who = {"token": None, "app": app} if by_app else {}
    login = ask(lambda forge: forge.credential(github.address), **who)
    assert login.name == "x-access-token"

    def listed(password):
        url = f"http://{login.name}:{password}@{github.host}/acme/shop.git"
        more = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"}
        path = {"PATH": "/usr/bin:/bin"}
        return subprocess.run(["git", "ls-remote", url], capture_output=True, env=path | more)

    assert b"refs/heads/main" in listed(login.password).stdout
    assert listed("wrong").returncode != 0


# ---------------------------------------------------------------- Apps


def test_a_token_of_an_app_is_kept_until_shortly_before_its_end(ask, github, clock, app):
    """It is for this repository alone; one proof an hour is enough, and Git gets a fresh one."""

    async def play(forge):
        for _ in range(3):
            await forge.heads(github.address)
        assert len(github.asked("POST", ".*/access_tokens")) == 1
        clock.time += 3600 - 61
        await forge.heads(github.address)
        assert len(github.asked("POST", ".*/access_tokens")) == 1
        await forge.credential(github.address)
        assert len(github.asked("POST", ".*/access_tokens")) == 2
        clock.time += 3600 - 59
        await forge.heads(github.address)
        assert len(github.asked("POST", ".*/access_tokens")) == 3
        assert github.asked("POST", ".*/access_tokens")[0].body == {"repositories": ["shop"]}

    ask(play, token=None, app=app)


def test_a_token_that_ended_early_is_replaced(ask, github, clock, app, pulled):
    """The App was installed anew: the report is tried again, and gets through."""

    async def play(forge):
        await forge.heads(github.address)
        github.tokens.clear()
        clock.time += 60
        with pytest.raises(Transient):
            await forge.status(pulled.url, said(pulled))
        await forge.status(pulled.url, said(pulled))
        assert len(github.shop.checks) == 1

    ask(play, token=None, app=app)


def test_where_the_app_is_not_installed_a_person_speaks(ask, github, pulled):
    """Or it is said where to install it; that it is not is not asked anew each time."""
    elsewhere = github.register("windlass-acme", PERMISSIONS)

    async def play(forge):
        await forge.status(pulled.url, said(pulled))
        await forge.status(pulled.url, said(pulled, StatusState.FAILURE))

    ask(play, app=elsewhere)
    assert len(github.shop.statuses) == 2
    assert len(github.asked("GET", ".*/installation")) == 1
    with pytest.raises(NotAllowed) as caught:
        ask(lambda forge: forge.install(pulled.url, AWAY), token=None, app=elsewhere)
    assert f"{github.url}/github-apps/windlass-acme/installations/new" in caught.value.hint


def test_an_app_that_may_not_is_told_the_right(ask, github, pulled):
    """Checks are an App's own right."""
    poor = github.register("poor", {"contents": "read", "statuses": "write"}, "acme/shop")
    with pytest.raises(Permanent, match="Checks: read and write"):
        ask(lambda forge: forge.status(pulled.url, said(pulled)), token=None, app=poor)


def test_an_app_that_is_gone_is_told(ask, github, app):
    """Deleted, suspended, or its key replaced: a person learns where to look."""
    known = json.loads(app)
    github.apps[known["id"]]["_suspended"] = True
    gone = json.dumps({**known, "id": 4711})
    for one, why in ((app, "suspended"), (gone, "could not be decoded")):
        with pytest.raises(NotAllowed, match=why) as caught:
            ask(lambda forge, one=one: forge.heads(github.address), token=None, app=one)
        assert "register the App again" in caught.value.hint


@pytest.mark.parametrize("stored", ["", "{", "{}", '{"id": 1, "slug": "x", "pem": "none"}'])
def test_an_app_that_was_stored_wrongly_is_told(ask, github, stored):
    """Nothing of a key is in the text."""
    if not stored:
        assert ask(lambda forge: forge.default_branch(github.address), app=stored) == "main"
        return
    with pytest.raises(UserError) as caught:
        ask(lambda forge: forge.heads(github.address), token=None, app=stored)
    assert "register the App again" in caught.value.hint


def test_a_bad_request_is_not_a_trusted_one(github):
    """The server of these tests signs; what it did not sign is refused by our dialect."""
    request = Request(headers={"x-github-event": "ping"}, body=b"{}", at=0.0)
    with pytest.raises(WindlassError):
        GitHubDialect().verify(request, (SECRET,))


def test_an_unknown_pull_request_is_named(ask, github):
    """With the address that was asked."""
    with pytest.raises(NotFound, match=github.address):
        ask(lambda forge: forge.pull(github.address, 4711))
