"""Deleted tickets: seen by supervisors, brought back, and removed for good only with the number typed."""

from collections.abc import Awaitable, Callable

import pytest

from admin_app.models import Attachment, AuditAction, AuditLog, Comment, Ticket, User
from admin_app.services.records.file_store import FileStore
from tests.services.scenes import Desk
from tests.web.browsing import Visitor, form_on, links_on, names_of_links, text_of
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]


class TestList:
    @pytest.mark.parametrize(
        ("query", "is_shown"),
        [("", True), ("?search=spam", True), ("?search=T-000004", True), ("?search=other", False)],
    )
    async def test_it_shows_what_is_deleted_and_nothing_else(
        self, scene: Scene, visit: Visit, query: str, is_shown: bool
    ) -> None:
        page = await (await visit("sue")).get(f"/admin/trash/list{query}")
        shown = names_of_links(page, "/admin/trash/details/")
        assert (scene.deleted.ticket_number in shown) is is_shown
        assert scene.ticket.ticket_number not in shown


class TestDetails:
    async def test_it_shows_what_went_with_the_ticket(self, scene: Scene, visit: Visit) -> None:
        page = text_of(await (await visit("sue")).get(f"/admin/trash/details/{scene.deleted.id}"))
        for expected in ("Spam", "Looks like spam.", "1 comment, 1 file", "spam"):
            assert expected in page
        assert "deleted together" not in page

    async def test_what_was_deleted_together_can_be_restored_together(
        self, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        for _ in range(2):
            other = await desk.deleted_ticket()
            await desk.set(Ticket, other.id, delete_batch_id=scene.deleted.delete_batch_id)
        sue = await visit("sue")
        page = await sue.get(f"/admin/trash/details/{scene.deleted.id}")
        assert "Restore all 3 that were deleted together" in text_of(page)
        [link] = [link for link in links_on(page) if "/admin/trash/bulk?batch=" in link]
        assert "Restore: everything that was deleted together" in text_of(await sue.get(link))

    async def test_a_live_ticket_is_not_in_the_trash(self, scene: Scene, visit: Visit) -> None:
        sue = await visit("sue")
        for verb in ("details", "restore"):
            assert (await sue.get(f"/admin/trash/{verb}/{scene.ticket.id}")).status_code == 404


class TestRestore:
    async def test_it_comes_back_with_its_batch(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sue = await visit("sue")
        answer = await sue.fill_in(f"/admin/trash/restore/{scene.deleted.id}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/ticket/details/{scene.deleted.id}")
        page = text_of(await sue.get(answer.headers["location"]))
        assert f"{scene.deleted.ticket_number} is back." in page
        assert "Looks like spam." in page
        assert "spam.txt" in page

    async def test_an_owner_who_left_is_replaced_in_the_same_form(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        await desk.set(User, desk.cast.users["sam"], is_active=False)
        sue, path = await visit("sue"), f"/admin/trash/restore/{scene.deleted.id}"
        form = await sue.form_at(path)
        async with desk.nothing_written():
            refused = await sue.submit(form)
        assert (refused.status_code, "Choose a new owner." in text_of(refused)) == (422, True)
        mistaken = await sue.submit(form_on(refused), new_owner="kim@desk.example")
        assert (mistaken.status_code, form_on(mistaken).fields["new_owner"]) == (422, "kim@desk.example")
        assert (await sue.submit(form_on(mistaken), new_owner="sid@desk.example")).status_code == 303
        assert (await desk.stored(Ticket, scene.deleted.id)).owner_id == desk.cast.sid.id

    async def test_a_customer_who_left_is_named_above_the_form(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        await desk.set(User, desk.cast.users["kim"], is_active=False)
        answer = await (await visit("sue")).fill_in(f"/admin/trash/restore/{scene.deleted.id}")
        assert (answer.status_code, "Reactivate them first." in text_of(answer)) == (422, True)


class TestPurge:
    async def test_it_says_first_what_will_go(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        ada = await visit("ada")
        await desk.set(Ticket, scene.deleted.id, title="230 volts?")
        async with desk.nothing_written():
            answer = await ada.get(f"/admin/trash/purge/{scene.deleted.id}")
        page = text_of(answer)
        for expected in (
            "Comments 1",
            "Attachments 1",
            "Tickets that point here 0",
            "230 volts? This cannot be undone",
        ):
            assert expected in page

    async def test_with_the_number_typed_it_is_gone_and_its_file_too(
        self, desk: Desk, scene: Scene, visit: Visit, store: FileStore
    ) -> None:
        ada, number = await visit("ada"), scene.deleted.ticket_number
        file = store.path_of(scene.deleted_attachment.storage_key)
        answer = await ada.fill_in(f"/admin/trash/purge/{scene.deleted.id}", typed_number=f" {number.lower()} ")
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/trash/list")
        assert f"{number} is gone for good." in text_of(await ada.get("/admin/trash/list"))
        assert await desk.stored(Ticket, scene.deleted.id) is None
        assert await desk.stored(Comment, scene.deleted_comment.id) is None
        assert await desk.stored(Attachment, scene.deleted_attachment.id) is None
        assert not file.exists()
        tombstone = (await desk.rows(AuditLog))[-1]
        assert (tombstone.action, tombstone.record_label) == (AuditAction.PURGE, number)

    @pytest.mark.parametrize("typed", ["", "T-000001", "yes", "T-000004\x00"])
    async def test_without_it_nothing_happens(
        self, desk: Desk, scene: Scene, visit: Visit, store: FileStore, typed: str
    ) -> None:
        ada = await visit("ada")
        form = await ada.form_at(f"/admin/trash/purge/{scene.deleted.id}")
        async with desk.nothing_written():
            answer = await ada.submit(form, typed_number=typed)
        assert answer.status_code == 422
        assert f"Type {scene.deleted.ticket_number} to remove it for good." in text_of(answer)
        assert store.path_of(scene.deleted_attachment.storage_key).exists()

    async def test_a_ticket_that_others_point_at_stays(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        await desk.set(Ticket, scene.ticket.id, parent_id=scene.deleted.id)
        ada = await visit("ada")
        form = await ada.form_at(f"/admin/trash/purge/{scene.deleted.id}")
        async with desk.nothing_written():
            answer = await ada.submit(form, typed_number=scene.deleted.ticket_number)
        assert answer.status_code == 409
        assert f"still named as the parent of {scene.ticket.ticket_number}" in text_of(answer)
        assert form_on(answer).fields["typed_number"] == scene.deleted.ticket_number
