"""What Azure DevOps is asked, at which address, and what its faults are."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from windlass.core.errors import NotAllowed, NotFound, Permanent, Transient, UserError
from windlass.forges.azure.place import place
from windlass.ports.forge import Hook, Permission, PullState
from windlass.testing.servers.azure_state import ADMINISTER, CONTRIBUTE, EVERY, READ, Acl, Person
from windlass.testing.servers.serving import Reply

TOKEN = "azure-token-of-windlass"
HOOK = Hook(url="http://127.0.0.1:9/hooks/7", secret=b"correct horse battery staple")


@pytest.mark.parametrize(
    ("given", "root", "project", "name"),
    [
        ("https://dev.azure.com/acme/shop/_git/api", "https://dev.azure.com/acme", "shop", "api"),
        ("https://me@dev.azure.com/a/shop/_git/api/", "https://dev.azure.com/a", "shop", "api"),
        ("https://dev.azure.com/acme/_git/shop", "https://dev.azure.com/acme", "shop", "shop"),
        ("https://dev.azure.com/a/W%20S/_git/x%20y.git", "https://dev.azure.com/a", "W S", "x y"),
        ("https://dev.azure.com/a/b/_git/c?version=GBmain", "https://dev.azure.com/a", "b", "c"),
        ("https://a.visualstudio.com/shop/_git/api", "https://a.visualstudio.com", "shop", "api"),
        (
            "https://acme.visualstudio.com/DefaultCollection/shop/_git/api",
            "https://acme.visualstudio.com", "shop", "api",
        ),
        ("https://a.visualstudio.com/_git/shop", "https://a.visualstudio.com", "shop", "shop"),
        ("https://git.corp/Main/shop/_git/api", "https://git.corp/Main", "shop", "api"),
        ("https://git.corp/Main/_git/shop", "https://git.corp/Main", "shop", "shop"),
        ("https://git.corp:8443/tfs/Main/_git/api", "https://git.corp:8443/tfs/Main", "api", "api"),
        ("http://git.corp/x/tfs/Main/shop/_git/api", "http://git.corp/x/tfs/Main", "shop", "api"),
    ],
)  # fmt: skip
def test_every_address_that_people_paste_is_understood(given, root, project, name):
    """Old and new ones, with a user, a port, a folder, a project left out, names with spaces."""
    found = place(given)
    assert (found.root, found.project, found.name) == (root, project, name)
    assert found.api == f"/{quote(project)}/_apis/git/repositories/{quote(name)}"
    assert "@" not in found.url


def test_people_are_asked_for_where_they_are_known():
    """Services have another host for identities, Server has not."""
    assert place("https://dev.azure.com/a/b/_git/c").people == "https://vssps.dev.azure.com/a"
    assert place("https://a.visualstudio.com/_git/c").people == "https://a.vssps.visualstudio.com"
    assert place("https://git.corp/tfs/M/_git/c").people == "https://git.corp/tfs/M"


@pytest.mark.parametrize(
    "given",
    [
        "https://dev.azure.com/acme/shop",
        "https://dev.azure.com/_git/shop",
        "https://dev.azure.com/a/b/c/_git/shop",
        "https://dev.azure.com/a/b/_git/",
        "https://dev.azure.com/a/b/_git/.git",
        "https://dev.azure.com/a/b/_git/c/pullrequest/3",
        "https://dev.azure.com/a/b%2Fc/_git/d",
        "https://dev.azure.com/a/../_git/d",
        "https://dev.azure.com/a/b/_git/%2e%2e",
        "https://dev.azure.com/a/b/_git/c%3Fd",
        "https://git.corp/_git/shop",
        "git@ssh.dev.azure.com:v3/acme/shop/api",
        "https://[::1/_git/x",
        "https://h:port/a/b/_git/c",
        "https://me:hunter2@dev.azure.com/a",
        "",
    ],
)
def test_another_address_is_refused_in_words(given):
    """What cannot be a repository of Azure DevOps is said, with the forms that can; no password."""
    with pytest.raises(UserError) as caught:
        place(given)
    assert "_git" in caught.value.hint
    assert "hunter2" not in str(caught.value)


def test_a_merged_pull_request_is_told_whole(server, shop, url, ask, proposed):
    """The merge's commit, the approvals of people, the page and the state; then nothing open."""
    ada, team = server.people["ada"].shown, server.people["team"].shown
    proposed.more = {
        "reviewers": [
            {**ada, "vote": 10},
            {**team, "vote": 10, "isContainer": True},
            {**server.people["mallory"].shown, "vote": -5},
        ]
    }
    server.complete(proposed)
    found = ask("pull", url, 1)
    assert (found.state, found.merge_sha) == (PullState.MERGED, proposed.merged)
    assert found.approved_by == ("ada",)
    assert found.web_url == f"{url}/pullrequest/1"
    assert 0 < found.created_at < found.updated_at
    assert "refs/pull/1/head" not in ask("heads", url)


def test_what_people_say_with_the_properties_of_a_vote_is_no_vote(server, shop, url, ask, proposed):
    """Whoever may comment may put them there; that Azure DevOps says it itself decides."""
    ada = server.people["ada"]
    shop.point({"refs/heads/one": shop.commit("Voted for")})
    proposed.iterated()
    proposed.voted(ada, 10)
    proposed.more = {"reviewers": [{**ada.shown, "vote": 10}]}
    shop.point({"refs/heads/one": shop.commit("After it")})
    proposed.iterated()
    (approval,) = ask("pull", url, 1).approvals
    assert approval.sha == ""
    written = shop.threads[1][-1]
    forged = server.say(proposed, server.people["mallory"], "voted 10")
    forged |= {key: written[key] for key in ("properties", "identities")}
    forged["publishedDate"] = proposed.later()
    assert ask("pull", url, 1).approvals == (approval,)
    proposed.voted(ada, 10)
    (approval,) = ask("pull", url, 1).approvals
    assert approval.sha == ask("pull", url, 1).head_sha


def test_the_head_of_a_stranger_is_told_as_one(server, shop, url, ask):
    """A pull request of another repository is a fork's, with its commit among the heads."""
    fork = server.add("mallory", "shop")
    evil = fork.commit("Evil")
    fork.point({"refs/heads/evil": evil})
    server.propose(shop, "evil", "mallory", source=fork)
    found = ask("pull", url, 1)
    assert (found.fork, found.head_sha) == (True, evil)
    assert ask("heads", url)["refs/pull/1/head"] == evil


def test_a_pull_request_that_was_not_tried_yet_has_the_head_of_its_branch(
    server, shop, url, ask, proposed
):
    """Just opened, it names no commit: its branch does; a stranger's has to wait."""
    proposed.tested = False
    head = shop.refs()["refs/heads/one"][0]
    assert ask("pull", url, 1).head_sha == head
    assert ask("heads", url)["refs/pull/1/head"] == head
    proposed.source = server.add("mallory", "shop")
    proposed.source.point({"refs/heads/one": proposed.source.commit("x")})
    assert "refs/pull/1/head" not in ask("heads", url)
    with pytest.raises(Transient):
        ask("pull", url, 1)


@pytest.mark.parametrize(
    "case",
    [
        ((Acl({"ada": (CONTRIBUTE, 0)}), None), Permission.WRITE),
        ((Acl({"team": (READ, 0)}), None), Permission.READ),
        ((Acl({"team": (ADMINISTER, 0)}), None), Permission.ADMIN),
        ((Acl({"ada": (READ | CONTRIBUTE, 0), "team": (0, CONTRIBUTE)}), None), Permission.READ),
        ((Acl({"ada": (CONTRIBUTE, 0)}), Acl({"ada": (READ, CONTRIBUTE)})), Permission.READ),
        ((Acl({"ada": (0, CONTRIBUTE)}), Acl({"ada": (CONTRIBUTE, 0)})), Permission.WRITE),
        ((Acl({"ada": (CONTRIBUTE, 0)}), Acl({}, inherit=False)), Permission.NONE),
        ((Acl({"mallory": (CONTRIBUTE, 0)}), None), Permission.NONE),
        ((None, None), Permission.NONE),
    ],
)
def test_rights_come_from_lists_of_the_person_and_their_groups(server, shop, url, ask, case):
    """What is nearer wins for each, a denial wins between them, and an interruption cuts off."""
    listed, expected = case
    tokens = (shop.token.rpartition("/")[0], shop.token)
    for token, acl in zip(tokens, listed, strict=True):
        server.acls.pop(token, None)
        if acl:
            named = {server.people[name].descriptor: bits for name, bits in acl.entries.items()}
            server.acls[token] = Acl(named, acl.inherit)
    assert ask("permission", url, server.people["ada"].id) is expected


def test_who_has_many_groups_is_asked_for_in_parts(server, url, ask):
    """However many groups somebody is in, the one that counts is found."""
    ada = server.people["ada"]
    ada.groups[:0] = [Person(f"group {at}").descriptor for at in range(60)]
    assert ask("permission", url, ada.id) is Permission.WRITE


def test_who_left_may_do_nothing(server, url, ask):
    """An identity that is not active keeps no right, whatever the lists say."""
    server.people["ada"].active = False
    assert ask("permission", url, server.people["ada"].id) is Permission.NONE


@pytest.mark.parametrize("scope", ["identity", "security"])
def test_the_scope_that_lacks_is_named(server, url, ask, scope):
    """A token that may not look at identities or at lists is told to whoever can mend it."""
    server.tokens[TOKEN] = ("windlass", EVERY - {scope})
    with pytest.raises(NotAllowed) as caught:
        ask("permission", url, server.people["ada"].id)
    assert "Identity (Read) and Security (Manage)" in caught.value.hint


def test_garbage_is_nobody_without_a_question(server, url, ask):
    """What is no id of an identity is asked of no one."""
    for nobody in ("", "ada", "00067FFED5C7AF52@Live.com", "a,b", server.people["ada"].id + ","):
        assert ask("permission", url, nobody) is Permission.NONE
    assert server.calls == []


def test_a_repository_without_a_branch_is_said_to_be_so(server, shop, url, ask):
    """There is no default branch before the first push, and that is a person's to mend."""
    shop.point({"refs/heads/main": ""})
    with pytest.raises(UserError, match="no default branch"):
        ask("default_branch", url)
    assert ask("heads", url) == {}


def test_the_token_is_the_password_of_git(url, ask):
    """Under any name; without a token there is nothing to sign in with."""
    login = ask("credential", url)
    assert login.password == TOKEN
    assert ask("credential", url, tokens=lambda _url: None) is None


@pytest.mark.parametrize("status", [401, 403, 400, 500])
def test_the_token_is_in_no_error(server, url, ask, status):
    """However the forge words a refusal, what it repeats of the token is masked."""
    server.faults.append(Reply(status, {"message": f"no: {TOKEN}"}))
    with pytest.raises(Exception, match=str(status)) as caught:
        ask("default_branch", url)
    assert TOKEN not in str(caught.value)


def test_a_page_to_sign_in_is_a_refusal(server, url, ask):
    """A wrong token is answered with a page and a status of success; we are not taken in."""
    server.faults.append(Reply(203, b"<html>Sign in</html>", {"content-type": "text/html"}))
    with pytest.raises(NotAllowed, match="sign in") as caught:
        ask("default_branch", url)
    assert "windlass repo token" in caught.value.hint


def test_a_wrong_token_is_named(server, url, ask):
    """It is refused as such, and the hint says what to do."""
    with pytest.raises(NotAllowed) as caught:
        ask("heads", url, tokens=lambda _url: "another-token")
    assert "windlass repo token" in caught.value.hint
    with pytest.raises(NotAllowed) as caught:
        ask("check", url, HOOK, tokens=lambda _url: None)
    assert f"windlass repo token {url}" in caught.value.hint


@pytest.mark.parametrize("body", [b"[]", b'{"value": {}}', b"7", b'{"value": [7]}'])
def test_another_shape_is_an_error_of_ours(server, url, ask, body):
    """Lists that are none, and objects that are none, end a question and harm nothing."""
    server.faults.append(Reply(200, body))
    with pytest.raises(Permanent):
        ask("heads", url)


def test_a_pause_is_kept(server, url, ask):
    """Azure DevOps delays who asks too much, and says for how long."""
    server.faults.append(Reply(429, {"message": "TF400733"}, {"retry-after": "23"}))
    with pytest.raises(Transient) as caught:
        ask("heads", url)
    assert caught.value.retry_after == 23.0


def test_what_is_not_there_is_named_with_its_address(server, url, ask):
    """The repository, and the pull request, by what a person calls them."""
    with pytest.raises(NotFound, match=f"{url}x"):
        ask("heads", f"{url}x")
    with pytest.raises(NotFound, match="pull request 7"):
        ask("pull", url, 7)
