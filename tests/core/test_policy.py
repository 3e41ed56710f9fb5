"""What the operator allows a repository."""

from __future__ import annotations

import pytest

from windlass.core.configuration import Configuration
from windlass.core.errors import ConfigError, Place, UserError
from windlass.core.event import Event, Kind
from windlass.core.listener import Listener
from windlass.core.pipeline import Action, ActionKind, Image, Job, JobKind, Pipeline
from windlass.core.policy import ANY, Policy, barred, check_images, checked, normalised
from windlass.engine.configurations import Loaded
from windlass.engine.situation import Situation
from windlass.engine.start import draft
from windlass.ports.records import Repository

DIGEST = "@sha256:" + "a" * 64
AT = Place(".windlass/ci.yaml", 7, 12)


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("python", "docker.io/library/python"),
        ("python:3.12-slim" + DIGEST, "docker.io/library/python"),
        ("acme/tools", "docker.io/acme/tools"),
        ("docker.io/python", "docker.io/library/python"),
        ("index.docker.io/acme/go:1", "docker.io/acme/go"),
        ("GHCR.io/acme/go:1", "ghcr.io/acme/go"),
        ("localhost/go", "localhost/go"),
        ("registry:5000/acme/go:1", "registry:5000/acme/go"),
    ],
)
def test_an_image_has_one_full_name(written, full):
    """As a container engine would look for it, without what can be moved."""
    assert normalised(written) == full


@pytest.mark.parametrize(
    ("patterns", "image", "allowed"),
    [
        (ANY, "evil.example/python", True),
        ((), "python", False),
        (("python",), "python:3", True),
        (("python",), "docker.io/library/python:3", True),
        # A pattern is no name at any depth, and no beginning.
        (("python",), "evil.example/python", False),
        (("python",), "evil.example/library/python", False),
        (("python",), "pythons", False),
        (("acme/*",), "acme/go", True),
        (("acme/*",), "ghcr.io/acme/go", False),
        (("ghcr.io/acme",), "ghcr.io/acme/go", False),
        (("ghcr.io/acme/",), "ghcr.io/acme/tools/go", True),
        (("ghcr.io/acme/**",), "ghcr.io.evil.example/acme/go", False),
        (("ghcr.io/acme/**",), "ghcr.io/acme-evil/go", False),
        (("ghcr.io/**", "!ghcr.io/eve/**"), "ghcr.io/eve/go", False),
        (("**/go",), "quay.io/any/go", True),
        (("*.acme.example/**",), "eu.acme.example/go", True),
    ],
)
def test_a_pattern_fits_full_names(patterns, image, allowed):
    """The last that fits decides, and a short one means what the same short name means."""
    assert Policy(allow_images=patterns).allows(image) is allowed


@pytest.mark.parametrize(
    "name",
    [
        "python",
        "python:3@sha256:abc",
        "python@sha512:" + "a" * 64,
        "python" + DIGEST.upper(),
        "python" + DIGEST + "0",
        "python:${{ event.branch }}",
        "python" + DIGEST + "\n",
        "--privileged" + DIGEST,
    ],
)
def test_where_a_digest_is_required_only_a_whole_one_will_do(name):
    """A tag can be moved, and what is known later cannot be looked at now."""
    with pytest.raises(ConfigError, match=r"ci\.yaml:7:12: "):
        check_images(Policy(require_digest=True), [Image(name, AT)])
    check_images(Policy(require_digest=True), [Image("python:3" + DIGEST, AT)])


def test_every_image_that_is_not_allowed_is_named_with_its_place():
    """All at once, each with what is allowed and who can change that."""
    policy = Policy(require_digest=True, allow_images=("ghcr.io/acme/**",))
    with pytest.raises(ConfigError) as caught:
        check_images(policy, [Image("python", AT), Image("ghcr.io/acme/go", Place("a", 9, 1))])
    assert [(one.place, one.code) for one in caught.value.faults] == [
        (AT, "policy"), (AT, "policy"), (Place("a", 9, 1), "policy")
    ]  # fmt: skip
    assert "the image docker.io/library/python is not allowed here" in str(caught.value)
    assert "allowed are: ghcr.io/acme/**" in str(caught.value)


def situation(policy):
    """A push that runs one job in an image, in a repository with this policy."""
    job = Job(name="test", kind=JobKind.STEPS, images=(Image("python", AT),))
    listener = Listener(name="l", on=(), actions=(Action(kind=ActionKind.PIPELINE, name="ci"),))
    there = Configuration(
        listeners={"l": listener}, pipelines={"ci": Pipeline(name="ci", jobs=(job,))}
    )
    return listener, Situation(
        event=Event(kind=Kind.PUSH, action="pushed", repository="shop"),
        repository=Repository(
            name="shop", forge="plain", url="/x", endpoint="e", default_branch="main", **policy
        ),
        rules=Loaded(there),
        source=Loaded(there),
        config_sha="a" * 40,
        sha="a" * 40,
        status_sha="a" * 40,
        branch="main",
    )


def test_a_run_with_a_forbidden_image_is_never_made():
    """It is found when the run is planned, so that nothing has started."""
    assert draft(*situation({})).jobs
    with pytest.raises(ConfigError, match=r"^\.windlass/ci\.yaml:7:12: the image python is not"):
        draft(*situation({"require_digest": True}))


@pytest.mark.parametrize(
    ("forks", "owner", "runs"),
    [
        (ANY, "eve", True),
        (ANY, "", True),
        ((), "acme", False),
        (("acme-*",), "Acme-Tools", True),
        (("acme-*",), "evil-acme-x", False),
        (("acme-*",), "", False),
        (("!eve",), "bob", True),
        (("!eve",), "eve", False),
        # Who is not known may be the one who is not wanted.
        (("!eve",), "", False),
        (("*",), "", False),
    ],
)
def test_a_fork_runs_only_when_its_owner_is_allowed(forks, owner, runs):
    """An owner that the forge does not tell is allowed by `any` alone."""
    said = {"repository": "shop", "kind": Kind.PULL_REQUEST, "action": "opened"}
    policy = Policy(allow_forks=forks)
    assert (not barred(policy, Event(**said, fork=True, fork_owner=owner))) is runs
    assert not barred(policy, Event(**said))
    assert not barred(policy, Event(**said | {"action": "merged"}, fork=True, fork_owner=owner))


@pytest.mark.parametrize(
    "given", [["any", "x"], ["none", "x"], ["a b"], ["!"], ["x" * 201], ["\n"]]
)
def test_a_pattern_that_cannot_be_meant_is_refused(given):
    """A policy that was mistyped would allow what nobody wanted."""
    with pytest.raises(UserError):
        checked(given, "forks")


def test_any_and_none_are_words():
    """They stand for all and for nothing."""
    assert (checked(["any"], "forks"), checked(["none"], "forks")) == (ANY, ())
    assert checked(["acme", "!acme-x"], "forks") == ("acme", "!acme-x")
