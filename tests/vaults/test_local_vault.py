"""Secrets at rest: what is stored, who may read the key, and how keys change."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core.errors import Permanent, UserError
from windlass.vaults.local import Keys, LocalVault, _new_key, _write


class Rows(dict):
    def load(self, name, scope):
        return self.get((scope, name))

    def save(self, name, scope, sealed):
        self[scope, name] = sealed


@pytest.fixture
def keys(tmp_path):
    return Keys.open(tmp_path / "secret.key")


@pytest.fixture
def vault(keys):
    return LocalVault(Rows(), keys)


def test_nothing_plain_is_stored(vault):
    """A dump of the store holds no value, and the same value twice looks different."""
    vault.put("a", "acme/shop", b"hunter2-hunter2")
    first = vault.store.load("a", "acme/shop")
    vault.put("a", "acme/shop", b"hunter2-hunter2")
    assert b"hunter2" not in first
    assert first != vault.store.load("a", "acme/shop")


@pytest.mark.parametrize("to", [("b", "acme/shop"), ("a", "acme/web"), ("/shopa", "acme")])
def test_a_sealed_value_opens_nowhere_else(vault, to):
    """A row that is copied to another name or repository does not open."""
    vault.put("a", "acme/shop", b"hunter2")
    vault.store.save(*to, vault.store.load("a", "acme/shop"))
    with pytest.raises(Permanent, match="was changed"):
        vault.get(*to)


@given(at=st.integers(0, 43), bit=st.integers(0, 7), cut=st.booleans())
def test_a_changed_value_never_opens(at, bit, cut, tmp_path_factory):
    """One changed bit, or a missing end, is an error and never another value."""
    vault = LocalVault(Rows(), Keys.open(tmp_path_factory.mktemp("keys") / "secret.key"))
    vault.put("a", "acme/shop", b"hunter2")
    sealed = bytearray(vault.store.load("a", "acme/shop"))
    at %= len(sealed)
    if cut:
        del sealed[at:]
    else:
        sealed[at] ^= 1 << bit
    vault.store.save("a", "acme/shop", bytes(sealed))
    with pytest.raises(Permanent):
        vault.get("a", "acme/shop")


def test_the_key_file_is_private_and_stays(keys):
    """It is made once, for its owner alone, and opens the same next time."""
    assert keys.path.stat().st_mode & 0o777 == 0o600
    assert Keys.open(keys.path) == keys
    assert [path.name for path in keys.path.parent.iterdir()] == ["secret.key"]


def test_keys_are_not_printed(keys):
    """The object may stand in a log line."""
    secret = keys.path.read_text().split()[1]
    assert secret not in repr(keys)
    assert repr(next(iter(keys.by_id.values()))) not in repr(keys)


def test_a_key_file_that_others_may_read_is_refused(keys):
    """The text says what to type."""
    keys.path.chmod(0o640)
    with pytest.raises(UserError) as refused:
        Keys.open(keys.path)
    assert "chmod 600" in refused.value.hint


@pytest.mark.parametrize("text", ["", "x", "00 00", "0011 AAAA\n", "00112233 AAAA\n", "\udcff"])
def test_what_is_no_key_file_is_refused(keys, text):
    """A spoilt key file is not overwritten with a new key."""
    keys.path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match="no key file"):
        Keys.open(keys.path)


def test_a_folder_that_is_missing_is_an_error_for_people(tmp_path):
    """No traceback, but the path and the reason."""
    with pytest.raises(UserError, match="gone"):
        Keys.open(tmp_path / "gone" / "secret.key")


def test_old_values_open_after_a_rotation_and_can_be_resealed(vault):
    """A new key seals from now on; resealed values no longer need the old one."""
    vault.put("a", "acme/shop", b"hunter2")
    rotated = LocalVault(vault.store, vault.keys.rotate())
    assert rotated.get("a", "acme/shop") == b"hunter2"
    assert rotated.reseal("a", "acme/shop")
    assert not rotated.reseal("a", "acme/shop")
    assert not rotated.reseal("nothing", "acme/shop")
    keys = rotated.keys
    alone = Keys(keys.path, keys.current, {keys.current: keys.by_id[keys.current]})
    assert LocalVault(vault.store, alone).get("a", "acme/shop") == b"hunter2"
    with pytest.raises(Permanent, match="does not hold"):
        vault.get("a", "acme/shop")


def test_the_wrong_key_is_said_to_be_one(vault, tmp_path):
    """A server started with another key file names the secret and the file."""
    vault.put("a", "acme/shop", b"hunter2")
    wrong = LocalVault(vault.store, Keys.open(tmp_path / "other.key"))
    with pytest.raises(Permanent, match=r"a of acme/shop .*other\.key"):
        wrong.get("a", "acme/shop")


def test_a_key_that_is_there_by_now_stays(keys):
    """Who comes second takes the key of who came first, and leaves nothing behind."""
    before = keys.path.read_bytes()
    _write(keys.path, [_new_key()], replace=False)
    assert keys.path.read_bytes() == before
    assert [path.name for path in keys.path.parent.iterdir()] == ["secret.key"]


def test_two_first_starts_make_one_key(tmp_path):
    """Servers that start at the same moment end up with the same key."""
    code = "import sys; from pathlib import Path; from windlass.vaults.local import Keys\n"
    code += "sys.stdin.read(); print(Keys.open(Path(sys.argv[1])).current.hex())"
    words = [sys.executable, "-c", code, tmp_path / "secret.key"]
    started = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)
    ]
    for one in started:
        one.stdin.close()
    said = set()
    for one in started:
        with one:
            said.add(one.stdout.read())
    assert len(said) == 1
    assert len(said.pop()) == 9
