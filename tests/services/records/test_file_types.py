"""What a file is by its first bytes."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_app.services.records import file_types
from admin_app.services.records.file_types import HEAD_BYTES, KNOWN, PROGRAMS, TEXT, UNKNOWN

PAGES = [
    b"<script>alert(1)</script>",
    b"<!DOCTYPE html><title>x</title>",
    b"\xef\xbb\xbf  \r\n<html onload=alert(1)>",
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    b"<svg onload=alert(1)>",
    "<script>alert(1)</script>".encode("utf-16"),
]


class TestSniffed:
    @pytest.mark.parametrize(
        ("head", "name"),
        [
            (b"\x89PNG\r\n\x1a\n....", "image/png"),
            (b"\xff\xd8\xff\xe0....", "image/jpeg"),
            (b"GIF89a....", "image/gif"),
            (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
            (b"RIFF\x10\x00\x00\x00WAVEfmt ", UNKNOWN),
            (b"%PDF-1.7\n", "application/pdf"),
            (b"PK\x03\x04\x14\x00", "application/zip"),
            (b"\x1f\x8b\x08\x00", "application/gzip"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
            ("Grüße,\r\n\tSam\n".encode(), TEXT),
            (b"From: kim@desk.example\r\nSubject: Fire\r\n\r\nHelp", TEXT),
            (b"a,b\n1,2\n", TEXT),
            (b"\x1b[31mred\x1b[0m", TEXT),
            (b"nul\x00inside", UNKNOWN),
            (b"latin-1 \xfc", UNKNOWN),
            (b"", UNKNOWN),
            (b"   ", UNKNOWN),
        ],
        ids=str,
    )
    def test_by_content(self, head: bytes, name: str) -> None:
        assert file_types.sniffed(head) == name

    @pytest.mark.parametrize("page", PAGES, ids=str)
    def test_what_a_browser_would_run_is_unknown(self, page: bytes) -> None:
        assert file_types.sniffed(page) == UNKNOWN

    def test_a_character_cut_in_two_by_the_end_of_the_head_is_forgiven(self) -> None:
        text = b"x" * (HEAD_BYTES - 1) + "ü".encode()
        assert file_types.sniffed(text[:HEAD_BYTES]) == TEXT
        assert file_types.sniffed(b"\xc3" + text[: HEAD_BYTES - 1]) == UNKNOWN
        assert file_types.sniffed(b"x\xc3") == UNKNOWN

    @given(st.binary(max_size=100))
    def test_it_is_always_a_label_that_we_know(self, head: bytes) -> None:
        assert file_types.sniffed(head) in KNOWN | {UNKNOWN}

    def test_no_label_is_one_that_a_browser_runs(self) -> None:
        assert not {name for name in KNOWN if "html" in name or "xml" in name or "svg" in name or "script" in name}


class TestIsProgram:
    @pytest.mark.parametrize("signature", PROGRAMS, ids=repr)
    def test_by_content(self, signature: bytes) -> None:
        assert file_types.is_program(signature + b"\x00\x90\x00")

    @pytest.mark.parametrize("text", [b"MZ-200 is the model of our printer.", b"dex\nterity", b"", b"hello MZ\x00"])
    def test_a_note_is_none(self, text: bytes) -> None:
        assert not file_types.is_program(text)


class TestHeadOf:
    def test_it_leaves_the_file_where_it_starts(self) -> None:
        content = BytesIO(b"x" * 5000)
        content.seek(77)
        assert (len(file_types.head_of(content)), content.tell()) == (HEAD_BYTES, 0)
