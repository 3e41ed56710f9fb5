"""
What the server and the environments say, as the beats ask for it.

Each question waits until it can be answered with yes, and fails at once when the
answer can only be no.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.cli.demo.asking import (
    Api,
    Board,
    Build,
    Deployment,
    Event,
    EventFull,
    Listed,
    Place,
    PullRequest,
    Run,
    Version,
    Web,
)
from windlass.cli.demo.looking import Missed, NotYet, until
from windlass.cli.demo.stage import Stage

NAME = "shop"
BAD_ENDS = frozenset({"failed", "cancelled", "skipped"})
ENDED = BAD_ENDS | {"succeeded"}


@dataclass(frozen=True, slots=True)
class Watching:
    """The questions; `NAME` is the repository and its only service."""

    stage: Stage
    api: Api

    def event(self, kind: str, action: str, sha: str) -> Event:
        """The event of this commit, as soon as the webhook has brought it."""

        def look() -> Event:
            found = self.api.get(Listed[Event], "/events", repository=NAME).items
            for one in found:
                if (one.kind, one.sha) == (kind, sha) and action in {"", one.action}:
                    return one
            raise NotYet("no such event")

        return until(f"the webhook of {kind} {sha[:8]} to arrive", look)

    def run_of(self, event: Event, listener: str) -> Run:
        """The run that a listener started for an event."""

        def look() -> Run:
            found = self.api.get(EventFull, f"/events/{event.number}")
            if found.fault:
                raise Missed("the configuration to be good", found.fault)
            for run in found.runs:
                if run.listener == listener:
                    return run
            raise NotYet(f"{found.matched} of {found.listeners} listeners matched")

        return until(f"listener {listener} to start a run for event {event.number}", look)

    def ended(self, number: int, state: str = "succeeded") -> Run:
        """A run at its end, which has to be this one."""

        def look() -> Run:
            run = self.api.get(Run, f"/runs/{number}")
            if run.state not in ENDED:
                raise NotYet(f"it is {run.state} ({_jobs(run)})")
            if run.state != state:
                raise Missed(f"run {number} to be {state}", f"{run.state}: {_jobs(run)}")
            return run

        return until(f"run {number} to be {state}", look)

    def pull_request(self, number: int, head: str, state: str) -> PullRequest:
        """A pull request on whose head a result of this state stands, and none is pending."""

        def look() -> PullRequest:
            pull = self.api.get(PullRequest, f"/pull-requests/{number}", repository=NAME)
            said = {one.context: one.state for one in pull.statuses}
            if pull.head_sha != head or not said or "pending" in said.values():
                raise NotYet(f"head {pull.head_sha[:8]}, statuses {said or 'none'}")
            if state not in said.values():
                raise NotYet(f"statuses {said}")
            return pull

        return until(f"{state} on pull request {number}", look)

    def comment(self, number: int, text: str) -> PullRequest:
        """A pull request whose comment says this."""

        def look() -> PullRequest:
            pull = self.api.get(PullRequest, f"/pull-requests/{number}", repository=NAME)
            if text not in pull.comment:
                raise NotYet(f"the comment {pull.comment[-300:]!r}")
            return pull

        return until(f"{text!r} in the comment of pull request {number}", look)

    def deployment(self, run: int, state: str) -> Deployment:
        """The deployment of a run, in this state."""

        def look() -> Deployment:
            found = self.api.get(Listed[Deployment], "/deployments", run=run).items
            if not found:
                raise NotYet("no deployment")
            if found[0].state in {"failed", "rejected", "superseded", "cancelled", "expired"}:
                raise Missed(
                    f"deployment {found[0].number} to be {state}",
                    f"{found[0].state}: {found[0].reason}",
                )
            if found[0].state != state:
                raise NotYet(f"deployment {found[0].number} is {found[0].state}")
            return found[0]

        return until(f"a deployment of run {run} to be {state}", look)

    def build(self, digest: str) -> Build:
        """A build by its digest."""
        return self.api.get(Build, f"/builds/{digest}")

    def place(self, environment: str) -> Place:
        """What the server says of an environment."""
        for row in self.api.get(Board, "/environments").rows:
            if environment in row.cells:
                return row.cells[environment].place
        raise NotYet(f"nothing was deployed to {environment}")

    def serves(self, environment: str, *, commit: str = "", digest: str = "") -> Version:
        """What an environment really serves, as soon as it is this."""
        web = Web(self.stage.url(environment))

        def look() -> Version:
            seen = web.read(Version, "/version")
            if commit not in {"", seen.commit} or digest not in {"", seen.digest}:
                raise NotYet(f"commit {seen.commit[:8]}, digest {short(seen.digest)}")
            if seen.environment != environment:
                raise Missed(f"{environment} at {web.url}", seen.environment)
            return seen

        what = " and ".join(
            filter(None, (commit and f"commit {commit[:8]}", digest and short(digest)))
        )
        return until(f"{environment} to serve {what or 'something'}", look)

    def page(self, environment: str, *, holds: str, not_holds: str = "") -> str:
        """The page of an environment, as soon as it holds the one text and not the other."""
        web = Web(self.stage.url(environment))

        def look() -> str:
            text = web.fetch("/").decode(errors="replace")
            if holds not in text or (not_holds and not_holds in text):
                raise NotYet(f"a page that says {_gist(text)!r}")
            return text

        return until(f"{holds!r} on the page of {environment}", look)


def short(digest: str) -> str:
    """A digest, short enough to read."""
    return digest.removeprefix("sha256:")[:12]


def _jobs(run: Run) -> str:
    said = [
        f"{job.name} {job.state}" + (f" ({job.reason})" if job.reason else "") for job in run.jobs
    ]
    return ", ".join(filter(None, (run.reason, *said)))


def _gist(text: str) -> str:
    """The paragraph of a page."""
    return text.partition("<p>")[2].partition("</p>")[0] or text[:80]
