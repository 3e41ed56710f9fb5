"""How the output of a program becomes lines of a log."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from windlass.executors.runner.lines import LONGEST, Lines


def logged(*pieces: bytes, flush: bool = True) -> list[str]:
    """The texts of the lines that these pieces become."""
    lines = Lines(3, "o")
    out = b"".join(lines.feed(piece, 17) for piece in pieces)
    out += lines.flush(17) if flush else b""
    rows = out.decode().split("\n")
    assert rows.pop() == ""
    assert all(row.startswith("17 3 o ") for row in rows)
    return [row.removeprefix("17 3 o ") for row in rows]


@given(st.lists(st.text("ab é\u2028", max_size=9), max_size=9), st.data())
def test_lines_are_the_same_however_they_come(lines, data):
    """In any pieces, even ones that cut a character in two."""
    raw = "".join(line + "\n" for line in lines).encode()
    places = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=6)))
    pieces = [raw[a:b] for a, b in zip([0, *places], [*places, len(raw)], strict=True)]
    assert logged(*pieces, flush=False) == lines


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_become_text(pieces):
    """Each line has its head, is UTF-8, and has no control that would break a line."""
    for row in logged(*pieces):
        assert not {"\0", "\r", "\n"} & set(row)


def test_invalid_bytes_are_replaced():
    """And the rest of the line stays."""
    assert logged(b"a\xffb\xe2\x82\n") == ["a\ufffdb\ufffd"]


def test_a_progress_bar_leaves_what_it_showed_last():
    """As on a terminal; Windows line ends are line ends."""
    assert logged(b"10%\r20%", b"\r30%\r", b"\ndone\r\n") == ["30%", "done"]


def test_an_unfinished_line_is_shown_once():
    """Its end, when it comes at last, adds no empty line."""
    lines = Lines(0, "e")
    assert lines.feed(b"Password: ", 1) == b""
    assert lines.pending
    assert lines.flush(2) == b"2 0 e Password: \n"
    assert lines.feed(b"\nnext\n", 3) == b"3 0 e next\n"


def test_a_hundred_megabytes_without_a_line_break_are_cut():
    """Into pieces between characters, with nothing lost and little kept in memory."""
    lines = Lines(0, "o")
    piece = "é".encode() * (1 << 19)
    sizes = []
    for _ in range(100):
        rows = lines.feed(piece, 1).splitlines()
        assert max(map(len, rows)) <= LONGEST + 10
        sizes.append(sum(len(row.removeprefix(b"1 0 o ").decode()) for row in rows))
    rest = lines.flush(1).removeprefix(b"1 0 o ").rstrip(b"\n").decode()
    assert sum(sizes) + len(rest) == 100 << 19
    assert lines.cut


def test_a_long_line_among_short_ones_is_cut():
    """The others are not."""
    rows = logged(b"a\n" + b"x" * (2 * LONGEST + 5) + b"\nb\n")
    assert [len(row) for row in rows] == [1, LONGEST, LONGEST, 5, 1]
