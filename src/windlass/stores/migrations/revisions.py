"""
Revisions of the schema, oldest first.

A new database is made whole and says HEAD at once; an older one is brought up by
Alembic, which is imported only then.
"""

from __future__ import annotations

REVISIONS = ("0001", "0002", "0003", "0004")
HEAD = REVISIONS[-1]
