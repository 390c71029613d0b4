"""The words of the search are kept whatever happens: the triggers' switch, which nothing turned, goes.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa

from admin_app.db import ticket_search_schema as schema
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SWITCHED = ("on_insert", "on_update", "on_comment", "on_comment_update", "on_comment_delete")


def upgrade() -> None:
    """Databases made since have no switch, and stay as they are."""
    if op.get_context().dialect.name != "sqlite":
        op.execute(sa.text(schema.POSTGRESQL_REFRESH.replace(":", r"\:")))
        return
    for name in SWITCHED:
        op.execute(f"DROP TRIGGER ticket_search_{name}")
        [made] = [statement for statement in schema.SQLITE_UP if f"TRIGGER ticket_search_{name} " in statement]
        op.execute(sa.text(made.replace(":", r"\:")))
    op.execute("DROP TABLE IF EXISTS ticket_search_rests")


def downgrade() -> None:
    """The switch did nothing: there is nothing to bring back."""
