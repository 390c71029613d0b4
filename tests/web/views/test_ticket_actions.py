"""What people do on a ticket's page: the forms, their mistakes, and the files that come back as downloads."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from admin_app.models import Attachment, AuditAction, Comment, Status, Ticket, TicketWatcher
from admin_app.services.records.file_store import FileStore
from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import Visitor, form_on, forms_on, links_on, text_of
from tests.web.scene import Scene, attach

Visit = Callable[..., Awaitable[Visitor]]


def page_of(ticket: Ticket) -> str:
    """The address of its page."""
    return f"/admin/ticket/details/{ticket.id}"


class TestFormsOfActions:
    @pytest.mark.parametrize(
        ("verb", "asked"),
        [
            ("resolve", {"resolution"}),
            ("close", {"resolution"}),
            ("reopen", {"reason"}),
            ("transfer", {"new_owner", "reason", "note"}),
            ("delete", {"reason"}),
        ],
    )
    async def test_looking_at_the_form_asks_and_does_nothing(
        self, desk: Desk, scene: Scene, visit: Visit, verb: str, asked: set[str]
    ) -> None:
        ticket = scene.closed if verb == "reopen" else scene.ticket
        sue = await visit("sue")
        async with desk.nothing_written():
            form = await sue.form_at(f"/admin/ticket/{verb}/{ticket.id}")
        assert form.fields.keys() == asked | {"form_token", "idempotency_key", "version"}
        assert form.fields["version"] == str(ticket.version)
        assert form.action == f"/admin/ticket/{verb}/{ticket.id}"

    async def test_a_resolution_that_is_there_is_offered_again(self, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        await sam.fill_in(f"/admin/ticket/resolve/{scene.ticket.id}", resolution="Wet now.")
        form = await sam.form_at(f"/admin/ticket/close/{scene.ticket.id}")
        assert form.fields["resolution"] == "Wet now."


class TestWhatTheyDo:
    async def test_resolve_then_reopen_then_close(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam, ticket = await visit("sam"), scene.ticket
        for verb, typed, status, sentence in (
            ("resolve", {"resolution": "Wet now."}, Status.RESOLVED, "is resolved."),
            ("reopen", {"reason": "Dry again."}, Status.OPEN, "is open again."),
            ("close", {"resolution": "Burned down."}, Status.CLOSED, "is closed."),
        ):
            answer = await sam.fill_in(f"/admin/ticket/{verb}/{ticket.id}", **typed)
            assert (answer.status_code, answer.headers["location"]) == (303, page_of(ticket))
            assert (await desk.stored(Ticket, ticket.id)).status is status
            assert f"{ticket.ticket_number} {sentence}" in text_of(await sam.get(page_of(ticket)))

    async def test_transfer(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        async with desk.recorded() as recorded:
            answer = await (await visit("sam")).fill_in(
                f"/admin/ticket/transfer/{scene.ticket.id}",
                new_owner="Sid Staff <sid@desk.example>",
                reason="A bucket.",
                note="Hurry.",
            )
        assert answer.status_code == 303
        assert (await desk.stored(Ticket, scene.ticket.id)).owner_id == desk.cast.sid.id
        assert (recorded.entry.action, recorded.entry.reason) == (AuditAction.TRANSFER_OWNERSHIP, "A bucket.")
        assert recorded.told["sid"].endswith("Hurry.")

    async def test_one_click_takes_a_ticket_that_is_nobodys(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam, sue, ticket = await visit("sam"), await visit("sue"), scene.ticket
        take = f"/admin/ticket/take/{ticket.id}"
        await desk.set(Ticket, ticket.id, owner_id=None)
        seen_by_sue = await sue.get(page_of(ticket))
        async with desk.recorded() as recorded:
            assert (await sam.fill_in(page_of(ticket), action=take)).status_code == 303
        assert (await desk.stored(Ticket, ticket.id)).owner_id == desk.cast.sam.id
        assert (recorded.entry.action, recorded.entry.reason) == (AuditAction.TRANSFER_OWNERSHIP, "Took it on.")
        assert take not in [form.action for form in forms_on(await sam.get(page_of(ticket)))]
        late = await sue.submit(form_on(seen_by_sue, take))
        assert (late.status_code, f"Sam Staff was faster: {ticket.ticket_number}" in text_of(late)) == (409, True)
        assert (await desk.stored(Ticket, ticket.id)).owner_id == desk.cast.sam.id

    async def test_delete_leads_to_the_list_and_the_ticket_is_gone(
        self, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        sam, ticket = await visit("sam"), scene.ticket
        answer = await sam.fill_in(f"/admin/ticket/delete/{ticket.id}", reason="A double.")
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/ticket/list")
        assert f"{ticket.ticket_number} is in the trash." in text_of(await sam.get("/admin/ticket/list"))
        assert ticket.ticket_number not in text_of(await sam.get("/admin/ticket/list"))

    async def test_comment_is_public_unless_marked(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam, ticket = await visit("sam"), scene.ticket
        action = f"/admin/ticket/comment/{ticket.id}"
        await sam.fill_in(page_of(ticket), action=action, body="For everybody.\r\nReally.")
        await sam.fill_in(page_of(ticket), action=action, body="For us.", is_internal="yes")
        stored = {comment.body: comment.is_internal for comment in await desk.rows(Comment)}
        assert stored["For everybody.\nReally."] is False
        assert stored["For us."] is True

    async def test_watching_without_a_name_is_watching_oneself(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam, ticket = await visit("sam"), scene.other
        await sam.fill_in(page_of(ticket), action=f"/admin/ticket/watch/{ticket.id}", person="", level="mentions")
        [watcher] = [row for row in await desk.rows(TicketWatcher) if row.ticket_id == ticket.id]
        assert (watcher.user_id, watcher.level.value) == (desk.cast.sam.id, "mentions")
        await sam.fill_in(page_of(ticket), action=f"/admin/ticket/unwatch/{ticket.id}")
        assert [row for row in await desk.rows(TicketWatcher) if row.ticket_id == ticket.id] == []

    async def test_tags_are_replaced(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam, ticket = await visit("sam"), scene.ticket
        form = await sam.form_at(page_of(ticket), f"/admin/ticket/tag/{ticket.id}")
        assert set(form.fields["tags"].split(", ")) == {"vip", "fire"}
        await sam.submit(form, tags=" Water,  VIP ,")
        assert "water" in (page := text_of(await sam.get(page_of(ticket))))
        assert "fire" not in page.lower().split("history")[0].replace("printer on fire", "")


LONG = "x" * 501
MISTAKES = [
    ("resolve", {"resolution": " "}, 422, "Say how this was solved."),
    ("resolve", {"resolution": "Kept \x00 text"}, 422, "cannot be stored"),
    ("resolve", {"resolution": "Kept text", "version": "0"}, 400, "version of this form"),
    ("resolve", {"resolution": "Kept text", "version": "999"}, 409, "was changed after you opened this form"),
    ("close", {"resolution": ""}, 422, "Say how this was solved."),
    ("close", {"resolution": "Kept text", "version": "abc"}, 400, "version of this form"),
    ("transfer", {"new_owner": "", "reason": "Kept text"}, 422, "Enter an e-mail address."),
    ("transfer", {"new_owner": "nobody@desk.example", "reason": "Kept text"}, 422, "Nobody here has the address"),
    ("transfer", {"new_owner": "olaf@desk.example", "reason": "Kept text"}, 422, "cannot own tickets"),
    ("transfer", {"new_owner": "kim@desk.example", "reason": "Kept text"}, 422, "cannot own tickets"),
    ("transfer", {"new_owner": "sam@desk.example", "reason": "Kept text"}, 422, "already"),
    ("transfer", {"new_owner": "sid@desk.example", "reason": ""}, 422, "This is required."),
    ("transfer", {"new_owner": "sid@desk.example", "reason": LONG}, 422, "At most 500 characters"),
    ("transfer", {"new_owner": "sid@desk.example", "reason": "Kept text", "version": "7"}, 409, "was changed"),
    ("delete", {"reason": ""}, 422, "This is required."),
    ("delete", {"reason": "Kept text", "version": "7"}, 409, "was changed"),
]
MISTAKES_ON_THE_PAGE = [
    ("comment", {"body": " "}, 422, "This is required."),
    ("comment", {"body": "Kept \x00 text"}, 422, "cannot be stored"),
    ("watch", {"person": "nobody@desk.example"}, 422, "Nobody here has the address"),
    ("watch", {"person": "kim@desk.example"}, 422, "cannot watch tickets"),
    ("tag", {"tags": "x" * 51}, 422, "at most 50 characters"),
    ("tag", {"tags": ",".join(f"t{number}" for number in range(21))}, 422, "at most 20 tags"),
]


def named(value: Any) -> str:
    """A short id for a row of the tables above."""
    return ",".join(value) if isinstance(value, dict) else str(value)[:30]


class TestMistakes:
    @in_one(("verb", "typed", "status", "sentence"), MISTAKES)
    async def test_a_mistake_in_a_form_keeps_what_was_typed(
        self, desk: Desk, scene: Scene, visit: Visit, verb: str, typed: dict[str, str], status: int, sentence: str
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(f"/admin/ticket/{verb}/{scene.ticket.id}")
        async with desk.nothing_written():
            answer = await sam.submit(form, **typed)
        assert (answer.status_code, sentence in text_of(answer)) == (status, True), text_of(answer)[:400]
        again = form_on(answer)
        assert again.fields.items() >= {name: text for name, text in typed.items() if name != "version"}.items()
        assert again.fields["version"] == str(scene.ticket.version)
        assert again.fields["idempotency_key"] != form.fields["idempotency_key"]

    @pytest.mark.parametrize(("verb", "typed", "status", "sentence"), MISTAKES_ON_THE_PAGE, ids=named)
    async def test_a_mistake_on_the_page_keeps_what_was_typed(
        self, desk: Desk, scene: Scene, visit: Visit, verb: str, typed: dict[str, str], status: int, sentence: str
    ) -> None:
        sam, action = await visit("sam"), f"/admin/ticket/{verb}/{scene.ticket.id}"
        form = await sam.form_at(page_of(scene.ticket), action)
        async with desk.nothing_written():
            answer = await sam.submit(form, **typed)
        assert (answer.status_code, sentence in text_of(answer)) == (status, True), text_of(answer)[:400]
        assert form_on(answer, action).fields.items() >= typed.items()

    async def test_somebody_elses_ticket_is_not_handed_over(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        early = await sam.get(f"/admin/ticket/transfer/{scene.other.id}")
        assert (early.status_code, "is not yours." in text_of(early)) == (403, True)
        data = {"new_owner": "sam@desk.example", "reason": "I want it.", "version": "1"}
        await sam.token()
        answer = await sam.post(f"/admin/ticket/transfer/{scene.other.id}", data)
        assert answer.status_code == 403
        assert "I want it." in text_of(answer)
        assert (await desk.stored(Ticket, scene.other.id)).owner_id == desk.cast.sid.id

    async def test_a_closed_ticket_is_reopened_by_a_supervisor_only(
        self, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        path = f"/admin/ticket/reopen/{scene.closed.id}"
        sam, sue = await visit("sam"), await visit("sue")
        last_word = "Only a supervisor can reopen a closed ticket."
        closing = [text_of(await one.get(f"/admin/ticket/close/{scene.ticket.id}")) for one in (sam, sue)]
        assert [last_word in page for page in closing] == [True, False]
        assert (await sam.get(path)).status_code == 403
        assert (await sam.post(path, {"reason": "Again.", "version": "2"})).status_code == 403
        assert (await desk.stored(Ticket, scene.closed.id)).status is Status.CLOSED
        wordless = await sue.fill_in(path, reason=" ")
        assert (wordless.status_code, "Say why." in text_of(wordless)) == (422, True)
        assert (await sue.fill_in(path, reason="Again.")).status_code == 303

    async def test_two_transfers_at_once_one_wins_and_the_other_is_told(
        self, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        sam, sue = await visit("sam"), await visit("sue")
        path = f"/admin/ticket/transfer/{scene.ticket.id}"
        forms = [await visitor.form_at(path) for visitor in (sam, sue)]
        first = await sue.submit(forms[1], new_owner="sid@desk.example", reason="Sue's choice")
        second = await sam.submit(forms[0], new_owner="ada@desk.example", reason="Sam's choice")
        assert (first.status_code, second.status_code) == (303, 409)
        assert form_on(second).fields["reason"] == "Sam's choice"
        assert (await desk.stored(Ticket, scene.ticket.id)).owner_id == desk.cast.sid.id

    @pytest.mark.parametrize("user_id", ["", "abc", "-1", "1.5", "99999999999999999999"])
    async def test_unwatching_nobody_is_no_page(self, scene: Scene, visit: Visit, user_id: str) -> None:
        answer = await (await visit("sam")).post(f"/admin/ticket/unwatch/{scene.ticket.id}", {"user_id": user_id})
        assert answer.status_code == 404

    async def test_a_level_that_there_is_not_is_refused(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        await sam.token()
        async with desk.nothing_written():
            answer = await sam.post(f"/admin/ticket/watch/{scene.other.id}", {"person": "", "level": "nonsense"})
        assert answer.status_code == 422

    @pytest.mark.parametrize("verb", ["comment", "tag", "watch", "resolve", "delete", "transfer"])
    async def test_a_ticket_in_the_trash_is_gone_and_the_text_is_not(
        self, desk: Desk, scene: Scene, visit: Visit, verb: str
    ) -> None:
        for first_name, sees_trash in (("sam", False), ("sue", True)):
            visitor = await visit(first_name)
            await visitor.token()
            async with desk.nothing_written():
                typed = {"body": "kept text", "version": "1"}
                answer = await visitor.post(f"/admin/ticket/{verb}/{scene.deleted.id}", typed)
            assert answer.status_code == 410
            assert "kept text" in text_of(answer)
            assert (f"/admin/trash/details/{scene.deleted.id}" in links_on(answer)) is sees_trash


class TestAttach:
    async def send(self, sam: Visitor, ticket: Ticket, file: Any) -> Any:
        """Attach through the form of the page."""
        form = await sam.form_at(page_of(ticket), f"/admin/ticket/attach/{ticket.id}")
        return await sam.submit(form, files={"file": file})

    async def test_a_file_is_kept_and_shown(self, desk: Desk, scene: Scene, visit: Visit, store: FileStore) -> None:
        sam = await visit("sam")
        answer = await self.send(sam, scene.ticket, ("..\\..\\etc/pass<b>wd.txt", b"hello", "text/html"))
        assert answer.status_code == 303
        stored = (await desk.rows(Attachment))[-1]
        assert (stored.filename, stored.size) == ("pass<b>wd.txt", 5)
        assert store.path_of(stored.storage_key).read_bytes() == b"hello"
        assert "pass<b>wd.txt" in text_of(await sam.get(page_of(scene.ticket)))

    async def test_the_same_file_sent_twice_is_attached_once(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        form = await sam.form_at(page_of(scene.ticket), f"/admin/ticket/attach/{scene.ticket.id}")
        before = len(await desk.rows(Attachment))
        for _ in range(2):
            assert (await sam.submit(form, files={"file": ("plan.txt", b"run")})).status_code == 303
        assert len(await desk.rows(Attachment)) == before + 1

    @pytest.mark.parametrize(
        ("file", "status", "sentence"),
        [
            (("virus.EXE", b"MZ"), 422, "Programs (.exe) are not accepted."),
            (("empty.txt", b""), 422, "This file is empty."),
            (("", b"nameless"), 422, "Choose a file."),
            (("..", b"dots"), 422, "Choose a file."),
            (("large.txt", b"x" * 2_000_000), 413, "A file may have at most 1 MB."),
        ],
        ids=["program", "empty", "nameless", "dots", "large"],
    )
    async def test_what_is_not_accepted_is_explained_on_the_page(
        self, desk: Desk, scene: Scene, visit: Visit, file: Any, status: int, sentence: str
    ) -> None:
        sam = await visit("sam")
        async with desk.nothing_written():
            answer = await self.send(sam, scene.ticket, file)
        assert (answer.status_code, sentence in text_of(answer)) == (status, True), text_of(answer)[:300]
        assert len(forms_on(answer)) > 3, "the page is still there"

    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """A small limit, so that the large file can be small."""
        return {"max_attachment_bytes": 1024 * 1024, "max_form_bytes": 1024 * 1024}

    async def test_a_text_in_place_of_a_file_is_no_file(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        answer = await sam.post(f"/admin/ticket/attach/{scene.ticket.id}", {"file": "just text"})
        assert (answer.status_code, "Choose a file." in text_of(answer)) == (422, True)


class TestDownload:
    @pytest.mark.parametrize(
        "filename", ["plain.txt", 'quo"te;s=.html', "Übergröße ☃ 漢字.svg", "line\u2028break.xml", "%2e%2e%2fpercent"]
    )
    async def test_a_file_comes_as_an_attachment_and_nothing_else(
        self, desk: Desk, scene: Scene, visit: Visit, store: FileStore, filename: str
    ) -> None:
        content = b"<script>alert(1)</script>"
        file = await attach(desk, store, scene.ticket, filename, content)
        answer = await (await visit("sam")).get(f"/admin/ticket/attachment/{file.id}")
        assert (answer.status_code, answer.content) == (200, content)
        disposition = answer.headers["content-disposition"]
        assert disposition.startswith("attachment; filename*=UTF-8''")
        assert not set('"\r\n ;') & set(disposition.removeprefix("attachment; "))
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"

    async def test_a_file_of_a_deleted_ticket_is_gone_for_everybody(self, scene: Scene, visit: Visit) -> None:
        for first_name in ("sam", "sue", "ada"):
            path = f"/admin/ticket/attachment/{scene.deleted_attachment.id}"
            assert (await (await visit(first_name)).get(path)).status_code == 410

    @pytest.mark.parametrize("key", ["../desk.sqlite3", "/etc/passwd", "ab/../../x", ".", ""])
    async def test_a_key_that_leaves_the_store_leads_nowhere(
        self, desk: Desk, scene: Scene, visit: Visit, key: str
    ) -> None:
        await desk.set(Attachment, scene.attachment.id, storage_key=key)
        answer = await (await visit("sam")).get(f"/admin/ticket/attachment/{scene.attachment.id}")
        assert answer.status_code == 404
        assert "The file is missing from the store." in text_of(answer)

    @in_one("pk", ["..%2f..%2fetc%2fpasswd", "1%2f..", "abc", "0", "-1", "999999", "9" * 30])
    async def test_no_address_leaves_the_store(self, scene: Scene, visit: Visit, pk: str) -> None:
        assert (await (await visit("sam")).get(f"/admin/ticket/attachment/{pk}")).status_code == 404


class TestButtons:
    @pytest.mark.parametrize(
        ("first_name", "which", "expected"),
        [
            ("sam", "ticket", ["edit", "resolve", "close", "transfer", "delete"]),
            ("sam", "other", ["edit", "resolve", "close", "delete"]),
            ("sue", "other", ["take", "edit", "resolve", "close", "transfer", "delete"]),
            ("sam", "closed", ["edit", "transfer", "delete"]),
            ("sue", "closed", ["edit", "reopen", "transfer", "delete"]),
        ],
    )
    async def test_buttons_follow_role_state_and_owner(
        self, scene: Scene, visit: Visit, first_name: str, which: str, expected: list[str]
    ) -> None:
        ticket = getattr(scene, which)
        page = await (await visit(first_name)).get(page_of(ticket))
        verbs = ("edit", "resolve", "close", "reopen", "transfer", "delete")
        shown = [verb for verb in verbs if f"/admin/ticket/{verb}/{ticket.id}" in links_on(page)]
        take = ["take"] if f"/admin/ticket/take/{ticket.id}" in [form.action for form in forms_on(page)] else []
        assert [*take, *shown] == expected
