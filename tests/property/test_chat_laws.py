"""Laws of commands in comments, over texts of every shape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core.chat import (
    LONGEST_LINE,
    MOST,
    SHAPES,
    Command,
    Mistake,
    Verb,
    names,
    parse,
)
from windlass.engine.comment import Standing, compose
from windlass.ports.records import ChatCommand

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=9)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def lines(draw):
    """A well-formed command as a line, and what it means."""
    verb = draw(st.sampled_from(list(Verb)))
    shape = SHAPES[verb]
    words = draw(st.lists(WORDS, min_size=shape.fewest, max_size=shape.most))
    if shape.values:
        words = [word.replace("=", "-") for word in words]
        keys = st.lists(WORDS.filter(lambda word: "=" not in word), unique=True, max_size=3)
        words += [
            f"{key}={draw(WORDS)}" for key in (draw(keys) if len(words) == shape.most else [])
        ]
    return " ".join([f"/{verb}", *words]), verb, tuple(words)


# Pieces of Markdown that open, close and confuse.
MARKS = ["```", "~~~", "````", "> ", "<!--", "-->", "", "    ", "\t"]
PIECES = st.sampled_from([*MARKS, "/test", "/deploy dev", "text", "/a/b"]) | st.text(max_size=12)


@given(st.text() | st.lists(PIECES).map("\n".join))
def test_any_text_is_read_and_little_comes_of_it(body):
    """No text is too strange, and none makes more than so many commands, each of one line."""
    found = parse(body)
    assert len(found) <= MOST + 1
    for one in found:
        assert len(one.text) <= LONGEST_LINE
        assert len(one.text.splitlines()) >= 1
        assert one.text.startswith("/")
        if isinstance(one, Command):
            shape = SHAPES[one.verb]
            assert shape.fewest <= len(one.arguments) - len(one.values) <= shape.most


@given(st.lists(lines(), max_size=MOST), ENDS)
def test_commands_come_in_their_order_whatever_ends_a_line(written, end):
    """What was written is what is read, whether the comment was typed on Windows or not."""
    found = parse(end.join(line for line, _, _ in written))
    assert [(one.verb, one.arguments) for one in found] == [
        (verb, words) for _, verb, words in written
    ]
    for one in found:
        given = one.arguments[SHAPES[one.verb].most :]
        assert tuple(f"{key}={value}" for key, value in one.values.items()) == given


@given(lines(), st.sampled_from(["```{}```", "> {}", "    {}", "\t{}", "<!-- {} -->", "so {}"]))
def test_what_does_not_begin_a_spoken_line_commands_nothing(written, form):
    """Inline code, a quote, an indented line, something hidden, the middle of a sentence."""
    assert parse(form.format(written[0])) == ()


BEFORE = st.sampled_from(["", "text", "> quoted", "`code`", "~~no~~", "/usr/bin"])


@given(BEFORE, st.sampled_from(["`", "~"]), st.integers(3, 6), st.text(max_size=60))
def test_nothing_in_a_fence_commands(before, mark, length, inside):
    """Whatever stands around, only a line that closes the fence ends it."""
    fence = mark * length
    other = "~" if mark == "`" else "`"
    body = inside.replace(mark, other)
    assert parse(f"{before}\n{fence}sh\n/test\n{body}\n/deploy production\n{fence}\n") == ()


@given(lines())
def test_after_a_fence_a_quote_and_what_was_hidden_people_speak_again(written):
    """A fence is closed by as many marks, a quote by an empty line."""
    line, verb, words = written
    body = f"````\n/test\n```\n````\n> /cancel\n/cancel\n\n<!--\n/cancel\n-->\n{line}"
    assert parse(body) == (Command(verb, words, line),)


@given(st.lists(lines(), min_size=MOST + 1, max_size=2 * MOST))
def test_too_many_commands_are_cut_and_that_is_said(written):
    """The first ones count, and one mistake stands for the rest."""
    found = parse("\n".join(line for line, _, _ in written))
    assert len(found) == MOST + 1
    assert isinstance(found[-1], Mistake)


OTHERS = ["/usr/bin", "/lgtm", "/close", "/label bug", "/", "//test", "/test/x"]


@pytest.mark.parametrize("line", OTHERS)
def test_other_slashes_are_left_alone(line):
    """Paths, and commands that are for another program."""
    assert parse(line) == ()


NEARLY = ["/retests", "/depoly dev", "/tset", "/ok-to-tests", "/approved", "/hlep"]


@pytest.mark.parametrize("line", NEARLY)
def test_what_is_nearly_ours_is_answered_once(line):
    """Once in a comment, however often it is written."""
    (found,) = parse(f"{line}\n{line}\n/rollbcak dev")
    assert isinstance(found, Mistake)
    assert "/help" in found.reason


WRONG = ["/deploy", "/deploy a b c", "/approve", "/retest now", "/test a b"]
WRONG += ["/test a=b", "/test a b=1 c", "/test a b=1 b=2", "/test a b=1 c d=2", "/deploy a b c=d"]


@pytest.mark.parametrize("line", WRONG)
def test_a_command_with_too_few_or_too_many_words_says_how_it_is_written(line):
    """And does nothing."""
    (found,) = parse(line)
    assert isinstance(found, Mistake)
    assert found.reason.startswith("it is written /")


@given(st.text("0123456789abcdef", min_size=40, max_size=40), st.integers(0, 40))
def test_a_commit_is_named_by_seven_digits_or_more(head, length):
    """Fewer are met by chance; others name another commit."""
    assert names(head[:length].upper(), head) == (length >= 7)
    other = ("0" if head[0] != "0" else "1") + head[1:]
    assert not names(other, head)


@given(st.text(), st.text(), st.text(), st.sampled_from(["done", "refused"]))
def test_our_own_comment_commands_nothing_and_mentions_nobody(by, text, outcome, state):
    """Also without its marker: no line of it begins with what somebody wrote."""
    said = ChatCommand(
        event=1,
        position=0,
        repository="shop",
        pull_request=7,
        by=by,
        by_id="1",
        text=text,
        state=state,
        outcome=outcome,
        path="",
        at=0.0,
    )
    body = compose(Standing(said=(said,)), None, "https://windlass.example")
    assert parse(body) == ()
    rows = [line for line in body.split("\n") if line.startswith("| ") and "---" not in line]
    assert len(rows) == 2
    assert not any(f"@{letter}" in body for letter in "abcxyzABC019_")
