"""
Everything.

A column is written as its name, its type, and what else there is to say: `key`,
`null`, or its default as SQL.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TABLES = {
    "repository": (
        "name text key",
        "forge text",
        "url text",
        "endpoint text",
        "default_branch text",
        "active boolean true",
        "problem text ''",
        "created_at real 0.0",
        "version integer 0",
    ),
    "head": (
        "repository text key",
        "ref text key",
        "sha text",
        "event integer 0",
    ),
    "sealed_secret": (
        "scope text key",
        "name text key",
        "sealed bytes",
        "created_at real 0.0",
    ),
    "delivery": (
        "id text key",
        "endpoint text",
        "delivery_key text",
        "repository text",
        "received_at real",
        "headers text",
        "body bytes",
        "digest text",
        "source text 'webhook'",
        "state text 'received'",
        "reason text ''",
        "attempts integer 0",
        "due_at real 0.0",
    ),
    "refusal": (
        "slot integer key",
        "at real",
        "endpoint text",
        "repository text",
        "status integer",
        "reason text",
        "source text",
        "headers text",
        "size integer",
    ),
    "event": (
        "number integer key",
        "delivery text",
        "position integer",
        "repository text",
        "kind text",
        "action text",
        "sha text",
        "branch text",
        "pull_request integer",
        "at real",
        "event text",
        "configuration text ''",
        "fault text ''",
        "matched integer 0",
    ),
    "verdict": (
        "event integer key",
        "listener text key",
        "matched boolean",
        "condition text ''",
        "expected text ''",
        "actual text ''",
        "place text ''",
        "run integer 0",
    ),
    "run": (
        "number integer key",
        "repository text",
        "event integer",
        "listener text",
        "cause text",
        "state text",
        "branch text",
        "sha text",
        "status_sha text",
        "pull_request integer",
        "concurrency text",
        "created_at real",
        "ended_at real null",
        "run text",
        "version integer 0",
    ),
    "fact": (
        "id text key",
        "run integer",
        "kind text",
        "at real",
    ),
    "effect": (
        "id text key",
        "kind text",
        "run integer 0",
        "arguments text '{}'",
        "state text 'pending'",
        "wanted integer 1",
        "attempts integer 0",
        "due_at real 0.0",
        "error text ''",
        "created_at real 0.0",
    ),
    "build": (
        "identity text key",
        "repository text",
        "service text",
        "tree text",
        "recipe text",
        "digest text",
        "size integer",
        "run integer",
        "job text",
        "trusted boolean",
        "created_at real",
        "provenance text",
        "commits text '[]'",
        "version integer 0",
    ),
    "deployment": (
        "number integer key",
        "place text",
        "repository text",
        "environment text",
        "service text",
        "kind text",
        "digest text",
        "sha text",
        "branch text",
        "run integer",
        "job text",
        "attempt integer",
        "order integer",
        "by text",
        "why text",
        "state text",
        "reason text ''",
        "approvals text '[]'",
        "needed integer 0",
        "generation integer 0",
        "content text ''",
        "state_commit text ''",
        "requested_at real 0.0",
        "ended_at real null",
        "version integer 0",
    ),
    "place": (
        "place text key",
        "repository text",
        "environment text",
        "service text",
        "generation integer 0",
        "digest text ''",
        "sha text ''",
        "order integer 0",
        "deployment integer 0",
        "content text ''",
        "state_commit text ''",
        "observed text ''",
        "status text 'empty'",
        "detail text ''",
        "healthy_since real 0.0",
        "pinned text ''",
        "blocked text '[]'",
        "url text ''",
        "checked_at real 0.0",
        "version integer 0",
    ),
    "pull_request_state": (
        "repository text key",
        "number integer key",
        "title text",
        "author text",
        "author_id text",
        "base text",
        "head text",
        "head_sha text",
        "state text",
        "fork boolean false",
        "merge_sha text ''",
        "approved text '[]'",
        "url text ''",
        "updated_at real 0.0",
        "version integer 0",
    ),
    "audit": (
        "number integer key",
        "at real",
        "actor text",
        "what text",
        "subject text",
        "detail text ''",
    ),
    "counter": (
        "name text key",
        "value integer",
    ),
}

UNIQUE = (
    ("repository", "endpoint"),
    ("repository", "url"),
    ("delivery", "endpoint", "delivery_key"),
    ("event", "delivery", "position"),
    ("run", "event", "listener", "cause"),
    ("deployment", "run", "job", "attempt"),
)

INDEXES = (
    ("delivery", "state", "due_at"),
    ("delivery", "repository", "id"),
    ("refusal", "at"),
    ("event", "repository", "number"),
    ("event", "sha"),
    ("event", "repository", "pull_request"),
    ("run", "repository", "number"),
    ("run", "state", "number"),
    ("run", "status_sha"),
    ("run", "repository", "pull_request"),
    ("run", "concurrency", "state"),
    ("fact", "run"),
    ("effect", "state", "due_at"),
    ("effect", "run"),
    ("build", "repository", "created_at"),
    ("build", "digest"),
    ("deployment", "place", "number"),
    ("deployment", "state", "number"),
    ("deployment", "repository", "number"),
    ("place", "repository", "environment"),
    ("pull_request_state", "repository", "merge_sha"),
    ("audit", "at"),
)

TYPES: Mapping[str, sa.Text | sa.BigInteger | sa.Double[float] | sa.Boolean | sa.LargeBinary] = {
    "text": sa.Text(),
    "integer": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    "real": sa.Double(),
    "boolean": sa.Boolean(),
    "bytes": sa.LargeBinary(),
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.create_table(table, *map(_column, columns))
    for table, *names in UNIQUE:
        op.create_index("_".join(("uq", table, *names)), table, names, unique=True)
    for table, *names in INDEXES:
        op.create_index("_".join(("ix", table, *names)), table, names)


def _column(words: str) -> sa.Column[object]:
    name, kind, *rest = words.split(" ", 2)
    more = rest[0] if rest else ""
    default = "" if more in {"key", "null"} else more
    return sa.Column(
        name,
        TYPES[kind],
        primary_key=more == "key",
        nullable=more == "null",
        autoincrement=False,
        server_default=sa.text(default) if default else None,
    )
