"""Remember batches and what each of them did to each record.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SQLITE_UP = (
    "CREATE TRIGGER audit_members_no_update BEFORE UPDATE ON audit_members "
    "BEGIN SELECT RAISE(ABORT, 'audit_members is append-only'); END",
    "CREATE TRIGGER audit_members_no_delete BEFORE DELETE ON audit_members "
    "BEGIN SELECT RAISE(ABORT, 'audit_members is append-only'); END",
)
SQLITE_DOWN = ("DROP TRIGGER audit_members_no_delete", "DROP TRIGGER audit_members_no_update")
POSTGRESQL_UP = (
    "CREATE FUNCTION refuse_audit_member_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit_members is append-only'; END $$",
    "CREATE TRIGGER audit_members_append_only BEFORE UPDATE OR DELETE ON audit_members "
    "FOR EACH ROW EXECUTE FUNCTION refuse_audit_member_change()",
)
POSTGRESQL_DOWN = (
    "DROP TRIGGER audit_members_append_only ON audit_members",
    "DROP FUNCTION refuse_audit_member_change()",
)


def upgrade() -> None:
    _create_batches()
    _create_audit_members()
    on_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE_UP if on_sqlite else POSTGRESQL_UP:
        op.execute(statement)


def downgrade() -> None:
    on_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE_DOWN if on_sqlite else POSTGRESQL_DOWN:
        op.execute(statement)
    op.drop_table("audit_members")
    op.drop_table("batches")


def _create_batches() -> None:
    kinds = ("close", "assign", "priority", "tag", "delete", "restore")
    states = ("previewed", "applied", "undone")
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*kinds, name="kind", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(*states, name="state", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
        sa.Column("planned_count", sa.Integer(), nullable=False),
        sa.Column("refused_count", sa.Integer(), nullable=False),
        sa.Column("kept_count", sa.Integer(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_batches_actor_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_batches_batch_id")),
    )
    op.create_index("ix_batches_actor_id_id", "batches", ["actor_id", "id"])
    op.create_index("ix_batches_state_created_at", "batches", ["state", "created_at"])


def _create_audit_members() -> None:
    op.create_table(
        "audit_members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("audit_log_id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(length=50), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("record_label", sa.String(length=254), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["audit_log_id"], ["audit_logs.id"], name=op.f("fk_audit_members_audit_log_id_audit_logs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_members")),
    )
    op.create_index("ix_audit_members_record", "audit_members", ["table_name", "record_id", "id"])
    op.create_index("ix_audit_members_audit_log_id_id", "audit_members", ["audit_log_id", "id"])
    op.create_index("ix_audit_members_record_label", "audit_members", ["record_label"])
