"""Packages that want out of their folder, or more than their share: none is unpacked."""

from __future__ import annotations

import io
import os
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core.errors import Permanent
from windlass.targets.directory.manifest import EntryKind, differences, settle
from windlass.targets.directory.unpack import Quota, unpack


def entry(name, content=b"", **more):
    """One member of a tar; `more` are fields of its header."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for key, value in more.items():
        setattr(member, key, value)
    return member, content


def folder(name):
    return entry(name, type=tarfile.DIRTYPE)


def link(name, to):
    return entry(name, type=tarfile.SYMTYPE, linkname=to)


def hard(name, to):
    return entry(name, type=tarfile.LNKTYPE, linkname=to)


def packed(path, members, **how):
    """A tar with these members."""
    with tarfile.open(path, "w", **how) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return path


def names(here):
    return sorted(path.name for path in here.iterdir())


ATTACKS = {
    "dots": [entry("../out", b"x")],
    "dots inside": [entry("a/../../out", b"x")],
    "absolute": [entry("/tmp/out", b"x")],
    "carriage return": [entry("a\rb", b"x")],
    "escape": [entry("a\x1b[2J", b"x")],
    "no utf-8": [entry("a\udcff", b"x")],
    "link out": [link("a", "../out")],
    "link absolute": [link("a", "/etc/passwd")],
    "link through a link": [folder("d/e"), link("d/e/up", "../.."), link("out", "d/e/up/../..")],
    "file through a link": [link("a", "."), entry("a/b", b"x")],
    "file over a link": [link("a", "b"), entry("a", b"x")],
    "folder over a link": [link("a", "."), folder("a")],
    "folder over a file": [entry("a", b"x"), folder("a")],
    "file below a file": [entry("a", b"x"), entry("a/b", b"x")],
    "file twice": [entry("a", b"x"), entry("./a", b"y")],
    "hard link out": [hard("a", "../../etc/passwd")],
    "hard link absolute": [hard("a", "/etc/passwd")],
    "hard link to a link": [link("a", "b"), hard("c", "a")],
    "hard link to nothing": [hard("a", "b")],
    "device": [entry("a", type=tarfile.CHRTYPE, devmajor=1, devminor=3)],
    "block device": [entry("a", type=tarfile.BLKTYPE)],
    "pipe": [entry("a", type=tarfile.FIFOTYPE)],
    "unknown type": [entry("a", type=b"V")],
    "sparse": [entry("holes", type=tarfile.GNUTYPE_SPARSE)],
    "too many names": [entry(f"n{number}") for number in range(101)],
    "too many bytes": [entry("a", b"x" * 60_000), entry("b", b"x" * 60_000)],
    "too many bytes by links": [entry("a", b"x" * 9_000), *(hard(f"h{n}", "a") for n in range(20))],
    "deep": [entry("d/" * 900 + "a", b"x")],
    "abyss": [entry("d/" * 20_000 + "a", b"x")],
    "long name": [entry("n" * 300, b"x")],
    "long header": [entry("a", b"x", pax_headers={"comment": "x" * 100_000})],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_nothing_is_left(tmp_path, attack):
    """It is refused with a text, no file is made outside, and the folder is gone."""
    package = packed(tmp_path / "package", ATTACKS[attack], format=tarfile.PAX_FORMAT)
    before = sorted(tmp_path.iterdir())
    with pytest.raises((Permanent, OSError)) as refused:
        unpack(package, tmp_path / "into", Quota(bytes=100_000, entries=100))
    assert str(refused.value).isprintable()
    assert sorted(tmp_path.iterdir()) == before


def test_an_absolute_link_is_refused_even_when_it_leads_inside(tmp_path):
    """A release is the same wherever it stands."""
    package = packed(tmp_path / "package", [entry("a", b"x"), link("b", f"{tmp_path}/into/a")])
    with pytest.raises(Permanent, match="the link b"):
        unpack(package, tmp_path / "into", Quota())


@pytest.mark.parametrize("cut", [0, 1, 511, 512, 1000, 1024, 1536, 2048])
def test_a_package_that_is_cut_off_is_no_package(tmp_path, cut):
    """A tar without its end is refused, wherever it was cut."""
    whole = packed(tmp_path / "package", [entry("a", b"x" * 10), entry("b", b"y" * 10)])
    whole.write_bytes(whole.read_bytes()[:cut])
    with pytest.raises(Permanent):
        unpack(whole, tmp_path / "into", Quota())
    assert not (tmp_path / "into").exists()


def test_a_spoilt_header_is_not_the_end(tmp_path):
    """A release is never short of files because a header in the middle cannot be read."""
    package = packed(tmp_path / "package", [entry("a", b"x"), entry("b", b"y")])
    data = bytearray(package.read_bytes())
    data[1024] ^= 0xFF
    package.write_bytes(data)
    with pytest.raises(Permanent):
        unpack(package, tmp_path / "into", Quota())


@pytest.mark.parametrize("size", [-512, -1024, -(1 << 40)])
def test_a_size_below_zero_ends(tmp_path, size):
    """A header that leads backwards is refused, and not read for ever."""
    member, _ = entry("a")
    member.size = size
    block = member.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "package").write_bytes(block + bytes(1024))
    with pytest.raises((Permanent, OSError)):
        unpack(tmp_path / "package", tmp_path / "into", Quota(entries=100))


def test_what_is_allowed_is_unpacked(tmp_path):
    """Files, folders, links that stay inside and hard links arrive; owners and set-id do not."""
    members = [
        entry("./run", b"#!", mode=0o6777, uid=12, gid=13),
        entry("d//e/f", b"x", mode=0o600),
        folder("d/"),
        link("now", "d/./e/../e/f"),
        link("nowhere", "later"),
        hard("twin", "run"),
    ]
    package = packed(tmp_path / "package", members)
    entries = unpack(package, tmp_path / "into", Quota())
    into = tmp_path / "into"
    assert {path: str(found.kind) for path, found in entries.items()} == {
        "run": "file",
        "d": "folder",
        "d/e": "folder",
        "d/e/f": "file",
        "now": "link",
        "nowhere": "link",
        "twin": "file",
    }
    assert (into / "now").read_text() == "x"
    assert (
        (into / "run").stat().st_mode & 0o7777 == (into / "twin").stat().st_mode & 0o7777 == 0o755
    )
    assert (into / "run").stat().st_uid == os.getuid()
    assert (into / "twin").stat().st_nlink == 1
    assert list(differences(into, settle(into, entries))) == []


NAMES = st.sampled_from(["a", "b", "a/b", "a/b/c", "..", "a/..", "/a", ".", "a/../../x", ""])
MEMBERS = st.one_of(
    st.builds(entry, NAMES, st.binary(max_size=20)),
    st.builds(folder, NAMES),
    st.builds(link, NAMES, NAMES),
    st.builds(hard, NAMES, NAMES),
)


@given(members=st.lists(MEMBERS, max_size=8))
def test_whatever_a_package_holds_it_stays_inside(members, tmp_path_factory):
    """Every package is refused whole, or unpacked with every link ending inside."""
    here = tmp_path_factory.mktemp("package")
    package = packed(here / "package", members, format=tarfile.PAX_FORMAT)
    try:
        entries = unpack(package, here / "into", Quota())
    except Permanent:
        assert names(here) == ["package"]
        return
    root = os.path.realpath(here / "into")
    for path, found in entries.items():
        assert os.path.realpath(here / "into" / path).startswith(root)
        assert (found.kind is EntryKind.LINK) == (here / "into" / path).is_symlink()
    assert names(here) == ["into", "package"]


@given(data=st.binary(max_size=2000), at=st.integers(0, 2500))
def test_no_bytes_are_a_crash(data, at, tmp_path_factory):
    """Whatever the file holds, the answer is a text."""
    here = tmp_path_factory.mktemp("package")
    package = packed(here / "package", [entry("a", b"x" * 300), entry("b" * 150, b"y")])
    whole = package.read_bytes()
    package.write_bytes(whole[:at] + data + whole[at + len(data) :])
    try:
        unpack(package, here / "into", Quota(entries=50))
    except (Permanent, OSError):
        assert not (here / "into").exists()
