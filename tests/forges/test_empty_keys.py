"""A webhook secret that decodes to nothing is no key that anybody has."""

from __future__ import annotations

import pytest

from windlass.forges.plain.program.signing import key


@pytest.mark.parametrize("secret", [b"whsec_", b"whsec_!!!!", b"whsec_===="])
def test_a_secret_never_becomes_an_empty_key(secret):
    """It stands for itself then, so that a signature made with nothing is refused."""
    assert key(secret) == secret
