"""Have worker processes report where all others find it.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Safe while the desk runs: a new table. Not logged, because what it holds is worth nothing ten seconds later."""
    op.create_table(
        "worker_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=100), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_reports")),
        sa.UniqueConstraint("worker", name=op.f("uq_worker_reports_worker")),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE worker_reports SET UNLOGGED")


def downgrade() -> None:
    """Workers no longer know of each other."""
    op.drop_table("worker_reports")
