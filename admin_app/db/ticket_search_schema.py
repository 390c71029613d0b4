"""The table behind the search, and the triggers that keep it in step: no way of writing passes them by.

`ticket_search` holds a row per ticket with its words: number and title, customer, description and comments. A deleted
comment is left out unless it went with its ticket. PostgreSQL derives a tsvector from them and keeps one GIN index for
live and one for deleted tickets; SQLite has an FTS5 table for each.

Names for a row's range of ids are in the vector too (`F…`: 8,192 ids, `C…`: 131,072 ids; words have no
capitals), so that the newest matches can be taken without reading the older ones.
"""

from collections.abc import Sequence

from admin_app.db.search_words import postgresql_function, words

FINE_BITS, COARSE_BITS = 13, 17
BITS_BETWEEN = COARSE_BITS - FINE_BITS
LONGEST_BODY = 250_000
"""So many characters of a ticket's description and comments can be found: a tsvector has an end."""

_BODY = """
    {cut}(search_words(t.description) || coalesce((SELECT {join} FROM
        (SELECT c.body FROM comments AS c WHERE c.ticket_id = t.id
            AND (c.deleted_at IS NULL OR c.delete_batch_id = t.delete_batch_id) ORDER BY c.id) AS said), ''), {limit})
"""
_TITLE = "search_words(t.ticket_number || ' T-' || ltrim(t.ticket_number, 'T-0') || ' ' || t.title)"
_CUSTOMER = "search_words(u.full_name || ' ' || u.email)"
_LEFT = {"limit": LONGEST_BODY}
_PG_BODY = _BODY.format(cut="left", join="string_agg('/' || search_words(said.body), '')", **_LEFT)
_SQLITE_BODY = _BODY.format(cut="substr", join="group_concat('/' || search_words(said.body), '')", **_LEFT).replace(
    f", {LONGEST_BODY})", f", 1, {LONGEST_BODY})"
)

_PG_FILL = f"""
    INSERT INTO ticket_search (ticket_id, is_deleted, title, customer, body)
    SELECT t.id, t.deleted_at IS NOT NULL, {_TITLE}, {_CUSTOMER}, {_PG_BODY}
    FROM tickets AS t JOIN users AS u ON u.id = t.creator_id
"""
_PG_CHANGED = " OR ".join(
    f"n.{column} IS DISTINCT FROM o.{column}"
    for column in ("ticket_number", "title", "description", "creator_id", "deleted_at", "delete_batch_id")
)
_PG_SAID_CHANGED = " OR ".join(
    f"n.{column} IS DISTINCT FROM o.{column}" for column in ("ticket_id", "body", "deleted_at", "delete_batch_id")
)


def _trigger_function(name: str, wanted: str) -> str:
    return f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ticket_search_refresh(ARRAY({wanted}));
    RETURN NULL;
END $$
"""


def _pg_trigger(table: str, event: str, function: str, tables: str) -> str:
    referencing = f"REFERENCING {tables}" if tables else ""
    return (
        f"CREATE TRIGGER {function} AFTER {event} ON {table} {referencing} FOR EACH STATEMENT"
        f" EXECUTE FUNCTION {function}()"
    )


_NEW, _OLD = "NEW TABLE AS n", "OLD TABLE AS o"

POSTGRESQL_REFRESH = f"""
CREATE OR REPLACE FUNCTION ticket_search_refresh(wanted integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(wanted) = 0 THEN RETURN; END IF;
    PERFORM 1 FROM ticket_search WHERE ticket_id = ANY(wanted) ORDER BY ticket_id FOR UPDATE;
    {_PG_FILL} WHERE t.id = ANY(wanted)
    ON CONFLICT (ticket_id) DO UPDATE SET is_deleted = excluded.is_deleted, title = excluded.title,
        customer = excluded.customer, body = excluded.body;
END $$
"""
"""The lock comes before the look: a comment that somebody else is about to commit would be lost otherwise."""

POSTGRESQL_UP = (
    postgresql_function(),
    f"""
CREATE TABLE ticket_search (
    ticket_id integer CONSTRAINT pk_ticket_search PRIMARY KEY
        CONSTRAINT fk_ticket_search_ticket_id_tickets REFERENCES tickets (id) ON DELETE CASCADE,
    is_deleted boolean NOT NULL,
    title text NOT NULL,
    customer text NOT NULL,
    body text NOT NULL,
    tokens tsvector NOT NULL GENERATED ALWAYS AS (array_to_tsvector(array_remove(
        string_to_array(title || customer || replace(body, '/', '') || ' F' || (ticket_id >> {FINE_BITS})
            || ' C' || (ticket_id >> {COARSE_BITS}), ' '), ''))) STORED
)
""",
    POSTGRESQL_REFRESH,
    _trigger_function("ticket_search_on_insert", "SELECT n.id FROM n"),
    _trigger_function("ticket_search_on_update", f"SELECT n.id FROM n JOIN o ON o.id = n.id WHERE {_PG_CHANGED}"),
    _trigger_function("ticket_search_on_comment", "SELECT DISTINCT n.ticket_id FROM n"),
    _trigger_function(
        "ticket_search_on_comment_update",
        "SELECT n.ticket_id FROM n JOIN o ON o.id = n.id WHERE " + _PG_SAID_CHANGED + " UNION"
        " SELECT o.ticket_id FROM n JOIN o ON o.id = n.id WHERE n.ticket_id <> o.ticket_id",
    ),
    _trigger_function("ticket_search_on_comment_delete", "SELECT DISTINCT o.ticket_id FROM o"),
    _trigger_function("ticket_search_on_comment_truncate", "SELECT ticket_id FROM ticket_search"),
    _trigger_function(
        "ticket_search_on_customer",
        "SELECT t.id FROM tickets AS t JOIN n ON n.id = t.creator_id JOIN o ON o.id = n.id"
        " WHERE n.full_name <> o.full_name OR n.email <> o.email",
    ),
    _pg_trigger("tickets", "INSERT", "ticket_search_on_insert", _NEW),
    _pg_trigger("tickets", "UPDATE", "ticket_search_on_update", f"{_NEW} {_OLD}"),
    _pg_trigger("comments", "INSERT", "ticket_search_on_comment", _NEW),
    _pg_trigger("comments", "UPDATE", "ticket_search_on_comment_update", f"{_NEW} {_OLD}"),
    _pg_trigger("comments", "DELETE", "ticket_search_on_comment_delete", _OLD),
    _pg_trigger("comments", "TRUNCATE", "ticket_search_on_comment_truncate", ""),
    _pg_trigger("users", "UPDATE", "ticket_search_on_customer", f"{_NEW} {_OLD}"),
)
POSTGRESQL_FILL = f"{_PG_FILL} WHERE t.id BETWEEN :low AND :high ON CONFLICT DO NOTHING"
POSTGRESQL_FILL_ALL = f"{_PG_FILL} ON CONFLICT DO NOTHING"
POSTGRESQL_INDEXES = (
    "CREATE INDEX {concurrently} ix_ticket_search_live ON ticket_search USING gin (tokens)"
    " WITH (fastupdate = off) WHERE NOT is_deleted",
    "CREATE INDEX {concurrently} ix_ticket_search_trash ON ticket_search USING gin (tokens)"
    " WITH (fastupdate = off) WHERE is_deleted",
)
POSTGRESQL_DOWN = (
    "DROP TRIGGER ticket_search_on_insert ON tickets",
    "DROP TRIGGER ticket_search_on_update ON tickets",
    "DROP TRIGGER ticket_search_on_comment ON comments",
    "DROP TRIGGER ticket_search_on_comment_update ON comments",
    "DROP TRIGGER ticket_search_on_comment_delete ON comments",
    "DROP TRIGGER ticket_search_on_comment_truncate ON comments",
    "DROP TRIGGER ticket_search_on_customer ON users",
    "DROP FUNCTION ticket_search_on_insert()",
    "DROP FUNCTION ticket_search_on_update()",
    "DROP FUNCTION ticket_search_on_comment()",
    "DROP FUNCTION ticket_search_on_comment_update()",
    "DROP FUNCTION ticket_search_on_comment_delete()",
    "DROP FUNCTION ticket_search_on_comment_truncate()",
    "DROP FUNCTION ticket_search_on_customer()",
    "DROP FUNCTION ticket_search_refresh(integer[])",
    "DROP TABLE ticket_search",
    "DROP FUNCTION search_words(text)",
)

_SQLITE_SELECT = f"""
    SELECT t.id, t.deleted_at IS NOT NULL, {_TITLE}, {_CUSTOMER}, {_SQLITE_BODY}
    FROM tickets AS t JOIN users AS u ON u.id = t.creator_id
"""


def _sqlite_body(ticket: str) -> str:
    return f"UPDATE ticket_search SET body = (SELECT {_SQLITE_BODY} FROM tickets AS t WHERE t.id = {ticket})" + (
        f" WHERE ticket_id = {ticket};"
    )


def _sqlite_row(ticket: str) -> str:
    return f"""
        UPDATE ticket_search SET (is_deleted, title, customer, body) = (
            SELECT t.deleted_at IS NOT NULL, {_TITLE}, {_CUSTOMER}, {_SQLITE_BODY}
            FROM tickets AS t JOIN users AS u ON u.id = t.creator_id WHERE t.id = {ticket})
        WHERE ticket_id = {ticket};
    """


def _fts(sign: str, row: str) -> str:
    """Put a row into its FTS5 table, or take it out with the very words that it went in with."""
    words = f"{row}.title || {row}.customer || {row}.body"
    return " ".join(
        f"INSERT INTO {table} ({f'{table}, ' if sign == '-' else ''}rowid, words)"
        f" SELECT {chr(39) + 'delete' + chr(39) + ', ' if sign == '-' else ''}{row}.ticket_id, {words}"
        f" WHERE {row}.is_deleted = {value};"
        for table, value in (("ticket_search_live", 0), ("ticket_search_trash", 1))
    )


def _any_changed(columns: str) -> str:
    return " OR ".join(f"old.{column} IS NOT new.{column}" for column in columns.split(", "))


_COLUMNS = "ticket_number, title, description, creator_id, deleted_at, delete_batch_id"
_SAID = "ticket_id, body, deleted_at, delete_batch_id"
_OPTIONS = "words, content = '', detail = none, columnsize = 0, tokenize = 'ascii'"

SQLITE_UP = (
    """
CREATE TABLE ticket_search (
    ticket_id INTEGER NOT NULL CONSTRAINT pk_ticket_search PRIMARY KEY
        CONSTRAINT fk_ticket_search_ticket_id_tickets REFERENCES tickets (id) ON DELETE CASCADE,
    is_deleted BOOLEAN NOT NULL,
    title TEXT NOT NULL,
    customer TEXT NOT NULL,
    body TEXT NOT NULL
)
""",
    f"CREATE VIRTUAL TABLE ticket_search_live USING fts5({_OPTIONS})",
    f"CREATE VIRTUAL TABLE ticket_search_trash USING fts5({_OPTIONS})",
    f"CREATE TRIGGER ticket_search_in AFTER INSERT ON ticket_search BEGIN {_fts('+', 'new')} END",
    f"CREATE TRIGGER ticket_search_out AFTER DELETE ON ticket_search BEGIN {_fts('-', 'old')} END",
    "CREATE TRIGGER ticket_search_anew AFTER UPDATE ON ticket_search"
    f" WHEN {_any_changed('is_deleted, title, customer, body')}"
    f" BEGIN {_fts('-', 'old')} {_fts('+', 'new')} END",
    "CREATE TRIGGER ticket_search_on_insert AFTER INSERT ON tickets"
    f" BEGIN INSERT INTO ticket_search {_SQLITE_SELECT} WHERE t.id = new.id; END",
    f"CREATE TRIGGER ticket_search_on_update AFTER UPDATE OF {_COLUMNS} ON tickets"
    f" WHEN {_any_changed(_COLUMNS)} BEGIN {_sqlite_row('new.id')} END",
    "CREATE TRIGGER ticket_search_on_delete AFTER DELETE ON tickets"
    " BEGIN DELETE FROM ticket_search WHERE ticket_id = old.id; END",
    f"CREATE TRIGGER ticket_search_on_comment AFTER INSERT ON comments BEGIN {_sqlite_body('new.ticket_id')} END",
    f"CREATE TRIGGER ticket_search_on_comment_update AFTER UPDATE OF {_SAID} ON comments"
    f" WHEN {_any_changed(_SAID)} BEGIN {_sqlite_body('new.ticket_id')} {_sqlite_body('old.ticket_id')} END",
    f"CREATE TRIGGER ticket_search_on_comment_delete AFTER DELETE ON comments WHEN"
    f" EXISTS (SELECT 1 FROM tickets WHERE id = old.ticket_id) BEGIN {_sqlite_body('old.ticket_id')} END",
    "CREATE TRIGGER ticket_search_on_customer AFTER UPDATE OF full_name, email ON users"
    f" WHEN {_any_changed('full_name, email')} BEGIN"
    f" UPDATE ticket_search SET customer = (SELECT {_CUSTOMER} FROM users AS u WHERE u.id = new.id) WHERE ticket_id IN"
    " (SELECT id FROM tickets WHERE creator_id = new.id AND deleted_at IS NULL"
    " UNION ALL SELECT id FROM tickets WHERE creator_id = new.id AND deleted_at IS NOT NULL); END",
)
SQLITE_FILL_ALL = f"INSERT INTO ticket_search {_SQLITE_SELECT}"
SQLITE_DOWN = (
    *(
        f"DROP TRIGGER ticket_search_{name}"
        for name in (
            "on_insert",
            "on_update",
            "on_delete",
            "on_comment",
            "on_comment_update",
            "on_comment_delete",
            "on_customer",
            "in",
            "out",
            "anew",
        )
    ),
    "DROP TABLE ticket_search_live",
    "DROP TABLE ticket_search_trash",
    "DROP TABLE ticket_search",
)

SQLITE_INDEX_ALL = tuple(
    f"INSERT INTO {table} (rowid, words)"
    f" SELECT ticket_id, title || customer || body FROM ticket_search WHERE is_deleted = {value} ORDER BY ticket_id"
    for table, value in (("ticket_search_live", 0), ("ticket_search_trash", 1))
)
"""What makes the index after rows were written with the triggers off; PostgreSQL makes its own anew."""


def title_words(number: str, title: str) -> str:
    """What a ticket's row holds of its number and title: `_TITLE`, for who writes rows past the triggers."""
    return words(f"{number} T-{number.lstrip('T-0')} {title}")


def body_words(description: str, comments: Sequence[str]) -> str:
    """The same of its description and comments: `_BODY`."""
    return "/".join(map(words, (description, *comments)))[:LONGEST_BODY]
