"""Which addresses are of a repository on GitHub."""

from __future__ import annotations

import pytest

from windlass.core.errors import (
    UserError,
)
from windlass.forges.github.place import place


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
