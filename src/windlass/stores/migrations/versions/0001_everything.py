"""
everything.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:  # noqa: PLR0915 - one statement for each table and index
    op.create_table(
        "audit",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", sa.Double(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("what", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "detail", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_at", ["at"], unique=False)

    op.create_table(
        "build",
        sa.Column("identity", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("service", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("tree", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("recipe", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "run",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("job", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("trusted", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.Double(), autoincrement=False, nullable=False),
        sa.Column("provenance", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "commits",
            sa.Text(),
            server_default=sa.text("'[]'"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "version",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("identity"),
    )
    with op.batch_alter_table("build", schema=None) as batch_op:
        batch_op.create_index("ix_build_digest", ["digest"], unique=False)
        batch_op.create_index(
            "ix_build_repository_created_at", ["repository", "created_at"], unique=False
        )

    op.create_table(
        "commit_status",
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sha", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("context", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "run",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("repository", "sha", "context"),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "value",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("endpoint", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("delivery_key", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("received_at", sa.Double(), autoincrement=False, nullable=False),
        sa.Column("headers", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "source",
            sa.Text(),
            server_default=sa.text("'webhook'"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default=sa.text("'received'"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "reason", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "due_at",
            sa.Double(),
            server_default=sa.text("0.0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_repository_id", ["repository", "id"], unique=False)
        batch_op.create_index("ix_delivery_state_due_at", ["state", "due_at"], unique=False)
        batch_op.create_index(
            "uq_delivery_endpoint_delivery_key", ["endpoint", "delivery_key"], unique=True
        )

    op.create_table(
        "deployment",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("place", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("environment", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("service", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sha", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("branch", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "run",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("job", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "attempt",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "order",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("by", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("why", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "reason", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "approvals",
            sa.Text(),
            server_default=sa.text("'[]'"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "needed",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "generation",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "content", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "state_commit",
            sa.Text(),
            server_default=sa.text("''"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "requested_at",
            sa.Double(),
            server_default=sa.text("0.0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("ended_at", sa.Double(), autoincrement=False, nullable=True),
        sa.Column(
            "version",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("deployment", schema=None) as batch_op:
        batch_op.create_index("ix_deployment_place_number", ["place", "number"], unique=False)
        batch_op.create_index(
            "ix_deployment_repository_number", ["repository", "number"], unique=False
        )
        batch_op.create_index("ix_deployment_state_number", ["state", "number"], unique=False)
        batch_op.create_index(
            "uq_deployment_run_job_attempt", ["run", "job", "attempt"], unique=True
        )

    op.create_table(
        "effect",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "run",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "arguments",
            sa.Text(),
            server_default=sa.text("'{}'"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default=sa.text("'pending'"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "wanted",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("1"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "due_at",
            sa.Double(),
            server_default=sa.text("0.0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "error", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "created_at",
            sa.Double(),
            server_default=sa.text("0.0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("effect", schema=None) as batch_op:
        batch_op.create_index("ix_effect_run", ["run"], unique=False)
        batch_op.create_index("ix_effect_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "event",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("delivery", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("action", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sha", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("branch", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "pull_request",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", sa.Double(), autoincrement=False, nullable=False),
        sa.Column("event", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "configuration",
            sa.Text(),
            server_default=sa.text("''"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "fault", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "matched",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "recovered",
            sa.Boolean(),
            server_default=sa.text("false"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_repository_number", ["repository", "number"], unique=False)
        batch_op.create_index(
            "ix_event_repository_pull_request", ["repository", "pull_request"], unique=False
        )
        batch_op.create_index("ix_event_sha", ["sha"], unique=False)
        batch_op.create_index("uq_event_delivery_position", ["delivery", "position"], unique=True)

    op.create_table(
        "fact",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "run",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("fact", schema=None) as batch_op:
        batch_op.create_index("ix_fact_run", ["run"], unique=False)

    op.create_table(
        "head",
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sha", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "event",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("repository", "ref"),
    )
    op.create_table(
        "place",
        sa.Column("place", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("environment", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("service", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "generation",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "digest", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "sha", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "order",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "deployment",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "content", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "state_commit",
            sa.Text(),
            server_default=sa.text("''"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "observed", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'empty'"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "detail", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "healthy_since",
            sa.Double(),
            server_default=sa.text("0.0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "pinned", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "blocked",
            sa.Text(),
            server_default=sa.text("'[]'"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "url", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "checked_at",
            sa.Double(),
            server_default=sa.text("0.0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "next_at",
            sa.Double(),
            server_default=sa.text("1000000000000.0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "version",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("place"),
    )
    with op.batch_alter_table("place", schema=None) as batch_op:
        batch_op.create_index("ix_place_next_at", ["next_at"], unique=False)
        batch_op.create_index(
            "ix_place_repository_environment", ["repository", "environment"], unique=False
        )

    op.create_table(
        "pull_request_state",
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("title", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("author", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("author_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("base", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("head", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("head_sha", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "fork",
            sa.Boolean(),
            server_default=sa.text("false"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "merge_sha",
            sa.Text(),
            server_default=sa.text("''"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "approved",
            sa.Text(),
            server_default=sa.text("'[]'"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "url", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "updated_at",
            sa.Double(),
            server_default=sa.text("0.0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "version",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("repository", "number"),
    )
    with op.batch_alter_table("pull_request_state", schema=None) as batch_op:
        batch_op.create_index(
            "ix_pull_request_state_repository_merge_sha", ["repository", "merge_sha"], unique=False
        )

    op.create_table(
        "refusal",
        sa.Column(
            "slot",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", sa.Double(), autoincrement=False, nullable=False),
        sa.Column("endpoint", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "status",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("headers", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("slot"),
    )
    with op.batch_alter_table("refusal", schema=None) as batch_op:
        batch_op.create_index("ix_refusal_at", ["at"], unique=False)

    op.create_table(
        "repository",
        sa.Column("name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("forge", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("endpoint", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("default_branch", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "active",
            sa.Boolean(),
            server_default=sa.text("true"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "problem", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "created_at",
            sa.Double(),
            server_default=sa.text("0.0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "version",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("name"),
    )
    with op.batch_alter_table("repository", schema=None) as batch_op:
        batch_op.create_index("uq_repository_endpoint", ["endpoint"], unique=True)
        batch_op.create_index("uq_repository_url", ["url"], unique=True)

    op.create_table(
        "run",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("repository", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "event",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("listener", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("branch", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sha", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("status_sha", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "pull_request",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("concurrency", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.Double(), autoincrement=False, nullable=False),
        sa.Column("ended_at", sa.Double(), autoincrement=False, nullable=True),
        sa.Column("run", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "version",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index("ix_run_concurrency_state", ["concurrency", "state"], unique=False)
        batch_op.create_index("ix_run_repository_number", ["repository", "number"], unique=False)
        batch_op.create_index(
            "ix_run_repository_pull_request", ["repository", "pull_request"], unique=False
        )
        batch_op.create_index("ix_run_state_number", ["state", "number"], unique=False)
        batch_op.create_index("ix_run_status_sha", ["status_sha"], unique=False)
        batch_op.create_index(
            "uq_run_event_listener_cause", ["event", "listener", "cause"], unique=True
        )

    op.create_table(
        "sealed_secret",
        sa.Column("scope", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column(
            "created_at",
            sa.Double(),
            server_default=sa.text("0.0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("scope", "name"),
    )
    op.create_table(
        "verdict",
        sa.Column(
            "event",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("listener", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("matched", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column(
            "condition",
            sa.Text(),
            server_default=sa.text("''"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "expected", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "actual", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "place", sa.Text(), server_default=sa.text("''"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "run",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("event", "listener"),
    )
