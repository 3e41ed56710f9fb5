"""
The one way to run git.

Every call is an argument list, in an environment built from nothing, under a
global configuration that we generate: no hooks, no system settings, no
questions asked, objects checked on arrival, and no protocol unless the call
names it. What git says about a failure reaches people without credentials.

The folder `home` belongs to one server: `allow` rewrites the file in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE
from types import MappingProxyType

from windlass.child import Child
from windlass.core.errors import NotFound, Permanent, Transient, UserError
from windlass.git.failure import failure
from windlass.reach import Reach

NOTHING: Mapping[str, str] = MappingProxyType({})

_SETTINGS = """\
# Written by Windlass at every start. Changes are lost.
[user]
\tname = Windlass
\temail = windlass@localhost
[core]
\thooksPath = /dev/null
\tsymlinks = false
\tfsmonitor = false
\tattributesFile = /dev/null
\texcludesFile = /dev/null
\tsshCommand = ssh -o BatchMode=yes
[protocol]
\tallow = never
[transfer]
\tfsckObjects = true
[http]
\tfollowRedirects = false
\tlowSpeedLimit = 1000
\tlowSpeedTime = 30
[fetch]
\trecurseSubmodules = false
[submodule]
\trecurse = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[init]
\tdefaultBranch = main
[advice]
\tdetachedHead = false
"""

# Above anything that a repository's own configuration says.
_ALWAYS = {"core.hooksPath": "/dev/null", "core.fsmonitor": "false"}

_CHUNK = 1 << 16
_DRAIN = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What one run of git gave back."""

    code: int
    out: bytes
    err: str


@dataclass(slots=True)
class Git:
    """
    Runs git. `search` is the PATH, `extra` more environment (a proxy, a certificate file).

    `limit` is the most that one call may print, in bytes; `reach` says which hosts it may ask.
    """

    home: Path
    protocols: tuple[str, ...] = ("https", "ssh")
    reach: Reach = field(default_factory=Reach)
    search: str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    extra: Mapping[str, str] = field(default_factory=dict)
    limit: int = 64 << 20
    _allowed: set[str] = field(default_factory=set, init=False, repr=False)
    _program: str = field(default="git", init=False, repr=False)

    def __post_init__(self) -> None:
        """Write the configuration, so that nothing runs without it."""
        self.home.mkdir(parents=True, exist_ok=True)
        self._program = shutil.which("git", path=self.search) or "git"
        self._write()

    @property
    def settings(self) -> Path:
        """The generated global configuration."""
        return self.home / "gitconfig"

    def allow(self, path: Path) -> Path:
        """Let git use this local repository; its git folder. NotFound when it is none."""
        folder = git_folder(path)
        self._allowed.add(str(folder))
        self._write()
        return folder

    def allowed(self, path: Path) -> bool:
        """Whether this local repository was let in."""
        return any(str(one.resolve()) in self._allowed for one in (path, path / ".git"))

    def environment(self, config: Mapping[str, str] = NOTHING) -> dict[str, str]:
        """The whole environment of one call, with these settings on top."""
        settings = {**_ALWAYS, **config}
        counted = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings.items()):
            counted[f"GIT_CONFIG_KEY_{number}"] = key
            counted[f"GIT_CONFIG_VALUE_{number}"] = value
        return {
            **self.extra,
            "PATH": self.search,
            "HOME": str(self.home),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(self.settings),
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_OPTIONAL_LOCKS": "0",
            **counted,
        }

    async def run(
        self,
        *args: str,
        at: Path | None = None,
        stdin: bytes = b"",
        env: Mapping[str, str] = NOTHING,
        config: Mapping[str, str] = NOTHING,
        within: float = 60.0,
    ) -> bytes:
        """What git printed; a non-zero end is Transient or Permanent. Seconds in `within`."""
        answer = await self.ask(*args, at=at, stdin=stdin, env=env, config=config, within=within)
        if answer.code:
            raise failure(args[0], answer.err, answer.code)
        return answer.out

    async def ask(
        self,
        *args: str,
        at: Path | None = None,
        stdin: bytes = b"",
        env: Mapping[str, str] = NOTHING,
        config: Mapping[str, str] = NOTHING,
        within: float = 60.0,
    ) -> Answer:
        """The same for calls whose exit code is an answer. `at` is the git folder."""
        process = await self.start(
            *args, at=at, env={**self.environment(config), **env}, talks=bool(stdin)
        )
        try:
            async with asyncio.timeout(within):
                (out, much), (err, more), _ = await asyncio.gather(
                    _read(process, process.stdout, self.limit),
                    _read(process, process.stderr, self.limit),
                    _feed(process.stdin, stdin),
                )
                code = await process.wait()
        except TimeoutError:
            await stop(process)
            raise Transient(f"git {args[0]} did not end within {within:g} s") from None
        except BaseException:
            await stop(process)
            raise
        if much or more:
            raise Permanent(f"git {args[0]} printed more than {self.limit} bytes")
        return Answer(code, out, err.decode(errors="replace"))

    async def start(
        self, *args: str, at: Path | None, env: Mapping[str, str], talks: bool, quiet: bool = False
    ) -> Child:
        """A running git in a process group of its own; Permanent when there is no git."""
        starting = asyncio.create_task(
            Child.start(
                (self._program, *((f"--git-dir={at}",) if at else ()), *args),
                env=env,
                cwd=self.home,
                stdin=PIPE if talks else DEVNULL,
                stderr=DEVNULL if quiet else PIPE,
            )
        )
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Cancelled half-way it would be killed without what it has started.
            with contextlib.suppress(OSError):
                await stop(await starting)
            raise
        except FileNotFoundError:
            raise Permanent(
                f"git was not found in {self.search}: install git 2.38 or newer"
            ) from None
        except OSError as error:
            raise Transient(f"git could not be started: {error.strerror}") from None

    def _write(self) -> None:
        paths = "".join(f"\tdirectory = {_quoted(path)}\n" for path in sorted(self._allowed))
        text = _SETTINGS + (f"[safe]\n{paths}" if paths else "")
        part = self.settings.with_name(f"gitconfig.{os.getpid()}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(self.settings)


def git_folder(path: Path) -> Path:
    """The git folder of a local repository, bare or not, links resolved; NotFound when none."""
    if any(character < " " or character == "\x7f" for character in str(path)):
        raise UserError(f"{str(path)!a} cannot be a repository: it has control characters")
    for folder in (path, path / ".git"):
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
            return folder.resolve()
    raise NotFound(
        f"{path} is not a Git repository",
        hint=f"check the path, or make one: git init --bare {path}",
        code="git-not-a-repository",
    )


async def stop(process: Child) -> None:
    """Kill git and all it started, and wait until it is gone and its pipes are closed."""
    _kill(process)
    if process.stdin:
        process.stdin.close()
    # A pipe that was left full is closed only once it has been read to its end.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN):
            await asyncio.gather(
                *(pipe.read() for pipe in (process.stdout, process.stderr) if pipe)
            )
    await process.wait()


def _kill(process: Child) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def _read(
    process: Child, stream: asyncio.StreamReader | None, limit: int
) -> tuple[bytes, bool]:
    """Everything up to the limit, and whether there was more: then git is stopped."""
    chunks: list[bytes] = []
    size = 0
    while stream is not None and (chunk := await stream.read(_CHUNK)):
        size += len(chunk)
        if size > limit:
            _kill(process)
        else:
            chunks.append(chunk)
    return b"".join(chunks), size > limit


async def _feed(stream: asyncio.StreamWriter | None, data: bytes) -> None:
    if stream is None:
        return
    # uvloop says RuntimeError where asyncio says ConnectionError: git ended without reading.
    with contextlib.suppress(ConnectionError, RuntimeError):
        stream.write(data)
        await stream.drain()
    with contextlib.suppress(ConnectionError, RuntimeError):
        stream.close()
        await stream.wait_closed()


def _quoted(path: str) -> str:
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
