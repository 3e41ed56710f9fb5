"""
What an event leaves behind for later decisions: heads of refs, the life of pull requests.

And by what was left behind an event is known again that came by two ways.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.core.event import ZERO, Event, Kind
from windlass.engine import replays
from windlass.ports.records import Delivery, Head, PullRequestState, StoredEvent
from windlass.ports.store import Below, Snapshot, Tx

# Events of one commit that are looked through; more than any commit has in practice.
MOST = 50
# Pull requests of one branch that are looked at for the one that was open then.
PULLS = 5


def known(tx: Tx, delivery: Delivery, event: Event) -> int:
    """
    The number of the event that this one is already, by another way; 0 when it is new.

    A webhook may come after recovery has found what it tells of, and recovery may be
    overtaken by the webhook that it missed.
    """
    if not event.sha or delivery.source not in {"webhook", "recovered"}:
        return 0
    # A forge may tell of a merge by two webhooks; a pull request is merged once.
    once = delivery.source == "recovered" or event.action == "merged"
    found = (True, False) if once else (True,)
    same = tx.find(
        StoredEvent,
        sha=event.sha,
        repository=event.repository,
        recovered=found,
        order="-number",
        limit=MOST,
    )
    newest = next((one for one in same if _alike(one.event, event)), None)
    if newest is None:
        return 0
    if event.action == "merged":
        return newest.number
    new = _moved(tx, delivery, event) if delivery.source == "webhook" else not _still(tx, newest)
    return 0 if new else newest.number


def _alike(one: Event, other: Event) -> bool:
    same = (one.kind, one.action, one.number, one.branch, one.tag) == (
        *(other.kind, other.action, other.number),
        *(other.branch, other.tag),
    )
    return same and (one.kind is not Kind.REVIEW or one.sender_id == other.sender_id)


def _moved(tx: Tx, delivery: Delivery, event: Event) -> bool:
    """
    Whether a webhook tells of a move from where its ref is now, and so of nothing old.

    A review that is taken back counts at once. One that is given again after that may be
    an old one that comes late: then the forge says, when it is asked, that it stands.
    """
    if event.kind is Kind.REVIEW:
        return event.action == "dismissed" and not _reviewed(tx, event)
    if event.kind is Kind.PULL_REQUEST:
        pull = tx.get(PullRequestState, event.repository, event.number or 0)
        here = pull.head_sha if pull else ""
        return here not in {"", event.sha} and event.before == here
    head = last(tx, event)
    if head is None:
        return False
    if head.sha != event.sha:
        return (event.before or ZERO) == (head.sha or ZERO)
    # The push that makes a branch has come in the same delivery as its creation.
    told = tx.get(StoredEvent, head.event)
    return told is not None and told.delivery == delivery.id


def last(tx: Tx, event: Event) -> Head | None:
    """What was told last of the ref of an event."""
    ref = _ref(event)
    return tx.get(Head, event.repository, ref) if ref else None


def _still(tx: Tx, stored: StoredEvent) -> bool:
    """Whether nothing has happened to its ref since, so that what was found is this event."""
    if stored.event.kind is Kind.PULL_REQUEST:
        return True
    if stored.event.kind is Kind.REVIEW:
        return _reviewed(tx, stored.event)
    head = last(tx, stored.event)
    return head is not None and head.sha == stored.sha


def _reviewed(tx: Tx, event: Event) -> bool:
    """Whether we know already what a review says: that its sender approves, or not any more."""
    pull = tx.get(PullRequestState, event.repository, event.number or 0)
    approved = _said(event, pull) in (pull.approved if pull else ())
    return approved == (event.action == "approved")


def _said(event: Event, pull: PullRequestState | None) -> str:
    """Who reviewed, and which commit."""
    return f"{event.sender_id}@{event.head_sha or event.sha or (pull.head_sha if pull else '')}"


def remember(tx: Tx, stored: StoredEvent) -> None:
    """
    What later decisions ask: heads of refs, and the life of pull requests.

    What repeats another event tells nothing new.
    """
    if stored.origin:
        return
    event = stored.event
    ref = _ref(event)
    if ref and not _overtaken(tx, stored):
        gone = event.action == "deleted"
        sha = "" if gone else stored.sha
        tx.save(Head(repository=stored.repository, ref=ref, sha=sha, event=stored.number))
    if event.kind in {Kind.PULL_REQUEST, Kind.REVIEW} and event.number:
        _pull_request(tx, stored.repository, event, replays.happened(tx, stored))


def _overtaken(tx: Tx, stored: StoredEvent) -> bool:
    """Whether what was told last of its ref came after it: it waited for a try, or is a replay."""
    head = last(tx, stored.event)
    told = tx.get(StoredEvent, head.event) if head and head.event else None
    return told is not None and replays.happened(tx, told) > replays.happened(tx, stored)


def _ref(event: Event) -> str:
    """The full name of the ref that an event moved; empty when it moved none."""
    match event.kind:
        case Kind.PUSH | Kind.BRANCH:
            return f"refs/heads/{event.branch}"
        case Kind.TAG:
            return f"refs/tags/{event.tag}"
        case _:
            return ""


def _pull_request(tx: Tx, repository: str, event: Event, at: float) -> None:
    number = event.number or 0
    old = tx.get(PullRequestState, repository, number)
    known = old or PullRequestState(
        repository=repository,
        number=number,
        title="",
        author="",
        author_id="",
        base="",
        head="",
        head_sha="",
        state="open",
    )
    if event.kind is Kind.REVIEW:
        said = _said(event, known)
        kept = tuple(one for one in known.approved if one != said)
        # Who only comments takes nothing back.
        approves = event.action == "approved" or (
            event.action == "commented" and said in known.approved
        )
        after = replace(
            known,
            approved=(*kept, said) if approves else kept,
            updated_at=max(at, known.updated_at),
        )
    elif at < known.updated_at:
        return
    else:
        merged = event.action == "merged"
        after = replace(
            known,
            title=event.title or known.title,
            author=event.author or known.author,
            author_id=event.author_id or known.author_id,
            base=event.base or known.base,
            head=event.head or known.head,
            head_sha=event.head_sha or (known.head_sha if merged else event.sha) or "",
            state=_PULL_STATES.get(event.action, "open"),
            fork=event.fork,
            merge_sha=(event.sha or "") if merged else known.merge_sha,
            url=event.url or known.url,
            updated_at=at,
        )
    if old is None:
        tx.add(after)
    else:
        tx.save(after)


def open_pull(tx: Snapshot, event: Event) -> int:
    """The open pull request whose head is the pushed branch, 0 if none; forks do not count."""
    found = tx.find(
        PullRequestState,
        repository=event.repository,
        head=event.branch,
        state="open",
        fork=False,
        order="number",
        limit=1,
    )
    return found[0].number if found else 0


def open_pull_then(tx: Snapshot, stored: StoredEvent) -> int:
    """The same, as it was when this event came."""
    for pull in tx.find(
        PullRequestState,
        repository=stored.repository,
        head=stored.event.branch,
        fork=False,
        order="-number",
        limit=PULLS,
    ):
        before = tx.find(
            StoredEvent,
            repository=stored.repository,
            pull_request=pull.number,
            origin=0,
            number=Below(stored.number),
            order="-number",
            limit=4 * MOST,
        )
        last = next((one for one in before if one.kind == Kind.PULL_REQUEST), None)
        if last is not None and last.action not in _PULL_STATES:
            return pull.number
    return 0


_PULL_STATES = {"merged": "merged", "closed": "closed"}
