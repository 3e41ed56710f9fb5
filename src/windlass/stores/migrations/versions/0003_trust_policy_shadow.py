"""
Trusted issuers, policies, expiring secrets, shadows, checks of configurations, deaths.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

COLUMNS: dict[str, tuple[tuple[str, sa.types.TypeEngine[Any], str], ...]] = {
    "repository": (
        ("previous_until", sa.Double(), "0.0"),
        ("require_digest", sa.Boolean(), "false"),
        ("allow_images", sa.Text(), "'[\"**\"]'"),
        ("allow_forks", sa.Text(), "'[\"**\"]'"),
    ),
    "delivery": (("took", sa.Double(), "0.0"), ("deaths", NUMBER, "0")),
    "commit_status": (("event", NUMBER, "0"), ("listener", sa.Text(), "''")),
    "verdict": (("shadow", sa.Boolean(), "false"),),
    "chat_command": (("explains", NUMBER, "0"),),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, kind, default in columns:
                batch_op.add_column(_column(name, kind, default))
    _checks()
    _issuers()


def _column(name: str, kind: sa.types.TypeEngine[Any], default: str = "") -> sa.Column[Any]:
    given = sa.text(default) if default else None
    return sa.Column(name, kind, server_default=given, autoincrement=False, nullable=False)


def _checks() -> None:
    op.create_table(
        "configuration_check",
        _column("event", NUMBER),
        _column("repository", sa.Text()),
        _column("pull_request", NUMBER),
        *(_column(name, sa.Text()) for name in ("sha", "state", "summary", "lines")),
        _column("at", sa.Double()),
        sa.PrimaryKeyConstraint("event"),
    )
    with op.batch_alter_table("configuration_check", schema=None) as batch_op:
        batch_op.create_index(
            "ix_configuration_check_repository_pull_request",
            ["repository", "pull_request"],
            unique=False,
        )


def _issuers() -> None:
    op.create_table(
        "trusted_issuer",
        *(_column(name, sa.Text()) for name in ("repository", "issuer", "audience", "claims")),
        *(_column(name, sa.Double()) for name in ("read_at", "tried_at")),
        _column("problem", sa.Text(), "''"),
        sa.PrimaryKeyConstraint("repository"),
    )
