"""Pages go out compressed; streams, downloads and small answers as they are."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse

from admin_app.web import compression
from admin_app.web.compression import CompressedPages
from tests.services.scenes import Desk
from tests.web.conftest import Visit
from tests.web.scene import Scene

TEXT = "Smoke everywhere. " * 500


async def get(response: Response, **headers: str) -> httpx.Response:
    """The response as a browser behind the middleware sees it."""
    transport = httpx.ASGITransport(CompressedPages(response))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.get("/", headers={"Accept-Encoding": "gzip", **headers})


class TestCompressedPages:
    @pytest.mark.parametrize("response", [HTMLResponse(TEXT), JSONResponse({"text": TEXT})], ids=["page", "JSON"])
    async def test_a_page_is_compressed(self, response: Response) -> None:
        answer = await get(response)
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert int(answer.headers["content-length"]) < 500
        assert answer.content == response.body

    async def test_whoever_takes_no_gzip_gets_it_plain(self) -> None:
        answer = await get(HTMLResponse(TEXT), **{"Accept-Encoding": "br"})
        assert (answer.text, answer.headers.get("content-encoding")) == (TEXT, None)

    @pytest.mark.parametrize(
        "response",
        [
            HTMLResponse("small"),
            PlainTextResponse(TEXT),
            Response(TEXT, media_type="text/html", headers={"Content-Disposition": "attachment; filename=a.html"}),
            Response(gzip.compress(TEXT.encode()), media_type="text/html", headers={"Content-Encoding": "gzip"}),
        ],
        ids=["small", "no page", "download", "compressed already"],
    )
    async def test_everything_else_passes_untouched(self, response: Response) -> None:
        answer = await get(response)
        assert int(answer.headers["content-length"]) == len(response.body)

    async def test_a_stream_arrives_piece_by_piece(self) -> None:
        sent: list[bytes] = []

        async def lines() -> AsyncIterator[str]:
            for number in range(3):
                assert len(sent) == number, "the line before has not gone out yet"
                yield TEXT

        async def send(message: Any) -> None:
            if message.get("body"):
                sent.append(message["body"])

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"accept-encoding", b"gzip")]}
        app = CompressedPages(StreamingResponse(lines(), media_type="text/html"))
        await app({**scope, "asgi": {"spec_version": "2.4"}}, receive, send)
        assert sent == [TEXT.encode()] * 3

    async def test_what_is_no_request_passes(self) -> None:
        seen: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["type"])

        await CompressedPages(app)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
        assert seen == ["lifespan"]

    async def test_the_desk_uses_it(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        page = await sam.get("/admin/ticket/list")
        assert page.headers["content-encoding"] == "gzip"
        assert "Mouse is gone" in page.text
        file = await sam.get(f"/admin/ticket/attachment/{scene.attachment.id}")
        assert (file.content, file.headers.get("content-encoding")) == (b"it burns", None)


class TestCompress:
    def test_the_length_does_not_tell_how_well_it_compressed(self) -> None:
        packed = [compression.compress(TEXT.encode()) for _ in range(100)]
        assert {gzip.decompress(one) for one in packed} == {TEXT.encode()}
        assert len({len(one) for one in packed}) > 20
