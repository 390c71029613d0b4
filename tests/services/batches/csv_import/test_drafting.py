"""A row of the file becomes the draft of a ticket, or is turned away."""

from datetime import UTC, datetime
from typing import Any

import pytest

from admin_app.models import Channel, Priority, Status
from admin_app.services.batches.csv_import.drafting import Draft, Drafter, Rejection
from admin_app.services.batches.csv_import.mapping import ImportMapping
from admin_app.services.batches.csv_import.reading import Row
from tests.services.batches.csv_files import HEADER, RULES, row, rules
from tests.services.conftest import SetClock


def drafted(by: ImportMapping | None = None, **cells: str) -> Any:
    line = [row(**cells)[name] for name in HEADER]
    return Drafter(by or rules(), HEADER).draft(Row(7, line))


def rejected(by: ImportMapping | None = None, **cells: str) -> tuple[str, str]:
    found = drafted(by, **cells)
    assert isinstance(found, Rejection), found
    return found.column, found.reason


class TestDraft:
    def test_every_mapped_column_arrives(self) -> None:
        draft = drafted(Mail=" Zoe@Customer.EXAMPLE ", Labels="Lamps, night  shift")
        assert isinstance(draft, Draft)
        assert (draft.external_key, draft.email, draft.full_name) == ("test:1", "zoe@customer.example", "Zoe Zapata")
        assert draft.tags == ("lamps", "night shift")
        assert draft.columns == {
            "title": "Lamp flickers",
            "description": "Since Monday.",
            "category": "",
            "resolution": None,
            "status": Status.PENDING,
            "priority": Priority.HIGH,
            "channel": Channel.EMAIL,
            "first_response_at": datetime(2024, 3, 1, 10, tzinfo=UTC),
            "created_at": datetime(2024, 3, 1, 10, tzinfo=UTC),
            "resolved_at": None,
            "closed_at": None,
            "due_at": None,
        }

    def test_a_line_that_could_not_be_read_is_turned_away_as_a_whole(self) -> None:
        damaged = Row(9, ["?"], "This line is not valid CSV.")
        assert Drafter(rules(), HEADER).draft(damaged) == Rejection(damaged, "", "This line is not valid CSV.")

    def test_a_customer_without_a_name_is_called_by_the_address(self) -> None:
        assert drafted(Who="").full_name == "zoe"

    def test_placeholders_and_quotes_stay_as_they_are(self) -> None:
        text = 'My {product} says "no"\n\nand – so on'
        assert drafted(Text=text).columns["description"] == text

    def test_a_defused_text_comes_back_to_the_letter(self) -> None:
        draft = drafted(Subject="'=1+1", Text="'\tindented ")
        assert (draft.columns["title"], draft.columns["description"]) == ("=1+1", "\tindented ")

    @pytest.mark.parametrize(
        ("cells", "column", "words"),
        [
            ({"Subject": "  "}, "Subject", "required"),
            ({"Subject": "x" * 201}, "Subject", "At most 200"),
            ({"Text": "x" * 100_001}, "Text", "At most 100,000"),
            ({"Text": "a\x00b"}, "Text", "cannot be stored"),
            ({"Mail": ""}, "Mail", "e-mail address"),
            ({"Mail": "zoe"}, "Mail", "e-mail address"),
            ({"Mail": f"{'z' * 250}@a.example"}, "Mail", "At most 254"),
            ({"Who": "x" * 201}, "Who", "At most 200"),
            ({"State": "Frozen"}, "State", "State is “Frozen”, which is no status; known are waiting, done."),
            ({"Urgency": "severe"}, "Urgency", "known are low, medium, high, critical."),
            ({"Via": "x" * 90}, "Via", f"“{'x' * 60}…”"),
            ({"State": "Done"}, "Answer", "A closed ticket needs a resolution"),
            ({"Answered": "yesterday"}, "Answered", "Answered is “yesterday”, which is no time"),
            ({"Answered": "2024-02-30 10:00"}, "Answered", "no time"),
            ({"Id": ""}, "Id", "Id must name the ticket"),
            ({"Id": "x" * 200}, "Id", "at most 200 characters"),
            ({"Id": "a\x00"}, "Id", "Id must name the ticket"),
            ({"Labels": "x" * 51}, "Labels", "At most 50"),
        ],
    )
    def test_a_bad_cell_is_named_with_its_column(self, cells: dict, column: str, words: str) -> None:
        found, reason = rejected(**cells)
        assert words in reason
        assert found == column

    def test_the_desks_own_words_are_always_understood(self) -> None:
        assert drafted(State="On hold").columns["status"] is Status.ON_HOLD
        assert drafted(State="on_hold").columns["status"] is Status.ON_HOLD

    def test_empty_cells_take_the_default(self) -> None:
        by = rules(defaults={"status": "open", "priority": "low", "channel": "phone"})
        columns = drafted(by, State="", Urgency="", Via="").columns
        assert [columns[name] for name in ("status", "priority", "channel")] == [
            Status.OPEN,
            Priority.LOW,
            Channel.PHONE,
        ]

    def test_columns_that_the_mapping_leaves_out_stay_empty(self) -> None:
        by = rules(columns={"title": "Subject"}, external_key=None, customer={"email": "Mail"})
        draft = drafted(by)
        assert (draft.external_key, draft.owner, draft.tags, draft.full_name) == (None, "", (), "zoe")
        assert (draft.columns["status"], draft.columns["description"]) == (Status.NEW, "")


class TestTimes:
    def test_times_are_taken_as_given_even_out_of_order(self) -> None:
        columns = drafted(State="Done", Answer="Mended.", Answered="2024-03-02 10:00", Ended="2024-03-01 09:00").columns
        assert columns["first_response_at"] == datetime(2024, 3, 2, 10, tzinfo=UTC)
        assert columns["closed_at"] == columns["resolved_at"] == datetime(2024, 3, 1, 9, tzinfo=UTC)
        assert columns["created_at"] == datetime(2024, 3, 1, 9, tzinfo=UTC)

    def test_without_any_time_the_ticket_is_as_old_as_its_import(self, stopped_clock: SetClock) -> None:
        columns = drafted(State="Done", Answer="Mended.", Answered="").columns
        assert {columns[name] for name in ("created_at", "resolved_at", "closed_at")} == {stopped_clock.time}

    def test_a_closed_ticket_without_an_end_ended_at_its_last_known_time(self) -> None:
        columns = drafted(State="Done", Answer="Mended.").columns
        assert columns["closed_at"] == columns["resolved_at"] == columns["first_response_at"]

    def test_a_ticket_that_is_not_over_has_no_end(self) -> None:
        columns = drafted(Ended="2024-03-01 09:00").columns
        assert (columns["closed_at"], columns["resolved_at"]) == (None, None)

    def test_a_resolved_ticket_is_not_closed(self) -> None:
        columns = drafted(State="Resolved", Answer="Mended.", Ended="2024-03-01 09:00").columns
        assert columns["resolved_at"] == datetime(2024, 3, 1, 9, tzinfo=UTC)
        assert columns["closed_at"] is None

    def test_the_mapping_says_in_which_zone_the_times_are(self) -> None:
        by = rules(timezone="Asia/Tokyo")
        assert drafted(by).columns["first_response_at"] == datetime(2024, 3, 1, 1, tzinfo=UTC)

    def test_a_zone_in_the_file_wins_and_the_first_pattern_that_fits_is_taken(self) -> None:
        by = rules(timezone="Asia/Tokyo", date_formats=["%d.%m.%Y", "iso"])
        assert drafted(by, Answered="2024-03-01T10:00:00+02:00").columns["first_response_at"].hour == 8
        assert drafted(by, Answered="01.03.2024").columns["first_response_at"].day == 29

    def test_a_time_before_the_calendar_begins_is_no_time(self) -> None:
        by = rules(timezone="Asia/Tokyo", date_formats=["iso"])
        assert "no time" in rejected(by, Answered="0001-01-01 00:00")[1]

    def test_the_owner_is_an_address(self) -> None:
        by = rules(columns={**RULES["columns"], "owner": "Text"})
        assert drafted(by, Text="Sam <SAM@desk.example>").owner == "sam@desk.example"
