"""
A forge whose webhooks are made by hand, and which is told nothing.

It takes part with its dialect alone: events come in, runs start, and their
results stand on our pages. What it cannot do it says, in words and not by silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from windlass.core.errors import Permanent
from windlass.ports.forge import Hook, HookState, Permission, PullRequest, Request, Status


@dataclass(frozen=True, slots=True)
class ByHand:
    """`Webhooks`, `Reports` and `Source` of the forge `name`, as far as a person does them."""

    name: str

    async def install(self, _url: str, hook: Hook) -> HookState:
        """Say what the person has to enter on the forge."""
        return self._say(hook)

    async def check(self, _url: str, hook: Hook) -> HookState:
        """Nobody can tell from here; say again what has to be there."""
        return self._say(hook)

    async def remove(self, _url: str, _hook: Hook) -> None:
        """The person who made the webhook takes it away."""

    async def ping(self, _url: str, _hook: Hook) -> bool:
        """Nothing can be asked."""
        return False

    async def missed(self, _url: str, _hook: Hook, _since: float) -> tuple[Request, ...]:
        """Nothing can be asked."""
        return ()

    async def status(self, _url: str, _status: Status) -> None:
        """Refuse: there is no credential to speak with."""
        raise self._mute()

    async def comment(self, _url: str, _number: int, _body: str) -> None:
        """Refuse, likewise."""
        raise self._mute()

    async def deployment(self, _url: str, _status: Status, _environment: str) -> None:
        """Refuse, likewise."""
        raise self._mute()

    async def heads(self, _url: str) -> Mapping[str, str]:
        """Refuse: only webhooks and Git itself tell."""
        raise Permanent(f"{self.name} cannot be asked without a credential")

    async def pull(self, _url: str, _number: int) -> PullRequest:
        """Refuse, likewise."""
        raise Permanent(f"{self.name} cannot be asked without a credential")

    async def credential(self, _url: str) -> None:
        """There is none."""

    async def permission(self, _url: str, _sender_id: str) -> Permission:
        """Nobody is known, so everybody from a fork is a stranger."""
        return Permission.NONE

    async def default_branch(self, _url: str) -> str:
        """Refuse, likewise."""
        raise Permanent(f"{self.name} cannot be asked without a credential")

    def _say(self, hook: Hook) -> HookState:
        return HookState(
            present=False,
            by_hand=True,
            problem=f"make the webhook by hand on {self.name}: URL {hook.url}, content type"
            " application/json, and the secret that `windlass repo secret` prints",
        )

    def _mute(self) -> Permanent:
        return Permanent(f"Windlass has no credential for {self.name}; the result is on its page")
