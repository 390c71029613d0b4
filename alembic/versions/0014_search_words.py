"""Keep the words of each ticket in a table with an index, so that a search need not read everything.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa

from admin_app.db import ticket_search_schema as schema
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BATCH = 20_000


def upgrade() -> None:
    """Safe while the desk runs on PostgreSQL: from the triggers on every write keeps its row, then come the old ones.

    They are filled in by ranges of ids, each in a transaction of its own, and the indexes are built beside the work.
    """
    on_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in schema.SQLITE_UP if on_sqlite else schema.POSTGRESQL_UP:
        op.execute(sa.text(statement.replace(":", r"\:")))
    is_printed = op.get_context().as_sql
    if on_sqlite:
        if not is_printed:  # the rule for words is in the desk; where others run the statements, there are no tickets
            op.execute(schema.SQLITE_FILL_ALL)
        return
    if is_printed:
        op.execute(schema.POSTGRESQL_FILL_ALL)
        _build_indexes(concurrently="")
        return
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        last = connection.scalar(sa.text("SELECT coalesce(max(id), 0) FROM tickets"))
        for low in range(1, last + 1, BATCH):
            connection.execute(sa.text(schema.POSTGRESQL_FILL), {"low": low, "high": low + BATCH - 1})
        _build_indexes(concurrently="CONCURRENTLY" if last else "")


def downgrade() -> None:
    """The words go, the tickets stay as they are."""
    on_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in schema.SQLITE_DOWN if on_sqlite else schema.POSTGRESQL_DOWN:
        op.execute(statement)


def _build_indexes(*, concurrently: str) -> None:
    for statement in schema.POSTGRESQL_INDEXES:
        op.execute(statement.format(concurrently=concurrently))
