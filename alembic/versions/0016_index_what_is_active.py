"""Index active tickets by owner and by due time, and live ones by due time whether they have one or not.

Revision ID: 0016
Revises: 0015
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

LIVE = "deleted_at IS NULL"
DUE = "deleted_at IS NULL AND due_at IS NOT NULL"
ACTIVE = "deleted_at IS NULL AND status IN ('new', 'open', 'pending', 'on_hold')"
BY_OWNER, BY_DUE = "ix_tickets_active_owner", "ix_tickets_active_due"


def upgrade() -> None:
    """On PostgreSQL beside the work: nobody waits for an index to be built."""
    with _beside_the_work() as options:
        _create(BY_OWNER, ["owner_id", "priority", "id"], ACTIVE, options)
        _create(BY_DUE, ["due_at", "id"], ACTIVE, options)
        op.drop_index("ix_tickets_live_due_at", "tickets", if_exists=True, **options)
        _create("ix_tickets_live_due_at", ["due_at", "id"], LIVE, options)


def downgrade() -> None:
    with _beside_the_work() as options:
        op.drop_index("ix_tickets_live_due_at", "tickets", if_exists=True, **options)
        _create("ix_tickets_live_due_at", ["due_at", "id"], DUE, options)
        for name in (BY_DUE, BY_OWNER):
            op.drop_index(name, "tickets", if_exists=True, **options)


@contextmanager
def _beside_the_work() -> Iterator[dict[str, Any]]:
    context = op.get_context()
    if context.dialect.name == "sqlite" or context.as_sql:
        yield {}
        return
    with context.autocommit_block():
        yield {"postgresql_concurrently": True}


def _create(name: str, columns: list[str], where: str, options: dict[str, Any]) -> None:
    """One that was left half built by an interruption is built anew."""
    if options:
        op.drop_index(name, "tickets", if_exists=True, **options)
    condition = sa.text(where)
    op.create_index(name, "tickets", columns, postgresql_where=condition, sqlite_where=condition, **options)
