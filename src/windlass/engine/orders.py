"""
A job becomes an order: everything its runner needs, without asking back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from windlass.core.errors import UserError
from windlass.core.expression import render
from windlass.core.pipeline import BuildRecipe, Environ, Secret, Step
from windlass.core.run import job_variables
from windlass.engine.names import job_id, log_key
from windlass.engine.variables import About, variables
from windlass.engine.world import World
from windlass.git.checkout import checkout_commands, checkout_environment
from windlass.git.mirror import Mirror
from windlass.ports.executor import Order, OrderStep
from windlass.ports.target import Vault

# The executor puts the path of the workspace here.
WORKSPACE = "{workspace}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a job runs: a recipe, or its own steps; `path` is where its artifacts are rooted."""

    steps: tuple[Step, ...]
    env: Environ
    timeout: float
    artifacts: tuple[str, ...] = ()
    path: str = ""

    @classmethod
    def of_recipe(cls, recipe: BuildRecipe, path: str) -> Work:
        """The work of building a service."""
        return cls(
            steps=recipe.steps,
            env=recipe.env,
            timeout=recipe.timeout,
            artifacts=recipe.artifacts,
            path=path,
        )


def order(about: About, work: Work, mirror: Mirror, world: World) -> Order:
    """The order of a job. Raises `UserError` for a secret that is not there."""
    run, job = about.stored.run, about.job
    vault, isolation = world.vault, world.isolation
    seen = job_variables(run, job.job)
    secrets: dict[str, str] = {}
    steps = []
    for number, step in enumerate(work.steps, start=1):
        env = {
            "CI_STEP_NAME": step.name,
            "CI_STEP_NUMBER": str(number),
            **_plain(step.env, seen),
        }
        own = _secrets(step.env, about, vault)
        secrets.update({f"{number - 1}:{name}": value for name, value in own.items()})
        steps.append(
            OrderStep(
                name=step.name,
                run=step.run,
                env=env,
                timeout=step.timeout,
                allow_failure=step.allow_failure,
            )
        )
    secrets.update(_secrets(work.env, about, vault))
    if secrets and not run.trusted:
        raise UserError("strangers' code gets no secrets", hint="take `from_secret` out of the job")
    return Order(
        id=job_id(run.number, job.job.name, job.attempt),
        log=log_key(run.number, job.job.name, job.attempt),
        steps=tuple(steps),
        env={**variables(about), **_plain(work.env, seen)},
        secrets=secrets,
        checkout=checkout_commands(mirror.path, run.sha, WORKSPACE),
        checkout_env=checkout_environment(),
        path=work.path,
        artifacts=work.artifacts,
        timeout=work.timeout,
        isolated=not run.trusted or isolation.everyone,
        network=run.trusted or isolation.network,
        # The workspace borrows these.
        readable=(str(mirror.path / "objects"),),
    )


def _plain(env: Environ, seen: Mapping[str, object]) -> dict[str, str]:
    return {name: render(text, seen) for name, text in env.items() if isinstance(text, str)}


# What signs webhooks is the server's own: who could read it could forge a review.
OURS = frozenset({"webhook", "webhook-previous"})


def _secrets(env: Environ, about: About, vault: Vault) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, wanted in env.items():
        if not isinstance(wanted, Secret):
            continue
        if wanted.from_secret.lower().replace("_", "-") in OURS:
            raise UserError(
                f"{wanted.from_secret} is the server's own secret, and no job may read it",
                hint="give yours another name",
            )
        value = vault.get(wanted.from_secret, about.repository.name)
        if value is None:
            raise UserError(
                f"there is no secret {wanted.from_secret} for {about.repository.name}",
                hint="set it where the server runs, see docs/how-to/secrets.md",
            )
        found[name] = value.decode()
    return found
