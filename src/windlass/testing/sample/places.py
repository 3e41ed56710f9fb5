"""
What runs where in the sample: builds, deployments, places.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from windlass.engine.names import place_name
from windlass.ports.records import Build, Deployment, Place
from windlass.testing.sample.runs import SHOP, sha

DAY = 86400.0


def digest(word: str) -> str:
    """The digest of a build of the sample."""
    return "sha256:" + hashlib.sha256(word.encode()).hexdigest()


def builds(now: float) -> tuple[Build, ...]:
    """Four builds of two services."""
    return tuple(
        Build(
            identity=hashlib.sha256(f"{service} {word}".encode()).hexdigest(),
            repository=SHOP,
            service=service,
            tree=sha(word + "7"),
            recipe=hashlib.sha256(b"recipe").hexdigest(),
            digest=digest(word),
            size=size,
            run=run,
            job="build api",
            trusted=True,
            created_at=now - age,
            provenance='{"_type": "https://in-toto.io/Statement/v1"}',
            commits=(sha(word), sha(word + "1")),
        )
        for service, word, size, run, age in (
            ("api", "a1", 482_113, 1, 5 * 3600.0),
            ("api", "b2", 482_740, 2, 5400.0),
            ("api", "c3", 483_002, 4, 540.0),
            ("web", "f5", 1_902_400, 1, 3 * DAY),
        )
    )


def _deployment(number: int, place: str, state: str, word: str, at: float) -> Deployment:
    environment, _, service = place.partition("/")
    return Deployment(
        number=number,
        place=place_name(SHOP, environment, service),
        repository=SHOP,
        environment=environment,
        service=service,
        kind="deploy",
        digest=digest(word),
        sha=sha(word),
        branch="main",
        run=1,
        job=f"cd/{environment}",
        attempt=number,
        order=number,
        by="alice",
        why="",
        state=state,
        requested_at=at,
        ended_at=at + 14 if state in {"succeeded", "failed", "superseded"} else None,
    )


def deployments(now: float) -> tuple[Deployment, ...]:
    """What was sent where, oldest first."""
    hour = 3600.0
    early, late = now - 5 * hour, now - 500
    dev = _deployment(5, "dev/api", "succeeded", "b2", now - 1.5 * hour)
    live = _deployment(4, "production/api", "succeeded", "a1", early)
    waiting = _deployment(7, "production/api", "approval", "c3", now - 480)
    failed = _deployment(8, "staging/web", "failed", "f5", now - 2 * hour)
    return (
        replace(_deployment(1, "production/web", "succeeded", "f5", now - 3 * DAY), by="carol"),
        _deployment(2, "dev/api", "succeeded", "a1", now - 6 * hour),
        _deployment(3, "staging/api", "succeeded", "a1", early),
        replace(live, approvals=("carol",)),
        replace(dev, run=2, branch="FB1", by="bob"),
        replace(_deployment(6, "staging/api", "succeeded", "c3", late), run=4, by="carol"),
        replace(
            waiting,
            run=4,
            by="carol",
            needed=2,
            approvals=("alice",),
            reason="1 of 2 approvals; bob or dana may give the other",
        ),
        replace(failed, reason="health: http://staging.example/healthz answered 502 for 60 s"),
    )


def places(now: float) -> tuple[Place, ...]:
    """The places, one with drift, one pinned, one unhealthy."""
    rows = (
        ("dev", "api", "b2", 5, "healthy", "", ""),
        ("staging", "api", "c3", 6, "healthy", "", ""),
        ("production", "api", "a1", 4, "drifted", "cart.py was changed by hand", ""),
        ("dev", "web", "f5", 0, "healthy", "", ""),
        ("staging", "web", "f5", 8, "unhealthy", "http://staging.example/healthz: 502", ""),
        ("production", "web", "f5", 1, "healthy", "", "rolled back by carol: prices were wrong"),
    )
    return tuple(
        Place(
            place=place_name(SHOP, environment, service),
            repository=SHOP,
            environment=environment,
            service=service,
            generation=3,
            digest=digest(word),
            sha=sha(word),
            deployment=number,
            state_commit=sha("9c"),
            observed=digest(word) if status != "drifted" else "",
            status=status,
            detail=detail,
            healthy_since=now - 4000 if status == "healthy" else 0.0,
            pinned=pinned,
            url=f"http://{environment}.example",
            checked_at=now - 40,
        )
        for environment, service, word, number, status, detail, pinned in rows
    )
