"""The comment on a pull request, as `windlass pr show` tells it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from windlass.cli.markdown import readable
from windlass.core.pipeline import Job, JobKind
from windlass.core.run import JobRun, State
from windlass.engine import comment
from windlass.engine.names import log_key
from windlass.testing.fakes.memory_logs import MemoryLogs

TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1)


@given(text=TEXT)
def test_what_was_escaped_is_read_as_it_was(text):
    """No backslash too many, and none too few."""
    said = readable(f"### {comment.escape(text)}")
    assert said == text.replace("`", "")


@given(cells=st.lists(TEXT, min_size=1, max_size=4))
def test_a_row_keeps_its_cells(cells):
    """A bar or a backslash in a cell ends no cell."""
    row = " | ".join(comment.escape(cell) for cell in cells)
    head = "a | " * len(cells)
    shown = readable(f"| | {head.strip()}\n|---|---|\n| x | {row} |").splitlines()[-1]
    assert shown.split() == [cell.replace("`", "") for cell in cells if cell.replace("`", "")]


def test_the_frame_is_gone_and_the_excerpt_stays():
    """Marker, tags and fences are for the page; the lines that failed are for everybody."""
    shown = readable(
        "<!-- windlass -->\n### x failed: [run 1](http://h/runs/1)\n\nCommit `abc`\n\n"
        "<details open>\n<summary>a &lt;b&gt;: last lines</summary>\n\n"
        "````text\n``` <!-- it stays -->\n| a\\-b\x1b[31m |\n````\n\n</details>\n"
    )
    assert shown == (
        "x failed: run 1, http://h/runs/1\n\nCommit abc\n\na <b>: last lines\n\n"
        "  ``` <!-- it stays -->\n  | a\\-b |"
    )


def test_a_name_in_the_summary_is_html():
    """A backslash escapes nothing there, so the name is escaped as HTML has it."""
    logs = MemoryLogs()
    logs.append(log_key(1, "ci/t", 1), b"1 0 o said\n")
    job = JobRun(job=Job(name="t", kind=JobKind.STEPS), action="", state=State.FAILED)
    lines = comment._excerpt(1, "ci/t", job, logs)
    assert lines[1] == "<summary>ci/t: last lines</summary>"
    logs.append(log_key(1, "a-<b>@x", 1), b"1 0 o said\n")
    lines = comment._excerpt(1, "a-<b>@x", job, logs)
    assert lines[1] == "<summary>a-&lt;b&gt;@\u200bx: last lines</summary>"
