"""Files on their way out."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_app.web.downloads import as_download, label


class TestAsDownload:
    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
    def test_no_name_gets_out_of_its_header_and_every_name_comes_back(self, filename: str) -> None:
        [value] = as_download(filename).values()
        start, _, name = value.partition("filename*=UTF-8''")
        assert start == "attachment; "
        assert name.isascii()
        assert not set(name) & set("\"'\\/;, \r\n\t\x00<>()")
        assert unquote(name) == filename


class TestLabel:
    @pytest.mark.parametrize("content_type", ["image/png", "application/pdf", "text/plain"])
    def test_what_we_know_says_so(self, content_type: str) -> None:
        assert label(content_type) == content_type

    @pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "text/html; charset=x", "", "a\r\nb: c"])
    def test_everything_else_is_bytes(self, content_type: str) -> None:
        assert label(content_type) == "application/octet-stream"
