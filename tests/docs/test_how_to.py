"""The how-to pages: what they tell to type does what they say."""

from __future__ import annotations

from typist import DOCS, Reader, at_a_server

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
    """The reader, with what the pages assume."""
    code, said, reader.folder = reader.type(GROUND)
    assert code == 0, said
    return reader


def test_write_listeners(tmp_path):
    """A listener is added, matches, misses, and is explained."""
    with at_a_server(tmp_path) as reader:
        on_ground(reader).read(DOCS / "how-to/write-listeners.md")


def test_protect_production(tmp_path):
    """The rules hold, each says why, and a person lets it in."""
    with at_a_server(tmp_path) as reader:
        on_ground(reader).read(DOCS / "how-to/protect-production.md")


def test_roll_back(tmp_path):
    """Back, pinned, let go, and told in Git."""
    with at_a_server(tmp_path) as reader:
        on_ground(reader).read(DOCS / "how-to/roll-back.md")
