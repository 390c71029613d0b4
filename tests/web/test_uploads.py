"""How large a file may be: by where it goes, and by who sends it."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from admin_app.web.uploads import IMPORT_PATH, file_limit
from tests.services.scenes import Desk
from tests.web.scene import Scene

ATTACHMENT, FILE_TO_IMPORT = 50_000, 300_000


@pytest.fixture
def chosen_settings() -> dict[str, Any]:
    """Two limits that can be told apart."""
    return {"max_attachment_bytes": ATTACHMENT, "max_import_bytes": FILE_TO_IMPORT}


@pytest.fixture
def limits(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the guard was told for each request."""
    told: list[int] = []
    [guard] = [layer for layer in app.user_middleware if "file_limit" in layer.kwargs]

    async def noted(request: Request) -> int:
        told.append(await file_limit(request))
        return told[-1]

    monkeypatch.setitem(guard.kwargs, "file_limit", noted)
    return told


class TestFileLimit:
    @pytest.mark.parametrize("first_name", ["sue", "ada"])
    async def test_a_file_to_import_may_be_large_from_those_who_may_import(
        self, visit: Any, limits: list[int], first_name: str
    ) -> None:
        visitor = await visit(first_name)
        await visitor.post(IMPORT_PATH, files={"file": ("a.csv", b"x")})
        assert limits == [FILE_TO_IMPORT]

    @pytest.mark.parametrize("first_name", ["sam", "olaf"])
    async def test_whoever_may_not_import_is_refused_before_there_is_a_limit(
        self, visit: Any, limits: list[int], first_name: str
    ) -> None:
        answer = await (await visit(first_name)).post(IMPORT_PATH, files={"file": ("a.csv", b"x")})
        assert (answer.status_code, limits) == (403, [])

    async def test_everywhere_else_it_is_an_attachment(self, visit: Any, scene: Scene, limits: list[int]) -> None:
        sue = await visit("sue")
        path = f"/admin/ticket/attach/{scene.ticket.id}"
        await sue.post(path, files={"file": ("a.txt", b"x")})
        assert limits == [ATTACHMENT]

    async def test_whoever_is_not_signed_in_may_send_no_more_than_an_attachment(
        self, desk: Desk, window: Any, limits: list[int]
    ) -> None:
        headers = {"Origin": "http://127.0.0.1"}
        await window().client.post(IMPORT_PATH, files={"file": ("a.csv", b"x")}, headers=headers)
        assert limits == [ATTACHMENT]
