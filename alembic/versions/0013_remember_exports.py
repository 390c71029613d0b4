"""Remember exports: what they are to hold, how far they have come, and the checksum of what went out.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FORMATS = ("csv", "jsonl", "xlsx")
STATES = ("waiting", "running", "finished", "cancelled", "failed")


def upgrade() -> None:
    op.create_table(
        "ticket_exports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("format", _words("format", FORMATS), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("state", _words("state", STATES), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            for name in ("started_at", "heard_at", "ended_at")
        ),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("created_at", "updated_at")),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_ticket_exports_actor_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_exports")),
    )
    op.create_index("ix_ticket_exports_actor_id_id", "ticket_exports", ["actor_id", "id"])


def downgrade() -> None:
    op.drop_table("ticket_exports")


def _words(name: str, words: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=20)
