"""Which webhooks on a forge are ours."""

from __future__ import annotations

import pytest

from windlass.forges.own_hooks import ours
from windlass.ports.forge import Hook


@pytest.mark.parametrize(
    ("address", "mine"),
    [
        ("https://w.example/hooks/7", True),
        ("https://w.example/hooks/8", True),
        ("HTTPS://W.example:443/hooks/8", True),
        ("https://w.example/ci/hooks/7", False),
        ("https://w.example/hooksmith/7", False),
        ("https://w.example/other/hooks/7", False),
        ("https://w.example/", False),
        ("https://w.example.evil.example/hooks/7", False),
        ("https://w.example@evil.example/hooks/7", False),
        ("https://w.example:8443/hooks/7", False),
        ("http://w.example/hooks/7", False),
        ("http://w.example:443/hooks/7", False),
        ("https://w.example:x/hooks/7", False),
        ("https://[", False),
        ("/hooks/7", False),
        ("", False),
    ],
)
def test_ours_lead_to_our_origin_and_below_hooks(address, mine):
    """Scheme, host, port and the beginning of the path count, however they are spelled."""
    assert ours(address, Hook(url="https://w.example/hooks/7", secret=b"x")) is mine


def test_below_a_path_of_its_host_only_that_is_ours():
    """Where our address has a path, another server on the same host has another one."""
    hook = Hook(url="https://w.example/ci/hooks/7", secret=b"x")
    assert ours("https://w.example/ci/hooks/8", hook)
    assert not ours("https://w.example/hooks/8", hook)
    assert not ours("https://w.example/cd/hooks/8", hook)


def test_an_address_without_hooks_has_none():
    """What cannot be an address of ours claims nothing, not even itself."""
    for url in ("https://w.example/", "https://[", ""):
        assert not ours(url, Hook(url=url, secret=b"x"))
