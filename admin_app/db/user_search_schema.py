"""The table behind looking for people, and the triggers that keep it in step with names and addresses.

`user_search` holds the words of each person's name and address, by the person's id (`rowid`, as FTS5 has it). On SQLite
it is an FTS5 table; on PostgreSQL a table with a tsvector and a GIN index. The triggers call nothing of the desk but
`search_words`, which earlier releases know as well.
"""

FILL = "INSERT INTO user_search (rowid, words) SELECT u.id, search_words(u.full_name || ' ' || u.email) FROM users AS u"

POSTGRESQL_UP = (
    """
CREATE TABLE user_search (
    rowid integer CONSTRAINT pk_user_search PRIMARY KEY
        CONSTRAINT fk_user_search_rowid_users REFERENCES users (id) ON DELETE CASCADE,
    words text NOT NULL,
    tokens tsvector NOT NULL GENERATED ALWAYS AS
        (array_to_tsvector(array_remove(string_to_array(words, ' '), ''))) STORED
)
""",
    """
CREATE FUNCTION user_search_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_search (rowid, words) VALUES (new.id, search_words(new.full_name || ' ' || new.email))
    ON CONFLICT (rowid) DO UPDATE SET words = excluded.words;
    RETURN NULL;
END $$
""",
    "CREATE TRIGGER user_search_follow AFTER INSERT OR UPDATE OF full_name, email ON users"
    " FOR EACH ROW EXECUTE FUNCTION user_search_follow()",
    FILL,
    "CREATE INDEX ix_user_search_tokens ON user_search USING gin (tokens) WITH (fastupdate = off)",
)
POSTGRESQL_DOWN = (
    "DROP TRIGGER user_search_follow ON users",
    "DROP FUNCTION user_search_follow()",
    "DROP TABLE user_search",
)

SQLITE_UP = (
    "CREATE VIRTUAL TABLE user_search USING fts5"
    "(words, detail = none, columnsize = 0, prefix = '1 2 3', tokenize = 'ascii')",
    """
CREATE TRIGGER user_search_in AFTER INSERT ON users BEGIN
    INSERT INTO user_search (rowid, words) VALUES (new.id, search_words(new.full_name || ' ' || new.email));
END
""",
    """
CREATE TRIGGER user_search_anew AFTER UPDATE OF full_name, email ON users BEGIN
    UPDATE user_search SET words = search_words(new.full_name || ' ' || new.email) WHERE rowid = new.id;
END
""",
    "CREATE TRIGGER user_search_out AFTER DELETE ON users BEGIN DELETE FROM user_search WHERE rowid = old.id; END",
)
SQLITE_DOWN = (
    "DROP TRIGGER user_search_in",
    "DROP TRIGGER user_search_anew",
    "DROP TRIGGER user_search_out",
    "DROP TABLE user_search",
)
