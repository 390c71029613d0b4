"""Refuse to empty the audit log: TRUNCATE fires no trigger per row.

SQLite has no TRUNCATE; its DELETE without a condition fires the trigger of every row.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FUNCTIONS = {"audit_logs": "refuse_audit_change()", "audit_members": "refuse_audit_member_change()"}


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        return
    for table, function in FUNCTIONS.items():
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}"
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        return
    for table in FUNCTIONS:
        op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
