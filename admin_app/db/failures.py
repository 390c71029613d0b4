"""Database exceptions → our error tree, by SQLSTATE and class, in one place.

On asyncpg almost nothing arrives as `OperationalError`, so class names of drivers are not asked; the SQLSTATE,
`connection_invalidated`, `OSError` and `TimeoutError` are.
"""

import re
from enum import Enum, auto

from sqlalchemy import exc
from sqlalchemy.orm.exc import StaleDataError

from admin_app.db.base import Base
from admin_app.errors import (
    AlreadyExists,
    AppError,
    Conflict,
    Contended,
    InvalidInput,
    StaleEdit,
    StillReferenced,
    TimedOut,
    Unavailable,
)

RETRY_AFTER_SECONDS = 2

CONTENTION_STATES = frozenset({"40001", "40P01"})
TIMEOUT_STATES = frozenset({"55P03", "57014"})
UNAVAILABLE_STATES = frozenset({"53100", "53200", "53300", "57P03", "25006"})
UNAVAILABLE_ON_SQLITE = ("SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR")
READ_ONLY_STATE = "25006"
CONNECTION_LOST_STATES = frozenset({"57P01", "57P02", "25P03"})

RETRIED_UNIQUE_CONSTRAINTS = ("ticket_number", "idempotency_keys")
"""Clashes that a fresh run of the unit of work resolves: nobody typed these values."""


class Retry(Enum):
    """What a fault says about running the unit of work again."""

    NEVER = auto()
    ALWAYS = auto()
    UNLESS_COMMITTING = auto()
    """The connection is gone: at COMMIT nobody knows whether it was applied."""


def sqlstate(error: BaseException) -> str | None:
    """The five-character code of PostgreSQL, when there is one."""
    found = getattr(getattr(error, "orig", None), "sqlstate", None)
    return found if isinstance(found, str) else None


def retry_rule(error: BaseException) -> Retry:
    """Whether a fresh session and a fresh read may succeed where this one failed."""
    if isinstance(error, exc.IntegrityError):
        return Retry.ALWAYS if _clash_is_ours(error) else Retry.NEVER
    if sqlstate(error) in CONTENTION_STATES or _sqlite_is_busy(error):
        return Retry.ALWAYS
    if sqlstate(error) == READ_ONLY_STATE:
        return Retry.ALWAYS  # the server was demoted, so it refused: another one takes writes, or soon will
    if isinstance(error, exc.NotSupportedError):
        return Retry.ALWAYS  # a cached statement met a changed schema: once
    if _connection_lost(error):
        return Retry.UNLESS_COMMITTING
    return Retry.NEVER


def translate(error: BaseException) -> AppError | None:
    """The answer for a database fault that was not, or not successfully, retried; None when it is not one."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, exc.TimeoutError):
        return Unavailable(retry_after=RETRY_AFTER_SECONDS)
    if isinstance(error, StaleDataError):
        return StaleEdit()
    if isinstance(error, exc.IntegrityError):
        return _integrity(error)
    if isinstance(error, exc.DBAPIError):
        return _by_state(error)
    if isinstance(error, TimeoutError):
        return TimedOut()
    if isinstance(error, OSError):
        return Unavailable(retry_after=RETRY_AFTER_SECONDS)
    return _unfit(error)


def lacks_field(error: BaseException) -> bool:
    """Whether a reference leads nowhere and the database does not say which; `references.missing` may know."""
    if not isinstance(error, exc.IntegrityError) or _removes(error):
        return False
    return _kind(error) == "foreign key" and _field(error) == "form"


def no_such_record(field: str) -> InvalidInput:
    """The answer to a reference that leads nowhere."""
    return InvalidInput(**{field: "The record this points to does not exist."})


def _unfit(error: BaseException) -> InvalidInput | None:
    """A value that SQLite's driver refuses before any database sees it."""
    if isinstance(error, OverflowError):
        return InvalidInput("A number is too large.")
    if isinstance(error, UnicodeEncodeError):
        return InvalidInput("A text holds a character that cannot be stored.")
    return None


def _by_state(error: exc.DBAPIError) -> AppError | None:
    state = sqlstate(error)
    if state in CONTENTION_STATES:
        return Contended()
    if state in TIMEOUT_STATES:
        return TimedOut()
    if state in UNAVAILABLE_STATES or _connection_lost(error):
        return Unavailable(retry_after=RETRY_AFTER_SECONDS)
    if _sqlite_is_busy(error) or _sqlite_name(error).startswith(UNAVAILABLE_ON_SQLITE):
        return Unavailable(retry_after=RETRY_AFTER_SECONDS)
    if state is not None and state.startswith("22"):
        return InvalidInput("A value does not fit its field.")
    return None


def _connection_lost(error: BaseException) -> bool:
    if isinstance(error, exc.DBAPIError):
        state = sqlstate(error) or ""
        return error.connection_invalidated or state.startswith("08") or state in CONNECTION_LOST_STATES
    return isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError)


def _sqlite_is_busy(error: BaseException) -> bool:
    return _sqlite_name(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _sqlite_name(error: BaseException) -> str:
    """The name of SQLite's error, when it is one."""
    found = getattr(getattr(error, "orig", None), "sqlite_errorname", None)
    return found if isinstance(found, str) else ""


def _clash_is_ours(error: exc.IntegrityError) -> bool:
    return _kind(error) == "unique" and any(name in _constraint(error) for name in RETRIED_UNIQUE_CONSTRAINTS)


def _integrity(error: exc.IntegrityError) -> AppError:
    kind, field = _kind(error), _field(error)
    if kind == "unique":
        return AlreadyExists(field, "This is taken already.")
    if kind == "foreign key" and _removes(error):
        return StillReferenced("Other records still point at this one.")
    if kind == "foreign key":
        return no_such_record(field)
    if kind == "not null":
        return InvalidInput(**{field: "This is required."})
    if kind == "check":
        return InvalidInput(**{field: "This value is not allowed."})
    return Conflict()


def _kind(error: exc.IntegrityError) -> str:
    by_state = {"23505": "unique", "23503": "foreign key", "23502": "not null", "23514": "check"}
    state = sqlstate(error)
    if state is not None:
        return by_state.get(state, "other")
    text = str(error.orig)
    for kind in ("UNIQUE", "FOREIGN KEY", "NOT NULL", "CHECK"):
        if text.startswith(f"{kind} constraint failed"):
            return kind.lower()
    return "other"


def _constraint(error: exc.IntegrityError) -> str:
    """The constraint's name on PostgreSQL; on SQLite what the message names instead."""
    cause = getattr(error.orig, "__cause__", None)
    return str(getattr(cause, "constraint_name", None) or error.orig)


def _removes(error: exc.IntegrityError) -> bool:
    return (error.statement or "").lstrip().upper().startswith("DELETE")


def _field(error: exc.IntegrityError) -> str:
    """The column behind a violated constraint, read from the naming convention; `form` when unknown."""
    cause = getattr(error.orig, "__cause__", None)
    column = getattr(cause, "column_name", None)
    if isinstance(column, str):
        return column
    on_sqlite = re.search(r"failed: \w+\.(\w+)", str(error.orig))
    if on_sqlite:
        return on_sqlite.group(1)
    named = re.search(r"\b(?:uq|fk|ck)_(\w+)", _constraint(error))
    return _column_in(named.group(1)) if named else "form"


def _column_in(name: str) -> str:
    """`tickets_owner_id_users` → `owner_id`: the longest column whose table and name begin a constraint's name."""
    columns = [
        column.name
        for table in Base.metadata.tables.values()
        for column in table.columns
        if f"{name}_".startswith(f"{table.name}_{column.name}_")
    ]
    return max(columns, key=len, default="form")
