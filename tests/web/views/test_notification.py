"""What people are told: their own list, and marks that only they can set."""

from collections.abc import Awaitable, Callable

from admin_app.models import Notification
from tests.services.scenes import Desk
from tests.web.browsing import Visitor, forms_on, text_of
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]
LIST = "/admin/notification/list"


class TestList:
    async def test_everybody_sees_their_own(self, scene: Scene, visit: Visit) -> None:
        assert scene.notification.message in text_of(await (await visit("sid")).get(LIST))
        assert scene.notification.message not in text_of(await (await visit("sam")).get(LIST))

    async def test_supervisors_may_see_everybodys(self, scene: Scene, visit: Visit) -> None:
        page = text_of(await (await visit("sue")).get(f"{LIST}?show=everyone"))
        assert scene.notification.message in page
        assert "Sid Staff" in page

    async def test_what_is_read_is_not_unread(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sid = await visit("sid")
        path = f"/admin/notification/read/{scene.notification.id}"
        _, mark = [form for form in forms_on(await sid.get(LIST)) if form.action == path]
        answer = await sid.submit(mark)
        assert (answer.status_code, answer.headers["location"]) == (303, LIST)
        assert scene.notification.message not in text_of(await sid.get(f"{LIST}?show=unread"))
        assert scene.notification.message in text_of(await sid.get(LIST))

    async def test_opening_one_is_reading_it(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sid, told = await visit("sid"), scene.notification
        to_ticket = next(form for form in forms_on(await sid.get(LIST)) if "ticket_id" in form.fields)
        answer = await sid.submit(to_ticket)
        assert answer.headers["location"] == f"/admin/ticket/details/{told.ticket_id}"
        assert told.message not in text_of(await sid.get(f"{LIST}?show=unread"))


class TestMarks:
    async def test_nobody_marks_for_others(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        for first_name in ("sam", "sue", "ada", "olaf"):
            visitor = await visit(first_name)
            await visitor.token()
            async with desk.nothing_written():
                answer = await visitor.post(f"/admin/notification/read/{scene.notification.id}")
            assert answer.status_code == 404

    async def test_all_at_once_are_ones_own(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sid = await visit("sid")
        answer = await sid.fill_in(LIST, action="/admin/notification/read-all")
        assert "Everything is marked as read." in text_of(await sid.get(answer.headers["location"]))
        marks = {row.user_id: row.read_at is not None for row in await desk.rows(Notification)}
        assert marks[desk.cast.sid.id]
        assert not marks[desk.cast.ada.id]
