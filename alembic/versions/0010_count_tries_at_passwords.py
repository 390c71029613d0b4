"""Count tries at passwords.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Safe while the desk runs: a new table."""
    op.create_table(
        "attempt_counters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.JSON(), nullable=False),
        sa.Column("last_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_counters")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_attempt_counters_key_hash")),
    )
    op.create_index("ix_attempt_counters_last_try_at", "attempt_counters", ["last_try_at"])


def downgrade() -> None:
    """Tries are no longer counted."""
    op.drop_table("attempt_counters")
