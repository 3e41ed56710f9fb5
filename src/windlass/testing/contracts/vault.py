"""
What every vault does.

Subclass `VaultContract` and give it the fixtures `vault` and `put`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from windlass.ports.target import Vault

Put = Callable[[str, str, bytes], None]

VALUES = (
    b"hunter2",
    b" two words ",
    "gr\u00fc\u00df dich \u2603".encode(),
    b"-----BEGIN\nx\ny\n-----END",
    b"=",
)


class VaultContract:
    """Promises of the port `Vault`."""

    @pytest.fixture
    def vault(self) -> Vault:
        """The vault under test, empty."""
        raise NotImplementedError

    @pytest.fixture
    def put(self) -> Put:
        """Put a value into it: `put(name, scope, value)`."""
        raise NotImplementedError

    @pytest.mark.parametrize("value", VALUES)
    def test_what_was_put_is_got(self, vault: Vault, put: Put, value: bytes) -> None:
        """Every byte of it, and no more."""
        put("npm-token", "acme/shop", value)
        assert vault.get("npm-token", "acme/shop") == value

    def test_what_is_not_there_is_none(self, vault: Vault) -> None:
        """A secret that nobody set is None and no error."""
        assert vault.get("npm-token", "acme/shop") is None

    @pytest.mark.parametrize("scope", ["acme/web", "acme", "acme/shop/", "", "Acme/Shop", "*"])
    def test_another_repository_gets_nothing(self, vault: Vault, put: Put, scope: str) -> None:
        """A secret belongs to its repository."""
        put("npm-token", "acme/shop", b"hunter2")
        assert vault.get("npm-token", scope) is None

    @pytest.mark.parametrize(
        "name", ["npm", "npm-token2", "", "../npm-token", "npm-token\0", "\u2603"]
    )
    def test_another_name_gets_nothing(self, vault: Vault, put: Put, name: str) -> None:
        """A name is the whole name, whatever letters it has."""
        put("npm-token", "acme/shop", b"hunter2")
        assert vault.get(name, "acme/shop") is None

    def test_a_secret_prints_as_stars(self, vault: Vault, put: Put) -> None:
        """Neither the value nor the vault shows it by accident."""
        put("npm-token", "acme/shop", b"hunter2")
        value: object = vault.get("npm-token", "acme/shop")
        for shown in (str(value), repr(value), f"{value}", f"{[value]}", repr(vault)):
            assert "hunter2" not in shown
        assert f"{value}" == "***"
