"""The directory target: what is on disk after each thing that can be asked of it."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import replace

import pytest

from windlass.core.environment import TargetSpec
from windlass.core.errors import Conflict, Permanent, Transient, UserError
from windlass.core.pipeline import Health
from windlass.targets.directory import DirectoryTarget
from windlass.targets.directory.folder import Folder


def apply(target, *wanted):
    """Apply one after the other; what the last one says."""
    return [asyncio.run(target.apply(one)) for one in wanted][-1]


def observe(target, wanted):
    return asyncio.run(target.observe(wanted))


# ------------------------------------------------------------ whose folder it is


def test_a_folder_with_strange_files_is_refused_and_left_alone(target, wanted, srv):
    """What Windlass did not make it neither deletes nor writes beside."""
    srv.mkdir()
    (srv / "mine.txt").write_text("keep")
    for ask in (target.apply, target.observe, target.remove):
        with pytest.raises(Conflict, match=r"mine\.txt") as refused:
            asyncio.run(ask(wanted(1)))
        assert refused.value.hint
    assert [path.name for path in srv.iterdir()] == ["mine.txt"]


def test_a_folder_of_another_service_is_refused(target, wanted):
    """Two services never share a folder; the text names the one that has it."""
    apply(target, wanted(1))
    other = wanted(9, place="acme/shop/dev/web")
    for ask in (target.apply, target.observe, target.remove):
        with pytest.raises(Conflict, match="belongs to acme/shop/dev/api"):
            asyncio.run(ask(other))
    assert observe(target, wanted(1)).digest == wanted(1).digest


def test_files_put_beside_later_stay_when_the_place_is_removed(target, wanted, srv):
    """A removal takes away what Windlass made, and the folder only when it is empty."""
    apply(target, wanted(1))
    (srv / "shared").mkdir()
    asyncio.run(target.remove(wanted(1)))
    assert [path.name for path in srv.iterdir()] == ["shared"]


@pytest.mark.parametrize("name", ["current", "releases"])
def test_a_name_of_ours_that_is_not_ours_is_refused(target, wanted, srv, name):
    """A real folder in the place of `current`, or a link in that of `releases`, is not touched."""
    apply(target, wanted(1))
    (srv / "current").unlink()
    (srv / "releases").rename(srv / "away")
    if name == "current":
        (srv / name).mkdir()
    else:
        (srv / name).symlink_to("away")
    with pytest.raises(Conflict, match=name):
        apply(target, wanted(2))


@pytest.mark.parametrize("path", ["", "relative", "/", "/srv/../etc"])
def test_a_path_that_cannot_be_meant_is_refused(target, wanted, path):
    """A path is absolute, without `..`, and not the root."""
    one = replace(wanted(1), spec=TargetSpec(kind="directory", options={"path": path}))
    with pytest.raises(UserError, match="path"):
        apply(target, one)


def test_an_unknown_option_is_refused(target, wanted, srv):
    """An option that cannot be honoured is never ignored."""
    options = {"path": str(srv), "befor": "x"}
    one = replace(wanted(1), spec=TargetSpec(kind="directory", options=options))
    with pytest.raises(UserError, match="befor"):
        apply(target, one)


def test_a_state_that_cannot_be_read_is_no_guess(target, wanted, srv):
    """A spoilt record is said to be one, with its path."""
    apply(target, wanted(1))
    (srv / ".windlass/state.json").write_text("{")
    with pytest.raises(Permanent, match=r"state\.json cannot be read"):
        observe(target, wanted(1))


# ------------------------------------------------------------ what is deployed


def test_a_release_is_the_package_behind_one_link(target, wanted, srv):
    """`current` is a relative link to the release; modes are ours and scripts can be run."""
    said = apply(target, wanted(3))
    assert said == str(srv / "releases" / f"{wanted(3).digest[7:19]}-3")
    assert str((srv / "current").readlink()) == f"releases/{wanted(3).digest[7:19]}-3"
    assert (srv / "current/app/version.txt").read_text() == "one"
    assert (srv / "current/run.sh").stat().st_mode & 0o777 == 0o755
    assert (srv / "current/app/version.txt").stat().st_mode & 0o777 == 0o644


def test_the_umask_does_not_decide_who_may_read(target, wanted, srv):
    """A web server of another user can read what a careful server deployed, and not its records."""
    before = os.umask(0o077)
    try:
        apply(target, wanted(1))
    finally:
        os.umask(before)
    assert [(srv / name).stat().st_mode & 0o777 for name in (".", "releases", "current/app")] == [
        0o755
    ] * 3
    assert (srv / ".windlass").stat().st_mode & 0o777 == 0o700


def test_a_package_that_is_not_the_build_is_refused(target, wanted):
    """Only the very bytes that were admitted are deployed."""
    one, two = wanted(1), wanted(2, "two")
    apply(target, one)
    with pytest.raises(Permanent, match="was to be deployed"):
        apply(target, replace(two, package=one.package))
    assert observe(target, one).digest == one.digest


def test_one_generation_is_one_digest(target, wanted):
    """A generation that was begun with one build never becomes another."""
    apply(target, wanted(1))
    with pytest.raises(Conflict, match="generation 1"):
        apply(target, wanted(1, "two"))


def test_a_generation_that_failed_still_counts(target, wanted):
    """What is older than a failed deployment is late, too."""
    apply(target, wanted(1))
    with pytest.raises(Permanent):
        apply(target, wanted(3, "two", after="false"))
    with pytest.raises(Conflict, match="has seen generation 3"):
        apply(target, wanted(2))


def test_five_old_releases_are_kept(target, wanted, srv):
    """The running one and five before it; the rest and their manifests go."""
    apply(target, *(wanted(number, f"text{number}") for number in range(1, 9)))
    kept = sorted(path.name.rpartition("-")[2] for path in (srv / "releases").iterdir())
    assert kept == ["3", "4", "5", "6", "7", "8"]
    assert len(list((srv / ".windlass").glob("*.manifest.json"))) == 6


def test_two_applies_do_not_meet(target, wanted, srv):
    """While one goes on, another is told to come again."""
    apply(target, wanted(1))
    with (
        Folder(srv).locked("acme/shop/dev/api"),
        pytest.raises(Transient, match="going on") as busy,
    ):
        apply(target, wanted(2))
    assert busy.value.retry_after


# ------------------------------------------------------------ after


def test_after_gets_few_variables_and_its_own(target, wanted, srv):
    """`after` runs in the new release with PATH, HOME, the build's variables and the place."""
    one = wanted(4, after="env > seen; pwd -P > where")
    apply(target, one)
    seen = dict(row.split("=", 1) for row in (srv / "current/seen").read_text().splitlines())
    mine = {"PATH", "HOME", "CI_COMMIT_SHA", "WINDLASS_PLACE", "WINDLASS_DIGEST"}
    assert mine | {"WINDLASS_GENERATION"} <= seen.keys()
    assert seen.keys() - mine <= {"WINDLASS_GENERATION", "PWD", "OLDPWD", "SHLVL", "_"}
    assert (seen["WINDLASS_DIGEST"], seen["WINDLASS_GENERATION"]) == (one.digest, "4")
    assert (srv / "current/where").read_text().strip() == str((srv / "current").resolve())


def test_what_after_makes_is_no_change_by_hand(target, wanted, srv):
    """What `after` makes, rewrites or fills later belongs to the service."""
    apply(target, wanted(1, after="mkdir logs; echo port=1 > app/version.txt; touch pid"))
    (srv / "current/logs/today").write_text("later")
    (srv / "current/pid").write_text("17")
    assert observe(target, wanted(1)).intact


def test_a_service_started_by_after_lives_on_and_holds_nothing_up(target, wanted, srv, tmp_path):
    """What `after` leaves in the background runs on, may write, and is not waited for."""
    os.mkfifo(tmp_path / "gate")
    after = f"(read line < {tmp_path}/gate; echo said; echo up > done) &"
    apply(target, wanted(1, after=after))
    (tmp_path / "gate").write_text("go\n")
    while not (srv / "current/done").exists():
        os.sched_yield()
    assert "said" in (srv / ".windlass/after.log").read_text()


def test_a_failing_after_brings_the_old_release_back(target, wanted, srv, tmp_path):
    """The link goes back, the old `after` runs again, and the error holds the output's tail."""
    started = tmp_path / "started"
    old = wanted(1, after=f"echo $WINDLASS_GENERATION $CI_COMMIT_SHA >> {started}")
    apply(target, old)
    new = wanted(
        2, "two", after="echo nearly; echo no port >&2; exit 7", env={"CI_COMMIT_SHA": "b"}
    )
    with pytest.raises(Permanent) as failed:
        apply(target, new)
    for part in ("exit code 7", "nearly", "no port", f"{old.digest} runs again"):
        assert part in str(failed.value)
    assert started.read_text().splitlines() == ["1 c0ffee"] * 2
    seen = observe(target, new)
    assert (seen.digest, seen.generation, seen.intact, seen.unknown) == (old.digest, 1, True, False)
    assert len(list((srv / "releases").iterdir())) == 1


def test_a_first_deployment_that_fails_leaves_nothing(target, wanted, srv):
    """Without an old release there is no `current`, and the text says so."""
    with pytest.raises(Permanent, match="nothing ran there before"):
        apply(target, wanted(1, after="exit 1"))
    assert not os.path.lexists(srv / "current")
    assert observe(target, wanted(1)).digest == ""


def test_when_the_way_back_fails_too_nobody_knows(target, wanted, tmp_path):
    """If the old release cannot be started again either, what runs is unknown."""
    flag = tmp_path / "flag"
    apply(target, wanted(1, after=f"test ! -e {flag}"))
    flag.touch()
    with pytest.raises(Permanent, match=r"going back .* failed too"):
        apply(target, wanted(2, "two", after="false"))
    assert observe(target, wanted(2, "two")).unknown
    apply(target, wanted(2, "two"))
    assert not observe(target, wanted(2, "two")).unknown


def test_after_has_a_time_limit_with_all_it_started(wanted, srv, tmp_path):
    """An `after` that hangs is ended with its children, and the old release is back."""
    target = DirectoryTarget.make(os.environ, after_limit=0.3)
    apply(target, wanted(1))
    os.mkfifo(tmp_path / "never")
    with pytest.raises(Permanent, match=r"longer than 0\.3 s"):
        apply(target, wanted(2, "two", after=f"cat {tmp_path}/never | cat"))
    assert observe(target, wanted(1)).digest == wanted(1).digest
    with pytest.raises(OSError):  # nobody reads from it any more
        os.open(tmp_path / "never", os.O_WRONLY | os.O_NONBLOCK)


@pytest.mark.parametrize("after", ["echo x\0y", "exit 1 # \x1b[31m"])
def test_after_with_strange_letters_is_an_error_for_people(target, wanted, after):
    """Whatever `after` holds, the answer is a text."""
    with pytest.raises(Permanent):
        apply(target, wanted(1, after=after))


# ------------------------------------------------------------ observe and heal


@pytest.mark.parametrize(
    ("by_hand", "detail"),
    [
        (lambda now: (now / "app/version.txt").write_text("tow"), "changed app/version.txt"),
        (lambda now: (now / "app/new").write_text(""), "added app/new"),
        (lambda now: (now / "run.sh").unlink(), "missing run.sh"),
        (lambda now: (now / "run.sh").chmod(0o600), "changed run.sh"),
        (lambda now: (now / "bad\n\udcff").mkdir(), "added bad"),
    ],
)
def test_a_change_by_hand_is_named_and_mended(target, wanted, srv, by_hand, detail):
    """The detail says what was done; the same apply makes a fresh release of it."""
    apply(target, wanted(1))
    before = (srv / "current").resolve()
    by_hand(srv / "current")
    seen = observe(target, wanted(1))
    assert (seen.digest, seen.intact) == (wanted(1).digest, False)
    assert detail in seen.detail
    apply(target, wanted(1))
    assert observe(target, wanted(1)).intact
    assert (srv / "current").resolve() != before


def test_an_edit_that_keeps_size_and_time_is_seen(target, wanted, srv):
    """A file whose times were set back is read, not believed."""
    apply(target, wanted(1))
    file = srv / "current/app/version.txt"
    times = file.stat()
    file.write_text("eno")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not observe(target, wanted(1)).intact


def test_a_touched_file_is_intact(target, wanted, srv):
    """New times with the old content are no change."""
    apply(target, wanted(1))
    os.utime(srv / "current/app/version.txt")
    assert observe(target, wanted(1)).intact


def test_compiled_python_is_no_change_by_hand(target, wanted, srv):
    """What Python caches beside the code is not reported."""
    apply(target, wanted(1))
    (srv / "current/app/__pycache__").mkdir()
    assert observe(target, wanted(1)).intact


def test_a_moved_link_is_seen_and_mended(target, wanted, srv):
    """`current` set to an older release by hand tells that release's digest, and is put right."""
    apply(target, wanted(1), wanted(2, "two"))
    older = next(path for path in (srv / "releases").iterdir() if path.name.endswith("-1"))
    (srv / "current").unlink()
    (srv / "current").symlink_to(f"releases/{older.name}")
    seen = observe(target, wanted(2, "two"))
    assert (seen.digest, seen.intact) == (wanted(1).digest, False)
    assert "was moved" in seen.detail
    apply(target, wanted(2, "two"))
    assert observe(target, wanted(2, "two")).intact


def test_a_deleted_release_is_seen_and_mended(target, wanted, srv):
    """A link that leads nowhere means that nothing runs."""
    apply(target, wanted(1))
    Folder(srv).discard((srv / "current").resolve().name)
    seen = observe(target, wanted(1))
    assert (seen.digest, seen.intact) == ("", False)
    apply(target, wanted(1))
    assert observe(target, wanted(1)).intact


def test_an_apply_of_what_stands_does_nothing(target, wanted, tmp_path):
    """`after` is not run again while what shall run does, untouched."""
    one = wanted(1, after=f"echo x >> {tmp_path}/count")
    apply(target, one, one, one)
    assert (tmp_path / "count").read_text() == "x\n"


# ------------------------------------------------------------ health


def test_a_health_command_decides(target, wanted, srv):
    """Exit 0 is healthy; a service that fell over is started again by the same apply."""
    one = wanted(1, after="touch alive", health=Health(command="test -e alive", timeout=5))
    apply(target, one)
    assert observe(target, one).healthy is True
    (srv / "current/alive").unlink()
    seen = observe(target, one)
    assert (seen.healthy, seen.digest) == (False, one.digest)
    assert "test -e alive" in seen.detail
    apply(target, one)
    assert observe(target, one).healthy is True


def test_health_that_never_comes_brings_the_old_release_back(target, wanted):
    """The time limit of health ends a deployment, and the text says what was seen last."""
    apply(target, wanted(1))
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refused at once
        url = f"http://127.0.0.1:{held.getsockname()[1]}/healthz"
        with pytest.raises(Permanent, match=r"not healthy within 0\.4 s: http://127"):
            apply(target, wanted(2, "two", health=Health(url=url, timeout=0.4)))
    assert observe(target, wanted(1)).digest == wanted(1).digest
