"""Remember second factors, recovery codes, sign-ins that wait for a code, and when somebody last proved who they are.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Safe while the desk runs: three new tables and a column that may be empty."""
    op.create_table(
        "second_factors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("sealed_secret", sa.String(length=300), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_step", sa.Integer(), nullable=False),
        *_times(),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_second_factors_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_factors")),
        sa.UniqueConstraint("user_id", name=op.f("uq_second_factors_user_id")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("second_factor_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        *_times(),
        sa.ForeignKeyConstraint(
            ["second_factor_id"],
            ["second_factors.id"],
            name=op.f("fk_recovery_codes_second_factor_id_second_factors"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("second_factor_id", "code_hash", name=op.f("uq_recovery_codes_second_factor_id_code_hash")),
    )
    op.create_table(
        "half_open_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        *_times(),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_half_open_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_half_open_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_half_open_sessions_token_hash")),
    )
    op.create_index("ix_half_open_sessions_user_id", "half_open_sessions", ["user_id"])
    op.add_column("user_sessions", sa.Column("stepped_up_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Whoever has a second factor signs in without it afterwards."""
    op.drop_column("user_sessions", "stepped_up_at")
    op.drop_table("half_open_sessions")
    op.drop_table("recovery_codes")
    op.drop_table("second_factors")


def _times() -> tuple[sa.Column, sa.Column]:
    return (
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
