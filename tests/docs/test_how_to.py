"""The how-to pages: what they tell to type does what they say."""

from __future__ import annotations

import configparser

from typist import DOCS, Reader, at_a_server

from windlass.cli.local.up import up

# What the pages assume: a connected repository, a clone of it, and a first deployment.
GROUND = """
mkdir -p "$HOME/ground" && cd "$HOME/ground"
git init --quiet --bare --initial-branch=main shop.git
git clone --quiet shop.git shop && cd shop
git symbolic-ref HEAD refs/heads/main
mkdir .windlass
cat > .windlass/shop.yaml <<END
listeners:
  push-to-dev:
    on: push
    branches: [main, "FB*"]
    do:
      - {build: shop, environment: dev}
      - {deploy: shop, environment: dev}
services:
  shop: {build: {steps: [{run: mkdir dist && cp page.txt dist/}], artifacts: [dist/]}}
environments:
  dev: {target: {directory: {path: $HOME/ground/dev}}}
END
echo "Hello." > page.txt
git add --all && git commit --quiet -m "Say hello"
windlass repo add "$HOME/ground/shop.git"
git push --quiet origin main
"""


def on_ground(reader: Reader) -> Reader:
    """The reader, with what the pages assume; its first deployment has come through."""
    code, said, reader.folder = reader.type(GROUND)
    assert code == 0, said
    reader.ask("windlass runs list", "…\n1 … succeeded …\n")
    return reader


def test_write_listeners(tmp_path):
    """A listener is added, matches, misses, and is explained."""
    with at_a_server(tmp_path) as reader:
        on_ground(reader).read(DOCS / "how-to/write-listeners.md")


def test_try_before_you_merge(tmp_path):
    """A recorded webhook is judged, tests are kept, and what has happened is judged anew."""
    with at_a_server(tmp_path) as reader:
        on_ground(reader).read(DOCS / "how-to/try-before-you-merge.md")


def test_protect_production(tmp_path):
    """The rules hold, each says why, and a person lets it in."""
    with at_a_server(tmp_path) as reader:
        on_ground(reader).read(DOCS / "how-to/protect-production.md")


def test_roll_back(tmp_path):
    """Back, pinned, let go, and told in Git."""
    with at_a_server(tmp_path) as reader:
        on_ground(reader).read(DOCS / "how-to/roll-back.md")


def test_replay_and_inspect(tmp_path):
    """An event is replayed with and without its deployment, looked at, kept and compared."""
    with at_a_server(tmp_path) as reader:
        on_ground(reader).read(DOCS / "how-to/replay-and-inspect.md")


def test_connect_plain_git(tmp_path):
    """Connected, checked, pushed to, a pull request, and disconnected again."""
    with at_a_server(tmp_path) as reader:
        reader.read(DOCS / "how-to/connect-plain-git.md")


def test_troubleshoot(tmp_path):
    """The questions that the page asks have answers."""
    with at_a_server(tmp_path) as reader:
        on_ground(reader).read(DOCS / "how-to/troubleshoot.md")


def test_a_backup_is_a_server_again(tmp_path):
    """What the page copies, put into an empty folder, starts and knows what was."""
    home, restored = tmp_path / "home", tmp_path / "restored"
    home.mkdir()
    data = home / ".local/share/windlass"
    page = (DOCS / "how-to/run-as-a-service.md").read_text(encoding="utf-8")
    told = tmp_path / "page.md"
    told.write_text(page.replace("/var/lib/windlass", str(data)), encoding="utf-8")
    with at_a_server(home) as reader:
        on_ground(reader).read(told)
        before = reader.type("windlass events list --json")[1]
    (home / "backup").rename(restored)
    with at_a_server(home, WINDLASS_DATA=str(restored)) as reader:
        assert before.count('"number"') == 2
        assert reader.type("windlass events list --json")[1] == before


def test_the_unit_leaves_jobs_alone_and_starts_what_is_there():
    """`KillMode=process`, and a command that the program has."""
    page = (DOCS / "how-to/run-as-a-service.md").read_text(encoding="utf-8")
    text = page.partition("```ini\n")[2].partition("```")[0]
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str
    unit.read_string(text)
    assert unit["Service"]["KillMode"] == "process"
    assert "PrivateTmp" not in unit["Service"]
    command = unit["Service"]["ExecStart"].split()
    assert command[0].endswith("/windlass")
    assert command[1] == "up"
    assert {option for each in up.params for option in each.opts} >= {command[2]}


def test_connect_generic(tmp_path):
    """A post that is signed as the page says is taken, and the listener of the page matches."""
    with at_a_server(tmp_path) as reader:
        reader.read(DOCS / "how-to/connect-generic.md")
