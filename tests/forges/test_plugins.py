"""Code hosts that other packages bring."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from windlass.core.errors import UserError
from windlass.engine.world import Forge
from windlass.settings import Host, read
from windlass.testing.fakes.forge import FakeForge
from windlass.wiring import forges as wired
from windlass.wiring.dialects import DIALECTS


def make(_http, _tokens, _clock):
    """What a package's function returns."""
    fake = FakeForge()
    return Forge(dialect=DIALECTS["generic"], webhooks=fake, reports=fake, source=fake)


def fail(_http, _tokens, _clock):
    """A package that needs something that is not there."""
    raise RuntimeError("no licence")


def other(_http, _tokens, _clock):
    """A package that misunderstood."""
    return "a forge"


@pytest.fixture
def known(tmp_path, monkeypatch):
    """The forges of a server on which one package names a function of this module."""

    def load(name, function):
        entry = EntryPoint(name, f"{__name__}:{function.__name__}", wired.GROUP)
        monkeypatch.setattr(EntryPoint, "load", lambda _self: function)
        monkeypatch.setattr(wired, "entry_points", lambda group: [entry])
        host = Host(home=tmp_path, folder=tmp_path, cores=1, python=Path("/usr/bin/python3"))
        return wired.forges(read({}, {}, host), None, None, None)

    return load


def test_a_package_brings_a_code_host(known):
    """It stands beside ours, by its name."""
    found = known("mine", make)
    assert isinstance(found["mine"], Forge)
    assert "github" in found


@pytest.mark.parametrize(("name", "function"), [("github", make), ("mine", fail), ("mine", other)])
def test_a_package_that_takes_a_name_of_ours_stops_the_start(known, name, function):
    """So does one that cannot be loaded, or makes something else; the text names it."""
    with pytest.raises(UserError, match=f"{function.__name__}"):
        known(name, function)
