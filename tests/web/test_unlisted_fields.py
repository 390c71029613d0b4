"""S-03 and S-20: a form changes the fields that it shows and no other, and leaves one entry in the audit log."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import inspect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from admin_app.db.base import Base
from admin_app.models import AuditLog, Ticket, User
from admin_app.permissions import Role
from admin_app.web.desk import form_of
from admin_app.web.routes import ANYONE, button
from tests.services.scenes import Desk
from tests.web.browsing import Visitor, forms_on
from tests.web.posts import Post, every_post
from tests.web.scene import Scene
from tests.web.test_routes import plant

Visit = Callable[..., Awaitable[Visitor]]

PLANTED = {"int": "424242", "datetime": "2031-03-03T03:03", "str": "planted"}
TRACES = ("424242", "2031, 3, 3", "2031-03-03", "planted")
CHOICES = {
    "role": "admin",
    "actor_role": "admin",
    "status": "closed",
    "is_active": "",
    "is_internal": "1",
    "priority": "4",
}
LEAVES = {
    "/admin/ticket/bulk": 0,
    "/admin/ticket/bulk/again/{pk}": 0,
    "/admin/trash/bulk": 0,
    "/admin/import": 0,
    "/admin/import/mapping/{pk}": 0,
    "/admin/import/check/{pk}": 0,
    "/admin/import/run/{pk}": 5,
    "/admin/notification/read/{pk}": 0,
    "/admin/notification/read-all": 0,
    "/admin/login/code": 0,
    "/admin/password-link": 0,
}
"""Previews, steps before an import, one's own notifications, a code without a sign-in and a password without a link
change no record of the desk; an import writes one entry for itself and one for each of its tickets and customers."""
OURS = {"form_token", "idempotency_key", "version"}


def planted_fields() -> dict[str, str]:
    """A value for every column of every table, to be found again wherever it gets."""
    found: dict[str, str] = {}
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            try:
                kind = column.type.python_type.__name__
            except NotImplementedError:
                kind = "str"
            found[column.name] = CHOICES.get(column.name, PLANTED.get(kind, "planted"))
    return found


async def shown_by(visitor: Visitor, post: Post) -> set[str]:
    """The fields that the form has: those of its page, or those that are known."""
    page = await visitor.get(post.path)
    shown = {name for form in forms_on(page) for name in {*form.fields, *form.options}} if page.is_success else set()
    return shown | set(post.typed) | OURS


async def traces_in(desk: Desk) -> list[str]:
    """Tables in which something planted arrived, and people who have become what they are not."""
    found = [name for name, rows in (await desk.everything()).items() if any(word in repr(rows) for word in TRACES)]
    admins = {person.email for person in await desk.rows(User) if person.role is Role.ADMIN}
    return found + sorted(admins - {"ada@desk.example"})


async def send_with_more(desk: Desk, scene: Scene, ada: Visitor, columns: dict[str, str]) -> tuple[int, dict[str, int]]:
    """How many fields were added to how many forms in all, and the entries that each form left in the audit log."""
    added, entries = 0, {}
    await ada.token()
    for post in every_post(desk, scene):
        shown = await shown_by(ada, post)
        more = {name: value for name, value in columns.items() if name not in shown}
        added += len(more)
        before = len(await desk.rows(AuditLog))
        answer = await ada.post(post.path, {**more, **await post.data(desk)}, files=post.files)
        assert answer.status_code == post.answers, f"{post.path}: {answer.status_code}"
        entries[post.template] = len(await desk.rows(AuditLog)) - before
    return added, entries


class TestUnlistedFields:
    async def test_no_unlisted_field_changes_and_every_form_leaves_its_entry(
        self, desk: Desk, scene: Scene, visit: Visit, capsys: Any
    ) -> None:
        added, entries = await send_with_more(desk, scene, await visit("ada"), planted_fields())
        with capsys.disabled():
            dialect = desk.database.engines.dialect
            print(f"\nS-03 {dialect}: {added} columns added to {len(entries)} forms, 0 arrived")
            print(f"S-20 {dialect}: audit rows per form {dict(Counter(entries.values()))}")
        assert await traces_in(desk) == []
        assert {template: number for template, number in entries.items() if number != 1} == LEAVES

    async def test_a_form_that_takes_whatever_comes_would_be_noticed(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        """The negative control."""

        async def assign(request: Request) -> Response:
            names = {column.key for column in inspect(Ticket).columns if column.key in {"category", "external_key"}}
            await desk.set(Ticket, scene.other.id, **{name: str(form_of(request)[name]) for name in names})
            return PlainTextResponse("done")

        plant(app, "/planted", assign, ("POST",))
        app.state.routes.add(button("/admin/planted", ANYONE))
        await (await visit("ada")).post("/admin/planted", planted_fields())
        assert await traces_in(desk) == ["tickets"]
