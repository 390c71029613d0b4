"""From a form to one commit: once however often it is sent, all of it or nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from admin_app.errors import Conflict, TimedOut, Unavailable
from admin_app.models import AuditLog, Comment, ExportState, IdempotencyKey, Ticket, TicketExport
from admin_app.services.operations import comments
from admin_app.services.records import audit
from tests.services.scenes import Desk
from tests.web.browsing import Visitor, form_on, text_of
from tests.web.posts import SIGN_OUT, every_post
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]


class TestOnce:
    async def test_every_form_sent_twice_is_applied_once(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        ada = await visit("ada")
        for number, post in enumerate(every_post(desk, scene)):
            if post.template in (SIGN_OUT, "/admin/import/check/{pk}"):
                continue  # a check imports nothing, however often it is run
            data = {**await post.data(desk), "idempotency_key": f"key {number}"}
            first = await ada.post(post.path, data, files=post.files)
            async with desk.nothing_written():
                second = await ada.post(post.path, data, files=post.files)
            assert (first.status_code, second.status_code) == (post.answers, post.again), post.template
            assert (post.answers, post.again) != (303, 303) or first.headers["location"] == second.headers[
                "location"
            ], post.template

    async def test_the_same_key_with_another_text_is_another_form(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam, path = await visit("sam"), f"/admin/ticket/comment/{scene.ticket.id}"
        for body in ("first", "second", "first"):
            await sam.post(path, {"body": body, "idempotency_key": "the same"})
        assert [comment.body for comment in await desk.rows(Comment)][-2:] == ["first", "second"]

    async def test_the_same_key_of_somebody_else_is_another_form(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        before = len(await desk.rows(Comment))
        for first_name in ("sam", "sue"):
            visitor = await visit(first_name)
            data = {"body": "same", "idempotency_key": "the same"}
            await visitor.post(f"/admin/ticket/comment/{scene.ticket.id}", data)
        assert len(await desk.rows(Comment)) == before + 2

    async def test_a_form_without_a_key_is_applied_each_time(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam, before = await visit("sam"), len(await desk.rows(Comment))
        for _ in range(2):
            await sam.post(f"/admin/ticket/comment/{scene.ticket.id}", {"body": "same", "idempotency_key": ""})
        assert len(await desk.rows(Comment)) == before + 2
        assert await desk.rows(IdempotencyKey) == []

    async def test_a_key_of_any_length_will_do(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        data = {"body": "hello", "idempotency_key": "k" * 100_000}
        answer = await (await visit("sam")).post(f"/admin/ticket/comment/{scene.ticket.id}", data)
        assert answer.status_code == 303

    async def test_a_form_that_failed_may_be_sent_again(
        self, desk: Desk, scene: Scene, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sam, data = await visit("sam"), {"body": "hello", "idempotency_key": "one"}
        path = f"/admin/ticket/comment/{scene.ticket.id}"
        await sam.token()
        with monkeypatch.context() as broken:
            broken.setattr(comments, "add", failing(Unavailable()))
            assert (await sam.post(path, data)).status_code == 503
        assert (await sam.post(path, data)).status_code == 303


def failing(error: Exception) -> Callable[..., Awaitable[None]]:
    """A service that raises."""

    async def fail(*args: Any, **options: Any) -> None:
        raise error

    return fail


class TestAllOrNothing:
    async def test_without_its_audit_entry_there_is_no_change(
        self, desk: Desk, scene: Scene, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """S-20: every form, with the audit log out of order."""
        ada = await visit("ada")
        await ada.token()
        for name in ("record", "record_many", "record_batch"):
            monkeypatch.setattr(audit, name, failing(RuntimeError("the audit log is out of order")))
        broken_off = "/admin/ticket/export/download/{pk}"
        posts = {post.template: post for post in every_post(desk, scene) if "notification" not in post.template}
        with pytest.raises(AssertionError):  # the last bytes of a file that nobody could write down never come
            await posts.pop(broken_off).send(ada, desk)
        audited = [post for post in every_post(desk, scene) if post.template in posts]
        ignored = (
            "error_groups",
            "error_reports",
            "ticket_imports",
            "import_layouts",
            "batches",
            "ticket_exports",
        )  # steps before anything is imported or changed
        before = await desk.everything()
        for post in audited:
            answer = await post.send(ada, desk)
            if answer.status_code == 500:
                assert "Something went wrong. Reference " in text_of(answer), post.template
            else:
                assert answer.status_code in (303, 404, 409, 410, 422), f"{post.template}: {answer.status_code}"
        after = await desk.everything()
        changed = {name for name in before if before[name] != after[name]} - set(ignored)
        assert ExportState.FINISHED not in {export.state for export in await desk.rows(TicketExport)}
        assert changed <= {"idempotency_keys"}, "these changed although nobody could write it down"

    async def test_an_answer_of_a_service_leaves_nothing_behind(
        self, desk: Desk, scene: Scene, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def half(session: Any, actor: Any, ticket_id: int, **options: Any) -> None:
            session.add(Comment(ticket_id=ticket_id, author_id=actor.id, body="half", is_internal=False))
            await session.flush()
            raise Conflict("Not today.")

        monkeypatch.setattr(comments, "add", half)
        sam = await visit("sam")
        form = await sam.form_at(f"/admin/ticket/details/{scene.ticket.id}", f"/admin/ticket/comment/{scene.ticket.id}")
        async with desk.nothing_written():
            answer = await sam.submit(form, body="kept")
        assert (answer.status_code, "Not today." in text_of(answer)) == (409, True)

    async def test_a_refusal_that_cannot_be_written_down_is_still_a_refusal(
        self, desk: Desk, visit: Visit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(audit, "refuse", failing(TimedOut()))
        sam = await visit("sam")
        assert (await sam.get("/admin/trash/list")).status_code == 403
        assert "a refusal could not be recorded" in caplog.text


class TestActor:
    async def test_the_audit_entry_says_who_from_where_and_in_which_request(
        self, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        sam = await visit("sam", client=("192.0.2.7", 4711))
        await sam.post(f"/admin/ticket/tag/{scene.other.id}", {"tags": "vip"})
        entry = (await desk.rows(AuditLog))[-1]
        assert (entry.actor_name, entry.actor_role, entry.ip) == ("Sam Staff", "staff", "192.0.2.7")
        assert len(entry.request_id) == 32

    async def test_a_new_name_is_used_from_the_next_request(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam, ada = await visit("sam"), await visit("ada")
        await ada.fill_in(f"/admin/user/edit/{desk.cast.users['sam']}", full_name="Sam Stafford")
        answer = await sam.fill_in(f"/admin/ticket/edit/{scene.other.id}", title="Another")
        assert answer.status_code == 303
        assert (await desk.rows(AuditLog))[-1].actor_name == "Sam Stafford"
        assert (await desk.stored(Ticket, scene.other.id)).title == "Another"
        assert form_on(await sam.get(f"/admin/ticket/edit/{scene.other.id}")).fields["title"] == "Another"
