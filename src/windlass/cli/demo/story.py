"""
The story, beat by beat.

Every beat does what people do, waits for what was promised, and looks for itself:
at the pages that the environments serve, at the pull request, at the state
repository. A beat that returns was verified.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from windlass.cli.demo.asking import Added, Deployment, Price, PullRequest, Run, Web
from windlass.cli.demo.developer import DISCOUNT, Developer, state_log, state_trailer
from windlass.cli.demo.looking import NotYet, check, until
from windlass.cli.demo.server import Server
from windlass.cli.demo.stage import Stage
from windlass.cli.demo.telling import Teller
from windlass.cli.demo.watching import NAME, Watching, short

OFFER = "10 % off from three tins on"
PLAIN = "Good tea"
FAILING_LINE = "AssertionError: 1500 != 1350"
PLACE = f"/places/{NAME}/at/production/of/{NAME}"
VANDAL = "Everything is free today"
DANA, RITA, OTTO = "dana", "rita", "otto"


@dataclass(slots=True)
class Story:
    """What the beats know of each other."""

    stage: Stage
    server: Server
    developer: Developer
    teller: Teller
    kill: bool = False
    watching: Watching = field(init=False)
    first: str = ""
    tested: str = ""
    pushed: int = 0

    def beats(self) -> tuple[Callable[[], None], ...]:
        """All of it, in order."""
        return (
            self.set_up,
            self.push_to_dev,
            self.red,
            self.green,
            self.to_production,
            self.drift,
            self.rollback,
        )

    def set_up(self) -> None:
        """A server, a repository with its webhook, and a first release in both environments."""
        tell = self.teller
        tell.begin("A server, a repository, a first release")
        tell.typed("windlass " + " ".join(self.server.command), OTTO)
        self.server.start()
        sha = self.developer.begin()
        self.watching = Watching(self.stage, self.server.ready())
        tell.typed(f"windlass repo add {self.stage.origin}", OTTO)
        added = self.watching.api.post(
            Added, "/repositories", {"url": str(self.stage.origin)}, by=OTTO
        )
        tell.say(f"webhook in place: {self.stage.url('server')}{added.webhook}")
        tell.typed("git push origin main", DANA)
        run = self._pushed(sha, "main")
        self.first = self.watching.serves("dev", commit=sha).digest
        tell.say(f"dev serves {sha[:8]}, build {short(self.first)}: {self.stage.url('dev')}")
        tell.typed(f"windlass deploy {NAME} production", OTTO)
        asked = self.watching.api.post(Run, "/deployments", self._of("production"), by=OTTO)
        self._approve(asked.number, RITA)
        self._arrived("production", asked.number, self.first)
        self._end(f"/runs/{run}")

    def push_to_dev(self) -> None:
        """A push to a feature branch reaches dev."""
        tell = self.teller
        tell.begin("A push to FB1 reaches dev")
        tell.typed("git switch --create FB1", DANA)
        self.developer.branch("FB1")
        tell.typed(f"git commit --all --message='{DISCOUNT}'", DANA)
        sha = self.developer.add_discount()
        tell.typed("git push origin FB1", DANA)
        began = time.monotonic()
        run = self._pushed(sha, "FB1", kill=self.kill)
        seen = self.watching.serves("dev", commit=sha)
        self.watching.page("dev", holds=OFFER)
        took = time.monotonic() - began
        tell.say(f"dev serves {sha[:8]}, build {short(seen.digest)}, {took:.1f} s after the push")
        self._end(f"/runs/{run}", "dev")

    def red(self) -> None:
        """A pull request with a failing test is red, and says where."""
        tell = self.teller
        tell.begin("A pull request with a failing test is red")
        sha = self.developer.head()
        run = self._propose(sha, "opened")
        pull = self.watching.pull_request(1, sha, "failure")
        self.watching.ended(run, "failed")
        pull = self.watching.comment(1, FAILING_LINE)
        self._tell_statuses(pull)
        tell.say("and the comment on it ends with the line that fails:")
        for line in _around(pull.comment, FAILING_LINE):
            tell.quote(line)
        self._end(f"/runs/{run}")

    def green(self) -> None:
        """The mended commit is green, and its build is kept."""
        tell = self.teller
        tell.begin("Mended, it is green")
        tell.typed("git commit --all --amend --no-edit", DANA)
        sha = self.developer.mend()
        run = self._propose(sha, "updated")
        pull = self.watching.pull_request(1, sha, "success")
        ended = self.watching.ended(run)
        self._tell_statuses(pull)
        self.tested = _digest(ended)
        tell.say(f"run {run} made build {short(self.tested)}")
        self._end(f"/runs/{run}")

    def to_production(self) -> None:
        """Approved and merged, the build that was tested goes to production, behind approval."""
        tell, watching = self.teller, self.watching
        tell.begin("Approved and merged, the tested build reaches production")
        tell.typed(f"windlass pr approve {NAME} 1", RITA)
        self._act("approve", {})
        tell.typed(f"windlass pr merge {NAME} 1 --method squash", RITA)
        pull = self._act("merge", {"method": "squash", "expect_head": self.developer.head()})
        event = watching.event("pull_request", "merged", pull.merge_sha)
        run = watching.run_of(event, "release").number
        tell.say(f"event {event.number}: merged as {pull.merge_sha[:8]}; run {run}")
        before = self._approve(run, OTTO)
        check(
            "production to wait for the approval",
            found=short(before),
            holds=before == self.first,
        )
        self._arrived("production", run, self.tested)
        ended = watching.ended(run)
        built = next(job for job in ended.jobs if job.kind == "build")
        check("the build to be found, not made", found=built.reason, holds="found" in built.reason)
        price = Web(self.stage.url("production")).read(Price, "/price?pieces=3&each=500").total
        check("three tins to cost 1350", found=str(price), holds=price == 1350)
        tell.say(f"the same digest as on the pull request: {built.reason}")
        self._end(f"/runs/{run}", "production")

    def drift(self) -> None:
        """What somebody edits by hand is noticed and put right."""
        tell = self.teller
        tell.begin("An edit by hand in production is noticed and healed")
        page = self.stage.folder / "production/current/dist/page.html"
        tell.typed(f"sed -i 's/{PLAIN}/{VANDAL}/' {page}", "mallory")
        good = page.read_text(encoding="utf-8")
        page.write_text(good.replace(PLAIN, VANDAL), encoding="utf-8")
        seen = self.watching.page("production", holds=VANDAL)
        tell.say(f"production serves what nobody released: {VANDAL!r}")
        check("the edit on the page", found=seen[:80], holds=VANDAL in seen)
        self.watching.page("production", holds=OFFER, not_holds=VANDAL)
        place = until("the server to tell of it", self._healed)
        same = page.read_text(encoding="utf-8") == good
        check("the file as it was built", found="another", holds=same)
        self.watching.serves("production", digest=self.tested)
        tell.say(f"production: {place}")
        self._end(PLACE)

    def rollback(self) -> None:
        """One command brings the build before back, and keeps it there."""
        tell = self.teller
        tell.begin("A rollback brings the build before back, and pins it")
        tell.typed(f"windlass rollback {NAME} production --why 'the discount was a mistake'", OTTO)
        wish = {**self._of("production"), "why": "the discount was a mistake"}
        asked = self.watching.api.post(Run, "/rollbacks", wish, by=OTTO)
        done = self._arrived("production", asked.number, self.first)
        self.watching.page("production", holds=PLAIN, not_holds=OFFER)
        pinned = self.watching.place("production").pinned
        check("production to be pinned", found="no pin", holds=bool(pinned))
        tell.say(f"pinned {pinned}")
        trailer = state_trailer(self.stage, done.state_commit, "Windlass-Digest")
        check("the digest in the state repository", found=trailer, holds=trailer == self.first)
        tell.say("what runs where is in Git:")
        tell.typed(f"git --git-dir={self.stage.data / 'state.git'} log --oneline")
        for line in state_log(self.stage)[:3]:
            tell.quote(line)
        self._end(PLACE)

    # ------------------------------------------------------------ what beats have in common

    def _pushed(self, sha: str, branch: str, *, kill: bool = False) -> int:
        """Push a branch and see its run through; the run's number."""
        self.developer.push(branch)
        if kill:
            self.teller.say("the server is killed (SIGKILL) and started again")
            self.server.kill()
            self.server.start()
            self.server.ready()
        event = self.watching.event("push", "", sha)
        self.pushed = event.number
        self.teller.say(
            f"event {event.number}: push of {sha[:8]} to {branch},"
            f" {event.matched} of {event.listeners} listeners matched"
        )
        run = self.watching.ended(self.watching.run_of(event, "push-to-dev").number)
        self.teller.say(f"run {run.number}: {_said(run)}")
        return run.number

    def _propose(self, sha: str, action: str) -> int:
        """Push for review; the number of the run that tests it."""
        ref = "HEAD:refs/for/main/discount"
        self.teller.typed(f"git push origin {ref}", DANA)
        for line in self.developer.push(ref).splitlines():
            if "ull request" in line:
                self.teller.quote(line.removeprefix("remote:").strip())
        event = self.watching.event("pull_request", action, sha)
        run = self.watching.run_of(event, "pull-request").number
        self.teller.say(f"event {event.number}: pull request 1 {action}; run {run}")
        return run

    def _act(self, verb: str, body: dict[str, str]) -> PullRequest:
        path = f"/pull-requests/1/{verb}?repository={NAME}"
        return self.watching.api.post(PullRequest, path, body or None, by=RITA)

    def _approve(self, run: int, who: str) -> str:
        """Let a deployment to production go on; the digest that production served until then."""
        asked = self.watching.deployment(run, "approval")
        before = self._serving("production")
        self.teller.say(f"deployment {asked.number} to production: {asked.reason}")
        self.teller.typed(f"windlass approve {asked.number}", who)
        path = f"/deployments/{asked.number}/approve"
        self.watching.api.post(Deployment, path, by=who)
        return before

    def _serving(self, environment: str) -> str:
        if not (self.stage.folder / environment / "current").exists():
            return ""
        return self.watching.serves(environment).digest

    def _arrived(self, environment: str, run: int, digest: str) -> Deployment:
        """A deployment at its end, and the environment that serves it."""
        done = self.watching.deployment(run, "succeeded")
        check("the digest to be kept", found=short(done.digest), holds=done.digest == digest)
        seen = self.watching.serves(environment, digest=digest)
        self.teller.say(f"{environment} serves {seen.commit[:8]}, build {short(seen.digest)}")
        return done

    def _healed(self) -> str:
        place = self.watching.place("production")
        if "healed" not in place.detail or place.status != "in sync":
            raise NotYet(f"{place.status}, {place.detail or 'no detail'}")
        return f"{place.status}, {place.detail}"

    def _tell_statuses(self, pull: PullRequest) -> None:
        for status in pull.statuses:
            said = f" ({status.description})" if status.description else ""
            self.teller.say(f"on commit {pull.head_sha[:8]}: {status.context} {status.state}{said}")

    def _of(self, environment: str) -> dict[str, str]:
        return {"repository": NAME, "service": NAME, "environment": environment}

    def _end(self, path: str, environment: str = "") -> None:
        """The beat is over; what it says to look at is there."""
        pages = [(Web(self.stage.url("server")), path)]
        if environment:
            pages.append((Web(self.stage.url(environment)), "/"))
        for web, page in pages:
            web.fetch(page)
        self.teller.end(" and ".join(f"{web.url}{page}" for web, page in pages))


def _said(run: Run) -> str:
    return ", ".join(f"{job.name} {job.state}" for job in run.jobs)


def _digest(run: Run) -> str:
    """The digest that a run's build job made."""
    found = [job.outputs.get("digest", "") for job in run.jobs if job.kind == "build"]
    check("a build with a digest", found=_said(run), holds=bool(found and found[0]))
    return found[0]


def _around(comment: str, line: str) -> list[str]:
    """A line of a comment, and the two before it."""
    lines = comment.splitlines()
    at = next(number for number, text in enumerate(lines) if line in text)
    return lines[max(0, at - 2) : at + 1]
