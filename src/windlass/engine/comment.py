"""
The one comment of ours on a pull request: how its runs stand, and where they failed.

Everything in it that comes from a repository or a log is escaped, mentions are
broken, and excerpts stand in fences longer than any run of backticks in them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from windlass.core.run import JobRun, State
from windlass.engine.names import log_key, run_path
from windlass.engine.wording import plain
from windlass.ports.executor import Logs
from windlass.ports.forge import MARKER
from windlass.ports.records import ChatCommand, ConfigurationCheck, StoredRun

# The smallest limit of the forges we know, in characters, less room for the frame.
LARGEST = 32_000
EXCERPT = 15
CHECKED = 20
OUTCOME = 600
ANSWER = 12_000
TAIL = 256 * 1024

_SIGNS = {
    State.SUCCEEDED: "✅",
    State.FAILED: "❌",
    State.CANCELLED: "⏹️",
    State.SKIPPED: "⏭️",
    State.HELD: "⏸️",
    State.WAITING: "⏳",
}

_ESCAPE = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&])")
_MENTION = re.compile(r"@(?=\w)")
NO_MENTION = "@\u200b"
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, slots=True)
class Explained:
    """An event that somebody asked about, and the lines of its explanation."""

    event: int
    lines: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What there is to say on a pull request: newest runs, last commands, the newest check."""

    runs: Sequence[StoredRun] = ()
    said: Sequence[ChatCommand] = ()
    checks: Sequence[ConfigurationCheck] = ()
    explained: Explained | None = None


def compose(standing: Standing, logs: Logs, public_url: str) -> str:
    """The whole comment, Markdown, within the size that every forge takes."""
    said = standing.said
    answer = "\n".join(_answer(standing.explained, public_url)) if standing.explained else ""
    parts = [MARKER]
    for check in standing.checks:
        parts += _check(check, public_url)
    for stored in standing.runs:
        parts += _run(stored, logs, public_url)
    text = "\n".join(parts)
    if len(text) > LARGEST - len(answer):
        text = text[: LARGEST - len(answer)] + "\n\n… cut, see the run's page"
    return "\n".join([text, *_commands(said, public_url), answer]) if said else text


def _check(one: ConfigurationCheck, public_url: str) -> list[str]:
    """What its configuration would do, the details folded away."""
    link = f"{public_url}/events/{one.event}"
    lines = [f"### Configuration: [event {one.event}]({link})", "", f"Commit `{one.sha[:12]}`", ""]
    sign = _sign(State.FAILED) + " " if one.state == "faulty" else ""
    lines += [f"{sign}{escape(one.summary[:OUTCOME])}", ""]
    if one.lines:
        lines += ["<details>", "<summary>Event by event</summary>", ""]
        lines += [f"- {escape(line[:OUTCOME])}" for line in one.lines[:CHECKED]]
        if len(one.lines) > CHECKED:
            lines.append(f"- and [more]({link})")
        lines += ["", "</details>", ""]
    return lines


def _commands(said: Sequence[ChatCommand], public_url: str) -> list[str]:
    """The last commands that people gave in comments, and what came of each."""
    lines = ["### Commands", "", "| | who | command | what came of it |", "|---|---|---|---|"]
    for one in said:
        sign = _SIGNS[State.SUCCEEDED if one.state == "done" else State.FAILED]
        outcome = escape(one.outcome[:OUTCOME])
        if one.path:
            outcome += f" ([more]({public_url}{one.path}))"
        lines.append(f"| {sign} | {escape(one.by[:80])} | {escape(one.text[:80])} | {outcome} |")
    return [*lines, ""]


def _answer(explained: Explained, public_url: str) -> list[str]:
    """The sentences of `explain`, each an item of a list, below the one that it belongs to."""
    link, room = f"{public_url}/events/{explained.event}", ANSWER
    lines = [f"### Explained: [event {explained.event}]({link})", ""]
    for line in explained.lines:
        text = line.lstrip(" ")
        item = f"{line[: len(line) - len(text)]}- {escape(text)}"
        room -= len(item)
        if room < 0:
            return [*lines, f"- … cut, see [its page]({link})", ""]
        lines.append(item)
    return [*lines, ""]


def _run(stored: StoredRun, logs: Logs, public_url: str) -> list[str]:
    run = stored.run
    link, base = f"{public_url}{run_path(stored.number)}", run.event.base
    lines = [
        f"### {_sign(run.state)} {escape(run.listener)} {run.state}: [run {stored.number}]({link})",
        "",
        f"Commit `{stored.status_sha[:12]}`"
        + (f" merged into {escape(base)}" if base and run.sha != run.status_sha else ""),
        "",
    ]
    if run.reason:
        lines += [escape(run.reason), ""]
    lines += ["| | job | result | time |", "|---|---|---|---|"]
    for name, job in run.jobs.items():
        lines.append(
            f"| {_sign(job.state)} | {escape(name)} | {escape(_result(job))} | {_took(job)} |"
        )
    lines.append("")
    for name, job in run.jobs.items():
        if job.state is State.FAILED:
            lines += _excerpt(stored.number, name, job, logs)
    return lines


def _excerpt(run: int, name: str, job: JobRun, logs: Logs) -> list[str]:
    """The last lines of the step that failed, folded away."""
    tail = failing_lines(run, name, job, logs)
    if not tail:
        return []
    fence = "`" * (max((len(found) for found in re.findall("`+", tail)), default=2) + 1)
    fence = fence if len(fence) > 2 else "```"
    return [
        "<details open>",
        # Here it is HTML, where a backslash escapes nothing.
        f"<summary>{_MENTION.sub(NO_MENTION, html.escape(name))}: last lines</summary>",
        "",
        f"{fence}text",
        tail,
        fence,
        "",
        "</details>",
        "",
    ]


def failing_lines(run: int, name: str, job: JobRun, logs: Logs) -> str:
    """The last lines that the deciding step printed, as plain text; masked when stored."""
    key = log_key(run, name, job.attempt)
    begin = job.steps[-1].log if job.steps else 0
    part = logs.read(key, begin, TAIL)
    while True:
        more = logs.read(key, part.next, TAIL)
        if not more.data:
            break
        part = more
    lines = part.data.decode(errors="replace").splitlines()[-EXCERPT:]
    texts = [line.split(" ", 3)[3] if line.count(" ") >= 3 else "" for line in lines]
    return "\n".join(_CONTROL.sub("", text)[:500] for text in texts)


def escape(text: str) -> str:
    r"""
    Text that Markdown shows as it is, and that mentions nobody.

    >>> escape("a_b @team <img>")
    'a\\_b @\u200bteam \\<img\\>'
    """
    return _MENTION.sub(NO_MENTION, _ESCAPE.sub(r"\\\1", plain(text)))


def _result(job: JobRun) -> str:
    if job.reason:
        return f"{job.state}: {job.reason}"
    if job.state is State.FAILED and job.exit_code is not None:
        return f"failed: exit code {job.exit_code}"
    return str(job.state)


def _sign(state: State) -> str:
    return _SIGNS.get(state, "🔵")


def _took(job: JobRun) -> str:
    if job.started_at is None or job.ended_at is None:
        return ""
    return f"{job.ended_at - job.started_at:.1f}s"
