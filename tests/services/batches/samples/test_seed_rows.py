"""What sample tickets hold; how they are written is tested in test_seed."""

from datetime import UTC, datetime

from admin_app.db.search_words import words
from admin_app.services.batches.samples import cases, seed_rows
from admin_app.services.records import text_rules

TODAY = datetime(2030, 1, 15, tzinfo=UTC)
PEOPLE = seed_rows.People(customers=dict.fromkeys(range(100, 300), " kim "), owners=[1, 2, 3], weights=[3, 2, 1])
TAG_IDS = {tag: number for number, tag in enumerate(sorted({tag for case in cases.CASES for tag in case.tags}))}


def made(count: int) -> tuple[list[dict], seed_rows.Batch]:
    batch = seed_rows.Batch("seed 0", PEOPLE, TAG_IDS, TODAY)
    rows = list(batch.tickets(list(range(count)), [f"T-{number:06d}" for number in range(count)]))
    return [dict(zip(seed_rows.TICKET_COLUMNS, row, strict=True)) for row in rows], batch


class TestBatch:
    def test_every_text_fits_its_field_and_is_filled_in(self) -> None:
        tickets, batch = made(1500)
        for ticket in tickets:
            text_rules.check(
                {"title": ticket["title"], "description": ticket["description"]}, required=("title", "description")
            )
            assert "{" not in ticket["title"] + ticket["description"]
        assert len({ticket["description"] for ticket in tickets}) > 1400
        bodies = {row[seed_rows.COMMENT_COLUMNS.index("body")] for row in batch.comments}
        assert not [body for body in bodies if "{" in body]

    def test_every_ticket_has_the_words_of_all_that_it_says(self) -> None:
        tickets, batch = made(200)
        for ticket, row in zip(tickets, batch.words(), strict=True):
            assert row[:2] == (ticket["id"], ticket["deleted_at"] is not None)
            said = [comment[2] for comment in batch.comments if comment[0] == ticket["id"]]
            assert row[3] == " kim "
            assert row[4].split("/") == [words(text) for text in (ticket["description"], *said)]

    def test_some_customers_write_every_week_and_most_once(self) -> None:
        tickets, batch = made(3000)
        busiest = sum(1 for ticket in tickets if ticket["creator_id"] < 110)
        assert busiest > 900
        assert len({ticket["creator_id"] for ticket in tickets}) > 150
        assert {tag for _, tag in batch.tags} == set(TAG_IDS.values())
        assert 1000 < len({ticket_id for ticket_id, _ in batch.tags}) < 1400
