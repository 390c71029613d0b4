"""Files of the pages: kept by the browser for a year when it asks for this very content, small on the wire."""

import gzip
import re
from typing import Any

import pytest

from admin_app.web import assets
from tests.web.conftest import Visit

LARGEST_ICONS = 10_000


class TestAddress:
    def test_it_holds_a_digest_of_the_content(self) -> None:
        assert re.fullmatch(r"/admin/assets/desk\.css\?v=[0-9a-f]{12}", assets.address("desk.css"))

    def test_a_file_that_is_not_there_is_a_mistake_at_once(self) -> None:
        with pytest.raises(KeyError):
            assets.address("nothing.css")


class TestServe:
    async def test_this_very_content_is_kept_for_a_year(self, window: Any) -> None:
        window, wrong = window(), {}
        for name, asset in assets.all_assets().items():
            answer = await window.get(assets.address(name))
            headers = answer.headers
            sent = asset.compressed or asset.content
            if (
                answer.content != asset.content
                or headers["cache-control"] != "public, max-age=31536000, immutable"
                or headers["vary"] != "Accept-Encoding"
                or int(headers["content-length"]) != len(sent)
            ):
                wrong[name] = dict(headers)
        assert wrong == {}

    async def test_without_the_digest_or_with_another_the_browser_asks_again(self, window: Any) -> None:
        window = window()
        for path in ("/admin/assets/desk.css", "/admin/assets/desk.css?v=000000000000"):
            answer = await window.get(path)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, no-cache")
        again = await window.get("/admin/assets/desk.css", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == "public, no-cache"

    async def test_whoever_takes_no_gzip_gets_it_plain(self, window: Any) -> None:
        for accepted in ("identity", "br", "gzip;q=0", ""):
            answer = await window().get("/admin/assets/desk.css", headers={"Accept-Encoding": accepted})
            assert "content-encoding" not in answer.headers
            assert answer.content == assets.all_assets()["desk.css"].content

    async def test_head_tells_without_sending(self, window: Any) -> None:
        answer = await window().client.head(assets.address("desk.css"))
        assert (answer.status_code, answer.content) == (200, b"")

    async def test_a_page_names_only_files_with_digests(self, visit: Visit) -> None:
        page = (await (await visit("sam")).get("/admin/ticket/list")).text
        named = re.findall(r"/admin/(?:assets|statics)/[^\"#]*", page)
        assert len(named) > 5
        assert {address for address in named if "?v=" not in address} == set()


class TestSize:
    def test_icons_come_as_drawings_and_no_font_is_among_the_files(self) -> None:
        files = assets.all_assets()
        assert not [name for name in files if name.endswith((".woff", ".woff2", ".ttf"))]
        assert len(files["icons.svg"].content) < LARGEST_ICONS

    def test_what_is_worth_it_is_compressed(self) -> None:
        for asset in assets.all_assets().values():
            assert not asset.compressed or gzip.decompress(asset.compressed) == asset.content
        assert all(file.compressed for file in assets.all_assets().values() if len(file.content) > 1000)


class TestAcceptsGzip:
    @pytest.mark.parametrize("accepted", ["gzip", "br, GZIP", "deflate, gzip;q=0.5", "gzip;q=1.0"])
    def test_yes(self, accepted: str) -> None:
        assert assets.accepts_gzip(accepted)

    @pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.000", "xgzip", "*;q=0"])
    def test_no(self, accepted: str) -> None:
        assert not assets.accepts_gzip(accepted)
