"""
What may happen in a story, one verb each.

A line of `delivery.yaml` is a map with one verb; it is done in Git first, then told
by a webhook, and the server comes to rest before the next line.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from harness import NAME, Stage

from windlass.core.errors import UserError
from windlass.core.event import ZERO, Event, Kind
from windlass.ports.forge import PullRequest, PullState
from windlass.ports.records import Build, Place


@dataclass
class Pull:
    """A pull request, as the forge holds it."""

    number: int
    head: str
    base: str
    fork: bool
    author: str
    owner: str = ""
    labels: tuple[str, ...] = ()


@dataclass
class Story:
    """Plays lines; `refused` are the answers to people whose wish could not be."""

    stage: Stage
    pulls: dict[int, Pull] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    comments: int = 0

    async def play(self, lines: list[dict[str, dict]]) -> None:
        for line in lines:
            ((verb, said),) = line.items()
            await getattr(self, verb)(**said)
            await self.stage.settle()

    def commit(self, branch, files, message="", start="main"):
        sha = self.stage.origin.commit(branch, files, message or f"Change {branch}", start)
        self.stage.forge.repositories[self.stage.url].heads[sha] = sha
        return sha

    async def push(self, branch, files, message="", *, by="ada", told=True):
        """Commit and push; a branch that is new begins at `main`."""
        before = self.stage.origin.at(f"refs/heads/{branch}")
        sha = self.commit(branch, files, message)
        said = {
            "repository": NAME,
            "branch": branch,
            "sha": sha,
            "before": before or ZERO,
            "sender": by,
            "sender_id": by,
        }
        created = Event(kind=Kind.BRANCH, action="created", **said)
        pushed = Event(kind=Kind.PUSH, action="pushed", message=message or None, **said)
        if told:
            await self.stage.deliver(pushed, *([] if before else [created]))

    async def again(self, branch):
        """The push of a branch once more, as when a person presses "redeliver"."""
        sha = self.stage.origin.at(f"refs/heads/{branch}")
        said = {"branch": branch, "sha": sha, "before": ZERO, "sender": "ada", "sender_id": "ada"}
        await self.stage.deliver(Event(kind=Kind.PUSH, action="pushed", repository=NAME, **said))

    async def delete(self, branch):
        """Delete a branch."""
        before = self.stage.origin.at(f"refs/heads/{branch}")
        self.stage.origin.git("update-ref", "-d", f"refs/heads/{branch}")
        said = {"branch": branch, "sha": None, "before": before, "sender": "ada"}
        await self.stage.deliver(Event(kind=Kind.BRANCH, action="deleted", repository=NAME, **said))

    async def tag(self, name, at="main"):
        """Tag the head of a branch."""
        sha = self.stage.origin.at(f"refs/heads/{at}")
        self.stage.origin.git("update-ref", f"refs/tags/{name}", sha)
        said = {"tag": name, "sha": sha, "before": ZERO, "sender": "ada"}
        await self.stage.deliver(Event(kind=Kind.TAG, action="created", repository=NAME, **said))

    async def open(
        self, number, head, files, *, base="main", by="ada", fork=False, start="main", owner=""
    ):
        """Open a pull request of a branch with these files, which begins at `start`."""
        self.commit(head, files, f"Add {head}", start)
        self.pulls[number] = Pull(number, head, base, fork, by, owner)
        there = self.stage.forge.repositories[self.stage.url]
        there.pulls.add(number)
        there.proposals[number] = PullRequest(
            number=number,
            title=f"Add {head}",
            author=by,
            author_id=by,
            base=base,
            head=head,
            head_sha=self.stage.origin.at(f"refs/heads/{head}"),
            state=PullState.OPEN,
            fork=fork,
            fork_owner=owner,
        )
        await self._pull(number, "opened")

    async def update(self, number, files, *, told=True):
        """Push to a pull request."""
        self.commit(self.pulls[number].head, files)
        if told:
            await self._pull(number, "updated")

    async def pull(self, number, action):
        """Anything else that happens to a pull request."""
        if action == "closed":
            self._became(number, state=PullState.CLOSED)
        await self._pull(number, action)

    async def comment(self, number, body, *, by="ada", name="", key="", again=False):
        """A comment; `HEAD` is the present head. `again` tells the last one another time."""
        pull = self.pulls[number]
        head = self.stage.origin.at(f"refs/heads/{pull.head}")
        self.comments += not again
        said = Event(
            kind=Kind.COMMENT,
            action="created",
            repository=NAME,
            number=number,
            head=pull.head,
            base=pull.base,
            author=pull.author,
            author_id=pull.author,
            sender=name or by,
            sender_id=by,
            title=f"Add {pull.head}",
            body=body.replace("HEAD", head),
            url=f"https://forge.example/shop/{number}#comment-{self.comments}",
            at=1_700_000_000.0 + self.comments,
        )
        await self.stage.deliver(said, key=key)

    def _became(self, number, **what):
        proposals = self.stage.forge.repositories[self.stage.url].proposals
        proposals[number] = replace(proposals[number], **what)

    async def review(self, number, by, action="approved", *, told=True):
        """Approve its head, or say something else of it."""
        head, url = self.stage.origin.at(f"refs/heads/{self.pulls[number].head}"), self.stage.url
        self._became(number, head_sha=head)
        if action == "approved":
            self.stage.forge.approve(url, number, by)
        elif action != "commented":
            self.stage.forge.revoke(url, number, by)
        if told:
            await self._pull(number, action, kind=Kind.REVIEW, sender=by, sender_id=by)

    async def merge(self, number, how="squash", *, told=True):
        """Merge it; the push that comes with it is told, too."""
        pull = self.pulls[number]
        before = self.stage.origin.at(f"refs/heads/{pull.base}")
        sha = self.stage.origin.merge(pull.base, pull.head, how, f"Merge {pull.head} (#{number})")
        self.stage.forge.repositories[self.stage.url].heads[sha] = sha
        self._became(number, state=PullState.MERGED, merge_sha=sha)
        if not told:
            return
        said = {"branch": pull.base, "sha": sha, "before": before, "sender": "ada"}
        await self.stage.deliver(Event(kind=Kind.PUSH, action="pushed", repository=NAME, **said))
        await self._pull(number, "merged", sha=sha, before=before)

    async def _pull(self, number, action, *, kind=Kind.PULL_REQUEST, **more):
        pull = self.pulls[number]
        head = self.stage.origin.at(f"refs/heads/{pull.head}")
        self.stage.origin.git("update-ref", f"refs/pull/{number}/head", head)
        said = {
            "sha": head,
            "head_sha": head,
            "base_sha": self.stage.origin.at(f"refs/heads/{pull.base}"),
            "base": pull.base,
            "head": pull.head,
            "fork": pull.fork,
            "fork_owner": pull.owner,
            "author": pull.author,
            "author_id": pull.author,
            "sender": pull.author,
            "sender_id": pull.author,
            "title": f"Add {pull.head}",
            "number": number,
            **more,
        }
        await self.stage.deliver(Event(kind=kind, action=action, repository=NAME, **said))

    async def ask(self, what, **said):
        """A person's wish, as from the page, the API or the command line."""
        try:
            await getattr(self.stage.requests, what)(**said)
        except UserError as error:
            self.refused.append(f"{what}: {error.message}")

    async def state(self, place, build, by="bob"):
        """A person commits another build of a place in the state repository."""
        stage = self.stage
        builds, found = await stage.world.store.read(
            lambda tx: (tx.find(Build, order="run"), tx.get(Place, place))
        )
        text = found.content.replace(found.digest, builds[build - 1].digest)
        path = f"{place}.yaml"
        data = text.encode()
        head = await stage.world.state.head()
        script = (
            b"feature done\ncommit refs/heads/main\ncommitter %s <p@example.org> 1700000900 +0000\n"
            b"data 17\nChoose that build\nfrom %s\nM 100644 inline %s\ndata %d\n%s\ndone\n"
        ) % (by.encode(), head.encode(), path.encode(), len(data), data)
        await stage.git.run("fast-import", "--quiet", at=stage.folder / "state.git", stdin=script)
        await stage.wait(10.0)

    async def gate(self, name="gate", run=0):
        """Open a gate, for one run or for all."""
        self.stage.world.executor.let(f"{run}:{name}" if run else name)

    async def wait(self, seconds):
        """Let time go on."""
        await self.stage.wait(seconds)
