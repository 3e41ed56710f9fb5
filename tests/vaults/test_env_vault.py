"""Secrets from variables: who may read them, and where they may stand."""

from __future__ import annotations

import pytest

from windlass.core.errors import Permanent
from windlass.vaults.env import EnvVault

TOKEN = "WINDLASS_SECRET_NPM_TOKEN"


def test_without_a_list_of_repositories_nobody_reads_it():
    """A variable alone is given to no one."""
    assert EnvVault({TOKEN: "x"}).get("npm-token", "acme/shop") is None
    assert EnvVault({TOKEN: "x", f"{TOKEN}_FOR": ""}).get("npm-token", "") is None


def test_a_star_gives_it_to_all():
    """Who wants that can say so."""
    assert EnvVault({TOKEN: "x", f"{TOKEN}_FOR": "*"}).get("npm-token", "any/thing") == b"x"


def test_a_file_is_read_without_its_last_line_end(tmp_path):
    """As container platforms mount them; what an editor added does not count."""
    (tmp_path / "token").write_bytes(b"a\nb\r\n")
    vault = EnvVault({f"{TOKEN}_FILE": str(tmp_path / "token"), f"{TOKEN}_FOR": "acme/shop"})
    assert vault.get("npm-token", "acme/shop") == b"a\nb"


@pytest.mark.parametrize("path", ["/nowhere/token", "/", "a\0b"])
def test_a_file_that_cannot_be_read_is_an_error_for_people(path):
    """It names the variable and the path."""
    vault = EnvVault({f"{TOKEN}_FILE": path, f"{TOKEN}_FOR": "*"})
    with pytest.raises(Permanent, match=f"{TOKEN}_FILE"):
        vault.get("npm-token", "acme/shop")


@pytest.mark.parametrize("name", ["npm-token-for", "npm-token-file", "NPM_TOKEN_FILE"])
def test_a_list_or_a_path_is_no_secret(name):
    """Neither can be read as a secret of its own."""
    vault = EnvVault({TOKEN: "x", f"{TOKEN}_FOR": "*", f"{TOKEN}_FOR_FOR": "*"})
    assert vault.get(name, "acme/shop") is None
