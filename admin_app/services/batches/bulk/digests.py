"""One notification per person and batch, however many of their tickets are in it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.models.batch import BatchKind
from admin_app.models.notification import Notification, NotificationType
from admin_app.models.watcher import TicketWatcher, WatchLevel
from admin_app.services.batches.bulk.actions import Action
from admin_app.services.batches.bulk.rows import Row
from admin_app.services.records.audit import Changes
from admin_app.services.records.notifications import LONGEST_MESSAGE

NAMED = 3

Sentence = tuple[str, str]
"""What stands before and after the tickets."""

APPLIED: Mapping[BatchKind, Sentence] = {
    BatchKind.CLOSE: ("closed ", ""),
    BatchKind.DELETE: ("deleted ", ": {reason}"),
    BatchKind.RESTORE: ("brought ", " back"),
}
UNDONE: Mapping[BatchKind, Sentence] = {
    BatchKind.CLOSE: ("took back the closing of ", ""),
    BatchKind.DELETE: ("brought ", " back"),
    BatchKind.RESTORE: ("put ", " back into the trash"),
}
UNDONE_AS: Mapping[BatchKind, NotificationType] = {
    BatchKind.DELETE: NotificationType.RESTORED,
    BatchKind.RESTORE: NotificationType.DELETED,
}
HANDED_TO_YOU, HANDED_ON = ("handed ", " to you"), ("handed ", " from you to {owner}")
GIVEN_BACK, TAKEN_BACK = ("gave ", " back to you"), ("took ", " back from you")


def tickets(count: int) -> str:
    """A number of tickets in words."""
    return "1 ticket" if count == 1 else f"{count:,} tickets"


class Digests:
    """Collects who is to be told of which ticket, then tells each once."""

    def __init__(self, action: Action, *, undone: bool = False) -> None:
        self._action = action
        self._undone = undone
        self._told: dict[int, tuple[Sentence, list[tuple[int, str]]]] = {}

    async def add(self, session: AsyncSession, changed: Sequence[tuple[Row, Changes]]) -> None:
        """Note whom these tickets concern; one statement when watchers are told as well, else none."""
        if self._action.told_as is None:
            return
        ids = [row.id for row, _ in changed]
        watching = await _watchers(session, ids) if self._action.tells_watchers else {}
        for row, changes in changed:
            for receiver, sentence in self._receivers(row, changes, watching.get(row.id, ())):
                self._told.setdefault(receiver, (sentence, []))[1].append((row.id, row.ticket_number))

    def send(self, session: AsyncSession, actor: Actor) -> None:
        """Add one notification per receiver; nobody is told of what they did themselves."""
        told_as = self._action.told_as
        if self._undone:
            told_as = UNDONE_AS.get(self._action.kind, told_as)
        session.add_all(
            Notification(
                user_id=receiver,
                type=told_as,
                message=f"{actor.name} {self._spoken(sentence, named)}"[:LONGEST_MESSAGE],
                ticket_id=named[0][0] if len(named) == 1 else None,
                actor_id=actor.id,
            )
            for receiver, (sentence, named) in sorted(self._told.items())
            if receiver != actor.id
        )

    def _receivers(self, row: Row, changes: Changes, watchers: Iterable[int]) -> Iterator[tuple[int, Sentence]]:
        kind = self._action.kind
        old_owner, new_owner = changes.get("owner_id", (row.owner_id, row.owner_id))
        if kind is BatchKind.ASSIGN:
            pair = (TAKEN_BACK, GIVEN_BACK) if self._undone else (HANDED_ON, HANDED_TO_YOU)
            concerned = {old_owner: pair[0], new_owner: pair[1]}
        else:
            sentence = (UNDONE if self._undone else APPLIED)[kind]
            concerned = dict.fromkeys((new_owner, *watchers), sentence)
        for receiver, said in concerned.items():
            if receiver is not None:
                yield receiver, said

    def _spoken(self, sentence: Sentence, named: Sequence[tuple[int, str]]) -> str:
        numbers = [number for _, number in named]
        shown, rest = numbers[:NAMED], len(numbers) - NAMED
        listed = ", ".join(shown) + (f" and {rest:,} more" if rest > 0 else "")
        what = numbers[0] if len(numbers) == 1 else f"{tickets(len(numbers))} ({listed})"
        owner = self._action.orders.new_owner
        after = sentence[1].replace("{owner}", owner.name if owner else "")
        return sentence[0] + what + after.replace("{reason}", str(self._action.parameters.get("reason", "")))


async def _watchers(session: AsyncSession, ids: Sequence[int]) -> dict[int, list[int]]:
    statement = select(TicketWatcher.ticket_id, TicketWatcher.user_id).where(
        TicketWatcher.ticket_id.in_(ids), TicketWatcher.level == WatchLevel.ALL
    )
    found: dict[int, list[int]] = {}
    for ticket_id, user_id in await session.execute(statement.order_by(TicketWatcher.user_id)):
        found.setdefault(ticket_id, []).append(user_id)
    return found
