"""A deleted ticket is gone from every list, search, count, suggestion and link; a restored one is back."""

from io import BytesIO

from admin_app.errors import Gone, InvalidInput
from admin_app.models import WatchLevel
from admin_app.services.operations import attachments, comments, following, tickets
from admin_app.services.pages import dashboard, notification_list, ticket_list, ticket_page
from admin_app.services.records import listing, lookup

FIRST = listing.PageRequest()


async def seen(desk, ticket, attachment, comment) -> dict[str, bool]:
    """Where a person of the desk meets this ticket."""
    sam = desk.cast.sam

    async def found(*failures: type[Exception], service, **options) -> bool:
        try:
            await desk.run(service, sam, **options)
        except failures:
            return False
        return True

    async def listed(**wanted) -> tuple[bool, bool]:
        chosen = {"sort": "title", "descending": False, "request": FIRST}
        page = await desk.read(ticket_list.page, sam, ticket_list.TicketFilter(**wanted), **chosen)
        return bool(page.rows), bool(page.count)

    summary = await desk.read(dashboard.summary, sam)
    told = await desk.read(notification_list.page, desk.cast.sid, unread_only=False, everyone=False, request=FIRST)
    child = tickets.NewTicket("kim@desk.example", "Follow-up", parent=ticket.ticket_number)
    places = {
        "page": await found(Gone, service=ticket_page.read, ticket_id=ticket.id),
        "number": await found(Gone, service=lookup.ticket_by_number, number=ticket.ticket_number),
        "download": await found(Gone, service=attachments.find, attachment_id=attachment.id),
        "comment": await found(Gone, service=comments.find, comment_id=comment.id),
        "mine": bool(summary.mine),
        "recent": any(shown.id == ticket.id for shown in summary.recent),
        "counts": bool(summary.counts["mine"]),
        "by status": bool(summary.by_status),
        "link of a notification": any(row.ticket is not None for row in told.rows),
    }
    for name, wanted in {
        "list": {},
        "search": {"search": "fire"},
        "search by number": {"search": ticket.ticket_number},
        "tag": {"tag": "toner"},
        "owner": {"owner": "me"},
    }.items():
        places[name], places[f"{name} count"] = await listed(**wanted)
    places["parent"] = await found(InvalidInput, service=tickets.open_ticket, new=child)
    return places


async def test_a_deleted_ticket_is_gone_from_everywhere_and_comes_back_with_everything(desk, store) -> None:
    sam = desk.cast.sam
    ticket = await desk.ticket(desk.cast.sid, owner="sam@desk.example")
    await desk.run(following.watch, desk.cast.sid, ticket.id, person="", level=WatchLevel.ALL)
    comment = await desk.comment(ticket)
    file = {"filename": "a.txt", "content": BytesIO(b"text"), "store": store}
    attachment = await desk.run(attachments.attach, sam, ticket.id, **file)
    await desk.run(following.tag, sam, ticket.id, names="toner")
    await desk.run(tickets.delete, sam, ticket.id, reason="a double", version=1)
    after_deletion = await seen(desk, ticket, attachment, comment)
    assert [place for place, is_seen in after_deletion.items() if is_seen] == []
    await desk.run(tickets.restore, desk.cast.sue, ticket.id)
    after_restoring = await seen(desk, ticket, attachment, comment)
    assert [place for place, is_seen in after_restoring.items() if not is_seen] == []
