"""
A comment's commands are acted on, one after the other, each once.

Who may is asked of the forge, by its own id of the sender. What a command does goes by the
same rules as a wish from the page or the command line; what came of it is recorded before
the next one begins, and told in the one comment on the pull request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from windlass.core.chat import HELP, Command, Said, Verb, parse
from windlass.core.errors import NotAllowed, NotFound, Permanent, UserError
from windlass.engine import effects
from windlass.engine.audit import audit
from windlass.engine.chat.deployments import DeploymentCommands
from windlass.engine.chat.given import Given, Outcome
from windlass.engine.chat.runs import RunCommands
from windlass.engine.configurations import Configurations
from windlass.engine.explain import explain_pull_request
from windlass.engine.world import World
from windlass.ports.forge import Permission
from windlass.ports.records import ChatCommand, Repository, StoredEvent
from windlass.ports.store import Tx

_WRITERS = frozenset({Permission.WRITE, Permission.ADMIN})
_READERS = _WRITERS | {Permission.READ}
# Who may say what. Help is for everybody; all other verbs need the right to write.
WHO: Mapping[Verb, frozenset[Permission]] = {
    Verb.HELP: frozenset(Permission),
    Verb.EXPLAIN: _READERS,
}
# What needs more than the word of a forge that signs nothing.
GUARDED = frozenset({Verb.OK_TO_TEST, Verb.DEPLOY, Verb.APPROVE, Verb.ROLLBACK})

_Act = Callable[[Given], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    permission: Permission


class Chat:
    """Acts on the commands of a comment."""

    def __init__(self, world: World, configurations: Configurations) -> None:
        self._world = world
        runs = RunCommands(world, configurations)
        deployments = DeploymentCommands(world, configurations)
        self._table: Mapping[Verb, _Act] = {
            Verb.TEST: runs.test,
            Verb.RETEST: runs.retest,
            Verb.CANCEL: runs.stop,
            Verb.OK_TO_TEST: runs.allow,
            Verb.DEPLOY: deployments.bring,
            Verb.APPROVE: deployments.consent,
            Verb.ROLLBACK: deployments.back,
            Verb.EXPLAIN: self._explain,
            Verb.HELP: self._help,
        }

    async def __call__(self, number: int) -> None:
        """Act on what has not been acted on. Raises `Transient` while the forge cannot be asked."""

        def work(tx: Tx) -> tuple[StoredEvent | None, Repository | None, set[int]]:
            stored = tx.get(StoredEvent, number)
            done = {one.position for one in tx.find(ChatCommand, event=number)}
            return stored, tx.get(Repository, stored.repository) if stored else None, done

        stored, repository, done = await self._world.store.read(work)
        if stored is None or repository is None:
            return
        person = await self._person(stored, repository)
        for position, said in enumerate(parse(stored.event.body or "")):
            if position not in done:
                state, outcome = await self._one(stored, repository, person, position, said)
                record = ChatCommand(
                    event=number,
                    position=position,
                    repository=repository.name,
                    pull_request=stored.pull_request,
                    by=stored.event.sender or person.name,
                    by_id=stored.event.sender_id or "",
                    text=said.text,
                    state=state,
                    outcome=" ".join(outcome.text.split()),
                    path=outcome.path,
                    explains=outcome.explains,
                    at=self._world.clock.now(),
                )
                await self._record(record, person, said)

    async def _person(self, stored: StoredEvent, repository: Repository) -> _Person:
        """Who speaks, and what the forge says that they may do; never by a name or a Git author."""
        forge = self._world.forges[repository.forge]
        event = stored.event
        identity = event.sender_id or ""
        try:
            right = (
                await forge.source.permission(repository.url, identity)
                if identity
                else Permission.NONE
            )
        except (Permanent, UserError):  # nobody answers for this person
            right = Permission.NONE
        # A name that others can have as well approves nothing.
        name = (event.sender if forge.logins else "") or identity or "somebody"
        return _Person(name, right)

    async def _one(
        self,
        stored: StoredEvent,
        repository: Repository,
        person: _Person,
        position: int,
        said: Said,
    ) -> tuple[str, Outcome]:
        if not isinstance(said, Command):
            return "refused", Outcome(said.reason)
        forge = self._world.forges[repository.forge]
        given = Given(
            event=stored.number,
            position=position,
            command=said,
            repository=repository,
            forge=forge,
            number=stored.pull_request,
            by=person.name,
            by_id=stored.event.sender_id or "",
        )
        try:
            _allowed(given, person)
            return "done", await self._table[said.verb](given)
        except UserError as error:
            hint = f" ({error.hint})" if error.hint else ""
            return "refused", Outcome(f"{error.message}{hint}")
        except Permanent as error:
            return "refused", Outcome(str(error))

    async def _record(self, record: ChatCommand, person: _Person, said: Said) -> None:
        known = person.permission in _WRITERS
        name, number = record.repository, record.pull_request

        def work(tx: Tx) -> None:
            if not tx.add(record):
                return
            if known and isinstance(said, Command):
                detail = f"{record.state}: {record.outcome}"
                audit(tx, person.name, f"/{said.verb}", f"{name}#{number}", record.at, detail)
            # A stranger cannot have us speak without end.
            effects.comment(tx, name, number, record.at, at_once=known)

        await self._world.store.transaction(work)

    async def _help(self, _given: Given) -> Outcome:
        return Outcome(HELP)

    async def _explain(self, given: Given) -> Outcome:
        """Have the comment say what became of the last thing that happened to it, as it is then."""
        name = given.repository.name
        found = await explain_pull_request(self._world, name, given.number)
        if found.event is None:
            raise NotFound(" ".join(found.lines))
        number = found.event.number
        return Outcome(f"explained event {number}", f"/events/{number}", explains=number)


def _allowed(given: Given, person: _Person) -> None:
    """Raise `NotAllowed` unless this person may give this command in this way."""
    verb, name = given.command.verb, given.repository.name
    wanted = WHO.get(verb, _WRITERS)
    if person.permission not in wanted:
        right = "read" if wanted is _READERS else "write"
        raise NotAllowed(f"this takes the right to {right} {name}, as its forge has it")
    if not given.repository.active and verb is not Verb.HELP:
        raise NotAllowed(f"{name} is not connected any more")
    if verb in GUARDED and not given.forge.signed:
        raise NotAllowed(
            f"{given.repository.forge} does not sign what it tells, so nobody can know that it was"
            " you; use the page or the command line"
        )
