"""Number tickets from a sequence; refuse to change or remove audit entries.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SQLITE_UP = (
    "CREATE TABLE ticket_number_seq (value INTEGER NOT NULL)",
    "INSERT INTO ticket_number_seq (value) VALUES (0)",
    "CREATE TRIGGER audit_logs_no_update BEFORE UPDATE ON audit_logs "
    "BEGIN SELECT RAISE(ABORT, 'audit_logs is append-only'); END",
    "CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs "
    "BEGIN SELECT RAISE(ABORT, 'audit_logs is append-only'); END",
)
SQLITE_DOWN = (
    "DROP TRIGGER audit_logs_no_delete",
    "DROP TRIGGER audit_logs_no_update",
    "DROP TABLE ticket_number_seq",
)
POSTGRESQL_UP = (
    "CREATE SEQUENCE ticket_number_seq",
    "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit_logs is append-only'; END $$",
    "CREATE TRIGGER audit_logs_append_only BEFORE UPDATE OR DELETE ON audit_logs "
    "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()",
)
POSTGRESQL_DOWN = (
    "DROP TRIGGER audit_logs_append_only ON audit_logs",
    "DROP FUNCTION refuse_audit_change()",
    "DROP SEQUENCE ticket_number_seq",
)


def upgrade() -> None:
    on_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE_UP if on_sqlite else POSTGRESQL_UP:
        op.execute(statement)


def downgrade() -> None:
    on_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE_DOWN if on_sqlite else POSTGRESQL_DOWN:
        op.execute(statement)
