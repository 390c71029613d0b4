"""Rows of a CSV file, and files that are none."""

import csv
import io
import tracemalloc

import pytest

from admin_app.errors import InvalidInput
from admin_app.services.batches.csv_import import reading
from tests.services.batches.csv_files import GOOD, csv_bytes, row, source

TWO = b"Name,City\r\nAda,Paris\r\nBo,Oslo\r\n"


def refusal(content: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        list(source(content).rows())
    assert list(caught.value.fields) == ["file"]
    return str(caught.value)


class TestHeader:
    def test_names_are_read_without_blanks_around_them(self) -> None:
        assert source(b" Name , City\nAda,Paris\n").header == ("Name", "City")

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_the_delimiter_is_the_one_that_makes_the_most_columns(self, delimiter: str) -> None:
        opened = source(csv_bytes([row(Subject="a,b;c")], delimiter=delimiter))
        assert opened.delimiter == delimiter
        assert next(opened.rows()).cells[3] == "a,b;c"

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "empty"),
            (b"\n1,2\n", "first line of this file is empty"),
            (b"Name,City\n", "no rows"),
            (b"Name,City\n\n , \n", "no rows"),
            (b"Name,City,Name\nAda,Paris,Bo\n", "twice: Name"),
            (",".join(f"c{n}" for n in range(10_000)).encode() + b"\n1\n", "10,000 columns"),
            (b"x" * 300 + b",b\n1,2\n", "more than 200 characters"),
            (b"Name,Ci\x07ty\nAda,Paris\n", "control characters"),
        ],
    )
    def test_one_that_cannot_be_used_gets_a_sentence(self, content: bytes, words: str) -> None:
        assert words in refusal(content)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"Name,City\nAda,Pa\x00ris\n", "is not text"),
            (b"PK\x03\x04rest of a workbook", "Save the sheet as CSV"),
            (b"\x1f\x8brest of an archive", "Save the sheet as CSV"),
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is not text"),
            (b"Name,City\nAda,\x81\x8d\x9d\n", "UTF-8, UTF-16 or Windows-1252"),
            (b"\xff\xfeN\x00a", "UTF-8, UTF-16 or Windows-1252"),
        ],
    )
    def test_what_is_no_text_gets_a_sentence(self, content: bytes, words: str) -> None:
        assert words in refusal(content)

    def test_a_wrong_byte_far_into_the_file_is_found_before_the_first_row(self) -> None:
        content = b"Name,City\n" + b"Ada,Paris\n" * 100_000 + b"Zo\x81,Rome\n"
        with pytest.raises(InvalidInput, match="Save it as UTF-8"):
            source(content)


class TestEncoding:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_text_comes_out_as_it_was_typed(self, encoding: str) -> None:
        opened = source("Name,City\nZoë,Łódź\n".replace("Łódź", "Köln").encode(encoding))
        assert opened.header == ("Name", "City")
        assert [found.cells for found in opened.rows()] == [["Zoë", "Köln"]]

    def test_a_character_cut_by_a_chunk_is_still_utf_8(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "CHUNK_BYTES", 7)
        assert source("Name\nZoë ë ë ë\n".encode()).encoding == "utf-8-sig"


class TestRows:
    def test_each_knows_the_line_where_it_starts(self) -> None:
        content = b'Name,City\nAda,"Par\nis"\n\nBo,Oslo\n'
        assert list(source(content).rows()) == [
            reading.Row(2, ["Ada", "Par\nis"]),
            reading.Row(5, ["Bo", "Oslo"]),
        ]

    def test_they_can_be_asked_for_twice(self) -> None:
        opened = source(TWO)
        assert list(opened.rows()) == list(opened.rows())
        assert opened.position == opened.size == len(TWO)

    def test_a_line_with_another_number_of_columns_says_so(self) -> None:
        few, many = source(b"Name,City\nAda\nBo,Oslo,9\n").rows()
        assert few.problem == "This line has 1 columns; the header has 2."
        assert many.problem == "This line has 3 columns; the header has 2."

    def test_a_repeated_header_says_so(self) -> None:
        repeated, good = source(b"Name,City\nName , City\nBo,Oslo\n").rows()
        assert repeated.problem == "This line repeats the header."
        assert good.problem == ""

    def test_a_damaged_line_is_told_and_reading_goes_on(self) -> None:
        broken, good = source(b'Name,City\n"Ada"x,Paris\nBo,Oslo\n').rows()
        assert broken.problem.startswith("This line is not valid CSV")
        assert (broken.line, broken.cells) == (2, ['"Ada"x,Paris'])
        assert good == reading.Row(3, ["Bo", "Oslo"])

    def test_a_quotation_mark_that_is_never_closed_swallows_nothing_silently(self) -> None:
        found = list(source(b'Name,City\n"Ada,Paris\nBo,Oslo\n').rows())
        assert [bool(line.problem) for line in found] == [True]
        assert found[0].cells == ['"Ada,Paris\nBo,Oslo']

    def test_an_endless_line_is_refused_before_it_fills_the_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "LONGEST_LINE", 50)
        assert "more than 50 characters" in refusal(b"Name,City\nBo,Oslo\nAda," + b"x" * 60 + b"\n")

    def test_an_endless_cell_is_one_damaged_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "LONGEST_CELL", 50)
        found = list(source(b"Name,City\nAda," + b"x" * 60 + b"\nBo,Oslo\n").rows())
        csv.field_size_limit(131_072)
        assert [bool(line.problem) for line in found] == [True, False]

    def test_memory_does_not_grow_with_the_file(self, tmp_path) -> None:
        file = tmp_path / "large.csv"
        with file.open("wb") as target:
            target.write(csv_bytes([]))
            target.writelines([csv_bytes([GOOD]).split(b"\r\n")[1] + b"\r\n"] * 100_000)
        with file.open("rb") as binary:
            opened = reading.CsvSource(binary)
            tracemalloc.start()
            count = sum(1 for _ in opened.rows())
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert count == 100_000
        assert file.stat().st_size > 8_000_000
        assert peak < 1_000_000

    def test_the_file_stays_open_for_its_owner(self) -> None:
        binary = io.BytesIO(TWO)
        opened = reading.CsvSource(binary)
        del opened
        assert not binary.closed
