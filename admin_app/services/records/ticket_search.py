"""Which live tickets fit best to what somebody typed."""

from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

from sqlalchemy import Select, select

from admin_app.db import ticket_search
from admin_app.db.search_query import SearchQuery
from admin_app.db.sessions import INCLUDE_DELETED, Reader, dialect_of
from admin_app.models.ticket import Ticket


@dataclass(frozen=True)
class Found:
    """Places of tickets, (score, id), the best first and of equals the newest."""

    places: tuple[tuple[int, int], ...] = ()
    cut_at: int = 0
    """How many matches were looked at when there are more: the newest ones. Nought when it was all of them."""

    @property
    def ids(self) -> list[int]:
        """The tickets, best first."""
        return [ticket_id for _, ticket_id in self.places]


async def best(session: Reader, query: SearchQuery, *, fitting: Select[Any] | None) -> Found:
    """The matches that are also among `fitting`, a select of tickets' ids, when that is given; one statement."""
    if query.is_empty:
        return Found()
    statement, values = ticket_search.newest(query, dialect_of(session))
    if fitting is None:
        rows = [(ticket_id, score, True) for ticket_id, score in (await session.execute(statement, values)).all()]
    else:
        # a question to ask of each match: joined, or by EXISTS, all that fit might be read for a few of them
        scored = statement.cte("scored")
        itself = fitting.where(Ticket.id == scored.c.ticket_id).correlate(scored).scalar_subquery()
        fits = select(scored.c.ticket_id, scored.c.score, itself.is_not(None)).execution_options(**INCLUDE_DELETED)
        rows = [tuple(row) for row in await session.execute(fits, values)]
    # one more than is shown was asked for, and one that bears the number may be older than all of them
    too_many = max(0, len(rows) - ticket_search.NEWEST)
    others = (ticket_id for ticket_id, score, _ in rows if score < ticket_search.OWN_NUMBER)
    oldest = set(nsmallest(too_many, others))
    chosen = ((score, ticket_id) for ticket_id, score, fits in rows if fits and ticket_id not in oldest)
    return Found(tuple(sorted(chosen, reverse=True)), ticket_search.NEWEST if too_many else 0)
