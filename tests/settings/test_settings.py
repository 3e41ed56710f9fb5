"""What the operator sets: which source counts, what is wrong, and what is shown."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core.errors import UserError
from windlass.settings import Address, Host, LogLevel, Settings, describe, read
from windlass.settings import shapes as shape
from windlass.settings.table import TABLE

HOME = Path("/home/ann")


@pytest.fixture
def host(tmp_path):
    """A machine with one core and nothing set."""
    return Host(home=tmp_path / "home", folder=tmp_path, cores=1, python=Path("/usr/bin/python3"))


@pytest.fixture
def file(tmp_path):
    """Write the user's `windlass.toml`."""

    def write(text):
        path = tmp_path / "home/.config/windlass/windlass.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


def faults(host, flags=None, environ=None, **more):
    """The lines of the error."""
    with pytest.raises(UserError) as wrong:
        read(flags or {}, environ or {}, host, **more)
    assert wrong.value.code == "settings"
    return wrong.value.message.splitlines()


def test_without_a_word_everything_has_a_value(host):
    """The defaults are those that the page tells."""
    settings = read({}, {}, host)
    assert settings.data == host.home / ".local/share/windlass"
    assert str(settings.address) == "127.0.0.1:8470"
    assert settings.public_url == "http://127.0.0.1:8470"
    assert settings.state_repository == str(settings.data / "state.git")
    assert (settings.jobs, settings.body_limit) == (2, 25 << 20)
    assert (settings.missed_every, settings.refused_kept) == (900.0, 7 * 86400.0)
    assert settings.api_token_path == settings.data / "api-token"
    assert set(settings.origins.values()) == {"default"}


def test_every_setting_is_in_the_table_and_in_the_object():
    """A setting cannot be known in one place alone."""
    names = {setting.name for setting in TABLE}
    assert names == {field.name for field in fields(Settings)} - {"origins"}


def test_no_name_can_be_taken_for_the_file_of_another():
    """`WINDLASS_X_FILE` is the file of `x` and never a setting of its own."""
    variables = {setting.variable for setting in TABLE}
    assert not variables & {f"{variable}_FILE" for variable in variables}


def test_the_first_source_counts(host, file, tmp_path):
    """Flag, then variable, then file of a variable, then windlass.toml; each tells its origin."""
    path = file('# ours\n\njobs = 3\nlog_level = "error"\n')
    (tmp_path / "jobs").write_text("4\n")
    named = {"WINDLASS_JOBS_FILE": str(tmp_path / "jobs")}
    variable = named | {"WINDLASS_JOBS": "5"}
    steps = [
        ({}, {}, 3, f"{path}:3"),
        ({}, named, 4, f"WINDLASS_JOBS_FILE ({tmp_path}/jobs)"),
        ({}, variable, 5, "WINDLASS_JOBS"),
        ({"jobs": "6"}, variable, 6, "--jobs"),
    ]
    for flags, environ, jobs, origin in steps:
        settings = read(flags, environ, host)
        assert (settings.jobs, settings.origins["jobs"]) == (jobs, origin)
        assert settings.log_level is LogLevel.ERROR


def test_an_empty_variable_does_not_count(host):
    """Containers pass on variables that nobody set."""
    assert read({}, {"WINDLASS_JOBS": "", "WINDLASS_JOBS_FILE": ""}, host).jobs == 2


def test_defaults_follow_what_they_are_made_of(host):
    """Data moves what lies in it; a wildcard address is reached on loopback."""
    settings = read({"data": "/srv/w", "address": "0.0.0.0:80"}, {}, host)
    assert settings.state_repository == "/srv/w/state.git"
    assert settings.public_url == "http://127.0.0.1:80"
    assert read({}, {"XDG_DATA_HOME": "/x"}, host).data == Path("/x/windlass")


def test_every_fault_is_told_at_once(host, file):
    """One line each, with its place, what was found, and what was expected."""
    path = file('adress = "x:1"\njobs = 0\n[log_level]\nx = 1\n')
    lines = faults(host, {"adress": "y"}, {"WINDLASS_BODY_LIMIT": "x"})
    assert lines == [
        "--adress: there is no such setting; did you mean `address`?",
        f"{path}:1: there is no setting 'adress'; did you mean `address`?",
        f"{path}:2: jobs wants a whole number, 1 or more, not '0'",
        f"{path}:3: log_level is neither text nor a whole number",
        "WINDLASS_BODY_LIMIT: body_limit wants a size such as `25 MiB` (B, KiB, MiB, GiB), not 'x'",
    ]


@pytest.mark.parametrize("text", ["jobs = ", "jobs = 1\njobs = 2", "x\0", '"jo\\nbs" = 1'])
def test_a_file_that_is_none_is_an_error_for_people(host, file, text):
    """The line begins with the file."""
    path = file(text)
    assert faults(host)[0].startswith(str(path))


def test_a_file_that_was_named_must_be_there(host, file, tmp_path):
    """A typing error in `--settings` does not start a server with defaults."""
    file("jobs = 3")
    assert "nowhere.toml" in faults(host, file="nowhere.toml")[0]
    assert "other.toml" in faults(host, environ={"WINDLASS_SETTINGS": "other.toml"})[0]
    (tmp_path / "mine.toml").write_text("jobs = 9\ndata = 'w'")
    settings = read({}, {"WINDLASS_SETTINGS": "other.toml"}, host, file="mine.toml")
    assert (settings.jobs, settings.data) == (9, tmp_path / "w")


def test_the_current_folder_configures_nobody(host, tmp_path):
    """A checkout with a windlass.toml in it changes nothing."""
    (tmp_path / "windlass.toml").write_text("jobs = 99")
    assert read({}, {}, host).jobs == 2


def test_a_file_of_a_variable_that_is_not_there_is_told(host):
    """It names the variable and the path."""
    [line] = faults(host, environ={"WINDLASS_JOBS_FILE": "/nowhere/jobs"})
    assert line.startswith("WINDLASS_JOBS_FILE: /nowhere/jobs cannot be read")


def test_without_a_home_folder_the_data_folder_must_be_set(host):
    """No guess is made for a user that has no home."""
    homeless = Host(home=None, folder=host.folder, cores=1, python=host.python)
    assert faults(homeless) == ["data: there is no home folder to keep it in; set WINDLASS_DATA"]
    assert read({"data": "/srv"}, {}, homeless).data == Path("/srv")


# ------------------------------------------------------------ secrets


def test_a_secret_is_never_shown(host, file):
    """Neither in the object, nor in the rows, nor in an error about it."""
    settings = read({}, {"WINDLASS_API_TOKEN": "hunter2"}, host)
    assert settings.api_token == "hunter2"
    row = next(row for row in describe(settings) if row.name == "api_token")
    assert (row.value, row.origin) == ("***", "WINDLASS_API_TOKEN")
    assert "hunter2" not in repr(settings) + repr(describe(settings))
    file('api_token = "hunter2 "')
    assert "hunter2" not in "".join(faults(host))


def test_a_secret_has_no_place_on_the_command_line(host):
    """The text says where it belongs."""
    [line] = faults(host, {"api_token": "hunter2"})
    assert "WINDLASS_API_TOKEN_FILE" in line
    assert "hunter2" not in line


def test_a_secret_in_a_file_for_all_is_refused(host, file):
    """A file that holds a token is for its owner alone."""
    path = file('api_token = "hunter2"')
    assert read({}, {}, host).api_token == "hunter2"
    path.chmod(0o644)
    assert f"chmod 600 {path}" in faults(host)[0]


# ------------------------------------------------------------ shapes


def test_settings_do_not_change(host):
    """The object is frozen."""
    with pytest.raises(FrozenInstanceError):
        read({}, {}, host).jobs = 3


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", Address("127.0.0.1", 80)),
        ("localhost:0", Address("localhost", 0)),
        ("[::1]:8470", Address("::1", 8470)),
    ],
)
def test_an_address_reads_as_it_is_written(text, address):
    """Names, IPv4 and bracketed IPv6."""
    assert shape.ADDRESS.read(text, HOME) == address
    assert shape.ADDRESS.write(address) == text


WRONG = {
    "ADDRESS": [
        "",
        "x",
        ":80",
        "x:",
        "x:65536",
        "::1:80",
        "[x]:1",
        "[:]:1",
        "x:1 ",
        "\u0661:1",
        "x:-1",
    ],
    "URL": [
        "",
        "x",
        "ftp://x",
        "http://",
        "http://a:b@c",
        "http://x?y",
        "http://x#y",
        "http://x:y",
    ],
    "SIZE": ["", "0", "-1", "1 TB", "MiB", "1.5 MiB", "1  MiB", "\u0661"],
    "DURATION": ["", "0s", "5", "1w", "-1s", "1.5h", "s"],
    "PATH": ["", "a\0b"],
    "SECRET": ["a b", "a\n", "\u2603"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in WRONG for text in WRONG[name]])
def test_a_text_that_is_none_is_refused(name, text):
    """Never a guess, always what was expected."""
    with pytest.raises(ValueError, match=r"\w"):
        getattr(shape, name).read(text, HOME)


@given(value=st.integers(1, 10**9 - 1))
def test_sizes_and_durations_come_back(value):
    """What is shown can be set."""
    assert shape.SIZE.read(shape.SIZE.write(value), HOME) == value
    assert shape.DURATION.read(shape.DURATION.write(float(value)), HOME) == value


@given(text=st.text(max_size=30))
def test_whatever_is_set_is_a_value_or_an_error_for_people(text):
    """No text of a setting is a traceback."""
    host = Host(home=HOME, folder=HOME, cores=1, python=HOME)
    for setting in TABLE:
        with suppress(UserError):
            describe(read({setting.name: text}, {"WINDLASS_SETTINGS": "/dev/null"}, host))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("state", "/home/ann/state"),
        ("/srv/state.git", "/srv/state.git"),
        ("https://git.example/state.git", "https://git.example/state.git"),
        ("git@git.example:ops/state.git", "git@git.example:ops/state.git"),
    ],
)
def test_a_repository_is_a_path_or_a_url(text, place):
    """A path becomes absolute; a URL stays as it is."""
    assert shape.PLACE.read(text, HOME) == place
