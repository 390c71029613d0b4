"""Everything on the page of one ticket."""

from io import BytesIO

import pytest

from admin_app.errors import Gone, NotFound
from admin_app.models import AuditAction, Comment, Ticket, WatchLevel
from admin_app.services.operations import attachments, following, tickets
from admin_app.services.pages import ticket_page


async def read(desk, ticket: Ticket, **options) -> ticket_page.Thread:
    return await desk.read(ticket_page.read, desk.cast.sue, ticket.id, **options)


@pytest.fixture
async def full_ticket(desk, store) -> Ticket:
    """With something of everything, by different people."""
    parent = await desk.ticket(title="The first one")
    ticket = await desk.ticket(owner="sid@desk.example", parent=parent.ticket_number)
    await desk.comment(ticket, "First.")
    await desk.comment(ticket, "Second.", actor=desk.cast.sue)
    for name in ("one.txt", "two.txt"):
        content = BytesIO(name.encode())
        await desk.run(attachments.attach, desk.cast.sam, ticket.id, filename=name, content=content, store=store)
    await desk.run(following.watch, desk.cast.sue, ticket.id, person="", level=WatchLevel.REPLIES)
    await desk.run(following.tag, desk.cast.sam, ticket.id, names="toner, smoke")
    return ticket


class TestRead:
    async def test_shows_the_ticket_with_everything_that_hangs_on_it(self, desk, full_ticket) -> None:
        thread = await read(desk, full_ticket)
        ticket = thread.ticket
        assert (ticket.owner.full_name, ticket.creator.full_name) == ("Sid Staff", "Kim Customer")
        assert (ticket.parent.title, thread.tags) == ("The first one", ["smoke", "toner"])
        said = [(comment.person, comment.body) for comment in thread.comments]
        assert said == [("Sam Staff", "First."), ("Sue Supervisor", "Second.")]
        assert [(file.person, file.filename) for file in thread.attachments] == [
            ("Sam Staff", "two.txt"),
            ("Sam Staff", "one.txt"),
        ]
        assert [(watcher.person, watcher.level) for watcher in thread.watchers] == [
            ("Sue Supervisor", WatchLevel.REPLIES)
        ]
        assert thread.totals == {"comments": 2, "attachments": 2, "watchers": 1, "history": 7}

    async def test_the_history_is_readable_and_begins_with_the_newest(self, desk, full_ticket) -> None:
        form = {"new_owner": "sam@desk.example", "reason": "r", "note": ""}
        await desk.run(tickets.transfer, desk.cast.sue, full_ticket.id, version=1, **form)
        thread = await read(desk, full_ticket)
        newest, oldest = thread.history[0], thread.history[-1]
        assert (newest.log.action, oldest.log.action) == (AuditAction.TRANSFER_OWNERSHIP, AuditAction.CREATE)
        [change] = newest.changes
        assert (change.field, change.old, change.new) == ("owner_id", "Sid Staff", "Sam Staff")

    async def test_shows_the_newest_twenty_and_says_how_many_there_are(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.store(*(Comment(ticket_id=ticket.id, author_id=desk.cast.sam.id, body=str(n)) for n in range(25)))
        thread = await read(desk, ticket)
        assert [comment.body for comment in thread.comments] == [str(n) for n in range(5, 25)]
        assert thread.totals["comments"] == 25
        everything = await read(desk, ticket, show_all=True)
        assert [comment.body for comment in everything.comments] == [str(n) for n in range(25)]

    async def test_sends_as_many_statements_for_a_long_thread_as_for_a_short_one(
        self, desk, full_ticket, statement_counter
    ) -> None:
        sent = []
        for people in (["sam"], list(desk.cast.users)):
            authors = [desk.cast.users[name] for name in people]
            await desk.store(*(Comment(ticket_id=full_ticket.id, author_id=author, body="b") for author in authors * 3))
            with statement_counter() as counted:
                await read(desk, full_ticket, show_all=True)
            sent.append(counted.total)
        assert sent[0] == sent[1] <= 9

    async def test_what_was_deleted_alone_is_not_shown(self, desk, full_ticket) -> None:
        [first, _] = await desk.rows(Comment)
        await desk.set(Comment, first.id, deleted_at=first.created_at, delete_batch_id="earlier")
        thread = await read(desk, full_ticket)
        assert [comment.body for comment in thread.comments] == ["Second."]
        assert thread.totals["comments"] == 1

    async def test_shows_nothing_of_other_tickets(self, desk, full_ticket) -> None:
        other = await desk.ticket()
        thread = await read(desk, other)
        assert thread.totals == {"comments": 0, "attachments": 0, "watchers": 0, "history": 1}
        assert (thread.comments, thread.attachments, thread.watchers) == ([], [], [])

    async def test_a_deleted_one_is_gone(self, desk) -> None:
        ticket = await desk.deleted_ticket()
        await desk.refusal(Gone, ticket_page.read, desk.cast.sue, ticket.id)


class TestReadDeleted:
    async def test_shows_what_went_with_it_and_not_what_went_before(self, desk, full_ticket) -> None:
        [first, _] = await desk.rows(Comment)
        await desk.set(Comment, first.id, deleted_at=first.created_at, delete_batch_id="earlier")
        await desk.run(tickets.delete, desk.cast.sam, full_ticket.id, reason="a double", version=1)
        thread = await desk.read(ticket_page.read_deleted, desk.cast.sue, full_ticket.id)
        assert [comment.body for comment in thread.comments] == ["Second."]
        assert (thread.totals["comments"], thread.totals["deleted_together"]) == (1, 1)
        assert len(thread.attachments) == 2
        assert thread.history[0].log.action is AuditAction.DELETE

    async def test_a_live_one_is_not_in_the_trash(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.refusal(NotFound, ticket_page.read_deleted, desk.cast.sue, ticket.id)
