"""
The rows of the store, as the engine sees them.

Each class is one table; its fields are the columns, and fields that are data of
the core (a run, an event) are stored as JSON. `KEY` is the primary key,
`UNIQUE` what else may not occur twice, `INDEXES` what is looked up or ordered by.
A record with a `version` is saved only over the version it was read with.
Times are UTC seconds.
"""

from windlass.ports.records.deployed import (
    Build,
    Deployment,
    Place,
)
from windlass.ports.records.every import RECORDS
from windlass.ports.records.received import (
    Delivery,
    Head,
    Refusal,
    Repository,
    SealedSecret,
    StoredEvent,
    StoredVerdict,
    TrustedIssuer,
)
from windlass.ports.records.running import (
    Audit,
    ChatCommand,
    CommitStatus,
    ConfigurationCheck,
    Counter,
    PullRequestState,
    StoredEffect,
    StoredFact,
    StoredRun,
)

__all__ = [
    "RECORDS",
    "Audit",
    "Build",
    "ChatCommand",
    "CommitStatus",
    "ConfigurationCheck",
    "Counter",
    "Delivery",
    "Deployment",
    "Head",
    "Place",
    "PullRequestState",
    "Refusal",
    "Repository",
    "SealedSecret",
    "StoredEffect",
    "StoredEvent",
    "StoredFact",
    "StoredRun",
    "StoredVerdict",
    "TrustedIssuer",
]
