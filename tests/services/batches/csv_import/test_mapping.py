"""What the columns of a file mean."""

from pathlib import Path

import pytest

from admin_app.errors import InvalidInput
from admin_app.models import Priority, Status
from admin_app.services.batches.csv_import import mapping
from tests.services.batches.csv_files import HEADER, RULES, rules

CONFIG = Path(__file__).resolve().parents[4] / "config"


class TestParse:
    def test_words_of_the_file_are_compared_without_case_and_blanks(self) -> None:
        by = rules(values={"status": {"On  The_Way": "on_hold"}, "priority": {"P1": "critical"}})
        assert by.values.status == {"on the way": Status.ON_HOLD}
        assert by.values.priority == {"p1": Priority.CRITICAL}

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"columns": {}}, "columns.title"),
            ({"customer": {}}, "customer.email"),
            ({"values": {"status": {"Done": "finished"}}}, "values.status.Done"),
            ({"values": {"priority": {"P1": "severe"}}}, "values.priority.P1"),
            ({"defaults": {"priority": 9}}, "defaults.priority"),
            ({"timezone": "Mars/Olympus"}, "not a time zone"),
            ({"surprise": 1}, "surprise"),
        ],
    )
    def test_a_mistake_is_named_with_its_place(self, changes: dict, words: str) -> None:
        with pytest.raises(InvalidInput, match=r"test\.toml") as caught:
            rules(**changes)
        assert words in str(caught.value)

    def test_one_column_may_stand_for_a_list(self) -> None:
        by = rules(columns={**RULES["columns"], "created_at": "Answered", "tags": "Labels"})
        assert by.columns.created_at == ("Answered",)

    def test_a_field_knows_its_column(self) -> None:
        by = rules()
        assert [by.column_of(field) for field in ("title", "email", "full_name", "resolution")] == [
            "Subject",
            "Mail",
            "Who",
            "Answer",
        ]
        assert [by.column_of(field) for field in ("external_key", "tag", "created_at")] == [
            "Id",
            "Labels",
            "Answered, Ended",
        ]
        assert [by.column_of(field) for field in ("owner", "nonsense")] == ["", ""]


class TestLoad:
    @pytest.mark.parametrize("file", sorted(CONFIG.glob("import-*.toml")), ids=lambda file: file.name)
    def test_every_mapping_that_comes_with_the_desk_can_be_used(self, file: Path) -> None:
        assert mapping.load(file).name in file.name

    @pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe"])
    def test_a_file_that_is_no_toml_gets_a_sentence(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "broken.toml"
        file.write_bytes(content)
        with pytest.raises(InvalidInput, match=r"broken\.toml is no TOML file"):
            mapping.load(file)


class TestChoose:
    def test_the_mapping_whose_columns_the_file_has(self) -> None:
        files = list(CONFIG.glob("import-*.toml"))
        heading = (
            "Number,Title,Description,Status,Priority,Channel,Category,Customer,Customer e-mail,Owner,Owner e-mail,"
            "Resolution,Created,First response,Resolved,Closed,Due,External key,Tags"
        )
        assert mapping.choose(files, heading.split(",")).name == "desk-export"

    def test_none_fits(self) -> None:
        with pytest.raises(InvalidInput, match="name one with --mapping"):
            mapping.choose(list(CONFIG.glob("import-*.toml")), ["a", "b"])


class TestCheck:
    def test_every_column_is_there(self) -> None:
        mapping.check(rules(), HEADER)

    def test_missing_columns_are_named(self) -> None:
        with pytest.raises(InvalidInput, match="no column named Id, Subject, which"):
            mapping.check(rules(), [name for name in HEADER if name not in {"Id", "Subject"}])

    def test_only_what_the_mapping_names_is_needed(self) -> None:
        by = mapping.parse({"name": "x", "customer": {"email": "Mail"}, "columns": {"title": "Subject"}}, name="x")
        mapping.check(by, ["Subject", "Mail"])
