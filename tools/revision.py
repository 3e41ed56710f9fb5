"""
Writes the next revision of the schema: what the record classes say beyond the last one.

Run it as `python tools/revision.py "what changes"`, read what it wrote, and name the
revision in `stores/migrations/revisions.py`.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext

from windlass.stores import schema
from windlass.stores.database import APPLICATION, MIGRATIONS, connect
from windlass.stores.migrations.revisions import REVISIONS
from windlass.stores.tables import metadata

TEXT = '''"""
{message}.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = {before}


def upgrade() -> None:
    {body}
'''


def main(message: str) -> None:
    """Compare the last revision with the record classes, and write the difference."""
    written = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "windlass.db"
        path.touch()
        with closing(connect(path, writable=True)) as connection:
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
        if written:
            schema.upgrade(path, written[-1])
        with schema.connected(path) as bind:
            options = {"compare_server_default": True, "render_as_batch": True}
            difference = produce_migrations(
                MigrationContext.configure(bind, opts=options), metadata()
            )
    if difference.upgrade_ops is None or difference.upgrade_ops.is_empty():
        sys.exit("the record classes say what the last revision says")
    number = f"{len(written) + 1:04}"
    body = render_python_code(difference.upgrade_ops, render_as_batch=True)
    body = "\n".join(line for line in body.splitlines() if not line.strip().startswith("# ###"))
    name = "_".join(message.lower().split())
    file = MIGRATIONS / "versions" / f"{number}_{name}.py"
    before = f'"{written[-1]}"' if written else "None"
    file.write_text(TEXT.format(message=message, number=number, before=before, body=body.strip()))
    print(f"wrote {file}; known revisions are {', '.join(REVISIONS)}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or sys.exit("say in a few words what changes"))
