"""
Runs of replays, and what is looked up by commit.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Runs of replays that are there already.
REPEATING = """
UPDATE run SET origin = (SELECT origin FROM event WHERE event.number = run.event)
WHERE event IN (SELECT number FROM event WHERE origin > 0)
"""
INDEXES = {
    "run": (("sha",), ("repository", "state")),
    "event": (("repository", "sha", "number"), ("repository", "sha", "recovered")),
}


def upgrade() -> None:
    with op.batch_alter_table("run", schema=None) as batch_op:
        origin = sa.Column(
            "origin", NUMBER, server_default=sa.text("0"), autoincrement=False, nullable=False
        )
        batch_op.add_column(origin)
    op.execute(REPEATING)
    op.drop_index("ix_event_sha", table_name="event")
    for table, indexes in INDEXES.items():
        for columns in indexes:
            op.create_index("_".join(("ix", table, *columns)), table, list(columns), unique=False)
