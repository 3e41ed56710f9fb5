"""The server's own secrets are nobody else's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from windlass.core.errors import UserError
from windlass.core.pipeline import Secret
from windlass.engine.orders import _secrets
from windlass.vaults.env import EnvVault

ENVIRON = {"WINDLASS_SECRET_WEBHOOK": "w", "WINDLASS_SECRET_WEBHOOK_FOR": "*"} | {
    "WINDLASS_SECRET_NPM": "n",
    "WINDLASS_SECRET_NPM_FOR": "acme/shop",
}
ABOUT = SimpleNamespace(repository=SimpleNamespace(name="acme/shop"))


@pytest.mark.parametrize("name", ["webhook", "WebHook", "webhook-previous", "webhook_previous"])
def test_no_job_reads_what_signs_webhooks(name):
    """Who could read it could forge a review, however the name is written."""
    with pytest.raises(UserError, match="the server's own secret"):
        _secrets({"X": Secret(name)}, ABOUT, EnvVault(ENVIRON))


def test_any_other_secret_of_the_repository_is_read():
    """The guard is about our names alone."""
    assert _secrets({"X": Secret("npm")}, ABOUT, EnvVault(ENVIRON)) == {"X": "n"}
