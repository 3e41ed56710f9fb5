"""
A target in memory, which can be told to fail.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from windlass.core.errors import Conflict, Permanent, WindlassError
from windlass.ports.target import Desired, Observed


@dataclass(slots=True)
class FakeTarget:
    """
    Keeps what runs where in `running`, and every apply that did something in `applied`.

    `failures` are raised by the next applies, one each, before anything is changed.
    A health check with the command `exit 1` fails. `spoil` and `cut_off` do what
    a person's hand and a power cut do.
    """

    running: dict[str, Observed] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    applied: list[Desired] = field(default_factory=list)
    removed: list[Desired] = field(default_factory=list)
    failures: list[WindlassError] = field(default_factory=list)

    async def apply(self, desired: Desired) -> str:
        """Remember it as what runs there."""
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        place = desired.place
        if desired.generation < self.seen.get(place, 0):
            raise Conflict(f"{place} has seen generation {self.seen[place]}")
        self.seen[place] = desired.generation
        old = self.running.get(place)
        new = Observed(digest=desired.digest, generation=desired.generation)
        if old == new:
            return f"fake:{place}"
        self.running[place] = replace(old or Observed(), unknown=True, detail="cut off")
        await asyncio.sleep(0)
        if desired.health and desired.health.command == "exit 1":
            self.running[place] = old or Observed()
            raise Permanent(f"{place} is not healthy")
        self.running[place] = new
        self.applied.append(desired)
        return f"fake:{place}"

    async def observe(self, desired: Desired) -> Observed:
        """What is remembered."""
        seen = self.running.get(desired.place, Observed())
        healthy = True if desired.health and seen.digest else None
        return replace(seen, healthy=healthy)

    async def remove(self, desired: Desired) -> None:
        """Forget the place."""
        self.running.pop(desired.place, None)
        self.seen.pop(desired.place, None)
        self.removed.append(desired)

    def spoil(self, place: str, detail: str = "changed by hand") -> None:
        """Change by hand what runs there."""
        self.running[place] = replace(self.running[place], intact=False, detail=detail)

    def cut_off(self, place: str) -> None:
        """As if the power had gone in the middle of an apply."""
        seen = self.running.get(place, Observed())
        self.running[place] = replace(seen, unknown=True, detail="cut off")
