"""
What a listener that missed almost was, word for word (tests/golden/explain/near-NAME.txt).

Each is one listener, one event, and the answer as it is said without a server.
"""

from __future__ import annotations

import pytest
from explaining import GOLDEN, NEAR, check, listener

from windlass.cli.local.judging import judge
from windlass.ports.forge import Request


@pytest.mark.parametrize("case", NEAR)
def test_what_was_nearest_is_said_as_reviewed(case):
    """WINDLASS_ACCEPT=1 writes what is to be reviewed."""
    written, event = NEAR[case]
    judged = judge(listener(case), event, Request(headers={}, body=b"{}", at=0.0), None)
    check(f"near-{case}", f"one: {written}\n\n" + "\n".join(judged.lines) + "\n")


def test_no_answer_is_left_of_a_case_that_is_gone():
    """Every reviewed text is still asked for."""
    there = {path.stem.removeprefix("near-") for path in GOLDEN.glob("near-*.txt")}
    assert there == set(NEAR)
