# `just` shows this list; it comes with the environment of ./check, as .venv-check/bin/just.

environment := env("WINDLASS_ENVIRONMENT", ".venv-check")
bin := environment / "bin"

[private]
default:
    @just --list --unsorted

# Everything that has to pass before a change goes in.
check: style types imports test

# Bring the text into its form, and mend what can be mended.
fmt:
    {{ bin }}/ruff format .
    {{ bin }}/ruff check --fix .

# Form and lint, changing nothing.
style:
    {{ bin }}/ruff format --check .
    {{ bin }}/ruff check .

# Types, strictly.
types:
    {{ bin }}/mypy

# Who may import whom.
imports:
    {{ bin }}/lint-imports --no-logo

# The tests, all or those named: just test tests/core -x
test *words:
    ./check {{ words }}

# So many strange bodies for every reader of webhooks: what runs at night. An hour on two cores.
fuzz bodies="1000000":
    WINDLASS_FUZZ={{ bodies }} {{ bin }}/python -m pytest -o timeout=0 -n logical tests/contract -k s11_a_strange

# Figures for this machine, of one program in bench/: just bench verdicts
bench name *words:
    {{ bin }}/python bench/{{ name }}.py {{ words }}

# The demonstration, with nothing to set up.
demo *words:
    ./try {{ words }}

# Make the locks again: hashes, and no word of where a package comes from.
lock:
    uv pip compile --quiet --upgrade pyproject.toml --output-file requirements.txt
    uv pip compile --quiet --upgrade pyproject.toml --all-extras --group dev --constraints requirements.txt --output-file requirements-dev.txt
    echo pip | uv pip compile --quiet --upgrade - --output-file requirements-pip.txt

# Write the generated pages of the documentation anew.
docs:
    {{ bin }}/python tools/reference.py

# The changelog of the next version, from the fragments in changelog.d.
changelog version:
    {{ bin }}/towncrier build --yes --version {{ version }}
