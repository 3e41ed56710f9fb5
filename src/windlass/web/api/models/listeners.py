"""
Listeners, their inputs, and having one run.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from windlass.core.listener import Listener
from windlass.core.parameters import text_of
from windlass.core.pipeline import Parameter
from windlass.engine.requests.listeners import ByHand
from windlass.ports.records import Delivery
from windlass.web.api.models.events import VerdictAnswer
from windlass.web.api.models.shape import Answer, Ask, maybe_when
from windlass.web.views.listeners import Last, condition_texts, on_text, place_of


class InputAnswer(Answer):
    """An input of a manual listener; `options` are the only values allowed, if there are any."""

    name: str
    type: str
    default: str | None
    required: bool
    options: list[str]
    description: str

    @classmethod
    def of(cls, parameter: Parameter, environments: tuple[str, ...]) -> InputAnswer:
        """The answer for an input of a repository with these environments."""
        named = environments if parameter.type == "environment" else ()
        return cls(
            name=parameter.name,
            type=parameter.type,
            default=parameter.default,
            required=parameter.default is None and not parameter.optional,
            options=list(parameter.enum or named),
            description=parameter.description,
        )


class ListenerAnswer(Answer):
    """
    A listener of the default branch, and what it said and started last.

    `verdict` is the last one to an event that was for it. One that is `manual` may be run, one
    in `shadow` starts nothing.
    """

    name: str
    on: str
    conditions: list[str]
    place: str
    manual: bool
    shadow: bool
    inputs: list[InputAnswer]
    verdict: VerdictAnswer | None
    event: int | None
    at: datetime | None
    run: int | None
    state: str

    @classmethod
    def of(cls, listener: Listener, environments: tuple[str, ...], last: Last) -> ListenerAnswer:
        """The answer for a listener and what it did last."""
        return cls(
            name=listener.name,
            on=on_text(listener),
            conditions=list(condition_texts(listener)),
            place=place_of(listener),
            manual=listener.manual,
            shadow=listener.shadow,
            inputs=[InputAnswer.of(one, environments) for one in listener.inputs],
            verdict=None if last.verdict is None else VerdictAnswer.of(last.verdict),
            event=None if last.verdict is None else last.verdict.event,
            at=maybe_when(last.at),
            run=None if last.run is None else last.run.number,
            state="" if last.run is None else last.run.state,
        )


class ManualAsk(Ask):
    """
    Which manual listener to run, and the value of each of its inputs.

    It runs on the head of `branch` (empty: the default branch), or on `ref`, a tag or
    commit of that branch. A value is a text, a number or a boolean; null gives none.
    """

    listener: str
    branch: str = ""
    ref: str = ""
    inputs: dict[str, str | bool | int | float | None] = Field(default={}, max_length=100)

    def wanted(self, repository: str, key: str) -> ByHand:
        """The wish as the engine takes it."""
        given = self.inputs.items()
        return ByHand(
            repository=repository,
            listener=self.listener,
            branch=self.branch,
            ref=self.ref,
            inputs={name: text_of(value) for name, value in given if value is not None},
            key=key,
        )


class AskedAnswer(Answer):
    """What was asked for is stored as this delivery; its event and runs follow at once."""

    delivery: str
    repository: str
    state: str

    @classmethod
    def of(cls, record: Delivery) -> AskedAnswer:
        """The answer for a stored wish."""
        return cls(delivery=record.id, repository=record.repository, state=record.state)
