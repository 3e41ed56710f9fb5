"""The identity of a build, and what is said of how it was made."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from windlass.core.build import Made, identity, provenance, recipe_digest
from windlass.core.pipeline import BuildRecipe, Secret, Step

STEP = Step(name="make", run="make dist", env={"MODE": "fast"})
RECIPE = BuildRecipe(steps=(STEP,), artifacts=("dist/",), env={"TOKEN": Secret("npm")})
TREE = "4b825dc6"


def test_the_same_source_and_recipe_are_the_same_build():
    """Whatever commit they come by: nothing of a commit is part of the name."""
    again = BuildRecipe(
        steps=(replace(STEP, timeout=5.0),),
        artifacts=("dist/",),
        env={"TOKEN": Secret("npm")},
        timeout=1.0,
    )
    assert recipe_digest(again) == recipe_digest(RECIPE)
    assert identity("r", "api", TREE, "x") == identity("r", "api", TREE, "x")


CHANGES = {
    "script": replace(RECIPE, steps=(replace(STEP, run="make all"),)),
    "name of a step": replace(RECIPE, steps=(replace(STEP, name="build"),)),
    "variable of a step": replace(RECIPE, steps=(replace(STEP, env={"MODE": "slow"}),)),
    "one more step": replace(RECIPE, steps=(STEP, STEP)),
    "artifacts": replace(RECIPE, artifacts=("out/",)),
    "name of a secret": replace(RECIPE, env={"TOKEN": Secret("other")}),
    "value in place of a secret": replace(RECIPE, env={"TOKEN": "npm"}),
    "name of a variable": replace(RECIPE, env={"KEY": Secret("npm")}),
    "one more variable": replace(RECIPE, env={**RECIPE.env, "A": "1"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_decides_what_is_made_is_part_of_the_recipe(change):
    """A build is never taken for one that was made otherwise."""
    assert recipe_digest(CHANGES[change]) != recipe_digest(RECIPE)


def test_every_part_of_the_identity_counts():
    """Nor can a part spill over into its neighbour."""
    names = {
        identity("r", "api", "t", "x"),
        identity("q", "api", "t", "x"),
        identity("r", "web", "t", "x"),
        identity("r", "api", "u", "x"),
        identity("r", "api", "t", "y"),
        identity("ra", "pi", "t", "x"),
        identity("r", "apit", "", "x"),
    }
    assert len(names) == 7


MADE = Made(
    repository="acme/shop",
    service="api",
    source="acme/shop",
    sha="c" * 40,
    tree="d" * 40,
    recipe="e" * 64,
    digest=f"sha256:{'a' * 64}",
    started_at=1_700_000_000.0,
    ended_at=1_700_000_001.5,
    run_url="https://windlass.example/runs/7",
    version="1.2.3",
)


def test_the_statement_has_the_shape_of_in_toto():
    """Others' tools read it: Statement v1 around SLSA provenance v1."""
    said = json.loads(provenance(MADE))
    assert set(said) == {"_type", "subject", "predicateType", "predicate"}
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    assert said["subject"] == [{"name": "acme/shop:api", "digest": {"sha256": "a" * 64}}]
    definition, details = said["predicate"]["buildDefinition"], said["predicate"]["runDetails"]
    assert definition["externalParameters"] == {"service": "api", "recipe": "e" * 64}
    (source,) = definition["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": "c" * 40, "gitTree": "d" * 40}
    assert details["builder"]["version"] == {"windlass": "1.2.3"}
    assert details["metadata"] == {
        "invocationId": "https://windlass.example/runs/7",
        "startedOn": "2023-11-14T22:13:20.000+00:00",
        "finishedOn": "2023-11-14T22:13:21.500+00:00",
    }


def test_the_same_build_has_the_same_statement():
    """Byte for byte, so that it can be signed and compared."""
    assert provenance(MADE) == provenance(replace(MADE))
