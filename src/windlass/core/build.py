"""
The identity of a build: service, source tree, recipe.

Two commits with the same tree are the same source, so a pull request that was
tested and then merged, squashed or rebased has been built already. A recipe is
everything in the configuration that decides what the build makes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from windlass.core.pipeline import BuildRecipe, Secret


def recipe_digest(recipe: BuildRecipe) -> str:
    """A digest of the recipe; names of secrets count, their values do not."""
    said = {
        "steps": [[step.name, step.run, _environ(step.env)] for step in recipe.steps],
        "artifacts": list(recipe.artifacts),
        "env": _environ(recipe.env),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def identity(repository: str, service: str, tree: str, recipe: str) -> str:
    """
    The one name of a build.

    >>> identity("acme/shop", "api", "4b825dc6", "e3b0c442")[:12]
    '8abd58e43d2f'
    """
    text = f"{repository}\0{service}\0{tree}\0{recipe}"
    return hashlib.sha256(text.encode()).hexdigest()


def _environ(env: Mapping[str, str | Secret]) -> dict[str, str | list[str]]:
    return {
        name: ["secret", value.from_secret] if isinstance(value, Secret) else value
        for name, value in env.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What there is to say about how a build was made; times are UTC seconds."""

    repository: str
    service: str
    source: str
    sha: str
    tree: str
    recipe: str
    digest: str
    started_at: float
    ended_at: float
    run_url: str
    version: str


def provenance(made: Made) -> str:
    """
    An in-toto statement with a SLSA provenance predicate, as JSON text.

    Sources: in-toto Statement v1, SLSA provenance v1. Every field is made by the
    control plane; nothing in it comes from a step.
    """
    algorithm, _, digest = made.digest.partition(":")
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": f"{made.repository}:{made.service}", "digest": {algorithm: digest}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://windlass.dev/build/v1",
                "externalParameters": {"service": made.service, "recipe": made.recipe},
                "resolvedDependencies": [
                    {
                        "uri": f"git+{made.source}",
                        "digest": {"gitCommit": made.sha, "gitTree": made.tree},
                    }
                ],
            },
            "runDetails": {
                "builder": {
                    "id": "https://windlass.dev/process",
                    "version": {"windlass": made.version},
                },
                "metadata": {
                    "invocationId": made.run_url,
                    "startedOn": _time(made.started_at),
                    "finishedOn": _time(made.ended_at),
                },
            },
        },
    }
    return json.dumps(statement, sort_keys=True)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
