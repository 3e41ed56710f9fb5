"""
One command as a person gave it, and what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.core.chat import Command
from windlass.core.errors import Conflict
from windlass.engine.world import Forge
from windlass.ports.forge import PullRequest, PullState
from windlass.ports.records import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """
    A command with its circumstances.

    `by` is the name that acts, as rules of approval know it; `by_id` the forge's id of the
    person. `key` names event and position, so that what is done for it is done once.
    """

    event: int
    position: int
    command: Command
    repository: Repository
    forge: Forge
    number: int
    by: str
    by_id: str

    @property
    def key(self) -> str:
        """What tells this command from every other."""
        return f"chat-{self.event}-{self.position}"

    @property
    def name(self) -> str:
        """The first word after the verb; empty when there is none."""
        return self.command.arguments[0] if self.command.arguments else ""

    @property
    def service(self) -> str:
        """The second word; empty when there is none."""
        return self.command.arguments[1] if len(self.command.arguments) > 1 else ""

    async def pull(self) -> PullRequest:
        """The pull request as the forge has it now."""
        return await self.forge.source.pull(self.repository.url, self.number)

    async def open_pull(self) -> PullRequest:
        """The same; `Conflict` unless it is open."""
        pull = await self.pull()
        if pull.state is not PullState.OPEN:
            raise Conflict(f"pull request {self.number} is {pull.state}")
        return pull


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it in one line, the page that shows more, and the event it `explains`."""

    text: str
    path: str = ""
    explains: int = 0


def short(sha: str) -> str:
    """As much of a commit's id as people write; what is shorter can be met on purpose."""
    return sha[:12]
