"""Tokens, sessions and one-time links."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.testing.sample.web import CAROLS, TOKEN
from windlass.web.auth import TRIES_PER_MINUTE, Keys
from windlass.web.guard import safe_next


def test_a_shared_token_takes_the_name_that_is_given():
    """And is `operator` when none, or none that can be one, is."""
    keys = Keys({"operator": TOKEN})
    assert keys.who(TOKEN, "alice").name == "alice"
    assert keys.who(TOKEN).name == "operator"
    assert keys.who(TOKEN, "a\nb").name == "operator"


def test_a_persons_own_token_is_that_person():
    """Whatever name is claimed."""
    assert Keys({"operator": TOKEN, "carol": CAROLS}).who(CAROLS, "alice").name == "carol"


@given(st.text())
def test_no_other_text_is_a_token(text):
    """Not the empty one, not one beyond ASCII, not a beginning."""
    if text != TOKEN:
        assert Keys({"operator": TOKEN, "nobody": ""}).who(text) is None


@given(st.text())
def test_no_made_up_cookie_is_a_session(text):
    """A cookie is ours only by its signature."""
    assert Keys({"operator": TOKEN}).session(text) is None


def test_a_new_token_ends_every_session():
    """The key of the signatures is made from the tokens."""
    cookie = Keys({"operator": TOKEN}).cookie("alice")
    assert Keys({"operator": TOKEN}).session(cookie).name == "alice"
    assert Keys({"operator": TOKEN + "x"}).session(cookie) is None


def test_an_ended_session_does_not_come_back():
    """Signing out is final, also for whoever copied the cookie."""
    keys = Keys({"operator": TOKEN})
    cookie = keys.cookie("alice")
    keys.end(keys.session(cookie))
    assert keys.session(cookie) is None


def test_a_link_signs_in_once():
    """The second click finds it used; a cookie is no invitation, nor the other way round."""
    keys = Keys({"operator": TOKEN})
    code = keys.invite()
    assert keys.session(code) is None
    assert keys.redeem(keys.cookie("alice")) == ""
    assert keys.redeem(code) == "operator"
    assert keys.redeem(code) == ""


def test_a_form_fits_only_its_own_session():
    """The token of a form is bound to the session."""
    keys = Keys({"operator": TOKEN})
    one, other = (keys.session(keys.cookie("alice")) for _ in range(2))
    assert keys.csrf_fits(one, one.csrf)
    assert not keys.csrf_fits(one, other.csrf)
    assert not keys.csrf_fits(one, "")
    assert not keys.csrf_fits(keys.who(TOKEN), "")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(web):
    """HttpOnly, SameSite=Lax; over https Secure and bound to the host."""
    headers = {"Origin": "http://testserver"}
    answer = web.client.post(
        "/login", data={"token": TOKEN}, headers=headers, follow_redirects=False
    )
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=lax" in said
    assert TOKEN not in said


def test_a_wrong_token_is_told_and_nothing_else(web):
    """The same answer for every wrong one, and no cookie."""
    answer = web.send("/login", token="wrong")
    assert answer.status_code == 401
    assert "not valid" in answer.text
    assert "set-cookie" not in answer.headers


def test_guessing_is_slowed_down(web):
    """After many wrong tokens within a minute there is a pause, for right ones too."""
    for _ in range(TRIES_PER_MINUTE):
        web.send("/login", token="wrong")
    assert web.send("/login", token=TOKEN).status_code == 429
    web.sample.parts.clock.at += 61
    assert web.send("/login", token=TOKEN).status_code == 303


def test_a_link_needs_a_click(web):
    """A preview that fetches the link uses nothing up."""
    code = web.sample.parts.keys.invite()
    for _ in range(2):
        assert "signs you in once" in web.client.get(f"/login?code={code}").text
    assert web.send("/login", code=code, name="bob").status_code == 303
    assert "bob" in web.client.get("/").text


def test_signing_out_ends_it(web):
    """The page is a stranger's again."""
    csrf = web.sign_in()
    assert web.send("/logout", csrf=csrf).status_code == 303
    assert "Sign in" in web.client.get("/").text


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/a\r\nb", "/x\\y"],
)
def test_signing_in_leads_to_no_other_site(target):
    """What could lead elsewhere leads to the overview."""
    assert safe_next(target) == "/"


def test_signing_in_leads_back_to_the_page():
    """With its query."""
    assert safe_next("/runs/3?job=ci/test#L3") == "/runs/3?job=ci/test#L3"
