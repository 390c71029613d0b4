"""What stands under which heading."""

from datetime import UTC, datetime

from admin_app.models import Channel, ExportFormat, Priority, Status, Ticket
from admin_app.services.batches.exports.columns import CHANNELS, HEADINGS, PRIORITIES, STATUSES
from admin_app.services.operations import following
from tests.services.batches.exports.exporting import exported, lines_of
from tests.services.scenes import Desk


class TestSheet:
    async def test_every_column_is_in_peoples_words(self, desk: Desk) -> None:
        ticket = await desk.ticket(
            title='Lamp "Aria", broken',
            description="First line\nsecond line\u2028third",
            priority=Priority.CRITICAL,
            channel=Channel.SOCIAL,
            category="Lamps",
            owner="sid@desk.example",
            due_at=datetime(2031, 5, 1, 8, 30, tzinfo=UTC),
        )
        created = datetime(2030, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)
        await desk.set(Ticket, ticket.id, status=Status.ON_HOLD, created_at=created)
        await desk.run(following.tag, desk.cast.sam, ticket.id, names="urgent, lamps")
        assert lines_of(await exported(desk)) == [
            {
                "Number": "T-000001",
                "Title": 'Lamp "Aria", broken',
                "Description": "First line\nsecond line\u2028third",
                "Status": "On hold",
                "Priority": "Critical",
                "Channel": "Social",
                "Category": "Lamps",
                "Customer": "Kim Customer",
                "Customer e-mail": "kim@desk.example",
                "Owner": "Sid Staff",
                "Owner e-mail": "sid@desk.example",
                "Resolution": "",
                "Created": "2030-01-02 03:04:05+00:00",
                "First response": "",
                "Resolved": "",
                "Closed": "",
                "Due": "2031-05-01 08:30:00+00:00",
                "External key": "",
                "Tags": "lamps, urgent",
            }
        ]

    async def test_each_ticket_has_its_own_tags_in_order(self, desk: Desk) -> None:
        wanted = ["urgent", "", "lamps, cable, urgent", "cable, urgent"]
        for names in wanted:
            ticket = await desk.ticket()
            await desk.run(following.tag, desk.cast.sam, ticket.id, names=names)
        in_order = [", ".join(sorted(names.split(", "))) for names in wanted]
        assert [line["Tags"] for line in lines_of(await exported(desk))] == in_order

    async def test_an_empty_desk_is_its_headings(self, desk: Desk) -> None:
        assert (await exported(desk)).decode() == ",".join(HEADINGS) + "\r\n"
        assert await exported(desk, ExportFormat.JSONL) == b""

    def test_no_member_is_without_a_word(self) -> None:
        assert (set(STATUSES), set(PRIORITIES), set(CHANNELS)) == (set(Status), set(Priority), set(Channel))
