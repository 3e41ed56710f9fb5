"""
Spooled pushes and acts become changed pull requests and webhooks to send.

An entry is removed only after all of its webhooks are in the outbox. Each step
does nothing the second time, so whoever is killed in between is finished by the
next. Called with the lock `state` held.
"""

from __future__ import annotations

import json
import os

from windlass.forges.plain.program import pulls, spool
from windlass.forges.plain.program.folder import Folder
from windlass.forges.plain.program.git import Git
from windlass.forges.plain.program.payloads import Writer
from windlass.forges.plain.program.pulls import Pull, Pulls
from windlass.forges.plain.program.spool import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.forges.plain.program.payloads import Body


def compose(folder: Folder, git: Git) -> int:
    """Work off the spool, oldest first; how many entries there were."""
    paths = spool.waiting(folder)
    if paths:
        # Asked first: a Git that cannot run would know of no branch, and a push would be lost.
        git.prove()
    for path in paths:
        try:
            entry = spool.load(path)
        except FileNotFoundError:
            continue
        except ValueError as error:
            refuse(folder, path, f"not understood: {error}")
            continue
        try:
            _write(folder, entry, _Composer(folder, git, entry).bodies())
        except OSError:
            raise  # the disk is full, Git is gone: it may do later
        except Exception as error:  # noqa: BLE001 - one bad entry must not hold back all others
            refuse(folder, path, f"{type(error).__name__}: {error}")
        else:
            folder.drop(path)
    return len(paths)


def _write(folder: Folder, entry: Entry, bodies: list[Body]) -> None:
    for index, body in enumerate(bodies):
        name = f"{entry.at_ns:020d}-{index:06d}-{entry.identity(index)}.json"
        content = json.dumps(body, separators=(",", ":")).encode("utf-8", "replace")
        folder.write(folder.path("outbox", name), content)


def refuse(folder: Folder, path: str, answer: str) -> None:
    """Lay aside what nobody will take, with the answer that says why."""
    name = os.path.basename(path)
    folder.write(folder.path("refused", f"{name}.answer"), answer.encode("utf-8", "replace"))
    os.replace(path, folder.path("refused", name))


def identity(name: str) -> str:
    """The id of a person, which every webhook and every approval tells."""
    return f"os:{name}"


class _Composer:
    """Makes the webhooks of one entry."""

    def __init__(self, folder: Folder, git: Git, entry: Entry) -> None:
        self.git = git
        self.entry = entry
        self.pulls = Pulls(folder, git)
        self.identity = identity(entry.by if entry.acts else entry.user)
        self.writer = Writer(git, name=entry.by, identity=self.identity, at=entry.at)

    def bodies(self) -> list[Body]:
        """Its webhooks in order; the pull requests are changed when this returns."""
        found = [body for act in self.entry.acts for body in self._act(*act)]
        for index, (old, new, ref) in enumerate(self.entry.refs):
            cause = self.entry.identity(index)
            found += self._ref(old, new, ref, cause)
        # After a merge by us, the push of its commit comes before the news of the merge.
        return sorted(found, key=lambda body: body["event"] != "push")

    def _act(self, word: str, number: str, *rest: str) -> list[Body]:
        pull = self.pulls.get(int(number))
        if pull is None:
            return []
        cause = self.entry.identity(-1)
        if word == "approved":
            pull.approvals[self.entry.by] = rest[0]
            self._store(pull, cause, "approved")
            return [self.writer.review("approved", pull)]
        if word == "closed":
            return self._end(pull, pulls.CLOSED, cause)
        (_, new, ref), *_ = self.entry.refs
        if not self.pulls.contains(ref, new):
            # The one who merged was stopped before the branch moved: it was no merge.
            self.entry.refs.clear()
            return []
        pull.merge_sha = new
        return self._end(pull, pulls.MERGED, cause)

    def _ref(self, old: str, new: str, ref: str, cause: str) -> list[Body]:
        gone = not new.strip("0")
        if ref.startswith("refs/for/"):
            return [] if gone else self._asked(new, ref, cause)
        if ref.startswith("refs/pull/"):
            return [] if gone else self._moved(new, ref, cause)
        if not ref.startswith(("refs/heads/", "refs/tags/")):
            return []
        merged = [] if gone or ref.startswith("refs/tags/") else self._merged(new, ref, cause)
        return [self.writer.push(old, new, ref), *merged]

    def _asked(self, new: str, ref: str, cause: str) -> list[Body]:
        """A push to `refs/for/...`: opens a pull request, or updates the open one."""
        target = self.pulls.target(ref, fallback=self.entry.options.get("topic", self.entry.by))
        if target is None or self.pulls.contains(f"refs/heads/{target[0]}", new):
            self.git.run("update-ref", "-d", ref, new)
            return []
        base, topic = target
        pull = self.pulls.find(base, topic, cause) or self._opened(base, topic, new)
        return self._proposed(pull, new, cause, gone=ref)

    def _opened(self, base: str, topic: str, new: str) -> Pull:
        pull = Pull(self.pulls.next_number())
        first = self.git.run("rev-list", "--reverse", "--topo-order", f"refs/heads/{base}..{new}")[
            1
        ]
        oldest = first.decode().split("\n", 1)[0] or new
        message = self.git.out("log", "--max-count=1", "--format=%B", oldest)
        title, _, body = message.strip().partition("\n")
        pull.title = title
        pull.body = body.strip()
        pull.author, pull.author_id = self.entry.by, self.identity
        pull.base, pull.head = base, topic
        pull.created_at = self.entry.at
        return pull

    def _moved(self, new: str, ref: str, cause: str) -> list[Body]:
        """A push straight to `refs/pull/N/head`."""
        number = ref.split("/")[2]
        pull = self.pulls.get(int(number)) if number.isdigit() else None
        if pull is None or pull.ref != ref or pull.state != pulls.OPEN:
            return []
        return self._proposed(pull, new, cause)

    def _proposed(self, pull: Pull, new: str, cause: str, *, gone: str = "") -> list[Body]:
        """Take in a proposed commit: store it, move its refs, say so."""
        if pull.cause != cause:
            pull.action = "updated" if pull.cause else "opened"
            pull.before, pull.was_draft = pull.head_sha, pull.draft
        options = self.entry.options
        pull.head_sha = new
        pull.title = options.get("title", pull.title)
        pull.body = options.get("description", pull.body)
        pull.draft = "ready" not in options and (pull.was_draft or "draft" in options)
        pull.base_sha = self.git.out("rev-parse", f"refs/heads/{pull.base}")
        self._store(pull, cause, pull.action)
        self.pulls.point(pull, gone=gone)
        bodies = []
        if pull.before != new:
            bodies.append(self.writer.pull_request(pull.action, pull, before=pull.before))
        if pull.was_draft and not pull.draft:
            bodies.append(self.writer.pull_request("ready", pull))
        return bodies

    def _merged(self, new: str, ref: str, cause: str) -> list[Body]:
        """What a push to this branch has merged."""
        base = ref[len("refs/heads/") :]
        found: list[Body] = []
        for pull in self.pulls.all():
            due = pull.state == pulls.OPEN or (pull.cause == cause and pull.action == "merged")
            if due and pull.base == base and self.pulls.contains(new, pull.head_sha):
                pull.merge_sha = new
                found += self._end(pull, pulls.MERGED, cause)
        return found

    def _end(self, pull: Pull, state: str, cause: str) -> list[Body]:
        pull.state = state
        self._store(pull, cause, state)
        return [self.writer.pull_request(state, pull)]

    def _store(self, pull: Pull, cause: str, action: str) -> None:
        pull.cause, pull.action = cause, action
        pull.updated_at = self.entry.at
        self.pulls.put(pull)
