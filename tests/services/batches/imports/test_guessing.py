"""What the columns of an unknown file probably mean."""

import pytest

from admin_app.services.batches.imports import guessing
from admin_app.services.batches.imports.previews import Preview

REAL = [
    "Ticket ID",
    "Customer Name",
    "Customer Email",
    "Customer Age",
    "Customer Gender",
    "Product Purchased",
    "Date of Purchase",
    "Ticket Type",
    "Ticket Subject",
    "Ticket Description",
    "Ticket Status",
    "Resolution",
    "Ticket Priority",
    "Ticket Channel",
    "First Response Time",
    "Time to Resolution",
    "Customer Satisfaction Rating",
]


class TestColumns:
    def test_the_published_data_set(self) -> None:
        assert guessing.columns(REAL) == {
            "external_key": "Ticket ID",
            "email": "Customer Email",
            "full_name": "Customer Name",
            "title": "Ticket Subject",
            "description": "Ticket Description",
            "category": "Ticket Type",
            "status": "Ticket Status",
            "priority": "Ticket Priority",
            "channel": "Ticket Channel",
            "resolution": "Resolution",
            "first_response_at": "First Response Time",
        }

    @pytest.mark.parametrize(
        ("name", "field"),
        [
            ("customerEmail", "email"),
            ("E-Mail", "email"),
            ("SUMMARY", "title"),
            ("assigned_to", "owner"),
            ("Nr.", "external_key"),
        ],
    )
    def test_several_spellings(self, name, field) -> None:
        assert guessing.columns([name]) == {field: name}

    def test_each_column_serves_once_and_the_better_spelling_wins(self) -> None:
        assert guessing.columns(["", "Number", "Ticket ID", "Name", "Customer"]) == {
            "external_key": "Ticket ID",
            "full_name": "Customer",
        }

    def test_strangers_are_left_alone(self) -> None:
        assert guessing.columns(["Shoe size", "ticket"]) == {}


class TestMeaning:
    @pytest.mark.parametrize(
        ("field", "word", "ours"),
        [
            ("status", "Pending Customer Response", "pending"),
            ("status", "ON_HOLD", "on_hold"),
            ("priority", "Urgent", "critical"),
            ("channel", "Social media", "social"),
            ("channel", "pigeon", ""),
        ],
    )
    def test_synonyms(self, field, word, ours) -> None:
        assert guessing.meaning(field, word) == ours


class TestDateFormat:
    @pytest.mark.parametrize(
        ("cells", "pattern"),
        [
            (["2024-03-01 10:00:00", "2024-03-01T10:00Z"], "iso"),
            (["31.12.2024 10:00", "01.02.2024 10:00"], "%d.%m.%Y %H:%M"),
            (["12/31/2024 10:00"], "%m/%d/%Y %H:%M"),
            (["31/12/2024 10:00", "01/02/2024 10:00"], "%d/%m/%Y %H:%M"),
            (["no time at all"], "iso"),
            ([], "iso"),
        ],
    )
    def test_the_first_that_fits_most(self, cells, pattern) -> None:
        assert guessing.date_format(cells) == pattern


class TestGuess:
    def test_columns_words_and_times_together(self) -> None:
        words = {"Nr": ["1"], "State": ["Waiting", "Odd"], "Opened": ["31.12.2024"], "Via": ["x"]}
        preview = Preview(header=list(words), rows=[], words=words, crowded=frozenset({"Via"}))
        guessed = guessing.guess(preview, fingerprint="f" * 64, timezone="Europe/Berlin")
        assert guessed["date_format"] == "%d.%m.%Y"
        assert guessed["key_prefix"] == "file-ffffffff:"
        assert {name: word for name, word in guessed.items() if name.startswith("word:")} == {
            "word:status:Waiting": "pending",
            "word:status:Odd": "",
        }

    def test_without_a_key_nothing_stands_in_front_of_it(self) -> None:
        preview = Preview(header=["Title"], rows=[], words={"Title": []})
        assert "key_prefix" not in guessing.guess(preview, fingerprint="f" * 64, timezone="UTC")
