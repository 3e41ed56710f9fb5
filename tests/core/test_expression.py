"""Expressions: faults stand at their place, missing values are answers, cost is bounded."""

from __future__ import annotations

import pytest

from windlass.core.errors import ConfigError, Place, UserError
from windlass.core.event import Event, Kind
from windlass.core.expression import (
    Failure,
    Program,
    Scope,
    bind,
    compile_condition,
    evaluate,
    expressions,
    parse_template,
    render,
)

HERE = Place("ci.yaml", 7, 11)
PUSH = Event(
    kind=Kind.PUSH, action="pushed", repository="acme/shop", branch="FB1", labels=("hold", "x")
)


def holds(text, **variables):
    """What a listener's condition says about the push, and about these variables."""
    return evaluate(compile_condition(text, HERE), {"event": PUSH, **variables})


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('event.branch == "FB1"', True),
        ('event.kind == "push" && event.action == "pushed"', True),
        ('!("hold" in event.labels)', False),
        ("has(event.number)", False),
        ('payload.pusher.name.startsWith("a")', True),
        ('headers["x-event"] == "push"', True),
        ('files.exists(f, f.endsWith(".md"))', True),
        ('glob(files, ["docs/**", "!**/*.md"])', False),
        ('glob(event.branch, ["FB*"])', True),
        ('repository == "acme/shop"', True),
        ('event.branch.matches("^FB[0-9]+$")', True),
    ],
)
def test_a_condition_sees_the_event_and_what_came_with_it(text, answer):
    """event, payload, headers, repository and files are there for every listener."""
    said = holds(
        text,
        payload={"pusher": {"name": "ann"}},
        headers={"x-event": "push"},
        files=["docs/a.md"],
        repository="acme/shop",
    )
    assert said is answer


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("payload.nothing == 1", "no such key: nothing"),
        ("payload.a.b.c == 1", "no such key: a"),
        ("event.number == 7", "no such key: number"),
        ("1 / 0 == 1", "divide by zero"),
        ("event.branch", "it gives a text, expected true or false"),
        ('files.exists(f, f == "x")', "it takes more than 10000 steps"),
    ],
)
def test_a_value_that_is_not_there_is_an_answer(text, reason):
    """What an event lacks is a reason to be shown, never an error."""
    assert holds(text, files=["a"] * 20_000) == Failure(reason)


@pytest.mark.parametrize("payload", [{"n": 2**70}, {"s": "\ud800"}, {"deep": [{"n": -(2**99)}]}])
def test_a_payload_that_cel_cannot_hold_hides_nothing_else(payload):
    """A huge number or a broken character in one place leaves the others readable."""
    assert holds("payload.ok == 1", payload={**payload, "ok": 1}) is True


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("event.branch ==", 16, "ends too early"),
        ("event.lables.size() > 1", 7, "did you mean event.labels?"),
        ("foo == 1", 1, "there is no 'foo'"),
        ('1 == "a"', 3, "no matching overload"),
        ("event.branch +* 1", 15, "unexpected '*'"),
        ("1 + 1", 1, "gives a number"),
        ('__import__("os")', 11, "there is no '__import__'"),
        ("  ", 1, "empty"),
        ("(" * 40 + "1" + ")" * 40, 1, "recursion"),
    ],
)
def test_a_fault_of_a_condition_has_its_place(text, column, words):
    """The place of a fault is the character in the file."""
    with pytest.raises(ConfigError) as caught:
        compile_condition(text, HERE)
    (fault,) = caught.value.faults
    assert words in fault.message
    assert fault.place == Place("ci.yaml", 7, 10 + column)
    assert fault.code == "expression"


def test_a_fault_in_a_later_line_names_that_line():
    """An expression over several lines is wrong where it is wrong."""
    with pytest.raises(ConfigError) as caught:
        compile_condition('event.branch == "a" &&\n  foo', HERE)
    assert caught.value.faults[0].place == Place("ci.yaml", 8, 3)


@pytest.mark.parametrize(
    "text",
    [
        'files.map(f, f + f + f).map(f, f + f + f).exists(f, f == "")',
        "files.exists(f, glob(files, [f]))",
        'files.exists(f, bytes(f) == b"a")',
        "files.map(f, [" + ", ".join(["f"] * 100) + "]).size() == 1",
        "repository" + " + repository" * 30 + ' == ""',
        '"a" == "' + "a" * 3000 + '"',
    ],
)
def test_what_could_cost_far_more_than_its_length_is_refused(text):
    """Nobody can fill the memory, or the hour, with one condition."""
    with pytest.raises(ConfigError):
        compile_condition(text, HERE)


def test_a_hostile_regular_expression_is_linear():
    """`matches` never backtracks."""
    assert holds('payload.text.matches("^(a+)+$")', payload={"text": "a" * 50_000 + "b"}) is False


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("no expression", "no expression"),
        ("${{ event.branch }}", "FB1"),
        ("a-${{ event.branch }}-${{ 1 + 1 }}-${{ true }}", "a-FB1-2-true"),
        ("${{ '}}' + \"${{\" }}", "}}${{"),
        ('${{ {"a": {"b": "c"}}.a.b }}', "c"),
        ("$HOME ${x} {{ y }}", "$HOME ${x} {{ y }}"),
        ("${{ has(event.tag) ? event.tag : 'none' }}", "none"),
    ],
)
def test_a_template_replaces_its_expressions_and_nothing_else(text, rendered):
    """Text around `${{ }}` stays as it is, quotes and braces inside do not end it."""
    assert render(text, {"event": PUSH}) == rendered
    assert render(parse_template(text, HERE), {"event": PUSH}) == rendered


@pytest.mark.parametrize("text", ["${{ event.tag }}", "${{ event.labels }}", "${{ with.x }}"])
def test_a_template_without_a_value_says_which(text):
    """A missing value is told to a person, and never becomes an empty text."""
    with pytest.raises(UserError, match="has no value"):
        render(text, {"event": PUSH})


@pytest.mark.parametrize(
    ("text", "column"),
    [("a ${{ event.branch", 3), ("a ${{ foo }} b", 7), ("a ${{ 1 }} ${{ }}", 15)],
)
def test_a_fault_of_a_template_has_its_place(text, column):
    """An expression that is wrong, empty or never closed is found before any run."""
    with pytest.raises(ConfigError) as caught:
        parse_template(text, HERE)
    assert caught.value.faults[0].place == Place("ci.yaml", 7, 10 + column)


def test_the_expressions_of_a_text_can_be_listed():
    """Who checks names sees what stands inside, not around."""
    assert list(expressions("needs.a ${{ needs.b }} ${{ 'x' }}")) == [" needs.b ", " 'x' "]


@pytest.mark.parametrize(
    ("text", "failed", "value", "asks"),
    [
        ("always()", True, True, True),
        ("failed()", True, True, True),
        ("failed()", False, False, True),
        ("success()", True, False, False),
        ('failed() && event.branch == "FB1"', True, True, True),
        ('with.depth == "full"', False, True, False),
        ('needs.build.outputs.digest == "d"', False, True, False),
        ('environment.name == "dev" && run.number == 3', False, True, False),
        ('event.title == "failed()"', True, False, False),
    ],
)
def test_a_job_may_ask_how_the_jobs_before_it_ended(text, failed, value, asks):
    """always(), failed() and success() know what the run knows."""
    program = Program(text)
    answer = program.decide(
        {
            "event": {"branch": "FB1", "title": "x"},
            "with": {"depth": "full"},
            "needs": {"build": {"state": "succeeded", "outputs": {"digest": "d"}}},
            "environment": "dev",
            "run": {"number": 3},
            "failed": failed,
        }
    )
    assert (answer.value, answer.failure, program.asks_status) == (value, "", asks)


def test_a_wrong_condition_of_a_job_is_an_answer():
    """A run whose condition cannot be read says so and goes on."""
    assert "there is no 'nope'" in Program("nope").decide({}).failure


def test_a_listener_cannot_see_what_only_jobs_have():
    """Each scope has its own variables."""
    with pytest.raises(ConfigError) as caught:
        compile_condition("needs.a.outputs.b == 'x'", HERE)
    assert "payload" in caught.value.faults[0].hint


def test_variables_are_bound_once_for_many_conditions():
    """Thousands of conditions share one reading of the event."""
    bound = bind(Scope.LISTENER, {"event": PUSH})
    texts = [f'event.branch == "FB{n}"' for n in range(5)]
    said = [evaluate(compile_condition(text, HERE), bound) for text in texts]
    assert said == [False, True, False, False, False]
