"""Group error reports by what went wrong, and let one report stand for many.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BACKFILL = """
INSERT INTO error_groups
    (fingerprint, kind, message, total, first_seen_at, last_seen_at, latest_references, created_at, updated_at)
SELECT fingerprint, MAX(kind), MAX(message), COUNT(*), MIN(occurred_at), MAX(occurred_at), '[]', MIN(occurred_at),
    MAX(occurred_at)
FROM error_reports
GROUP BY fingerprint
"""


def upgrade() -> None:
    """Both steps are safe while the desk runs: a new table, and a column with a constant default."""
    op.create_table(
        "error_groups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latest_references", sa.JSON(), nullable=False),
        sa.Column("alerted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_error_groups")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_error_groups_fingerprint")),
    )
    op.create_index("ix_error_groups_last_seen_at_id", "error_groups", ["last_seen_at", "id"])
    op.add_column("error_reports", sa.Column("occurrences", sa.Integer(), nullable=False, server_default="1"))
    op.execute(BACKFILL)


def downgrade() -> None:
    """Reports stay; what they stood for is counted as one."""
    op.drop_column("error_reports", "occurrences")
    op.drop_table("error_groups")
