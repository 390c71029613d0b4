"""Remember imports, the rows that they turned away, and what the columns of a layout mean.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATES = ("uploaded", "checking", "checked", "running", "unfinished", "finished", "refused", "undone")
MODES = ("good_rows", "all_or_nothing")
COUNTS = ("total", "imported", "known", "rejected", "customers", "undone_count", "kept_count")


def upgrade() -> None:
    _create_imports()
    _create_rejections()
    op.create_table(
        "import_layouts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        *_times(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_layouts")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_import_layouts_fingerprint")),
    )


def downgrade() -> None:
    op.drop_table("import_layouts")
    op.drop_table("import_rejections")
    op.drop_table("ticket_imports")


def _create_imports() -> None:
    op.create_table(
        "ticket_imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("state", _words("state", STATES), nullable=False),
        sa.Column("mode", _words("mode", MODES), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("header", sa.JSON(), nullable=False),
        sa.Column("mapping", sa.JSON(none_as_null=True), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("failure", sa.String(length=500), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept", sa.JSON(), nullable=False),
        *_times(),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_ticket_imports_actor_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_imports")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_ticket_imports_batch_id")),
    )
    op.create_index("ix_ticket_imports_sha256_id", "ticket_imports", ["sha256", "id"])
    op.create_index("ix_ticket_imports_created_at_id", "ticket_imports", ["created_at", "id"])
    op.create_index("ix_ticket_imports_storage_key", "ticket_imports", ["storage_key"])


def _create_rejections() -> None:
    op.create_table(
        "import_rejections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(length=1000), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("is_damaged", sa.Boolean(), nullable=False),
        *_times(),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["ticket_imports.id"],
            name=op.f("fk_import_rejections_import_id_ticket_imports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_rejections")),
    )
    op.create_index("ix_import_rejections_import_id_id", "import_rejections", ["import_id", "id"])


def _times() -> tuple[sa.Column, sa.Column]:
    return (
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )


def _words(name: str, members: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*members, name=name, native_enum=False, create_constraint=True, length=20)
