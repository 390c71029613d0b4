"""Find the request of an error report: its id, as in the log and in the answer's header.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Safe while the desk runs: a column that may be empty."""
    op.add_column("error_reports", sa.Column("request_id", sa.String(length=32), nullable=True))


def downgrade() -> None:
    """Reports say no longer which request they came from."""
    op.drop_column("error_reports", "request_id")
