"""The tutorial: a reader who types what stands there sees what stands there."""

from __future__ import annotations

import os

from typist import DOCS, at_a_server, blocks, says

PAGE = DOCS / "tutorial/first-deployment.md"


def test_every_command_of_the_tutorial_does_what_it_says(tmp_path):
    """A reader who types what stands there sees what stands there."""
    with at_a_server(tmp_path) as reader:
        reader.read(PAGE)


def test_an_answer_that_differs_is_noticed():
    """The comparison takes what is meant and nothing else."""
    assert says("a\nb c\nd\n", "a\n…c\n")
    assert not says("a\nb c\nd\n", "d\na\n")
    assert not says("succeeded\n", "failed\n")


def test_the_tutorial_has_what_it_is_about():
    """The blocks are found; a page that lost them would pass for ever."""
    assert len(blocks(PAGE)) > 20
    assert os.linesep.join(one for one, _ in blocks(PAGE)).count("git push") > 4
