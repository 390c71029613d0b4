"""One notification per person and batch."""

from admin_app.models import BatchKind, Notification, NotificationType, Ticket, TicketWatcher, WatchLevel
from admin_app.services.batches.bulk import digests
from tests.services.batches.bulk.scenes import BIN, applied, many_tickets, previewed, undone


async def told(desk, kind: BatchKind, ids, *, undo: bool = False, **typed: str) -> dict[str, str]:
    batch = await previewed(desk, kind, ids, **typed)
    if undo:
        batch = await applied(desk, batch)
    async with desk.recorded() as written:
        await (undone if undo else applied)(desk, batch)
    return written.told


class TestTickets:
    def test_says_a_number_in_words(self) -> None:
        assert [digests.tickets(n) for n in (1, 2, 10_000)] == ["1 ticket", "2 tickets", "10,000 tickets"]


class TestAssign:
    async def test_the_new_owner_and_each_former_one_are_told_once(self, desk) -> None:
        ids = await many_tickets(desk, 5)
        await desk.set(Ticket, ids[0], owner_id=desk.cast.ada.id)
        await desk.set(Ticket, ids[1], owner_id=desk.cast.sue.id)
        await desk.set(Ticket, ids[2], owner_id=None)
        assert await told(desk, BatchKind.ASSIGN, ids) == {
            "sid": "Sue Supervisor handed 5 tickets (M-000001, M-000002, M-000003 and 2 more) to you",
            "ada": "Sue Supervisor handed M-000001 from you to Sid Staff",
            "sam": "Sue Supervisor handed 2 tickets (M-000004, M-000005) from you to Sid Staff",
        }

    async def test_only_a_single_ticket_is_linked(self, desk) -> None:
        ids = await many_tickets(desk, 3)
        await desk.set(Ticket, ids[0], owner_id=desk.cast.ada.id)
        await told(desk, BatchKind.ASSIGN, ids)
        links = {row.user_id: row.ticket_id for row in await desk.rows(Notification)}
        cast = desk.cast
        assert links == {cast.ada.id: ids[0], cast.sam.id: None, cast.sid.id: None}

    async def test_undone_they_hear_of_the_way_back(self, desk) -> None:
        ids = await many_tickets(desk, 2)
        await desk.set(Ticket, ids[0], owner_id=None)
        assert await told(desk, BatchKind.ASSIGN, ids, undo=True) == {
            "sid": "Sue Supervisor took 2 tickets (M-000001, M-000002) back from you",
            "sam": "Sue Supervisor gave M-000002 back to you",
        }


class TestOthers:
    async def test_closing_tells_owners_and_those_who_watch_everything(self, desk) -> None:
        ids = await many_tickets(desk, 2)
        for name, level in (("ada", WatchLevel.ALL), ("sid", WatchLevel.REPLIES), ("sam", WatchLevel.ALL)):
            await desk.store(TicketWatcher(ticket_id=ids[0], user_id=desk.cast.users[name], level=level))
        assert await told(desk, BatchKind.CLOSE, ids) == {
            "ada": "Sue Supervisor closed M-000001",
            "sam": "Sue Supervisor closed 2 tickets (M-000001, M-000002)",
        }

    async def test_taking_a_closing_back(self, desk) -> None:
        ids = await many_tickets(desk, 2)
        sentence = "Sue Supervisor took back the closing of 2 tickets (M-000001, M-000002)"
        assert await told(desk, BatchKind.CLOSE, ids, undo=True) == {"sam": sentence}

    async def test_deleting_says_why(self, desk) -> None:
        ids = await many_tickets(desk, 1)
        assert await told(desk, BatchKind.DELETE, ids) == {"sam": "Sue Supervisor deleted M-000001: spam"}

    async def test_a_reason_is_never_a_pattern_and_never_too_long(self, desk) -> None:
        ids = await many_tickets(desk, 1)
        sentence = (await told(desk, BatchKind.DELETE, ids, reason="{owner} {0} %s " * 30))["sam"]
        assert sentence.startswith("Sue Supervisor deleted M-000001: {owner} {0} %s")
        assert len(sentence) <= 500

    async def test_restoring_and_its_undo_are_told_as_what_they_are(self, desk) -> None:
        ids = await many_tickets(desk, 1, **BIN)
        assert await told(desk, BatchKind.RESTORE, ids, undo=True) == {
            "sam": "Sue Supervisor put M-000001 back into the trash"
        }
        kinds = [row.type for row in await desk.rows(Notification)]
        assert kinds == [NotificationType.RESTORED, NotificationType.DELETED]

    async def test_nobody_hears_of_a_priority_or_a_tag(self, desk) -> None:
        ids = await many_tickets(desk, 1)
        assert await told(desk, BatchKind.PRIORITY, ids) == {}
        assert await told(desk, BatchKind.TAG, ids, undo=True) == {}
