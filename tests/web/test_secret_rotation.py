"""The secret key changes while people work: nobody is signed out and no open form is lost."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from admin_app.app import create_app
from admin_app.models import Comment
from admin_app.settings import Settings
from tests.services.scenes import Desk
from tests.web.browsing import ORIGIN, Form, Visitor, text_of
from tests.web.conftest import SECRET_KEY
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]
NEW_KEY = SecretStr("the key that the desk was given this morning")


@asynccontextmanager
async def restarted(settings: Settings, visitor: Visitor, **changed: object) -> AsyncIterator[Visitor]:
    """The same window in front of the desk as it is after a restart with other settings."""
    app = create_app(settings.model_copy(update=changed))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=visitor.client.cookies) as client:
        yield Visitor(client)
    await app.state.errors.close()
    await app.state.database.dispose()


async def comment_form(visitor: Visitor, scene: Scene) -> Form:
    """The form for a comment, as it stands on the ticket's page."""
    number = scene.ticket.id
    return await visitor.form_at(f"/admin/ticket/details/{number}", f"/admin/ticket/comment/{number}")


class TestRotation:
    @pytest.fixture
    async def sam(self, visit: Visit) -> Visitor:
        """Sam at his window."""
        return await visit("sam")

    async def test_an_open_form_and_its_sign_in_go_on_working(
        self, settings: Settings, desk: Desk, scene: Scene, sam: Visitor
    ) -> None:
        form = await comment_form(sam, scene)
        rotated = {"secret_key": NEW_KEY, "secret_key_previous": (SecretStr(SECRET_KEY),)}
        async with restarted(settings, sam, **rotated) as same_sam:
            answer = await same_sam.submit(form, body="Typed before, sent after.")
            assert answer.status_code == 303, text_of(answer)
            fresh = await comment_form(same_sam, scene)
        assert fresh.fields["form_token"] != form.fields["form_token"]
        assert "Typed before, sent after." in [comment.body for comment in await desk.rows(Comment)]

    async def test_once_the_old_key_is_gone_so_is_what_it_signed(
        self, settings: Settings, desk: Desk, scene: Scene, sam: Visitor
    ) -> None:
        form = await comment_form(sam, scene)
        async with restarted(settings, sam, secret_key=NEW_KEY) as same_sam, desk.nothing_written():
            answer = await same_sam.submit(form, body="Typed too long ago.")
            assert answer.status_code == 403
            assert "Typed too long ago." in text_of(answer)
            assert (await same_sam.get("/admin/ticket/list")).status_code == 200
