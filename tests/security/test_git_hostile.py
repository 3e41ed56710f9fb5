"""
Repositories and names made by an attacker.

Each test is one attack. On the control plane nothing of a repository is ever
run, followed or believed; in a workspace nothing of it runs by itself.
"""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from windlass.core.errors import ConfigError, NotAllowed, NotFound, Permanent, UserError
from windlass.git.checkout import checkout_commands, checkout_environment
from windlass.git.mirror import Mirror
from windlass.git.program import Git
from windlass.git.remote import remote
from windlass.git.state import StateRepository
from windlass.ports.forge import Login
from windlass.reach import Reach

# A host on this machine stands in for a public one.
HERE = Reach(frozenset({"127.0.0.1"}))

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **{
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Eve"), ("EMAIL", "eve@localhost"), ("DATE", "@5 +0000"))
    },
}

Tree = list[tuple[str, bytes, str]]


class Evil:
    """A bare repository into which anything can be written, also what git would refuse."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "-q", "--bare", "-b", "main", str(path), at=False)

    def git(self, *args: str, stdin: bytes = b"", at: bool = True) -> str:
        where = (f"--git-dir={self.path}",) if at else ()
        done = subprocess.run(
            ["git", *where, *args], input=stdin, capture_output=True, env=ENVIRONMENT
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=content)

    def tree(self, entries: Tree) -> str:
        raw = b"".join(
            mode.encode() + b" " + name + b"\0" + bytes.fromhex(sha) for mode, name, sha in entries
        )
        return self.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw)

    def commit(self, entries: Tree, branch: str = "main") -> str:
        sha = self.git("commit-tree", self.tree(entries), "-m", "evil")
        self.git("update-ref", f"refs/heads/{branch}", sha)
        return sha


def check_out(mirror: Mirror, sha: str, into: Path) -> Path:
    for command in checkout_commands(mirror.path, sha, into):
        subprocess.run(command, env=checkout_environment(), cwd=into.parent)
    return into


@pytest.fixture
def evil(tmp_path):
    return Evil(tmp_path / "evil.git")


@pytest.fixture
def git(tmp_path, evil):
    program = Git(tmp_path / "home")
    program.allow(evil.path)
    return program


@pytest.fixture
def with_mirror(git, evil, tmp_path):
    def run(play):
        async def main():
            async with Mirror(git, tmp_path / "mirror.git", str(evil.path)) as mirror:
                return await play(mirror)

        return asyncio.run(main())

    return run


@pytest.mark.parametrize(
    "name",
    [
        "--upload-pack=x",
        "-cfoo",
        "a..b",
        "a\rb",
        "a\nb",
        "a\x1bb",
        "a\0b",
        "a:b",
        "+a:b",
        "^main",
        "",
    ],
)
def test_a_hostile_ref_never_starts_git(name, evil, tmp_path):
    """The name is refused first: the git of this test is a trap that was never sprung."""
    trap = tmp_path / "bin" / "git"
    trap.parent.mkdir()
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    trap.chmod(0o755)

    async def play():
        git = Git(tmp_path / "home", search=str(trap.parent))
        git.allow(evil.path)
        async with Mirror(git, tmp_path / "m.git", str(evil.path)) as mirror:
            with pytest.raises(UserError):
                await mirror.fetch(name)
            with pytest.raises(UserError):
                await mirror.objects.resolve(name)
            with pytest.raises(UserError):
                await mirror.changed("0" * 40, "a" * 40, branch="x", default=name or "-")
        with pytest.raises(UserError):
            StateRepository(git, evil.path, tmp_path / "w", branch=name)

    asyncio.run(play())
    assert not (tmp_path / "started").exists()


def test_a_branch_name_that_is_shell_code_is_a_name(evil, with_mirror, tmp_path):
    """It is fetched, listed, compared and checked out, and nothing is run."""
    name = 'zzz";echo${IFS}x;#$(touch${IFS}ran)`touch${IFS}ran`'
    sha = evil.commit([("100644", b"a", evil.blob(b"1"))], name)

    async def play(mirror):
        await mirror.fetch(name)
        assert (await mirror.heads())[name] == sha
        assert await mirror.objects.resolve(f"refs/heads/{name}") == sha
        assert await mirror.changed("0" * 40, sha, branch=name, default=name) == ("a",)
        job = check_out(mirror, sha, tmp_path / "job")
        assert name in (job / ".git" / "packed-refs").read_text()

    with_mirror(play)
    assert not list(tmp_path.rglob("ran"))


@pytest.mark.parametrize("name", [b".git", b".GIT", b"..", b".", b"a/b", b"git~1", b".git "])
def test_a_tree_that_reaches_out_is_refused_on_arrival(name, evil, with_mirror, tmp_path):
    """Names that a checkout could misread never get into a mirror."""
    hook = evil.blob(b"#!/bin/sh\ntouch ran\n")
    inside = evil.tree([("100755", b"post-checkout", hook)])
    sha = evil.commit([("40000", name, evil.tree([("40000", b"hooks", inside)]))])

    async def play(mirror):
        with pytest.raises(Permanent):
            await mirror.fetch()
        assert not await mirror.has(sha)

    with_mirror(play)
    assert not list(tmp_path.rglob("ran"))


def test_a_later_hostile_commit_is_refused_too(evil, with_mirror):
    """The check is made on every fetch, not only on the first, and the mirror stays usable."""
    good = evil.commit([("100644", b"a", evil.blob(b"1"))])

    async def play(mirror):
        await mirror.fetch()
        bad = evil.commit([("40000", b".git", evil.tree([("100644", b"config", evil.blob(b""))]))])
        with pytest.raises(Permanent):
            await mirror.fetch()
        assert not await mirror.has(bad)
        assert await mirror.heads() == {"main": good}
        assert await mirror.objects.read(good, "a") == b"1"

    with_mirror(play)


def test_a_configuration_that_is_a_link_is_never_followed(evil, with_mirror):
    """Not to a file of ours, not out of the repository."""
    link = evil.blob(b"/etc/passwd")
    one = evil.commit([("120000", b".windlass.yaml", link)])
    folder = evil.tree([("120000", b"a.yaml", evil.blob(b"../../../etc/passwd"))])
    two = evil.commit([("40000", b".windlass", folder)], "two")

    async def play(mirror):
        await mirror.fetch()
        for sha, path in ((one, ".windlass.yaml"), (two, ".windlass/a.yaml")):
            with pytest.raises(ConfigError, match="symbolic link"):
                await mirror.config_files(sha)
            with pytest.raises(UserError, match="symbolic link"):
                await mirror.objects.read(sha, path)
        for path in ("../../etc/passwd", "/etc/passwd", "..", ".git/config"):
            assert await mirror.objects.read(one, path) is None

    with_mirror(play)


def test_a_submodule_that_updates_by_command_runs_nothing(evil, with_mirror, tmp_path):
    """`update = !cmd` is refused on arrival; a plain submodule is left alone."""
    modules = b'[submodule "x"]\n\tpath = x\n\turl = %s\n' % str(evil.path).encode()
    evil_modules = evil.blob(modules + f"\tupdate = !touch {tmp_path}/ran\n".encode())
    plain = evil.commit(
        [("100644", b".gitmodules", evil.blob(modules)), ("160000", b"x", "1" * 40)], "plain"
    )

    async def play(mirror):
        await mirror.fetch()
        assert await mirror.objects.read(plain, "x") is None
        check_out(mirror, plain, tmp_path / "job")
        assert list((tmp_path / "job" / "x").iterdir()) == []
        evil.commit([("100644", b".gitmodules", evil_modules), ("160000", b"x", "1" * 40)])
        with pytest.raises(Permanent):
            await mirror.fetch()

    with_mirror(play)
    assert not (tmp_path / "ran").exists()


def test_hooks_filters_and_settings_of_the_origin_do_not_run(evil, with_mirror, tmp_path):
    """Hooks, a filter driver, an fsmonitor and a packing hook of the origin are all ignored."""
    ran = f"touch {tmp_path}/ran; cat"
    for hook in ("post-checkout", "pre-receive", "reference-transaction", "post-upload-pack"):
        path = evil.path / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{ran}\n")
        path.chmod(0o755)
    attributes = evil.blob(b"* filter=evil diff=evil merge=evil\n")
    sha = evil.commit(
        [("100644", b".gitattributes", attributes), ("100644", b"a", evil.blob(b"1"))]
    )
    settings = {
        "filter.evil.smudge": ran,
        "filter.evil.required": "true",
        "core.fsmonitor": ran,
        "core.hooksPath": str(evil.path / "hooks"),
        "uploadpack.packObjectsHook": f"sh -c '{ran}'",
        "diff.evil.textconv": ran,
        "core.sshCommand": ran,
        "core.gitProxy": ran,
    }
    for key, value in settings.items():
        evil.git("config", key, value)
    (tmp_path / "ran").unlink(missing_ok=True)

    async def play(mirror):
        await mirror.fetch()
        check_out(mirror, sha, tmp_path / "job")
        assert (tmp_path / "job" / "a").read_bytes() == b"1"
        await mirror.changed("0" * 40, sha)

    with_mirror(play)
    assert not (tmp_path / "ran").exists()


def test_a_link_and_a_folder_of_one_name_write_nothing_outside(evil, with_mirror, tmp_path):
    """A link `a` beside a folder `A` or `a` cannot lead a checkout elsewhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    link = evil.blob(str(outside).encode())
    inside = evil.tree([("100644", b"planted", evil.blob(b"1"))])
    sha = evil.commit([("120000", b"a", link), ("40000", b"a", inside)])

    async def play(mirror):
        try:
            await mirror.fetch()
        except Permanent:
            return
        check_out(mirror, sha, tmp_path / "job")

    with_mirror(play)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c 'touch ran'",
        "ext::sh",
        "fd::7",
        "--upload-pack=touch ran",
        "-oProxyCommand=touch ran",
        "ssh://-oProxyCommand=touch/x",
        "ssh://-oX@host/x",
        "-oX@host:x",
        "host:-x y",
        "git://code.example/x",
        "http://code.example/x",
        "ftp://code.example/x",
        "relative/path",
        "../x",
        "file://host/x",
        "https://",
        "https://-x/a",
        "https://user:hunter2@[bad/x",
        "https://a\nb/x",
        "https://code.example:99999/x",
        "",
    ],
)
def test_an_address_that_is_not_plain_is_refused(url, tmp_path):
    """Only https, ssh and registered paths, spelled without options or tricks."""
    with pytest.raises(UserError) as caught:
        remote(Git(tmp_path / "home"), url)
    assert "hunter2" not in caught.value.message


def test_a_path_that_nobody_registered_is_refused(evil, tmp_path):
    """By us with a clear text, and by git itself when asked behind our back."""

    async def play():
        git = Git(tmp_path / "home")
        for url in (str(evil.path), f"file://{evil.path}", f"{evil.path}/../evil.git"):
            async with Mirror(git, tmp_path / "m.git", url) as mirror:
                with pytest.raises(NotAllowed, match="not registered"):
                    await mirror.fetch()
        async with Mirror(git, tmp_path / "m.git", str(tmp_path)) as mirror:
            with pytest.raises(NotFound, match="is not a Git repository"):
                await mirror.fetch()
        with pytest.raises(Permanent, match="not allowed"):
            await git.run("ls-remote", "--", str(evil.path))
        with pytest.raises(Permanent, match="not allowed"):
            await git.run("ls-remote", "--", str(evil.path), env={"GIT_ALLOW_PROTOCOL": "https"})

    asyncio.run(play())


def test_a_link_does_not_make_another_path_registered(evil, tmp_path):
    """What is registered is the place itself: a link to elsewhere stays elsewhere."""
    git = Git(tmp_path / "home")
    link = tmp_path / "link.git"
    link.symlink_to(evil.path)
    git.allow(link)
    assert remote(git, str(link)).address == str(evil.path)
    other = Evil(tmp_path / "other.git")
    link.unlink()
    link.symlink_to(other.path)
    with pytest.raises(NotAllowed):
        remote(git, str(link))


def test_credentials_stay_out_of_arguments_and_texts(tmp_path):
    """Not in the address that git is given, not in what is printed of a login or a remote."""
    git = Git(tmp_path / "home")
    found = remote(git, "https://me:hunter2@code.example:8443/acme/shop.git")
    assert found.address == "https://code.example:8443/acme/shop.git"
    assert list(found.config) == ["http.https://code.example:8443/.extraHeader"]
    assert "hunter2" not in repr(found)
    assert "aHVudGVyMg" not in repr(found)
    assert "hunter2" not in repr(Login("me", "hunter2"))
    assert remote(git, "git@code.example:acme/shop.git").address == "git@code.example:acme/shop.git"
    assert remote(git, "ssh://git:hunter2@h/x").address == "ssh://git@h/x"


def test_an_error_of_a_clone_has_no_credential(tmp_path):
    """The whole way: a host that refuses, a URL with a password, and the text that comes out."""

    async def play():
        git = Git(tmp_path / "home", reach=HERE)
        url = "http://me:hunter2@127.0.0.1:1/a.git"
        async with Mirror(git, tmp_path / "m.git", url) as mirror:
            with pytest.raises(Exception, match="unable to access") as caught:
                await mirror.fetch()
            assert "hunter2" not in str(caught.value)
            assert "hunter2" not in repr(mirror.remote())

    asyncio.run(play())
