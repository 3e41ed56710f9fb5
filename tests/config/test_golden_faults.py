"""The texts of faults, word for word: tests/golden/config/NAME.yaml and NAME.txt."""

from __future__ import annotations

from pathlib import Path

import pytest

from windlass.config.schema import CODES, faults, notes

GOLDEN = Path(__file__).parent.parent / "golden" / "config"
CASES = sorted(GOLDEN.glob("*.yaml"))


def told(files):
    """Every fault and note as a person reads it, with its code."""
    said = (*faults(files), *notes(files))
    return "".join(
        f"{fault.place} {fault.code}\n  {fault.message}\n"
        + (f"  > {fault.hint}\n" if fault.hint else "")
        for fault in said
    )


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_the_texts_of_faults_are_as_reviewed(case):
    """A changed word in a fault is a decision, seen in a review."""
    assert told({case.name: case.read_bytes()}) == case.with_suffix(".txt").read_text()


def test_every_code_of_a_fault_is_listed():
    """No fault carries a code that has no page."""
    for case in CASES:
        files = {case.name: case.read_bytes()}
        for fault in (*faults(files), *notes(files)):
            assert fault.code in CODES
