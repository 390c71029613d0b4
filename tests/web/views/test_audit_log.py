"""The audit log: found by who, what, which, when and which field."""

from collections.abc import Awaitable, Callable
from typing import Any

from admin_app.models import AuditAction, AuditLog
from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import Visitor, links_on, text_of
from tests.web.scene import Scene
from tests.web.test_sign_in import sign_in_as

Visit = Callable[..., Awaitable[Visitor]]
LIST = "/admin/audit-log/list"


class TestList:
    @in_one(
        ("query", "expected"),
        [
            ("action=CLOSE", {AuditAction.CLOSE}),
            ("action=DELETE&actor=sam@desk.example", {AuditAction.DELETE}),
            ("action=DELETE&actor=Sam", {AuditAction.DELETE}),
            ("action=DELETE&actor=sue@desk.example", set()),
            ("record=T-000003", {AuditAction.CREATE, AuditAction.CLOSE}),
            ("record=t-000003&field=resolution", {AuditAction.CLOSE}),
            ("field=resolution", {AuditAction.CLOSE}),
            ("field=resolut", set()),
            ("field=%25", set()),
            ("actor=%25", set()),
            ("from=2090-01-01", set()),
            ("to=2020-01-01", set()),
            ("batch=nothing", set()),
        ],
    )
    async def test_it_shows_what_the_address_asks_for(
        self, desk: Desk, scene: Scene, visit: Visit, query: str, expected: set[AuditAction]
    ) -> None:
        page = await (await visit("sue")).get(f"{LIST}?{query}")
        assert page.status_code == 200
        linked = {link.rsplit("/", 1)[1] for link in links_on(page) if link.startswith("/admin/audit-log/details/")}
        assert {entry.action for entry in await desk.rows(AuditLog) if str(entry.id) in linked} == expected

    async def test_a_batch_is_one_link_away(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        [entry] = [row for row in await desk.rows(AuditLog) if row.action is AuditAction.DELETE]
        sue = await visit("sue")
        details = await sue.get(f"/admin/audit-log/details/{entry.id}")
        assert "spam" in text_of(details)
        link = f"{LIST}?batch={entry.batch_id}"
        assert link in links_on(details)
        assert scene.deleted.ticket_number in text_of(await sue.get(link))

    async def test_a_stranger_has_no_role(self, desk: Desk, scene: Scene, visit: Visit, window: Any) -> None:
        await sign_in_as(window(), "stranger@desk.example", "a wrong guess")
        [entry] = [row for row in await desk.rows(AuditLog) if row.action is AuditAction.SIGN_IN_REFUSED]
        sue = await visit("sue")
        for path in (f"{LIST}?action=SIGN_IN_REFUSED", f"/admin/audit-log/details/{entry.id}"):
            said = text_of(await sue.get(path)).lower()
            assert ("unknown" in said, "unknown customer" in said, "unknown, customer" in said) == (True, False, False)

    async def test_text_of_others_is_text(self, desk: Desk, visit: Visit) -> None:
        await desk.ticket(title="<script>alert(1)</script>")
        assert "<script>alert" not in (await (await visit("sue")).get(LIST)).text
