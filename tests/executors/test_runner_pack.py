"""What becomes an artifact set, and what never does."""

from __future__ import annotations

import os
import tarfile

import pytest

from windlass.executors.runner.pack import CannotPack, pack

TREE = ["dist/a.js", "dist/sub/b.js", "dist/.hidden", "lib/deep/er/c.py", "top.whl", ".git/config"]


@pytest.fixture
def root(tmp_path):
    """A workspace."""
    place = tmp_path / "workspace"
    for name in TREE:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(name)
    return place


@pytest.fixture
def packed(root, tmp_path):
    """Pack these globs and list the files in the tar."""

    def do(*globs, secrets=()):
        target = tmp_path / "package.tar"
        pack(str(root), list(globs), str(target), secrets)
        with tarfile.open(target) as tar:
            return [member.name for member in tar if not member.isdir()]

    return do


@pytest.mark.parametrize(
    ("globs", "names"),
    [
        (["dist/"], ["dist/.hidden", "dist/a.js", "dist/sub/b.js"]),
        (["dist/*.js"], ["dist/a.js"]),
        (["dist/**/*.js"], ["dist/a.js", "dist/sub/b.js"]),
        (["**/*.py", "*.whl"], ["lib/deep/er/c.py", "top.whl"]),
        (["dist", "!dist/sub"], ["dist/.hidden", "dist/a.js"]),
        (["lib/*/er"], ["lib/deep/er/c.py"]),
        (["./dist/a.js"], ["dist/a.js"]),
        (["*"], ["dist/.hidden", "dist/a.js", "dist/sub/b.js", "lib/deep/er/c.py", "top.whl"]),
    ],
)
def test_globs_mean_what_they_say(packed, globs, names):
    """A folder is all that is in it; `**` is any depth; `!` takes back; `.git` is no artifact."""
    assert packed(*globs) == names


def test_the_tar_depends_on_content_alone(packed, root, tmp_path):
    """Not on times, owners, the umask, nor the order in which files were made."""
    packed("dist/")
    first = (tmp_path / "package.tar").read_bytes()
    data = (root / "dist/a.js").read_bytes()
    (root / "dist/a.js").unlink()
    (root / "dist/a.js").write_bytes(data)
    (root / "dist/a.js").chmod(0o600)
    os.utime(root / "dist/sub/b.js", (1, 1))
    (root / "dist/sub").chmod(0o700)
    packed("dist/")
    assert (tmp_path / "package.tar").read_bytes() == first
    (root / "dist/a.js").chmod(0o700)
    packed("dist/")
    assert (tmp_path / "package.tar").read_bytes() != first


@pytest.mark.parametrize(
    "target",
    [
        "/etc/passwd",
        "../../etc",
        "sub/../../../x",
        "../../workspace/top.whl",
        "sub/out/../../../etc",
    ],
)
def test_a_link_that_leads_out_is_refused(packed, root, target):
    """By its text or in truth, existing or not."""
    (root / "dist/sub/out").symlink_to("..")
    (root / "dist/link").symlink_to(target)
    with pytest.raises(CannotPack, match="leads out"):
        packed("dist/")


def test_a_link_inside_stays_a_link(packed, root, tmp_path):
    """Its content is not packed twice, and a folder behind it is not entered."""
    (root / "dist/latest").symlink_to("sub")
    (root / "dist/self").symlink_to(".")
    assert packed("dist/**") == packed("dist/")
    with tarfile.open(tmp_path / "package.tar") as tar:
        assert tar.getmember("dist/latest").linkname == "sub"


@pytest.mark.parametrize("glob", ["../x", "dist/../../x", "/etc/passwd", "none/*", "!dist"])
def test_a_glob_that_finds_nothing_inside_is_refused(packed, glob):
    """With its text."""
    with pytest.raises(CannotPack):
        packed(glob)


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x1b[31m", "\udcff", "a\u202eb"])
def test_a_name_that_could_deceive_is_refused(packed, root, name):
    """Control characters, text turned around, bytes that are no UTF-8."""
    (root / "dist" / name).write_text("")
    with pytest.raises(CannotPack, match="control characters"):
        packed("dist/")


def test_a_name_with_a_secret_is_refused(packed, root):
    """Names are shown, so they are part of the log, so to speak."""
    (root / "dist/s3cret-token.txt").write_text("")
    with pytest.raises(CannotPack, match=r"\*\*\*"):
        packed("dist/", secrets=("s3cret-token",))


def test_what_is_no_file_is_refused(packed, root):
    """A named pipe would block whoever unpacks it."""
    os.mkfifo(root / "dist/pipe")
    with pytest.raises(CannotPack, match="neither"):
        packed("dist/")


def test_who_packs_looks_up_meanwhile(root, tmp_path):
    """A file of any size ends when the job shall end."""
    (root / "large").write_bytes(b"x" * (40 << 20))
    looks = []

    def check():
        looks.append(1)
        if len(looks) > 3:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        pack(str(root), ["large"], str(tmp_path / "package.tar"), (), check)
    assert (tmp_path / "package.tar").stat().st_size < 40 << 20


def test_what_the_disk_does_not_hold_is_refused_before_it_is_written(root, tmp_path):
    """A hole takes no room until it is packed."""
    with (root / "hole").open("wb") as file:
        file.truncate(1 << 43)
    with pytest.raises(CannotPack, match="the disk has"):
        pack(str(root), ["hole"], str(tmp_path / "package.tar"), ())
    assert not (tmp_path / "package.tar").exists()
