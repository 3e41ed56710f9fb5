"""Every vault, real or fake, keeps the contract."""

from __future__ import annotations

import pytest

from windlass.testing.contracts.vault import VaultContract
from windlass.testing.fakes.vault import FakeVault
from windlass.vaults.env import EnvVault
from windlass.vaults.local import Keys, LocalVault


class Rows(dict):
    """A store of sealed values."""

    def load(self, name, scope):
        return self.get((scope, name))

    def save(self, name, scope, sealed):
        self[scope, name] = sealed


class TestLocal(VaultContract):
    @pytest.fixture
    def vault(self, tmp_path):
        return LocalVault(Rows(), Keys.open(tmp_path / "secret.key"))

    @pytest.fixture
    def put(self, vault):
        return vault.put


class TestEnv(VaultContract):
    @pytest.fixture
    def environ(self):
        return {}

    @pytest.fixture
    def vault(self, environ):
        return EnvVault(environ)

    @pytest.fixture
    def put(self, environ):
        def put(name, scope, value):
            variable = "WINDLASS_SECRET_" + name.upper().replace("-", "_")
            environ.update({variable: value.decode(), f"{variable}_FOR": f"acme/other {scope}"})

        return put


class TestFake(VaultContract):
    @pytest.fixture
    def vault(self):
        return FakeVault()

    @pytest.fixture
    def put(self, vault):
        return vault.put
