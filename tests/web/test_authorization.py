"""Who gets to see what, and what stays in the log when somebody tries what they may not."""

from collections.abc import Awaitable, Callable

import pytest
from starlette.applications import Starlette

from admin_app.models import AuditAction, AuditLog
from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import Visitor, text_of
from tests.web.posts import SIGN_IN, SIGN_OUT, every_post
from tests.web.routes import every_address
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]

NAMES = ("sam", "sue", "olaf", "ada")
NO_LIST_OF_THAT = (404, 404, 404, 404)
PAGES = {
    "/admin/": (200, 200, 302, 200),
    "/admin/ticket/list": (200, 200, 403, 200),
    "/admin/ticket/details/{pk:path}": (200, 200, 404, 200),
    "/admin/ticket/create": (200, 200, 403, 200),
    "/admin/ticket/edit/{pk:path}": (200, 200, 404, 200),
    "/admin/ticket/ajax/lookup": (400, 400, 403, 400),
    "/admin/ticket/number/{number}": (303, 303, 403, 303),
    "/admin/ticket/attachment/{pk}": (200, 200, 403, 200),
    "/admin/ticket/resolve/{pk}": (200, 200, 403, 200),
    "/admin/ticket/close/{pk}": (200, 200, 403, 200),
    "/admin/ticket/reopen/{pk}": (403, 200, 403, 200),
    "/admin/ticket/transfer/{pk}": (200, 200, 403, 200),
    "/admin/ticket/delete/{pk}": (200, 200, 403, 200),
    "/admin/ticket/export": (403, 200, 403, 200),
    "/admin/ticket/export/{pk}": (403, 404, 403, 200),
    "/admin/ticket/export/checksum/{pk}": (403, 404, 403, 409),
    "/admin/ticket/bulk": (403, 400, 403, 400),
    "/admin/ticket/bulk/{pk}": (403, 200, 403, 200),
    "/admin/trash/list": (403, 200, 403, 200),
    "/admin/trash/details/{pk:path}": (404, 200, 404, 200),
    "/admin/trash/restore/{pk}": (403, 200, 403, 200),
    "/admin/trash/bulk": (403, 200, 403, 200),
    "/admin/trash/purge/{pk}": (403, 403, 403, 200),
    "/admin/user/list": (200, 200, 403, 200),
    "/admin/user/details/{pk:path}": (200, 200, 404, 200),
    "/admin/user/create": (200, 200, 403, 200),
    "/admin/user/edit/{pk:path}": (200, 200, 404, 200),
    "/admin/user/deactivate/{pk}": (403, 200, 403, 200),
    "/admin/user/off-board/{pk}": (403, 200, 403, 200),
    "/admin/user/reactivate/{pk}": (403, 200, 403, 200),
    "/admin/user/role/{pk}": (403, 403, 403, 200),
    "/admin/user/password/{pk}": (403, 403, 403, 200),
    "/admin/user/end-sessions/{pk}": (403, 403, 403, 200),
    "/admin/user/second-factor/{pk}": (403, 403, 403, 200),
    "/admin/second-factor": (200, 200, 200, 200),
    "/admin/my-sign-ins": (200, 200, 200, 200),
    "/admin/my-password": (200, 200, 200, 200),
    "/admin/user/sign-ins/{pk}": (403, 403, 403, 200),
    "/admin/login/code": (302, 302, 302, 302),
    "/admin/password-link": (410, 410, 410, 410),
    "/admin/login/provider": (302, 302, 302, 302),
    "/admin/comment/list": NO_LIST_OF_THAT,
    "/admin/comment/edit/{pk:path}": (200, 200, 404, 200),
    "/admin/audit-log/list": (403, 200, 403, 200),
    "/admin/audit-log/details/{pk:path}": (404, 200, 404, 200),
    "/admin/notification/list": (200, 200, 200, 200),
    "/admin/import": (403, 200, 403, 200),
    "/admin/import/mapping/{pk}": (403, 200, 403, 200),
    "/admin/import/result/{pk}": (403, 200, 403, 200),
    "/admin/import/rejected/{pk}": (403, 404, 403, 404),
    "/admin/pool": (403, 403, 200, 200),
    "/admin/errors": (403, 403, 200, 200),
    "/admin/errors/kind/{fingerprint}": (403, 403, 200, 200),
    "/admin/slow-queries": (403, 403, 200, 200),
}
"""Statuses for Sam (staff), Sue (supervisor), Olaf (ops) and Ada (admin)."""

FOR_ANYBODY = {"/", "/admin", "/admin/login", "/admin/password-link", "/admin/assets/desk.css"}
FOR_MACHINES = {"/health/live", "/health/ready", "/metrics"}


class TestPages:
    async def test_every_page_has_a_row_in_this_table(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        ada, unlisted = await visit("ada"), {}
        for address in every_address(app, desk, scene):
            if address.template in PAGES or address.template in FOR_ANYBODY | FOR_MACHINES:
                continue
            unlisted[address.template] = (await ada.get(address.path)).status_code
        assert {template: status for template, status in unlisted.items() if status not in {404, 405}} == {}

    @pytest.mark.parametrize("first_name", NAMES)
    async def test_each_role_gets_the_pages_of_its_role(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit, first_name: str
    ) -> None:
        visitor, wrong = await visit(first_name), {}
        for address in every_address(app, desk, scene):
            if address.template in PAGES:
                expected = PAGES[address.template][NAMES.index(first_name)]
                found = (await visitor.get(address.path)).status_code
                if found != expected:
                    wrong[address.template] = (found, expected)
        assert wrong == {}, "(found, expected)"

    @pytest.mark.parametrize("first_name", ["nobody", "mallory"])
    async def test_whoever_is_not_signed_in_is_asked_to(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit, window: Callable[[], Visitor], first_name: str
    ) -> None:
        visitor = window() if first_name == "nobody" else await visit(first_name)
        for address in every_address(app, desk, scene):
            if address.template not in FOR_ANYBODY | FOR_MACHINES and "GET" in address.methods:
                answer = await visitor.get(address.path)
                assert answer.headers.get("location", "").startswith("/admin/login"), address.path

    async def test_staff_edit_customers_and_not_each_other(self, desk: Desk, visit: Visit) -> None:
        sam, users = await visit("sam"), desk.cast.users
        assert (await sam.get(f"/admin/user/edit/{users['kim']}")).status_code == 200
        answer = await sam.get(f"/admin/user/edit/{users['sid']}")
        assert answer.status_code == 403
        assert "Only an admin may edit Sid Staff." in text_of(answer)

    async def test_nobody_but_supervisors_sees_what_others_were_told(self, desk: Desk, visit: Visit) -> None:
        for first_name, status in zip(NAMES, (403, 200, 403, 200), strict=True):
            assert (await (await visit(first_name)).get("/admin/notification/list?show=everyone")).status_code == status


SOMEBODY_ELSES = {"/admin/ticket/bulk/apply/{pk}"}
"""Ada made that preview."""

NOT_FOR_SUPERVISORS = SOMEBODY_ELSES | {
    "/admin/trash/purge/{pk}",
    "/admin/user/role/{pk}",
    "/admin/user/password/{pk}",
    "/admin/user/end-session/{pk}",
    "/admin/user/end-sessions/{pk}",
    "/admin/user/unlink/{pk}",
    "/admin/user/second-factor/{pk}",
}
NOT_FOR_STAFF = NOT_FOR_SUPERVISORS | {
    "/admin/ticket/bulk",
    "/admin/ticket/bulk/again/{pk}",
    "/admin/ticket/export",
    "/admin/ticket/export/cancel/{pk}",
    "/admin/ticket/export/download/{pk}",
    "/admin/ticket/bulk/undo/{pk}",
    "/admin/trash/bulk",
    "/admin/import",
    "/admin/import/mapping/{pk}",
    "/admin/import/check/{pk}",
    "/admin/import/run/{pk}",
    "/admin/import/undo/{pk}",
    "/admin/trash/restore/{pk}",
    "/admin/user/deactivate/{pk}",
    "/admin/user/off-board/{pk}",
    "/admin/user/reactivate/{pk}",
}
TICKET_VERBS = [
    "comment",
    "attach",
    "watch",
    "unwatch",
    "tag",
    "take",
    "transfer",
    "resolve",
    "reopen",
    "close",
    "delete",
]
NOT_FOR_OPS = NOT_FOR_STAFF | {"/admin/ticket/create", "/admin/user/create"}
NOT_FOR_OPS |= {f"/admin/ticket/{verb}/{{pk}}" for verb in TICKET_VERBS}
FOR_OPS_ALONE = {"/admin/pool/test-alert"}
REFUSED = {
    "sam": NOT_FOR_STAFF | FOR_OPS_ALONE,
    "sue": NOT_FOR_SUPERVISORS | FOR_OPS_ALONE,
    "olaf": NOT_FOR_OPS,
    "ada": set(),
}
"""Forms answered with 403; what somebody may not even see is 404."""


class TestRefusals:
    @pytest.mark.parametrize("first_name", NAMES)
    async def test_a_refused_form_changes_nothing_and_is_written_down_once(
        self, desk: Desk, scene: Scene, visit: Visit, first_name: str
    ) -> None:
        visitor, refused = await visit(first_name), set()
        for post in every_post(desk, scene):
            if post.template in (SIGN_IN, SIGN_OUT):
                continue
            before = await desk.rows(AuditLog)
            answer = await post.send(visitor, desk)
            added = (await desk.rows(AuditLog))[len(before) :]
            if answer.status_code != 403:
                assert AuditAction.REFUSED not in {entry.action for entry in added}
                continue
            refused.add(post.template)
            [entry] = added
            assert entry.action is AuditAction.REFUSED
            assert (entry.actor_id, entry.record_label) == (desk.cast.users[first_name], f"POST {post.path}")
            assert entry.request_id
        assert refused == REFUSED[first_name]

    async def test_a_refused_page_is_written_down_once(self, desk: Desk, visit: Visit) -> None:
        sam = await visit("sam")
        async with desk.recorded() as recorded:
            assert (await sam.get("/admin/audit-log/list")).status_code == 403
        assert recorded.entry.action is AuditAction.REFUSED
        assert recorded.entry.record_label == "GET /admin/audit-log/list"

    async def test_a_page_that_is_not_there_is_no_refusal(self, desk: Desk, visit: Visit) -> None:
        async with desk.recorded() as recorded:
            assert (await (await visit("sam")).get("/admin/ticket/details/999")).status_code == 404
        assert recorded.audit == []

    async def test_the_page_says_that_and_the_log_why(self, desk: Desk, visit: Visit) -> None:
        sam = await visit("sam")
        async with desk.recorded() as recorded:
            said = text_of(await sam.get("/admin/user/role/1"))
        assert "You are not allowed to do this." in said
        assert "user:change-role" not in said
        assert recorded.entry.reason == "You are not allowed to do this. (user:change-role)"


class TestWhatOpsCanLearn:
    @in_one(
        "path",
        [
            "/admin/ticket/details/{id}",
            "/admin/ticket/edit/{id}",
            "/admin/ticket/resolve/{id}",
            "/admin/ticket/transfer/{id}",
            "/admin/ticket/delete/{id}",
            "/admin/ticket/attachment/{id}",
            "/admin/ticket/number/T-{id:06d}",
            "/admin/comment/edit/{id}",
            "/admin/trash/details/{id}",
            "/admin/trash/restore/{id}",
            "/admin/user/details/{id}",
            "/admin/user/role/{id}",
            "/admin/audit-log/details/{id}",
        ],
    )
    async def test_what_exists_looks_like_what_does_not(self, scene: Scene, visit: Visit, path: str) -> None:
        olaf = await visit("olaf")
        answers = [await olaf.get(path.format(id=number)) for number in (1, scene.deleted.id, 999_999)]
        assert {answer.status_code for answer in answers} <= {403, 404}
        assert len({(answer.status_code, text_of(answer)) for answer in answers}) == 1

    async def test_forms_tell_no_more_than_pages(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        olaf = await visit("olaf")
        for post in every_post(desk, scene):
            if post.template in (SIGN_IN, SIGN_OUT) or "{pk" not in post.template or "notification" in post.template:
                continue
            there = await post.send(olaf, desk)
            missing = await olaf.post(f"{post.path.rsplit('/', 1)[0]}/999999", post.typed)
            assert there.status_code == missing.status_code in (403, 404), post.path

    async def test_staff_cannot_tell_a_ticket_in_the_trash_from_none(self, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        answers = [await sam.get(f"/admin/trash/details/{number}") for number in (scene.deleted.id, 1, 999_999)]
        assert {(answer.status_code, text_of(answer)) for answer in answers} == {(404, text_of(answers[0]))}
