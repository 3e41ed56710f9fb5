"""
Stories of a pull request that people comment on.
"""

from __future__ import annotations

from playing import every, play

from windlass.ports.records import ChatCommand

CHECK = """\
listeners:
  check: {on: pull_request, do: [{pipeline: ci}, {build: api}]}
  docs: {on: pull_request, paths: ["docs/**"], do: [{pipeline: ci}]}
  merged: {on: {pull_request: [merged]}, do: [{build: api}]}
pipelines:
  ci: {jobs: {test: {steps: [{name: unit, run: exit 3}]}}}
  smoke: {jobs: {test: {steps: [{run: echo smoke}]}}}
  e2e:
    with:
      browser: {enum: [firefox, chrome]}
      count: {type: number, default: "3"}
    jobs: {test: {steps: [{run: "echo $B", env: {B: "${{ with.browser }}"}}]}}
environments:
  dev: {target: {directory: {path: /srv/dev}}}
  production:
    target: {directory: {path: /srv/production}}
    approval: {approvers: [ada, bob], prevent_self: true}
"""
ASKED = CHECK.replace(
    "  docs:",
    """\
  tries:
    on:
      - pull_request
      - manual:
          inputs: {count: {type: number}, where: {type: environment, default: dev}}
    if: has(event.inputs) && event.inputs.count < 10 && event.inputs.where == "dev"
    do: [{pipeline: ci}]
  docs:""",
)
GREEN = CHECK.replace("exit 3", "echo fine")
GATED = CHECK.replace("{name: unit, run: exit 3}", "{name: gate, run: echo}")
OPEN = {"open": {"number": 7, "head": "topic", "files": {"app.txt": "two"}}}


def said(body, by="bob", **more):
    """The line of a story in which somebody comments."""
    return {"comment": {"number": 7, "body": body, "by": by, **more}}


async def commands(here):
    """Every command as it was recorded, in order."""
    found = await every(here, ChatCommand)
    return sorted(found, key=lambda one: (one.event, one.position))


async def outcomes(here):
    """State and outcome of each."""
    return [(one.state, one.outcome) for one in await commands(here)]


def story(tmp_path, configuration, lines, check, **on):
    """Play lines, then look."""

    async def work(here, playing):
        await playing.play(lines)
        await check(here)

    play(tmp_path, configuration, work, **on)
