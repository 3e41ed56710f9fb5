"""
Polling repositories, the pace of reports, replayed deliveries, chat commands.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _column(name: str, kind: sa.types.TypeEngine[Any], default: str) -> sa.Column[Any]:
    return sa.Column(
        name, kind, server_default=sa.text(default), autoincrement=False, nullable=False
    )


def upgrade() -> None:
    with op.batch_alter_table("repository", schema=None) as batch_op:
        batch_op.add_column(_column("polling", sa.Boolean(), "false"))
    with op.batch_alter_table("effect", schema=None) as batch_op:
        batch_op.add_column(_column("told", sa.Text(), "''"))
        batch_op.add_column(_column("sent", NUMBER, "0"))
        batch_op.add_column(_column("sent_at", sa.Double(), "0.0"))
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(_column("origin", sa.Text(), "''"))
        batch_op.add_column(_column("deploys", sa.Boolean(), "true"))
        batch_op.create_index(
            "ix_delivery_state_repository_due_at", ["state", "repository", "due_at"], unique=False
        )
        batch_op.create_index("ix_delivery_origin_id", ["origin", "id"], unique=False)
    with op.batch_alter_table("pull_request_state", schema=None) as batch_op:
        batch_op.create_index(
            "ix_pull_request_state_repository_head", ["repository", "head"], unique=False
        )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(_column("origin", NUMBER, "0"))
    _chat()


def _chat() -> None:
    def column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
        return sa.Column(name, kind, autoincrement=False, nullable=False)

    op.create_table(
        "chat_command",
        column("event", NUMBER),
        column("position", NUMBER),
        column("repository", sa.Text()),
        column("pull_request", NUMBER),
        *(column(name, sa.Text()) for name in ("by", "by_id", "text", "state", "outcome", "path")),
        column("at", sa.Double()),
        sa.PrimaryKeyConstraint("event", "position"),
    )
    with op.batch_alter_table("chat_command", schema=None) as batch_op:
        batch_op.create_index(
            "ix_chat_command_repository_pull_request", ["repository", "pull_request"], unique=False
        )
