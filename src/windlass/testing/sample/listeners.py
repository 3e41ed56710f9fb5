"""
The listeners of the sample's repository, as its team wrote them.
"""

from __future__ import annotations

from windlass.config.schema import load
from windlass.core.configuration import Configuration

WRITTEN = b"""\
listeners:
  feature-to-dev:
    on: push
    branches: ["FB*", "feature/**"]
    paths: ["services/**", "!**/*.md"]
    do: [{pipeline: tell}]
  pull-request:
    on: pull_request
    base: [main]
    if: '!("hold" in event.labels)'
    do: [{pipeline: tell}]
  release: {on: {pull_request: [merged]}, base: [main], do: [{pipeline: tell}]}
  docs:
    on: push
    paths: ["services/**", "!**/*.py"]
    do: [{pipeline: tell}]
  nightly: {on: {schedule: "0 3 * * *"}, do: [{pipeline: tell}]}
  cache: {on: manual, do: [{pipeline: tell}]}
  rollout:
    on:
      manual:
        inputs:
          target: {type: environment, description: Where it shall run}
          version: {description: A tag such as v1.2}
          size: {enum: [small, large], default: small}
          count: {type: number, default: 2}
          dry: {type: boolean, default: true, description: Change nothing}
          note: {required: false, description: "<b>For</b> the log"}
    do: [{pipeline: tell}]
pipelines:
  tell: {jobs: {say: {steps: [{run: echo said}]}}}
environments:
  dev: {target: {directory: {path: /srv/dev}}}
  production: {target: {directory: {path: /srv/production}}}
"""


def written() -> Configuration:
    """What it means."""
    return load({".windlass.yaml": WRITTEN})
