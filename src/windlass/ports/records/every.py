"""
Every kind of record, for who makes tables of them.
"""

from __future__ import annotations

from windlass.ports.records.deployed import Build, Deployment, Place
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

RECORDS = (
    Repository,
    Head,
    SealedSecret,
    TrustedIssuer,
    Delivery,
    Refusal,
    StoredEvent,
    StoredVerdict,
    StoredRun,
    CommitStatus,
    StoredFact,
    StoredEffect,
    Build,
    Deployment,
    Place,
    PullRequestState,
    ChatCommand,
    ConfigurationCheck,
    Audit,
    Counter,
)
