"""Finding people by the words of their names and addresses, from an index, in the same way on both databases.

What was typed stands in a name or address as it was typed, word by word; its last word may go on. Words are what
`search_words` takes for words: capitals, accents and punctuation make no difference.
"""

from typing import Any

from sqlalchemy import Boolean, Integer, Text, bindparam, cast, column, literal_column, select, table
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import FunctionElement

from admin_app.db.search_query import SearchQuery, sequence
from admin_app.db.search_words import NOTHING
from admin_app.db.text_position import TextPosition

stored = table("user_search", column("rowid", Integer), column("words", Text), column("tokens", TSVECTOR))

IS_SO_CALLED = TextPosition(stored.c.words, bindparam("phrase", type_=Text)) > 0
"""Whether a row of `stored` holds what was typed; no index helps."""


class _InIndex(FunctionElement[Any]):
    """Whether the index has every word; takes the question in both databases' languages, and whether to ask it."""

    inherit_cache = True
    type = Boolean()
    _is_implicitly_boolean = True  # else FTS5 is asked whether it `= 1`, which it cannot answer


@compiles(_InIndex, "postgresql")
def _in_tokens(element: _InIndex, compiler: Any, **options: Any) -> str:
    """The question is selected, so that it says nothing about how many rows will be found: the plan never changes."""
    tsquery, _, when = element.clauses
    asked, is_asked = compiler.process(tsquery, **options), compiler.process(when, **options)
    return f"({is_asked}) AND user_search.tokens @@ (SELECT {asked})"


@compiles(_InIndex, "sqlite")
def _in_fts5(element: _InIndex, compiler: Any, **options: Any) -> str:
    """A condition beside would be asked of each row found."""
    _, fts5, when = element.clauses
    is_asked, asked = compiler.process(when, **options), compiler.process(fts5, **options)
    return f"user_search MATCH CASE WHEN {is_asked} THEN {asked} ELSE '{NOTHING}' END"


def is_found(when: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same, from the index; nobody is, unless `when` is true."""
    return _InIndex(cast(bindparam("tsquery", type_=Text), TSQUERY), bindparam("fts5", type_=Text), when) & IS_SO_CALLED


FOUND = select(stored.c.rowid).where(is_found(literal_column("1 = 1", Boolean)))
"""Ids of all people whose name or address holds it."""


def typed(text: str) -> dict[str, str]:
    """The parameters of the above for what somebody typed; empty when there is no word in it."""
    found = sequence(text.replace("\x00", ""))
    if not found:
        return {}
    query = SearchQuery(wholes=tuple(found[:-1]), beginnings=(found[-1],))
    return {"phrase": f" {' '.join(found)}", "tsquery": query.tsquery, "fts5": query.fts5}
