"""
What every target does.

Subclass `TargetContract`, give it the fixtures `target` and `spec`, and `spoil`
or `failing` when the target can be changed by hand or can fail:

    class TestMine(TargetContract):
        @pytest.fixture
        def target(self):
            return MyTarget(...)

        @pytest.fixture
        def spec(self, tmp_path):
            return lambda place: TargetSpec(kind="mine", options={...})
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from windlass.core.environment import TargetSpec
from windlass.core.errors import Conflict, Permanent
from windlass.core.pipeline import Health
from windlass.ports.target import Desired, Observed, Target

MakeSpec = Callable[[str], TargetSpec]
MakeDesired = Callable[..., Desired]

PLACE = "acme/shop/dev/api"


def package(path: Path, text: str) -> tuple[Path, str]:
    """A package with one file that holds `text`, and its digest."""
    data = text.encode()
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo("app/version.txt")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return path, "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


class TargetContract:
    """Promises of the port `Target`."""

    @pytest.fixture
    def target(self) -> Target:
        """The target under test."""
        raise NotImplementedError

    @pytest.fixture
    def spec(self) -> MakeSpec:
        """How to make a target's options for a place; two places must not touch each other."""
        raise NotImplementedError

    @pytest.fixture
    def spoil(self) -> Callable[[Desired], None]:
        """Change by hand what was deployed."""
        pytest.skip("nothing can be changed by hand here")

    @pytest.fixture
    def failing(self) -> Callable[[Desired], Desired]:
        """The same deployment, but one that cannot become healthy."""
        return lambda desired: replace(desired, health=Health(command="exit 1", timeout=0.2))

    @pytest.fixture
    def desired(self, tmp_path: Path, spec: MakeSpec) -> MakeDesired:
        """How to make what shall run: a generation, the text of its build, a place."""

        def make(generation: int, text: str = "one", place: str = PLACE) -> Desired:
            file, digest = package(tmp_path / f"{text}.tar", text)
            return Desired(
                place=place,
                generation=generation,
                digest=digest,
                spec=spec(place),
                package=file,
                env={"CI_ARTIFACT_DIGEST": digest},
            )

        return make

    def test_before_the_first_apply_nothing_runs(
        self, target: Target, desired: MakeDesired
    ) -> None:
        """An empty place has no digest, and that is no unknown."""
        seen = asyncio.run(target.observe(desired(1)))
        assert (seen.digest, seen.unknown) == ("", False)

    def test_what_was_applied_is_observed(self, target: Target, desired: MakeDesired) -> None:
        """After an apply, digest and generation are those that were wanted."""
        wanted = desired(1)
        _expect(_applied(target, wanted), wanted)

    def test_apply_twice_is_once(self, target: Target, desired: MakeDesired) -> None:
        """The same apply again changes nothing and says the same."""
        wanted = desired(1)
        assert asyncio.run(target.apply(wanted)) == asyncio.run(target.apply(wanted))
        _expect(asyncio.run(target.observe(wanted)), wanted)

    def test_a_higher_generation_replaces(self, target: Target, desired: MakeDesired) -> None:
        """A later deployment takes the place over."""
        _applied(target, desired(1))
        later = desired(2, "two")
        _expect(_applied(target, later), later)

    def test_a_digest_may_come_back(self, target: Target, desired: MakeDesired) -> None:
        """A rollback is an older digest under a higher generation."""
        for wanted in (desired(1), desired(2, "two"), desired(3)):
            _expect(_applied(target, wanted), wanted)

    def test_a_lower_generation_is_refused(self, target: Target, desired: MakeDesired) -> None:
        """A deployment that comes late never overwrites a newer one."""
        later = desired(2, "two")
        _applied(target, later)
        with pytest.raises(Conflict):
            asyncio.run(target.apply(desired(1)))
        _expect(asyncio.run(target.observe(later)), later)

    def test_places_do_not_touch_each_other(self, target: Target, desired: MakeDesired) -> None:
        """What is done at one place is not seen at another."""
        here, there = desired(5), desired(1, "two", "acme/shop/staging/api")
        _applied(target, here)
        _expect(_applied(target, there), there)
        asyncio.run(target.remove(there))
        _expect(asyncio.run(target.observe(here)), here)

    def test_removed_is_gone_and_remove_twice_is_once(
        self, target: Target, desired: MakeDesired
    ) -> None:
        """After a removal nothing runs; removing what is not there is no error."""
        wanted = desired(1)
        asyncio.run(target.remove(wanted))
        _applied(target, wanted)
        for _ in range(2):
            asyncio.run(target.remove(wanted))
            assert asyncio.run(target.observe(wanted)).digest == ""

    def test_a_removed_place_can_be_deployed_again(
        self, target: Target, desired: MakeDesired
    ) -> None:
        """A preview that is opened again starts anew."""
        _applied(target, desired(1))
        asyncio.run(target.remove(desired(1)))
        again = desired(2, "two")
        _expect(_applied(target, again), again)

    def test_what_was_changed_by_hand_is_seen_and_healed(
        self, target: Target, desired: MakeDesired, spoil: Callable[[Desired], None]
    ) -> None:
        """A change by hand is told with its detail, and the same apply mends it."""
        wanted = desired(1)
        _applied(target, wanted)
        spoil(wanted)
        seen = asyncio.run(target.observe(wanted))
        assert not seen.intact
        assert seen.detail
        _expect(_applied(target, wanted), wanted)

    def test_what_does_not_work_leaves_the_old_running(
        self, target: Target, desired: MakeDesired, failing: Callable[[Desired], Desired]
    ) -> None:
        """A deployment that fails its health check says so, and the old one is back."""
        old = desired(1)
        _applied(target, old)
        with pytest.raises(Permanent):
            asyncio.run(target.apply(failing(desired(2, "two"))))
        _expect(asyncio.run(target.observe(old)), old)

    def test_a_deployment_that_failed_can_be_tried_again(
        self, target: Target, desired: MakeDesired, failing: Callable[[Desired], Desired]
    ) -> None:
        """The same generation may succeed later."""
        wanted = desired(1)
        with pytest.raises(Permanent):
            asyncio.run(target.apply(failing(wanted)))
        _expect(_applied(target, wanted), wanted)

    @pytest.mark.parametrize("steps", [*range(6), 10, 20, 40])
    def test_a_cut_off_apply_is_old_new_or_unknown(
        self, target: Target, desired: MakeDesired, steps: int
    ) -> None:
        """Wherever an apply is cut off, nobody is told a success that is none."""
        old, new = desired(1), desired(2, "two")
        _applied(target, old)
        asyncio.run(_cut_off(target, new, steps))
        seen = asyncio.run(target.observe(new))
        if not seen.unknown:
            _expect(seen, old if seen.digest == old.digest else new)
        _expect(_applied(target, new), new)


def _applied(target: Target, wanted: Desired) -> Observed:
    async def both() -> Observed:
        await target.apply(wanted)
        return await target.observe(wanted)

    return asyncio.run(both())


def _expect(seen: Observed, wanted: Desired) -> None:
    assert (seen.digest, seen.generation) == (wanted.digest, wanted.generation), seen.detail
    assert seen.intact, seen.detail
    assert not seen.unknown, seen.detail
    assert seen.healthy is not False, seen.detail


async def _cut_off(target: Target, wanted: Desired, steps: int) -> None:
    """Cancel an apply after the loop has gone round `steps` times."""
    applying = asyncio.ensure_future(target.apply(wanted))
    for _ in range(steps):
        await asyncio.sleep(0)
    applying.cancel()
    await asyncio.wait([applying])
    if not applying.cancelled():
        applying.exception()
