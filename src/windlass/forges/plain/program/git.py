"""
Git, run on one bare repository.

By argument list, with an environment of our own: whatever the pusher's holds,
no configuration outside the repository and no hook of it takes part. Started by
`posix_spawn`, since importing `subprocess` takes as long as Git itself.
"""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/usr/local/bin:/usr/bin:/bin"
ENVIRONMENT = {
    "PATH": PATH,
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
OPTIONS = ("-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "protocol.allow=never")


class GitFailed(Exception):
    """Git ended with an error; the text says which command."""


def find(path: str = PATH) -> str:
    """Where `git` is; `git` itself when it is nowhere on that path."""
    for folder in path.split(":"):
        if os.access(f"{folder}/git", os.X_OK):
            return f"{folder}/git"
    return "git"


class Git:
    """Git on one bare repository; `user` is (uid, gid) to run it as, when we are root."""

    def __init__(
        self, repository: str, program: str = "", user: tuple[int, int] | None = None
    ) -> None:
        self.repository = repository
        self.program = program or find()
        self.user = user

    def run(
        self, *words: str, stdin: bytes = b"", also: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Exit code and standard output; `also` adds to the environment. OSError without Git."""
        return self.begin(*words, stdin=stdin, also=also).end()

    def begin(
        self, *words: str, stdin: bytes = b"", also: Mapping[str, str] | None = None
    ) -> Running:
        """The same, for several at a time: each has to be ended."""
        argv = [self.program, f"--git-dir={self.repository}", *OPTIONS, *words]
        environment = {**ENVIRONMENT, **(also or {})}
        if self.user is not None:
            return _Done(*self._run_as(self.user, argv, stdin, environment))
        return _Spawned(argv, stdin, environment)

    def out(self, *words: str, also: Mapping[str, str] | None = None) -> str:
        """Standard output of a command that must succeed, without the last line end."""
        code, out = self.run(*words, also=also)
        if code != 0:
            raise GitFailed(f"git {words[0]} ended with {code}")
        return text(out).rstrip("\n")

    def yes(self, *words: str) -> bool:
        """Whether a command that answers by its exit code says yes; OSError when it was killed."""
        code = self.run(*words)[0]
        if code < 0:
            raise OSError(errno.EINTR, f"git {words[0]} was killed by signal {-code}")
        return code == 0

    def prove(self) -> None:
        """OSError unless Git runs here at all, so that a `no` of it means no."""
        code = self.run("rev-parse", "--git-dir")[0]
        if code != 0:
            raise OSError(errno.EIO, f"git does not run on it: it ended with {code}")

    def _run_as(
        self, user: tuple[int, int], argv: list[str], stdin: bytes, environment: dict[str, str]
    ) -> tuple[int, bytes]:
        import subprocess

        done = subprocess.run(
            argv,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            user=user[0],
            group=user[1],
            extra_groups=[],
            check=False,
        )
        return done.returncode, done.stdout


def text(raw: bytes) -> str:
    """Text of Git for people: what is not UTF-8 is shown as such."""
    return raw.decode("utf-8", "replace")


class Running:
    """A Git that was started."""

    def end(self) -> tuple[int, bytes]:
        """Exit code and standard output, once it has ended."""
        raise NotImplementedError


class _Done(Running):
    """One that has ended already."""

    def __init__(self, code: int, out: bytes) -> None:
        self.ended = (code, out)

    def end(self) -> tuple[int, bytes]:
        return self.ended


class _Spawned(Running):
    """A process of ours."""

    def __init__(self, argv: list[str], stdin: bytes, environment: dict[str, str]) -> None:
        source = _file_of(stdin)
        self.reading, writing = os.pipe()
        try:
            self.pid = os.posix_spawn(
                argv[0],
                argv,
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, source, 0),
                    (os.POSIX_SPAWN_DUP2, writing, 1),
                    (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
                ],
            )
        except OSError:
            os.close(self.reading)
            raise
        finally:
            os.close(source)
            os.close(writing)

    def end(self) -> tuple[int, bytes]:
        with os.fdopen(self.reading, "rb") as file:
            out = file.read()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), out


def _file_of(content: bytes) -> int:
    if not content:
        return os.open("/dev/null", os.O_RDONLY)
    descriptor = os.memfd_create("stdin")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
