"""
One job from its beginning to its end: checkout, steps, artifacts, outputs.

Whatever happens, the journal gets an end: a step that fails, a request to stop,
a time limit, a full disk, a fault of this very program. Before that, everything
the steps have started is gone.
"""

from __future__ import annotations

import os
import time

from windlass.core.redact import Masker, mask_text, seen_by, too_short
from windlass.executors.runner import inside, system
from windlass.executors.runner.journal import FULL, Journal
from windlass.executors.runner.log import Log
from windlass.executors.runner.outputs import read_outputs
from windlass.executors.runner.pump import Pump
from windlass.executors.runner.stream import Stream
from windlass.executors.runner.work import Work, WorkStep

TYPE_CHECKING = False  # the module typing costs 5 ms
if TYPE_CHECKING:
    from typing import NoReturn

CHECKOUT = -1
# The exit code of what could not be started, as shells have it.
NOT_STARTED = 127
# What may cut a program short.
STOPPED, JOB_TIME, STEP_TIME = "stopped", "job time", "step time"
# The kernel takes no single argument of 128 KiB or more.
_LONGEST_ARGUMENT = 100_000


class End:
    """How a job ended."""

    __slots__ = ("exit_code", "outcome", "package", "reason", "step")

    def __init__(
        self, outcome: str, reason: str = "", *, step: int | None = None, code: int | None = None
    ) -> None:
        self.outcome = outcome
        self.reason = reason
        self.step = step
        self.exit_code = code
        self.package = False


class Job:
    """The job in a folder, begun and journaled."""

    def __init__(self, folder: str, work: Work, journal: Journal) -> None:
        self._folder = folder
        self._workspace = folder + "/workspace"
        self._work = work
        self._journal = journal
        self._secrets = (*work.secrets.values(), *work.mask)
        self._masker = Masker(self._secrets)
        self._deadline = time.monotonic() + work.timeout
        self._gone: dict[int, int] = {}
        self._makers: set[int] = set()
        self._log = Log(work.log, work.log_limit)
        self._pump = Pump(folder, self._log)

    def run(self) -> None:
        """Run it to its end."""
        outputs: dict[str, str] = {}
        try:
            self._prepare()
            end = self._all_steps()
            self._end_all()
            self._pump.finish()
            self._take_outputs(outputs)
            if end.outcome == "succeeded" and self._work.artifacts:
                self._pack()
                end.package = True
        except Failed as failed:
            end = failed.end
        except Exception as error:  # noqa: BLE001 - the last resort: a job always has an end
            end = broken(error)
        end.reason = mask_text(end.reason, self._secrets)
        self._close(end)
        write_end(self._journal, end, outputs)

    def _close(self, end: End) -> None:
        """End what may still run, whatever state we are in, and say why in the log."""
        try:
            self._end_all()
            self._pump.finish()
            if end.reason:
                step = end.step if end.step is not None else len(self._work.steps) - 1
                self._log.say(step, end.reason)
                self._log.write()
        except OSError:
            system.kill_all(10)

    def _prepare(self) -> None:
        os.environ["PATH"] = self._work.search_path
        for name in ("workspace", "home", "tmp"):
            os.mkdir(f"{self._folder}/{name}", 0o755)
        if self._work.sandbox:
            # It is bound to its place inside, and has to be there for that.
            os.close(os.open(self._folder + "/output", os.O_CREAT | os.O_EXCL, 0o644))
        for name, value in self._work.secrets.items():
            if too_short(value):
                self._log.say(CHECKOUT, f"secret {name} is too short to be masked in this log")

    # -- steps

    def _all_steps(self) -> End:
        try:
            return self._steps()
        except Failed as failed:
            return failed.end

    def _steps(self) -> End:
        if self._work.checkout:
            self._checkout()
        place = self._place()
        for index, step in enumerate(self._work.steps):
            code = self._step(index, step, place)
            if code and not step.allow_failure:
                reason = f'step "{step.name}" ended with exit code {code}{_signal(code)}'
                return End("failed", reason, step=index, code=code)
        return End("succeeded", code=0)

    def _checkout(self) -> None:
        self._journal.step_started(CHECKOUT, log=self._log.size)
        environment = self._environment(self._work.checkout_env)
        code = 0
        for argv in self._work.checkout:
            words = [word.replace("{workspace}", self._workspace) for word in argv]
            code, cut = self._program(CHECKOUT, words, environment, self._folder)
            if cut:
                self._cut_off(cut, CHECKOUT, code, "the checkout")
            if code:
                break
        self._journal.step_ended(CHECKOUT, exit_code=code, timed_out=False)
        if code:
            reason = f"the checkout ended with exit code {code}{_signal(code)}; its log says why"
            raise Failed(End("failed", reason, step=CHECKOUT, code=code))

    def _place(self) -> str:
        """Where steps run and artifacts are rooted, which never is outside of the workspace."""
        root = os.path.realpath(self._workspace)
        place = os.path.realpath(f"{root}/{self._work.path}")
        if place != root and not place.startswith(root + "/"):
            raise Failed(End("failed", f"path {self._work.path} leaves the repository"))
        if not os.path.isdir(place):
            raise Failed(End("failed", f"path {self._work.path} is not in the repository"))
        return place

    def _step(self, index: int, step: WorkStep, place: str) -> int:
        secrets = seen_by(self._work.secrets, index)
        environment = self._environment(self._work.env, secrets, step.env, step=True)
        self._journal.step_started(index, log=self._log.size)
        argv = ["sh", "-e", *self._script(step.run)]
        code, cut = self._program(index, argv, environment, place, limit=step.timeout)
        if cut and not (cut == STEP_TIME and step.allow_failure):
            self._cut_off(cut, index, code, f'step "{step.name}"', limit=step.timeout)
        self._journal.step_ended(index, exit_code=code, timed_out=bool(cut))
        return code

    def _script(self, text: str) -> list[str]:
        raw = text.encode("utf-8", "surrogateescape")
        if len(raw) < _LONGEST_ARGUMENT:
            return ["-c", text]
        path = self._folder + "/script"
        with open(path, "wb") as file:
            file.write(raw)
        return [inside.SCRIPT if self._work.sandbox else path]

    def _environment(self, *layers: dict[str, str], step: bool = False) -> dict[str, str]:
        environment = {"PATH": self._work.search_path}
        if step and self._work.sandbox:
            environment |= inside.PLACES
        else:
            environment |= {
                "HOME": self._folder + "/home",
                "TMPDIR": self._folder + "/tmp",
                "CI_WORKSPACE": self._workspace,
                "WINDLASS_OUTPUT": self._folder + "/output",
            }
        for layer in layers:
            environment.update(layer)
        return environment

    def _program(
        self,
        index: int,
        argv: list[str],
        env: dict[str, str],
        place: str,
        *,
        limit: float | None = None,
    ) -> tuple[int, str]:
        """Run one program: its exit code, and what cut it short (`STOPPED` ...), if anything."""
        own = self._deadline + 1 if limit is None else time.monotonic() + limit
        out = Stream(index, "o", self._masker, self._log)
        err = Stream(index, "e", self._masker, self._log)
        start = self._start_inside if self._work.sandbox and index != CHECKOUT else self._start
        try:
            pid = start(argv, env, place, (out.writer, err.writer))
        except (OSError, ValueError) as error:
            pid = 0
            os.write(err.writer, f"cannot start {argv[0]}: {error}\n".encode("utf-8", "replace"))
        for stream in (out, err):
            os.close(stream.writer)
            self._pump.add(stream)
        cut = self._attend(pid, own) if pid else ""
        if cut:
            self._end_all()
        self._pump.drain(out)
        self._pump.drain(err)
        return self._gone.pop(pid, 128 + system.KILL if pid else NOT_STARTED), cut

    def _start(
        self, argv: list[str], env: dict[str, str], place: str, files: tuple[int, int]
    ) -> int:
        os.chdir(place)
        return system.spawn(argv, env, files)

    def _start_inside(
        self, argv: list[str], env: dict[str, str], place: str, files: tuple[int, int]
    ) -> int:
        os.chdir(self._folder)
        root = os.path.realpath(self._workspace)
        told = inside.told(self._work.sandbox, env, inside.WORKSPACE + place[len(root) :])
        program = [self._work.sandbox[0], "--args", str(system.TOLD), "--", *argv]
        try:
            # By this it is known for a part of this job, should the runner be killed.
            known = {"WINDLASS_OUTPUT": self._folder + "/output"}
            pid = system.spawn(program, known, files, told)
            self._makers.add(pid)
            return pid
        finally:
            os.close(told)

    def _attend(self, pid: int, own: float) -> str:
        """Wait for the end of a program, or for what cuts it short."""
        watched = os.pidfd_open(pid)
        self._pump.watch(watched)
        try:
            while True:
                system.reap(self._gone)
                now = time.monotonic()
                if pid in self._gone:
                    return ""
                if self._pump.stop_asked:
                    return STOPPED
                if now >= self._deadline:
                    return JOB_TIME
                if now >= own:
                    return STEP_TIME
                self._pump.turn(min(own, self._deadline))
        finally:
            self._pump.unwatch(watched)

    def _cut_off(
        self, cut: str, index: int, code: int, what: str, *, limit: float | None = None
    ) -> NoReturn:
        """The job ends with this step, which did not end by itself."""
        self._journal.step_ended(index, exit_code=code, timed_out=cut != STOPPED)
        if cut == STOPPED:
            raise Failed(End("stopped", "stopped on request", step=index, code=code))
        reason = f"the job took longer than {self._work.timeout:g} s"
        if cut == STEP_TIME:
            reason = f"{what} took longer than {limit:g} s"
        raise Failed(End("timed_out", reason, step=index, code=code))

    def _end_all(self) -> None:
        """End everything that was ever started here: politely, then not."""
        told: set[int] = set()
        for number, patience in ((system.TERM, self._work.grace), (system.KILL, 10.0)):
            until = time.monotonic() + patience
            while system.reap(self._gone):
                if time.monotonic() >= until:
                    break
                for pid in system.descendants():
                    # Who made a sandbox would end at once, and what is inside with it.
                    if number == system.KILL or pid not in told | self._makers:
                        told.add(pid)
                        system.send(pid, number)
                self._pump.turn(min(until, time.monotonic() + 0.02))
            else:
                return

    # -- what remains

    def _take_outputs(self, outputs: dict[str, str]) -> None:
        found, complaints = read_outputs(self._folder + "/output", self._secrets)
        outputs.update(found)
        for complaint in complaints:
            self._log.say(len(self._work.steps) - 1, complaint)
        self._log.write()

    def _go_on(self) -> None:
        """End the job when it shall end, or when its time is over."""
        self._pump.look()
        if self._pump.stop_asked:
            raise Failed(End("stopped", "stopped on request"))
        if time.monotonic() >= self._deadline:
            raise Failed(End("timed_out", f"the job took longer than {self._work.timeout:g} s"))

    def _pack(self) -> None:
        # Imported here: tarfile costs 10 ms, and most jobs pack nothing.
        from windlass.executors.runner.pack import CannotPack, pack  # noqa: PLC0415

        try:
            pack(
                self._place(),
                self._work.artifacts,
                self._folder + "/package.tar",
                self._secrets,
                self._go_on,
            )
        except CannotPack as error:
            raise Failed(End("failed", str(error))) from None


class Failed(Exception):
    """The job is over before its last step; `end` says how."""

    def __init__(self, end: End) -> None:
        super().__init__(end.reason)
        self.end = end


def _signal(code: int) -> str:
    return f" (killed by signal {code - 128})" if code > 128 else ""


def broken(error: Exception) -> End:
    """The end of a job whose runner could not go on."""
    if isinstance(error, OSError) and error.errno in FULL:
        return End("failed", "disk full: make room where jobs and logs are, and run it again")
    return End("failed", f"the runner failed: {type(error).__name__}: {error}")


def write_end(journal: Journal, end: End, outputs: dict[str, str]) -> None:
    """Journal how a job ended."""
    journal.ended(
        {
            "outcome": end.outcome,
            "exit_code": end.exit_code,
            "step": end.step,
            "reason": end.reason,
            "outputs": outputs,
            "package": end.package,
        }
    )
