"""Editing a comment under its lock."""

from collections.abc import Awaitable, Callable

import pytest

from admin_app.models import AuditLog, Comment
from admin_app.services.operations import comments, tickets
from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import Visitor, form_on, text_of
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]


class TestEdit:
    async def test_the_text_is_stored(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        answer = await sam.fill_in(f"/admin/comment/edit/{scene.comment.id}", body="On my\r\nway <b>now</b>.")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/ticket/details/{scene.ticket.id}")
        assert (await desk.stored(Comment, scene.comment.id)).body == "On my\nway <b>now</b>."
        page = await sam.get(answer.headers["location"])
        assert "The comment is saved." in text_of(page)
        assert "<b>now" not in page.text

    async def test_an_unchanged_save_writes_nothing(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        before = len(await desk.rows(AuditLog))
        sam = await visit("sam")
        answer = await sam.fill_in(f"/admin/comment/edit/{scene.comment.id}")
        assert "Nothing was changed." in text_of(await sam.get(answer.headers["location"]))
        assert len(await desk.rows(AuditLog)) == before
        assert (await desk.stored(Comment, scene.comment.id)).version == 1

    @in_one(
        ("typed", "status"),
        [
            ({"body": " "}, 422),
            ({"body": "kept text", "version": ""}, 400),
            ({"body": "kept text", "version": "abc"}, 400),
            ({"body": "kept text", "version": "0"}, 400),
            ({"body": "kept text", "version": "-1"}, 400),
            ({"body": "kept text", "version": "999"}, 409),
            ({"body": "kept \x00 text"}, 422),
        ],
    )
    async def test_a_mistake_writes_nothing_and_keeps_the_text(
        self, desk: Desk, scene: Scene, visit: Visit, typed: dict[str, str], status: int
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(f"/admin/comment/edit/{scene.comment.id}")
        async with desk.nothing_written():
            answer = await sam.submit(form, **typed)
        assert answer.status_code == status
        assert form_on(answer).fields["body"] == typed["body"]

    @pytest.mark.parametrize(("choice", "expected"), [("mine", "Sam's words"), ("theirs", "Sid's words")])
    async def test_two_at_once_and_a_third_in_between(
        self, desk: Desk, scene: Scene, visit: Visit, choice: str, expected: str
    ) -> None:
        sam, number = await visit("sam"), scene.comment.id
        form = await sam.form_at(f"/admin/comment/edit/{number}")
        await desk.run(comments.edit, desk.cast.sue, number, body="Sue's words", version=1)
        first = await sam.submit(form, body="Sam's words")
        assert first.status_code == 409
        for words in ("At start On my way.", "Theirs Sue's words", "Yours Sam's words", "Sue Supervisor"):
            assert words in text_of(first)
        await desk.run(comments.edit, desk.cast.sid, number, body="Sid's words", version=2)
        second = await sam.submit(form_on(first), **{"choice-body": "mine"})
        assert second.status_code == 409
        assert "Theirs Sid's words" in text_of(second)
        assert (await sam.submit(form_on(second), **{"choice-body": choice})).status_code == 303
        assert (await desk.stored(Comment, number)).body == expected

    async def test_a_comment_of_a_deleted_ticket_is_gone_and_the_text_is_not(
        self, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(f"/admin/comment/edit/{scene.comment.id}")
        version = (await desk.stored(type(scene.ticket), scene.ticket.id)).version
        await desk.run(tickets.delete, desk.cast.sue, scene.ticket.id, reason="a double", version=version)
        answer = await sam.submit(form, body="An hour of typing")
        assert answer.status_code == 410
        assert "An hour of typing" in text_of(answer)
