"""Log text as markup: colours, and nothing that acts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.web.pages.ansi import to_html
from windlass.web.pages.sgr import colours_only, strip

COLOURS = (
    ("\x1b[31mx", '<span class="a31">x</span>'),
    ("\x1b[1;31mx\x1b[22my", '<span class="a31 b">x</span><span class="a31">y</span>'),
    ("\x1b[91mx\x1b[39my", '<span class="a91">x</span>y'),
    ("\x1b[41mx\x1b[49my", '<span class="a41">x</span>y'),
    ("\x1b[31;42mx\x1b[32my", '<span class="a31 a42">x</span><span class="a32 a42">y</span>'),
    ("\x1b[38;5;9mx", '<span class="a91">x</span>'),
    ("\x1b[38;5;196mx", '<span class="a91">x</span>'),
    ("\x1b[48;2;0;150;0mx", '<span class="a42">x</span>'),
    ("\x1b[38;2;255;255;255mx", '<span class="a97">x</span>'),
    ("\x1b[mx", "x"),
    ("\x1b[38;5mx", '<span class="a37">x</span>'),
    ("<b>&\"'", "&lt;b&gt;&amp;&#34;&#39;"),
)


@pytest.mark.parametrize(("text", "markup"), COLOURS, ids=range(len(COLOURS)))
def test_colours_become_classes(text, markup):
    """Sixteen colours, of letters and ground; finer ones become the nearest."""
    assert to_html(text) == markup


COMMANDS = (
    "\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07",
    "\x1b]0;title\x1b\\x",
    "\x1b[2Jx",
    "\x1b[10;10Hx",
    "\x1bcx",
    "\x1bP+q\x1b\\x",
    "\u202ex",
    "\x07x",
    "x\x1b]0;never ended",
)


@pytest.mark.parametrize("text", COMMANDS, ids=range(len(COMMANDS)))
def test_nothing_but_colour_gets_through(text):
    """Links, titles, cursor moves, bidirectional overrides: dropped with their text of control."""
    assert to_html(text) == "x"
    assert strip(text) == "x"


@given(st.text(alphabet=st.sampled_from("\x1b[]m0123456789;:x<>&\"'\x07\\PJH\u202e\r")))
def test_any_text_is_inert(text):
    """Whatever comes: our spans with known classes and escaped text, no control."""
    markup = str(to_html(text))
    rest = re.sub(
        r'<span class="(?:[biud]|a\d{2,3})(?: (?:[biud]|a\d{2,3}))*">|</span>', "", markup
    )
    assert "<" not in rest
    assert ">" not in rest
    assert "\x1b" not in markup
    assert "\u202e" not in markup


@given(st.text(alphabet=st.sampled_from("\x1b[]m0123456789;x\x07\\J")))
def test_a_terminal_gets_only_colours(text):
    """And they are ended with the line."""
    kept = colours_only(text)
    assert "\x1b" not in re.sub(r"\x1b\[[0-9;:]*m", "", kept)
    assert "\x1b" not in kept or kept.endswith("\x1b[0m")
