"""
Where code of nobody we know runs: a view of this machine with next to nothing in it.

bubblewrap makes it, for each step anew: user, process, network and mount namespaces of its
own, no capability, and of the machine's files only what programs are made of. The job's own
folders are there to be written to, its orders, journal and log are not.
The limits are told in `docs/explanation/security.md`.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.executors.runner.inside import JOB, OWN, SCRIPT

# Programs, their libraries, and what these look up; never all of /etc, for there are keys in it.
_PROGRAMS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_LOOKED_UP = (
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "pki/tls/certs",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
)
# Only with the network: whom to ask for names.
_NAMES = "resolv.conf"
# Said in place of the machine's own.
_OURS = Path(__file__).parent / "etc"
_ALONE = (
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--die-with-parent",
    *("--cap-drop", "ALL"),
    *("--uid", "1000", "--gid", "1000"),
    *("--hostname", "sandbox"),
)
# Seconds that making one may take at the start of the server; it takes ten milliseconds.
_TRIAL = 10


class NoSandbox(Exception):
    """This machine makes none; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """
    A bubblewrap that works on this machine.

    `closed` says that it can refuse further user namespaces, which are a way to the kernel.
    `readable` are further files and folders that every job may read.
    """

    program: str
    closed: bool = True
    readable: tuple[str, ...] = ()

    def command(self, folder: Path, readable: Sequence[str] = (), *, network: bool) -> list[str]:
        """
        The program, and what it is told of the job in `folder`, which may read `readable`.

        With `network` the job reaches whatever this machine does, itself included.
        """
        return [
            self.program,
            *_ALONE,
            *(("--disable-userns",) if self.closed else ()),
            *(() if network else ("--unshare-net",)),
            *_machine(network=network),
            *("--proc", "/proc", "--dev", "/dev"),
            *("--tmpfs", "/tmp"),  # noqa: S108 - the sandbox's own
            *(word for path in (*self.readable, *readable) for word in ("--ro-bind", path, path)),
            # After what may be read: of what a job writes nothing is a place to bind to, for
            # the next step's sandbox would follow the links that this one leaves there.
            *(word for name in OWN for word in ("--bind", f"{folder}/{name}", f"{JOB}/{name}")),
            *("--ro-bind-try", f"{folder}/script", SCRIPT),
            # Of root's server the kernel's own files are its too, whatever it may do else.
            *("--remount-ro", "/proc", "--remount-ro", "/"),
        ]


def find(search: str, *, readable: tuple[str, ...] = ()) -> Sandbox:
    """A sandbox that was tried, its program found on the path `search`; raises `NoSandbox`."""
    program = shutil.which("bwrap", path=search)
    if program is None:
        raise NoSandbox("bubblewrap is not installed")
    for closed in (True, False):
        found = Sandbox(program=program, closed=closed, readable=readable)
        if not (why := _fault(found)):
            return found
    raise NoSandbox(f"bubblewrap makes none on this machine: {why}")


def _fault(sandbox: Sandbox) -> str:
    """What keeps a sandbox from being made, empty when nothing does."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for part in ("workspace", "home", "tmp"):
            (folder / part).mkdir()
        (folder / "output").touch()
        try:
            done = subprocess.run(
                [*sandbox.command(folder, network=False), "--", "true"],
                env={"PATH": "/usr/bin:/bin"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TRIAL,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
    said = done.stderr.decode("utf-8", "replace").strip() or f"exit code {done.returncode}"
    return said.splitlines()[-1][:300] if done.returncode else ""


def _machine(*, network: bool) -> Iterator[str]:
    """What programs are made of, to be read."""
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _PROGRAMS:
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.is_dir():
            yield from ("--ro-bind", name, name)
    for name in (*_LOOKED_UP, *((_NAMES,) if network else ())):
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    for own in sorted(_OURS.iterdir()):
        yield from ("--ro-bind", str(own), f"/etc/{own.name}")
