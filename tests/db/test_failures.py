"""Database exceptions → our error tree: every row that is known to happen."""

import pytest
from sqlalchemy import exc
from sqlalchemy.orm.exc import StaleDataError

from admin_app.db.failures import Retry, lacks_field, retry_rule, sqlstate, translate
from admin_app.errors import (
    AlreadyExists,
    Conflict,
    Contended,
    InvalidInput,
    NotFound,
    StaleEdit,
    StillReferenced,
    TimedOut,
    Unavailable,
)


class FromDriver(Exception):
    """What a driver would raise, with its code."""

    def __init__(self, message: str = "", state: str | None = None, sqlite: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = state
        self.sqlite_errorname = sqlite


def postgresql(state: str, kind: type[exc.DBAPIError] = exc.DBAPIError, *, lost: bool = False) -> exc.DBAPIError:
    return kind("SELECT 1", {}, FromDriver(state=state), connection_invalidated=lost)


def sqlite(name: str, message: str = "") -> exc.OperationalError:
    return exc.OperationalError("SELECT 1", {}, FromDriver(message, sqlite=name))


def integrity(state: str, constraint: str | None = None, column: str | None = None, sql: str = "INSERT") -> Exception:
    driver = FromDriver("violated", state)
    driver.__cause__ = cause = FromDriver()
    cause.constraint_name, cause.column_name = constraint, column
    return exc.IntegrityError(sql, {}, driver)


def on_sqlite(message: str, sql: str = "INSERT") -> Exception:
    return exc.IntegrityError(sql, {}, FromDriver(message, sqlite="SQLITE_CONSTRAINT"))


INVALID_CACHE = exc.NotSupportedError("SELECT 1", {}, FromDriver("cached statement plan is invalid", "0A000"))
HALF_A_CHARACTER = UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

KNOWN = {
    "pool exhausted": (exc.TimeoutError("QueuePool limit", code="3o7r"), Unavailable, Retry.NEVER),
    "deadlock": (postgresql("40P01"), Contended, Retry.ALWAYS),
    "serialization failure": (postgresql("40001"), Contended, Retry.ALWAYS),
    "connection lost in a statement": (postgresql("08003", lost=True), Unavailable, Retry.UNLESS_COMMITTING),
    "connection lost between": (
        exc.InterfaceError("SELECT 1", {}, FromDriver(), connection_invalidated=True),
        Unavailable,
        Retry.UNLESS_COMMITTING,
    ),
    "connection failure by code alone": (postgresql("08006"), Unavailable, Retry.UNLESS_COMMITTING),
    "ended by an administrator": (postgresql("57P01"), Unavailable, Retry.UNLESS_COMMITTING),
    "idle in transaction for too long": (postgresql("25P03"), Unavailable, Retry.UNLESS_COMMITTING),
    "lock timeout": (postgresql("55P03"), TimedOut, Retry.NEVER),
    "statement timeout": (postgresql("57014"), TimedOut, Retry.NEVER),
    "too many connections": (postgresql("53300"), Unavailable, Retry.NEVER),
    "disk full": (postgresql("53100"), Unavailable, Retry.NEVER),
    "starting up": (postgresql("57P03"), Unavailable, Retry.NEVER),
    "read-only after a failover": (postgresql("25006"), Unavailable, Retry.ALWAYS),
    "server refused": (ConnectionRefusedError(), Unavailable, Retry.NEVER),
    "server reset": (ConnectionResetError(), Unavailable, Retry.UNLESS_COMMITTING),
    "no socket": (FileNotFoundError(), Unavailable, Retry.NEVER),
    "command or connect timeout, frozen server": (TimeoutError(), TimedOut, Retry.NEVER),
    "schema changed under a cached statement": (INVALID_CACHE, None, Retry.ALWAYS),
    "unique": (integrity("23505", "uq_users_email"), AlreadyExists, Retry.NEVER),
    "unique, on SQLite": (on_sqlite("UNIQUE constraint failed: users.email"), AlreadyExists, Retry.NEVER),
    "unique, on the number": (integrity("23505", "uq_tickets_ticket_number"), AlreadyExists, Retry.ALWAYS),
    "unique, on the number, on SQLite": (
        on_sqlite("UNIQUE constraint failed: tickets.ticket_number"),
        AlreadyExists,
        Retry.ALWAYS,
    ),
    "unique, on the idempotency key": (
        integrity("23505", "uq_idempotency_keys_key_hash"),
        AlreadyExists,
        Retry.ALWAYS,
    ),
    "foreign key": (integrity("23503", "fk_tickets_owner_id_users"), InvalidInput, Retry.NEVER),
    "foreign key, on SQLite": (on_sqlite("FOREIGN KEY constraint failed"), InvalidInput, Retry.NEVER),
    "foreign key, removal": (
        integrity("23503", "fk_tickets_owner_id_users", sql="DELETE"),
        StillReferenced,
        Retry.NEVER,
    ),
    "foreign key, removing, on SQLite": (
        on_sqlite("FOREIGN KEY constraint failed", "DELETE FROM users"),
        StillReferenced,
        Retry.NEVER,
    ),
    "not null": (integrity("23502", column="title"), InvalidInput, Retry.NEVER),
    "not null, on SQLite": (on_sqlite("NOT NULL constraint failed: tickets.title"), InvalidInput, Retry.NEVER),
    "check": (integrity("23514", "ck_users_role"), InvalidInput, Retry.NEVER),
    "check, on SQLite": (on_sqlite("CHECK constraint failed: ck_users_role"), InvalidInput, Retry.NEVER),
    "exclusion": (integrity("23P01"), Conflict, Retry.NEVER),
    "a trigger's refusal, on SQLite": (on_sqlite("audit_logs is append-only"), Conflict, Retry.NEVER),
    "row changed under the version column": (StaleDataError(), StaleEdit, Retry.NEVER),
    "SQLite busy": (sqlite("SQLITE_BUSY"), Unavailable, Retry.ALWAYS),
    "SQLite busy, old snapshot": (sqlite("SQLITE_BUSY_SNAPSHOT"), Unavailable, Retry.ALWAYS),
    "SQLite locked": (sqlite("SQLITE_LOCKED"), Unavailable, Retry.ALWAYS),
    "SQLite file gone": (sqlite("SQLITE_CANTOPEN"), Unavailable, Retry.NEVER),
    "SQLite disk full": (sqlite("SQLITE_FULL"), Unavailable, Retry.NEVER),
    "value out of range": (postgresql("22003"), InvalidInput, Retry.NEVER),
    "number too large, on SQLite": (OverflowError(), InvalidInput, Retry.NEVER),
    "half a character, on SQLite": (
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate"),
        InvalidInput,
        Retry.NEVER,
    ),
    "wrong SQL": (postgresql("42601", exc.ProgrammingError), None, Retry.NEVER),
    "a trigger's refusal": (postgresql("P0001"), None, Retry.NEVER),
    "a bug of ours": (KeyError("title"), None, Retry.NEVER),
}


class TestTranslate:
    @pytest.mark.parametrize("fault", KNOWN)
    def test_every_fault_we_know_has_its_answer(self, fault: str) -> None:
        """RELIABILITY, §1, row by row, and what was met since."""
        error, answer, _ = KNOWN[fault]
        assert type(translate(error)) is (answer or type(None))

    def test_an_answer_of_ours_stays_what_it_is(self) -> None:
        answer = NotFound()
        assert translate(answer) is answer

    @pytest.mark.parametrize("fault", [fault for fault, (_, answer, _) in KNOWN.items() if answer is Unavailable])
    def test_whoever_may_come_back_is_told_when(self, fault: str) -> None:
        answer = translate(KNOWN[fault][0])
        assert isinstance(answer, Unavailable)
        assert answer.retry_after >= 1

    @pytest.mark.parametrize("fault", [fault for fault, (_, answer, _) in KNOWN.items() if answer is not None])
    def test_no_answer_repeats_what_the_database_said(self, fault: str) -> None:
        said = str(translate(KNOWN[fault][0]))
        assert not [word for word in ("SELECT", "constraint", "users", "sqlalche", "(") if word in said]

    @pytest.mark.parametrize(
        ("error", "field"),
        [
            (integrity("23505", "uq_users_email"), "email"),
            (integrity("23505", "uq_ticket_watchers_ticket_id_user_id"), "ticket_id"),
            (integrity("23503", "fk_tickets_owner_id_users"), "owner_id"),
            (integrity("23503", "fk_ticket_tags_tag_id_tags"), "tag_id"),
            (integrity("23502", column="title"), "title"),
            (integrity("23514", "ck_users_email_lower"), "email"),
            (integrity("23514", "ck_tickets_status"), "status"),
            (integrity("23514", "ck_elsewhere_status"), "form"),
            (integrity("23505"), "form"),
            (on_sqlite("UNIQUE constraint failed: users.email"), "email"),
            (on_sqlite("UNIQUE constraint failed: ticket_watchers.ticket_id, ticket_watchers.user_id"), "ticket_id"),
            (on_sqlite("NOT NULL constraint failed: tickets.title"), "title"),
            (on_sqlite("CHECK constraint failed: ck_users_email_lower"), "email"),
            (on_sqlite("FOREIGN KEY constraint failed"), "form"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_violated_constraint_points_at_its_field(self, error: Exception, field: str) -> None:
        assert list(translate(error).fields) == [field]


class TestRetryRule:
    @pytest.mark.parametrize("fault", KNOWN)
    def test_every_fault_we_know_has_its_rule(self, fault: str) -> None:
        error, _, rule = KNOWN[fault]
        assert retry_rule(error) is rule


class TestSqlstate:
    def test_it_is_read_from_the_drivers_exception(self) -> None:
        assert sqlstate(postgresql("40P01")) == "40P01"

    @pytest.mark.parametrize("error", [ValueError(), sqlite("SQLITE_BUSY"), exc.TimeoutError()])
    def test_there_may_be_none(self, error: Exception) -> None:
        assert sqlstate(error) is None


class TestLacksField:
    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (on_sqlite("FOREIGN KEY constraint failed"), True),
            (on_sqlite("FOREIGN KEY constraint failed", "DELETE FROM users"), False),
            (on_sqlite("UNIQUE constraint failed: users.email"), False),
            (integrity("23503", "fk_tickets_owner_id_users"), False),
            (ValueError(), False),
        ],
        ids=["a reference", "a removal", "unique", "a reference with its name", "ours"],
    )
    def test_is_so_for_a_reference_that_the_database_does_not_name(self, error: Exception, expected: bool) -> None:
        assert lacks_field(error) is expected
