"""What a miss almost was: said when there is something to say, and soon."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core import globs
from windlass.core.event import ACTIONS, Event, Kind
from windlass.core.filters import CONDITIONS, Context, Miss, Trigger, written
from windlass.core.listener import Listener, select
from windlass.core.nearest import _distance, near

USUAL = (
    "`on: pull_request` is `opened, updated, reopened, ready`; this was `closed`, which is"
    " `on: {pull_request: [closed]}`"
)


def of(key, patterns, text):
    """What is said of a name that these patterns do not take."""
    return near(key, written(key, tuple(patterns)), text)


@pytest.mark.parametrize(
    ("patterns", "name", "said"),
    [
        (["FB*"], "fb1", "`FB*` matches `FB1` but this is `fb1`: names are case sensitive"),
        (["main"], "Main", "`main` is not `Main`: names are case sensitive"),
        (["*-RC"], "x-rc", "`*-RC` matches `x-RC` but this is `x-rc`: names are case sensitive"),
        (["[A-Z]B?"], "fb1", "`[A-Z]B?` matches `FB1` but this is `fb1`: names are case sensitive"),
        (["*Fix*"], "afix", "`*Fix*` matches another spelling of `afix`: names are case sensitive"),
        (["refs/heads/main"], "main",
         "`main` matches `main`: names are written without `refs/heads/`"),
        (["origin/FB*"], "FB1", "`FB*` matches `FB1`: names are written without `origin/`"),
        (["feature/*"], "feature/a/b",
         "`feature/*` stops at `/`: `feature/**` matches `feature/a/b`"),
        (["feature"], "feature/a", "`feature` stops at `/`: `feature/**` matches `feature/a`"),
        (["FB*"], "ada/FB1", "`FB*` begins at the first `/`: `**/FB*` matches `ada/FB1`"),
        (["fix/**"], "fix", "`fix/**` matches what is below `fix`, not `fix` itself"),
        (["develop"], "devlop", "`develop` is one letter away from `devlop`"),
        (["main"], "mian", "`main` is one letter away from `mian`"),
        (["releases/*"], "release/1", "`releases/*` is one letter away from `release/1`"),
        (["release"], "raleaze", "`release` is 2 letters away from `raleaze`"),
        (["production", "develop"], "develp", "`develop` is one letter away from `develp`"),
        (["x", "!x", "FB*"], "fb1",
         "`FB*` matches `FB1` but this is `fb1`: names are case sensitive"),
        (["FB*"], "topic", ""),
        (["FB*"], "none", ""),
        (["ab"], "ac", ""),
        (["main"], "dev", ""),
        (["!develop"], "develo", ""),
    ],
)  # fmt: skip
def test_the_nearest_pattern_of_a_name_is_named(patterns, name, said):
    """Its case, what stands before it, how deep it reaches, or its letters."""
    assert of("branches", patterns, name) == said


def test_a_version_without_its_v_is_seen():
    """Both ways round, the one thing that tags are wrong about."""
    assert of("tags", ["1.*"], "v1.0") == (
        "`1.*` matches `1.0` but this is `v1.0`: `v1.*` matches it"
    )
    assert of("tags", ["v*"], "1.0") == "`v*` matches `v1.0` but this is `1.0`"


def test_a_pattern_that_was_taken_back_is_named_with_what_took_it():
    """For names and for paths; not when nothing had matched before."""
    assert of("branches", ["FB*", "!FB2"], 'FB2 (taken back by "!FB2")') == (
        "`FB*` matches `FB2`, and the later `!FB2` takes it back"
    )
    taken = 'a/b.md and 3 more (taken back by "!**/*.md")'
    assert of("paths", ["a/**", "!**/*.md"], taken) == (
        "`a/**` matches `a/b.md`, and the later `!**/*.md` takes it back"
    )
    several = ["a/**", "a/*.md", "!**/*.md", "b/**"]
    assert of("paths", several, 'a/b.md (taken back by "!**/*.md")').startswith("`a/*.md` matches")
    assert not of("paths", ["!**/*.md", "a/**"], 'b.md (taken back by "!**/*.md")')


def test_the_nearest_path_is_named():
    """Its case, its `./`, and a folder deeper down."""
    assert of("paths", ["Docs/**"], "docs/a and 2 more") == (
        "`Docs/**` matches `Docs/a` but this is `docs/a`: paths are case sensitive"
    )
    assert of("paths", ["./docs/**"], "docs/a") == (
        "`docs/**` matches `docs/a`: paths are written without `./`"
    )
    assert of("paths", ["docs/*.md"], "docs/a/b.md") == (
        "`docs/*.md` stops at `/`: `docs/**/*.md` matches `docs/a/b.md`"
    )
    assert not of("paths", ["docs/**"], "no changed file")


def test_labels_are_compared_each():
    """The one that is nearly the wanted one."""
    assert of("labels", ["deploy"], "ui, Deploy") == (
        "`deploy` is not `Deploy`: names are case sensitive"
    )


@pytest.mark.parametrize(
    ("expected", "actual", "said"),
    [
        (
            "on: pull_request opened/updated/reopened/ready",
            "pull_request closed",
            USUAL,
        ),
        (
            "on: push, pull_request merged",
            "pull_request closed",
            "this was `closed`: `on: {pull_request: [merged, closed]}` is for it too",
        ),
        ("on: push", "tag created", "`tag created` is no `push`: `on: tag` is for it"),
        (
            "on: push",
            "branch deleted",
            "`branch deleted` is no `push`: `on: {branch: [deleted]}` is for it",
        ),
        ("on: release", "tag created", "`tag created` is no `release`: `on: tag` is for it"),
        ("on: review approved", "comment", "`comment` is no `review`: `on: comment` is for it"),
        ("on: push", "pull_request opened", ""),
        ('on: schedule "0 3 * * *"', "schedule", ""),
        ("on: push", "what is this", ""),
    ],
)
def test_the_nearest_event_is_named(expected, actual, said):
    """Another action of the same kind, or a kind that is easily taken for it."""
    assert near("on", expected, actual) == said


@pytest.mark.parametrize("condition", ["skip", "repository", "draft", "if", "", "unknown"])
def test_other_conditions_have_nothing_near(condition):
    """A truth is not nearly false."""
    assert near(condition, "draft: true", "false") == ""


TEXT = st.text(alphabet='aAbF1/*?![]\\."(), ', max_size=30) | st.text(max_size=30)
NAMES = [name for name, _ in CONDITIONS]


@given(st.sampled_from(NAMES), TEXT, TEXT)
def test_no_text_is_a_crash(condition, expected, actual):
    """Rows of other versions, and rows that are broken, have no hint or some hint."""
    assert isinstance(near(condition, expected, actual), str)


@given(st.lists(TEXT, max_size=5), TEXT, st.sampled_from(["branches", "tags", "labels", "paths"]))
def test_what_a_hint_offers_is_so(patterns, text, key):
    """`P` matches `T` is only said when it does."""
    said = of(key, patterns, text)
    quoted = said.split("`")
    kind = globs.paths if key == "paths" else globs.names
    ticks = "`" in "".join(patterns) + text
    if "` matches `" in said and not ticks and " stops at " not in said and " begins " not in said:
        assert kind((quoted[1],)).matches(quoted[3])


@given(st.sampled_from(["main", "FB*", "a/**", "r?le*e"]), st.text("mainFB/relas1", max_size=12))
def test_nothing_is_no_letter_away_unless_it_fits(pattern, text):
    """The distance is 0 exactly for what a pattern takes."""
    fits = globs.names((pattern,)).matches(text)
    if fits:
        assert _distance(pattern, text, 2) == 0
    elif "**" not in pattern:
        assert _distance(pattern, text, 2) > 0


def test_a_star_is_no_slash_for_free():
    """As in the patterns themselves; two stars are."""
    assert _distance("FB*", "FB/1", 2) == 1
    assert _distance("FB/**", "FB/1/2", 2) == 0


def test_a_hint_is_cheap_whatever_is_written():
    """A thousand patterns and names as long as they get cost milliseconds."""
    patterns = [f"{'ab*' * 19}{n}" for n in range(1000)]
    begin = time.process_time()
    for text in ("ab" * 32, "/" * 300, "a" * 20_000, "/" * 20_000):
        near("branches", written("branches", tuple(patterns)), text)
        near("labels", written("labels", tuple(patterns)), ", ".join([text] * 50))
        near("paths", written("paths", tuple(patterns)), text)
    assert time.process_time() - begin < 3


def test_hints_are_made_of_what_is_stored():
    """The texts of a miss are enough: no column and no event is asked."""
    listener = Listener(
        name="l",
        on=(Trigger(Kind.PUSH, ACTIONS[Kind.PUSH]),),
        actions=(),
        branches=('"odd" FB*', "!x"),
    )
    event = Event(kind=Kind.PUSH, action="pushed", repository="r", branch='"odd" fb1')
    said = select({"l": listener}, Context(event=event))["l"]
    assert isinstance(said, Miss)
    assert near(said.condition, said.expected, said.actual).startswith('`"odd" FB*` matches')
