"""What Windlass says on either Bitbucket."""

from __future__ import annotations

import pytest

from windlass.forges import bitbucket_words as words
from windlass.ports.forge import MARKER, Status, StatusState

BODY = f"""{MARKER}
### ci failed
| | job |
<details open>
<summary>build &lt;x&gt; *y* @\u200bteam: last lines</summary>

````text
```
<details open>
</details>
````

</details>
"""


def test_the_mark_is_one_that_bitbucket_hides():
    """What the engine writes is taken off, and what Markdown hides is put there."""
    said = words.comment(BODY)
    assert MARKER not in said
    assert said.startswith(f"{words.MARK}\n\n### ci failed\n")


def test_no_html_is_left_but_in_the_log():
    """What is folded elsewhere stands open under a title; a log's lines stay what they are."""
    said = words.comment(BODY)
    assert "**build &lt;x&gt; \\*y\\* @\u200bteam: last lines**" in said
    assert "````text\n```\n<details open>\n</details>\n````" in said
    assert said.count("<details") == 1
    assert "<summary" not in said


def test_a_comment_is_cut_to_what_bitbucket_takes():
    """It keeps its mark and says that it was cut."""
    said = words.comment("x" * 40_000)
    assert len(said) == words.LARGEST
    assert said.startswith(words.MARK)
    assert said.endswith("… cut")


def test_a_long_context_has_a_key_of_its_own():
    """Two that begin alike stay two, and each keeps its key."""
    one, other = (words.key("windlass/" + "x" * 60 + end, 40) for end in "ab")
    assert one != other
    assert {len(one), len(other)} == {40}
    assert one == words.key("windlass/" + "x" * 60 + "a", 40)


@pytest.mark.parametrize(
    ("state", "text", "said"),
    [
        (StatusState.FAILURE, "it broke", "it broke"),
        (StatusState.ERROR, "no runner", "error: no runner"),
        (StatusState.NEUTRAL, "was skipped", "neutral: was skipped"),
        (StatusState.NEUTRAL, "", "neutral"),
        (StatusState.SUCCESS, "y" * 300, "y" * 254 + "…"),
    ],
)
def test_a_description_says_what_the_state_cannot(state, text, said):
    """Bitbucket has fewer words for an end than we have, and room for 255 characters."""
    status = Status(sha="a" * 40, context="ci", state=state, description=text)
    assert words.description(status) == said
