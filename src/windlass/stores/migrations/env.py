"""
What Alembic runs: the revisions, on the connection it was handed.

The connection's transaction is the caller's, so an upgrade is all or nothing.
"""

from __future__ import annotations

from alembic import context

from windlass.stores.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata(),
    render_as_batch=True,
    compare_server_default=True,
)
context.run_migrations()
