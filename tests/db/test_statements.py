"""What statements of a kind have in common, without anybody's values."""

import pytest

from admin_app.db.statements import LONGEST_READ, fingerprint_of, normalised


class TestNormalised:
    @pytest.mark.parametrize(
        ("statement", "expected"),
        [
            ("SELECT 1", "SELECT ?"),
            ("SELECT  a\n FROM t", "SELECT a FROM t"),
            ("SELECT a FROM t WHERE b = 'it''s Kim' AND c = 12.5", "SELECT a FROM t WHERE b = ? AND c = ?"),
            ("SELECT a FROM t WHERE b = -5 AND c = 1e9", "SELECT a FROM t WHERE b = ? AND c = ?"),
            ("SELECT a FROM t WHERE b = E'it\\'s Kim' OR c", "SELECT a FROM t WHERE b = ? OR c"),
            ("SELECT $tag$Kim$tag$, a", "SELECT ?, a"),
            ("SELECT 'Kim", "SELECT ?"),
            ("SELECT a FROM t WHERE b = ? AND c IN (?, ?, ?)", "SELECT a FROM t WHERE b = ? AND c IN (…)"),
            ("SELECT a FROM t WHERE c IN (1,2, 3)", "SELECT a FROM t WHERE c IN (…)"),
            (
                "SELECT a FROM t WHERE b = $1::VARCHAR AND c IN ($2::INTEGER, $3::INTEGER)",
                "SELECT a FROM t WHERE b = ? AND c IN (…)",
            ),
            ("SELECT a WHERE b < $1::TIMESTAMP WITH TIME ZONE AND c", "SELECT a WHERE b < ? AND c"),
            ("SELECT a WHERE b = $1::VARCHAR(20) OR c = $2::INTEGER[]", "SELECT a WHERE b = ? OR c = ?"),
            ("SELECT a WHERE b = :name AND c = %(other)s", "SELECT a WHERE b = ? AND c = ?"),
            ("SELECT a::text FROM t_1 AS t2", "SELECT a::text FROM t_1 AS t2"),
            ("INSERT INTO t VALUES (?, ?), (?, ?), (?, ?)", "INSERT INTO t VALUES (…)"),
            ("SELECT a /* for Kim */ FROM t -- her secret\n WHERE b", "SELECT a FROM t WHERE b"),
            ("SAVEPOINT sa_savepoint_17", "SAVEPOINT sa_savepoint"),
        ],
    )
    def test_keeps_the_words_and_none_of_the_values(self, statement: str, expected: str) -> None:
        assert normalised(statement) == expected

    def test_lists_of_any_length_are_one_kind(self) -> None:
        kinds = {normalised(f"SELECT a FROM t WHERE b IN ({', '.join('?' * size)})") for size in (1, 2, 500)}
        assert len(kinds) == 1

    def test_a_statement_without_end_is_read_to_a_limit(self) -> None:
        assert len(normalised("SELECT '" + "x" * 1_000_000)) < 20
        assert len(normalised("word " * 1_000_000)) <= LONGEST_READ


class TestFingerprintOf:
    def test_one_kind_has_one_name_whatever_was_asked_for(self) -> None:
        first, second = (normalised(f"SELECT a FROM t WHERE b = {value}") for value in (1, "'x'"))
        assert fingerprint_of(first) == fingerprint_of(second)
        assert fingerprint_of(first) != fingerprint_of(normalised("SELECT b FROM t"))
        assert fingerprint_of("half a character \ud800")
