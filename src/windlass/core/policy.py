"""
What the operator allows a repository: which images, and whose forks.

A policy is not part of the configuration, so no commit and no pull request loosens it.
Images are asked about as a container engine would read their names: `python:3` is
`docker.io/library/python`, in a pattern too, so that `python` never fits
`evil.example/python`.

>>> normalised("python:3")
'docker.io/library/python'
>>> Policy(allow_images=("ghcr.io/acme/",)).allows("ghcr.io/acme/tools/go:1")
True
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from windlass.core.errors import ConfigError, Fault, UserError
from windlass.core.event import Event
from windlass.core.globs import match, names
from windlass.core.pipeline import Image

ANY = ("**",)
HUB = "docker.io"
MOST, LONGEST = 100, 200

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}")
_REFERENCE = re.compile(
    r"(?:[A-Za-z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:(?:\.|/|__?|-+)[a-z0-9]+)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    `require_digest`: images are named by digest; of the patterns the last that fits decides.

    An empty list allows none, `**` all.
    """

    require_digest: bool = False
    allow_images: tuple[str, ...] = ANY
    allow_forks: tuple[str, ...] = ANY

    def allows(self, image: str) -> bool:
        """Whether an image of this name may be used."""
        return self.allow_images == ANY or match(
            map(_pattern, self.allow_images), normalised(image)
        )


def normalised(image: str) -> str:
    """The name of an image with its registry, and without tag and digest."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    name = folder + slash + last.partition(":")[0]
    host, slash, rest = name.partition("/")
    if not slash:
        return f"{HUB}/library/{name}"
    if host in {"docker.io", "index.docker.io", "registry-1.docker.io"}:
        return f"{HUB}/{rest}" if "/" in rest else f"{HUB}/library/{rest}"
    return f"{host.lower()}/{rest}" if _is_host(host) else f"{HUB}/{name}"


def check_images(policy: Policy, images: Iterable[Image]) -> None:
    """Raise `ConfigError` with every image that this policy does not allow."""
    faults = tuple(fault for image in images for fault in _faults(policy, image))
    if faults:
        raise ConfigError(faults)


def barred(policy: Policy, event: Event) -> str:
    """Why nothing of this event may run: it is a fork's that is not allowed; empty: it may."""
    if not event.fork or event.action == "merged" or policy.allow_forks == ANY:
        return ""
    owner = event.fork_owner
    # A list may say "all but these", and who is not known may be one of them.
    if owner and names(map(str.casefold, policy.allow_forks)).matches(owner.casefold()):
        return ""
    whose = f"forks of {owner}" if owner else "a fork whose owner the forge does not tell"
    allowed = f"forks of {', '.join(policy.allow_forks)}" if policy.allow_forks else "no forks"
    return (
        f"pull requests from {whose} are not run: the policy of {event.repository} allows {allowed}"
    )


def told(policy: Policy) -> str:
    """
    A policy in one line, without what it leaves as it is.

    >>> told(Policy(require_digest=True, allow_forks=()))
    'images by digest; forks: none'
    """
    said = ["images by digest"] if policy.require_digest else []
    for what, patterns in (("images", policy.allow_images), ("forks", policy.allow_forks)):
        if patterns != ANY:
            said.append(f"{what}: {', '.join(patterns) or 'none'}")
    return "; ".join(said) or "none"


def checked(patterns: Iterable[str], what: str) -> tuple[str, ...]:
    """The patterns of a list; `any` and `none` stand alone. Raises `UserError`."""
    given = tuple(patterns)
    if given in {("none",), ()}:
        return ()
    if given in {("any",), ANY}:
        return ANY
    for one in given:
        if one in {"any", "none"}:
            raise UserError(f"`{one}` says all there is to say of {what}", hint="give it alone")
        if not one.lstrip("!") or len(one) > LONGEST or not one.isprintable() or " " in one:
            raise UserError(
                f"{one[:80]!r} is no pattern for {what}",
                hint=f"it has no spaces, and {LONGEST} characters at most: acme-*",
            )
    if len(given) > MOST:
        raise UserError(f"these are more than {MOST} patterns for {what}", hint="use `*` or `**`")
    return given


def _faults(policy: Policy, image: Image) -> list[Fault]:
    found: list[Fault] = []
    if policy == Policy():
        return found
    if not _REFERENCE.fullmatch(image.name):
        # What is only known later cannot be allowed now.
        hint = "write the name out: REGISTRY/NAME@sha256:..."
        return [_fault(f"{image.name[:200]!r} does not name one image", image, hint)]
    if policy.require_digest and not _DIGEST.search(image.name):
        hint = "a tag can be moved: write NAME@sha256:..., which `podman pull` shows"
        found.append(_fault(f"the image {image.name} is not named by its digest", image, hint))
    if not policy.allows(image.name):
        allowed = ", ".join(policy.allow_images) or "none"
        hint = f"allowed are: {allowed}; the operator changes that with `windlass repo policy`"
        found.append(_fault(f"the image {normalised(image.name)} is not allowed here", image, hint))
    return found


def _fault(message: str, image: Image, hint: str) -> Fault:
    return Fault(f"{message}, and this repository has a policy", image.place, hint, "policy")


def _pattern(text: str) -> str:
    """A pattern for full names: what names no registry is read as an engine would read it."""
    sign, body = ("!", text[1:]) if text.startswith("!") else ("", text)
    body += "**" if body.endswith("/") else ""
    host, slash, _ = body.partition("/")
    if host == "**" or (slash and (_is_host(host) or "*" in host)):
        return sign + body
    return f"{sign}{HUB}/{body}" if slash else f"{sign}{HUB}/library/{body}"


def _is_host(part: str) -> bool:
    return part == "localhost" or "." in part or ":" in part
