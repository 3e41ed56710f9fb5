"""
Writes docs/reference from the code: `just docs`.

One function for each page, so that a test can compare a page with what would be
written. What is not generated (settings.md has its own test, plain-git.md is
written by hand) is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import error_codes
import reference_api
import reference_cli

from windlass.cli.exits import MEANINGS
from windlass.config.codes import CODES
from windlass.config.reference import reference
from windlass.core.run import MOVES, State
from windlass.engine.variables import TABLE

FOLDER = Path(__file__).resolve().parents[1] / "docs/reference"

CONFIGURATION = """\
# The configuration language

What a team writes lives in its repository: `.windlass.yaml`, or any number of files in the folder `.windlass/` (`*.yaml`, `*.yml`), read as one document.
The same name twice is a fault that names both places.

`windlass lint` checks it without a server, `windlass schema` prints the JSON Schema for editors.
Every fault is told at once, each with file, line and column. A key that is unknown, or that this version cannot honour, is a fault: nothing is ignored, nothing is guessed.

- It is YAML 1.2: `on` and `no` are texts. Without merge keys, without tags, 1 MiB at most.
- Where a list of texts is taken, one text is taken too. A duration is `30s`, `10m`, `24h` or `7d`.
- Patterns are like those of gitignore: `*` stops at `/`, `**` does not, `!` takes back what a pattern before it took.
- `${{ ... }}` is [CEL](https://cel.dev) and is replaced in `env`, `with`, `group`, `url` and `path`. In `run` it is a fault: no branch name or title can become a part of a script.
- Listeners and environments count as the default branch has them, so that no branch brings its own unprotected production. Pipelines and services count as the commit under test has them.
- The conditions of a listener are checked in this order, and the first that is false is the stored reason: `on` (event and action), `listener` (a person asked for another one), `inputs` (what was given does not fit), `repository` (it is not active), `skip` (`[skip ci]`, `[ci skip]`, `[no ci]`), `loop guard` (commits that Windlass made), `branches`, `tags`, `head`, `base`, `unless`, `labels`, `draft`, `paths`, `if`. `shadow` is none of them: such a listener is judged like every other, and then starts nothing.
- What happens: `push`, `tag`, `branch` and `pull_request` on every code host; `comment` on all but plain Git; `review` with plain Git, GitHub, GitLab, Gitea, Forgejo and Bitbucket Data Center; `release` on GitHub, GitLab, Gitea, Forgejo and Gogs; `merge_group` on GitHub. `schedule` comes from Windlass itself (in UTC, or the `zone` it names), `manual` from a person, `generic` from [a signed POST](signed-posts.md). [What each code host tells](events.md) has its gaps.

## One file that shows most of it

```yaml
"""

STATES: Mapping[State, str] = {
    State.HELD: "waits for a place in its group, or for a person who may let a stranger's code run",
    State.PENDING: "waits for the jobs it needs, or for another try",
    State.RUNNING: "at work",
    State.WAITING: "a deployment that waits: for an approval, an order, a soak time",
    State.SUCCEEDED: "ended well",
    State.FAILED: "ended badly; the reason says how",
    State.CANCELLED: "ended by a person, or by a newer run of its group",
    State.SKIPPED: "never started: a condition was false, or what it needs failed",
}


def configuration() -> str:
    """The language, made of the shapes that load it."""
    example = (FOLDER / "example.yaml").read_text(encoding="utf-8")
    keys = re.sub(r"^###", "##", reference(), flags=re.MULTILINE)
    return f"{CONFIGURATION}{example}```\n\n{keys}"


def variables() -> str:
    """The variables of a step."""
    return "\n".join(
        (
            "# Variables in a step",
            "",
            "What a script can read, beside the `env` of its job and step. One that has no value is not set.",
            "Names are those of Woodpecker where it has one, so that scripts move over unchanged.",
            "",
            "| variable | what it is |",
            "| --- | --- |",
            *(f"| `{name}` | {text} |" for name, (text, _) in TABLE.items()),
            "",
            "A step hands values on by writing lines `name=value` to the file `$WINDLASS_OUTPUT`;",
            "a follower reads them as `${{ needs.JOB.outputs.name }}`.",
            "",
        )
    )


def states() -> str:
    """Every way a job may move, as a diagram."""
    return "\n".join(
        (
            "# The states of a job",
            "",
            "What is not here cannot happen: the diagram is made of the table `MOVES` in `src/windlass/core/run/state.py`.",
            "",
            "```mermaid",
            *diagram(),
            "```",
            "",
            "| state | what it means |",
            "| --- | --- |",
            *(f"| `{state}` | {STATES[state]} |" for state in State),
            "",
            "A run is `held` until a person releases it, when a stranger's code starts it; no job of it starts before.",
            "Otherwise its state follows from its jobs: failed as soon as one fails for good, else running, waiting or pending as long as one is,",
            "then cancelled if one was, skipped if all were, and else succeeded. A job with `allow_failure` that fails counts as passed.",
            "",
        )
    )


def diagram() -> Iterator[str]:
    """The moves as lines of Mermaid."""
    yield "stateDiagram-v2"
    entered = {after for moves in MOVES.values() for after in moves}
    for state in State:
        if state not in entered and not MOVES[state]:
            continue
        if state is State.PENDING:
            yield f"    [*] --> {state}"
        for after in sorted(MOVES[state], key=list(State).index):
            yield f"    {state} --> {after}"
        if not MOVES[state]:
            yield f"    {state} --> [*]"


def errors() -> str:
    """Every code, and what to do about it."""
    return "\n".join(
        (
            "# Errors",
            "",
            "Codes are stable; texts may change. Every answer of 4xx and 5xx of the API has the same form:",
            "",
            "```json",
            '{"error": {"code": "not-found", "message": "There is no run 7.", "hint": "windlass runs list", "faults": []}}',
            "```",
            "",
            "## Exit codes of the command line",
            "",
            *_table(("code", "means"), ((f"{int(e)}", text) for e, text in MEANINGS.items())),
            "## Errors of the server and the command line",
            "",
            *_table(
                ("code", "what happened", "what to do"),
                ((f"`{code}`", *text) for code, text in sorted(error_codes.ERRORS.items())),
            ),
            "## Answers to a webhook",
            "",
            "202 says that the delivery is on disk; 200 answers a ping. Refused requests are kept for a while: `GET /api/v1/refusals`.",
            "",
            *_table(
                ("status", "code", "what happened", "what to do"),
                ((f"{n}", f"`{code}`", *text) for (n, code), text in error_codes.HOOKS.items()),
            ),
            "## Faults of the configuration",
            "",
            *_table(
                ("code", "what it means", "what to do"),
                (
                    (f"`{code}`", text, error_codes.CONFIGURATION[code])
                    for code, text in sorted(CODES.items())
                ),
            ),
        )
    )


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


# Page -> what it says.
PAGES: Mapping[str, Callable[[], str]] = {
    "configuration.md": configuration,
    "cli.md": reference_cli.page,
    "api.md": reference_api.page,
    "errors.md": errors,
    "variables.md": variables,
    "states.md": states,
}


def main() -> None:
    """Write every page."""
    for name, made in PAGES.items():
        (FOLDER / name).write_text(made(), encoding="utf-8")
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
