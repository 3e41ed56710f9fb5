"""
The whole error tree.

The class of an error decides what happens next, never its text. A `UserError`
is for a person who can mend it; a `BadDelivery` is a webhook that is not
trusted or cannot be read; an `AdapterError` is something outside that failed,
for now or for good; a `Bug` is an invariant of ours that does not hold.
"Ignored" and "missed" are values, not errors.

>>> print(Place("ci.yaml", 3, 7))
ci.yaml:3:7
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class WindlassError(Exception):
    """Everything that Windlass raises on purpose."""


class UserError(WindlassError):
    """A person can mend it; the text is for that person. `code` is stable and documented."""

    code = "user-error"

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code:
            self.code = code


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a configuration: what, where, and what to do about it."""

    message: str
    place: Place
    hint: str = ""
    code: str = "config"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(UserError):
    """A configuration that cannot be used, with every fault that was found."""

    code = "config"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class WrongInput:
    """
    One value that does not fit: which input, what it may be, and what was given.

    `text` says it in other words where there is no such input at all.
    """

    name: str
    expected: str
    actual: str
    text: str = ""

    def __str__(self) -> str:
        return self.text or f"{self.name}: found {self.actual}, expected {self.expected}"


class InputError(UserError):
    """Values that do not fit the inputs of a listener, all of them."""

    code = "wrong-input"

    def __init__(self, inputs: tuple[WrongInput, ...], *, hint: str = "") -> None:
        super().__init__("\n".join(map(str, inputs)), hint=hint)
        self.inputs = inputs


class NotAllowed(UserError):
    """This person may not do this."""

    code = "not-allowed"


class NotFound(UserError):
    """There is no such thing."""

    code = "not-found"


class Conflict(UserError):
    """It cannot be done now, because of something else that is so."""

    code = "conflict"


class BadDelivery(WindlassError):
    """
    A webhook that is not trusted (`trusted=False`, answered 401) or not readable (400).

    Raised by `Dialect.verify` and `Dialect.read`, and they raise nothing else.
    """

    def __init__(self, message: str, *, trusted: bool = True) -> None:
        super().__init__(message)
        self.trusted = trusted


class Unsigned(BadDelivery):
    """A webhook that says nothing of who sent it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, trusted=False)


class BadToken(BadDelivery):
    """A webhook whose bearer token is not trusted."""

    def __init__(self, message: str) -> None:
        super().__init__(message, trusted=False)


class UnknownKey(BadToken):
    """The token is signed by a key that its issuer did not have when it was last asked."""


class AdapterError(WindlassError):
    """Something outside failed."""


class Transient(AdapterError):
    """Another try may succeed, not before `retry_after` seconds when that is known."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Permanent(AdapterError):
    """Another try would end the same way."""


class Bug(WindlassError):
    """An invariant of ours does not hold. Loud, and stored where it happened."""
