"""S-11: web pages, drawings, polyglots, paths, endless lines: refused or stored, and never shown inside a page."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from admin_app.models import Attachment, TicketImport
from admin_app.services.records.file_store import FileStore
from tests.services.scenes import Desk
from tests.support.chaos import times
from tests.web.browsing import Visitor, text_of
from tests.web.scene import Scene
from tests.web.test_headers_everywhere import faults_of

Visit = Callable[..., Awaitable[Visitor]]

SCRIPT = b"<script>parent.postMessage(document.cookie,'*')</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HOSTILE: dict[str, tuple[str, bytes, str]] = {
    "page": ("page.html", b"<!doctype html>" + SCRIPT, "text/html"),
    "page by another name": ("report.pdf", b"<!doctype html>" + SCRIPT, "application/pdf"),
    "page in UTF-16": ("page.txt", ("<html>" + SCRIPT.decode()).encode("utf-16"), "text/plain"),
    "page in UTF-7": ("page.txt", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-", "text/html; charset=utf-7"),
    "page after a preamble": ("page.txt", b"hello " * 300 + SCRIPT, "text/html"),
    "drawing": ("logo.svg", SVG, "image/svg+xml"),
    "drawing as a picture": ("logo.png", SVG, "image/png"),
    "XSLT": ("x.xml", b'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#"?><x/>', "text/xml"),
    "XHTML": ("x.xhtml", b'<html xmlns="http://www.w3.org/1999/xhtml">' + SCRIPT + b"</html>", "application/xhtml+xml"),
    "mail with a page": ("m.mhtml", b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" + SCRIPT, "message/rfc822"),
    "GIF and script": ("cat.gif", b"GIF89a/*" + SCRIPT + b"*/=alert(1);", "image/gif"),
    "PNG and page": ("cat.png", b"\x89PNG\r\n\x1a\n" + SCRIPT, "text/html"),
    "PDF and page": ("cat.pdf", b"%PDF-1.7\n" + SCRIPT, "text/html"),
    "PDF with script": ("x.pdf", b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj", "a/pdf"),
    "picture and archive": ("cat.jpg", b"\xff\xd8\xff\xe0" + b"PK\x03\x04" + SCRIPT, "image/jpeg"),
    "a path": ("../../x", b"out of here", "text/plain"),
    "another path": ("..\\..\\..\\windows\\win.ini", b"out of here", "text/plain"),
    "an absolute path": ("/etc/cron.d/x", b"* * * * * root id", "text/plain"),
    "a header in the name": ('x"\r\nContent-Type: text/html\r\n\r\n.txt', b"split", "text/plain"),
    "a turned name": ("cod\u202etxt.piz", b"turned", "text/plain"),
    "a type with a header": ("x.txt", b"split", "text/plain\r\nX-Evil: 1"),
}
PROGRAMS: dict[str, tuple[str, bytes]] = {
    "program as a picture": ("cat.jpg", b"MZ\x90\x00" + bytes(100)),
    "program and PDF": ("cat.pdf", b"\x7fELF\x02\x01\x01\x00%PDF-1.7"),
    "script": ("run.ps1", b"Get-Process"),
    "turned program": ("gpj\u202egpj.exe", b"harmless"),
}


def ways_to_be_shown(answer: httpx.Response) -> list[str]:
    """What in this answer would let a browser show or run the file in place of saving it."""
    kind = answer.headers.get("content-type", "")
    found = [word for word in ("html", "svg", "xml", "script", "rfc822", "utf-7") if word in kind]
    if not answer.headers.get("content-disposition", "").startswith("attachment;"):
        found.append("no attachment")
    if "sandbox" not in answer.headers.get("content-security-policy", ""):
        found.append("no sandbox")
    return [*found, *(["a header of theirs"] if "x-evil" in answer.headers else []), *faults_of(answer)]


class TestHostileFiles:
    async def send(self, sam: Visitor, scene: Scene, file: Any) -> Any:
        """Attach it through the form."""
        return await sam.post(f"/admin/ticket/attach/{scene.ticket.id}", files={"file": file})

    async def test_they_are_stored_and_leave_only_as_downloads(
        self, desk: Desk, scene: Scene, visit: Visit, store: FileStore
    ) -> None:
        sam = await visit("sam")
        for name, file in HOSTILE.items():
            assert (await self.send(sam, scene, file)).status_code == 303, name
            stored = (await desk.rows(Attachment))[-1]
            assert not set("/\\\r\n\u202e") & set(stored.filename), name
            assert store.path_of(stored.storage_key).resolve().is_relative_to(store.folder.resolve()), name
            answer = await sam.get(f"/admin/ticket/attachment/{stored.id}")
            assert (answer.status_code, answer.content) == (200, file[1]), name
            assert ways_to_be_shown(answer) == [], name

    async def test_programs_are_refused(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        async with desk.nothing_written():
            for name, file in PROGRAMS.items():
                assert (await self.send(sam, scene, file)).status_code == 422, name


class TestControl:
    """The check finds an answer that a browser would show or run."""

    BOXED = {"content-disposition": "attachment; filename*=UTF-8''x", "content-security-policy": "sandbox"}

    @pytest.mark.parametrize(
        "headers",
        [
            {"content-disposition": "inline"},
            {"content-type": "text/html"},
            {"content-type": "image/svg+xml"},
            {"content-security-policy": "default-src 'self'"},
            {"x-evil": "1"},
        ],
        ids=str,
    )
    def test_it_can_fail(self, headers: dict[str, str]) -> None:
        request = httpx.Request("GET", "http://127.0.0.1/")
        assert ways_to_be_shown(httpx.Response(200, headers={**self.BOXED, **headers}, request=request)) != []


class TestEndlessLine:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """As the desk has it in full, else a tenth."""
        return {"max_attachment_bytes": times(1, 10) * 1024 * 1024}

    async def test_as_an_attachment_it_is_too_large(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        async with desk.nothing_written():
            line = b"x" * times(10_000_000, 100_000_000)
            answer = await sam.post(f"/admin/ticket/attach/{scene.ticket.id}", files={"file": ("line.txt", line)})
        assert answer.status_code == 413

    async def test_as_an_import_it_is_told(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sue, before = await visit("sue"), len(await desk.rows(TicketImport))
        line = b"Subject,Mail\r\n" + b"x" * times(10_000_000, 100_000_000)
        answer = await sue.post("/admin/import", files={"file": ("line.csv", line)})
        assert (answer.status_code, len(await desk.rows(TicketImport))) == (422, before)
        assert "This file has a line of more than 1,000,000 characters." in text_of(answer)
