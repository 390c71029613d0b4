"""Index active tickets of an owner, or of nobody, in the order of the dashboard: the most urgent first.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ACTIVE = sa.text("deleted_at IS NULL AND status IN ('new', 'open', 'pending', 'on_hold')")
URGENT, BY_OWNER = "ix_tickets_active_urgent", "ix_tickets_active_owner"


def upgrade() -> None:
    """It takes the place of one whose priorities grow."""
    _replace(BY_OWNER, URGENT, sa.text("priority DESC"))


def downgrade() -> None:
    _replace(URGENT, BY_OWNER, "priority")


def _replace(old: str, new: str, priority: "str | sa.TextClause") -> None:
    """On PostgreSQL beside the work; one that was left half built by an interruption is built anew."""
    context = op.get_context()
    if context.dialect.name == "sqlite" or context.as_sql:
        _build(old, new, priority)
        return
    with context.autocommit_block():
        op.drop_index(new, "tickets", if_exists=True, postgresql_concurrently=True)
        _build(old, new, priority, postgresql_concurrently=True)


def _build(old: str, new: str, priority: "str | sa.TextClause", **options: bool) -> None:
    condition = {"postgresql_where": ACTIVE, "sqlite_where": ACTIVE}
    op.create_index(new, "tickets", ["owner_id", priority, "id"], **condition, **options)
    op.drop_index(old, "tickets", if_exists=True, **options)
