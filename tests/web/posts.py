"""One good form for every route that changes something, in an order in which all of them work."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from admin_app.models import Comment, SecondFactor, Ticket, User
from tests.services.batches.csv_files import csv_bytes, rows
from tests.services.scenes import Desk
from tests.support.second_factors import code
from tests.web.browsing import Visitor
from tests.web.scene import BOX, Scene

LINK = "/admin/password-link"
SIGN_IN, SIGN_OUT, CODE = "/admin/login", "/admin/logout", "/admin/login/code"
MY_SIGN_INS, MY_PASSWORD = "/admin/my-sign-ins", "/admin/my-password"
WRONG_PASSWORD = {"present_password": "a wrong guess", "password": "a kettle and a cup"}
"""A right one would end what the forms after it are sent with."""

NOTHING_TO_HAND_OVER = hashlib.sha256(b"[[], []]").hexdigest()
"""What the preview of somebody without open tickets shows: no tickets, nobody who gets any."""


@dataclass(frozen=True)
class Post:
    """What is sent where; `locked` is the record whose version the form carries."""

    template: str
    path: str
    typed: Mapping[str, str] = field(default_factory=dict)
    locked: tuple[Any, int] | None = None
    files: Mapping[str, Any] | None = None
    answers: int = 303
    again: int = 303
    """the answer to the very same form once more"""

    async def data(self, desk: Desk) -> dict[str, str]:
        """The fields with the version that is stored now."""
        if self.locked is None:
            return dict(self.typed)
        return {**self.typed, "version": str((await desk.stored(*self.locked)).version)}

    async def send(self, visitor: Visitor, desk: Desk) -> httpx.Response:
        """Send it as the page's own form would."""
        return await visitor.post(self.path, await self.data(desk), files=self.files)


@dataclass(frozen=True)
class CodePost(Post):
    """Carries the code that the app of whoever began last shows now."""

    async def data(self, desk: Desk) -> dict[str, str]:
        """The code; it may have been used for the form before."""
        factors = await desk.rows(SecondFactor)
        if not factors:
            return {"code": "000000"}
        newest = factors[-1]
        if newest.last_used_step:
            await desk.set(SecondFactor, newest.id, last_used_step=0)
        return {"code": code(BOX.open(newest.sealed_secret, owner_id=newest.user_id) or "")}


def every_post(desk: Desk, scene: Scene) -> list[Post]:
    """As Ada may send them, one after the other; signing out comes last."""
    on_many = _on_many_tickets(scene)
    alone = [*_on_tickets(scene), *_in_the_trash(scene), *_on_people(desk, scene)]
    return [*_on_exports(scene), *on_many, *alone, *_on_imports(scene), *_the_rest(scene)]


def _on_tickets(scene: Scene) -> list[Post]:
    lock = (Ticket, scene.ticket.id)

    def on_ticket(verb: str, files: Any = None, locked: Any = None, **typed: str) -> Post:
        return Post(f"/admin/ticket/{verb}/{{pk}}", f"/admin/ticket/{verb}/{scene.ticket.id}", typed, locked, files)

    edit = on_ticket("edit", locked=lock, title="Printer still on fire")
    return [
        Post("/admin/ticket/create", "/admin/ticket/create", _NEW_TICKET),
        Post("/admin/ticket/edit/{pk:path}", edit.path, edit.typed, lock),
        on_ticket("comment", body="Water is on its way."),
        on_ticket("attach", files={"file": ("plan.txt", b"run")}),
        on_ticket("watch", person="sue@desk.example", level="replies"),
        on_ticket("unwatch", user_id="3"),
        on_ticket("tag", tags="vip, water"),
        on_ticket("take", owner_id=str(scene.ticket.owner_id)),
        on_ticket("transfer", locked=lock, new_owner="sid@desk.example", reason="Sid has a bucket."),
        on_ticket("resolve", locked=lock, resolution="It is wet now."),
        on_ticket("reopen", locked=lock, reason="It burns again."),
        on_ticket("close", locked=lock, resolution="It burned down."),
        on_ticket("delete", locked=lock, reason="No printer, no ticket."),
    ]


def _on_many_tickets(scene: Scene) -> list[Post]:
    def on_batch(verb: str) -> Post:
        return Post(f"/admin/ticket/bulk/{verb}/{{pk}}", f"/admin/ticket/bulk/{verb}/{scene.batch.batch_id}")

    bulk = {"selection": f"action=tag&ids={scene.ticket.id}", "tags": "many"}
    return [
        Post("/admin/ticket/bulk", "/admin/ticket/bulk", bulk),
        on_batch("again"),
        on_batch("apply"),
        on_batch("undo"),
        Post("/admin/trash/bulk", "/admin/trash/bulk", {"selection": f"ids={scene.deleted.id}"}),
    ]


_NEW_TICKET = {"creator": "kim@desk.example", "title": "Scanner hums", "priority": "2", "channel": "web"}


def _in_the_trash(scene: Scene) -> list[Post]:
    number = scene.ticket.ticket_number
    return [
        Post("/admin/trash/restore/{pk}", f"/admin/trash/restore/{scene.deleted.id}"),
        Post("/admin/trash/purge/{pk}", f"/admin/trash/purge/{scene.ticket.id}", {"typed_number": number}),
    ]


def _on_people(desk: Desk, scene: Scene) -> list[Post]:
    mallory = desk.cast.users["mallory"]
    person = {"full_name": "Mallory Mild", "email": "mild@desk.example", "timezone": "Europe/Berlin"}

    def on_person(verb: str, name: str, answers: int = 303, **typed: str) -> Post:
        path = f"/admin/user/{verb}/{desk.cast.users[name]}"
        return Post(f"/admin/user/{verb}/{{pk}}", path, typed, answers=answers)

    return [
        Post("/admin/user/create", "/admin/user/create", {"full_name": "Nora New", "email": "nora@desk.example"}),
        Post("/admin/user/edit/{pk:path}", f"/admin/user/edit/{mallory}", person, (User, mallory)),
        on_person("role", "olaf", role="staff"),
        on_person("end-session", "sue", session_id=str(scene.sues_sign_in.id)),
        on_person("unlink", "sue", identity_id=str(scene.sues_identity.id)),
        on_person("password", "sue", answers=200, reason="Forgotten."),
        on_person("end-sessions", "sue"),
        on_person("second-factor", "sid", reason="The phone fell into the lake."),
        on_person("deactivate", "mallory", reason="Left us."),
        on_person("reactivate", "mallory"),
        on_person("off-board", "mallory", choice="leave", reason="Left us again.", frozen=NOTHING_TO_HAND_OVER),
    ]


MAPPING = {
    "title": "Subject",
    "email": "Mail",
    "full_name": "Who",
    "status": "State",
    "word:status:Waiting": "pending",
    "default_status": "new",
    "default_priority": "medium",
    "default_channel": "web",
    "date_format": "iso",
    "timezone": "UTC",
    "external_key": "Id",
    "key_prefix": "old-desk:",
}


def _on_exports(scene: Scene) -> list[Post]:
    def on_export(verb: str, number: int, **answers: int) -> Post:
        return Post(f"/admin/ticket/export/{verb}/{{pk}}", f"/admin/ticket/export/{verb}/{number}", **answers)

    return [
        Post("/admin/ticket/export", "/admin/ticket/export", {"query": "status=new", "format": "csv"}),
        on_export("download", scene.exported.id, answers=200, again=409),
        on_export("cancel", scene.unwanted.id),
    ]


def _on_imports(scene: Scene) -> list[Post]:
    def on_import(verb: str, again: int = 303, **typed: str) -> Post:
        path = f"/admin/import/{verb}/{scene.imported.id}"
        return Post(f"/admin/import/{verb}/{{pk}}", path, typed, again=again)

    return [
        Post("/admin/import", "/admin/import", files={"file": ("more.csv", csv_bytes(rows(1)))}),
        on_import("mapping", **MAPPING),
        on_import("check"),
        on_import("run", again=409, mode="good_rows"),
        on_import("undo"),
    ]


def _the_rest(scene: Scene) -> list[Post]:
    comment = scene.deleted_comment.id
    return [
        Post(
            "/admin/comment/edit/{pk:path}",
            f"/admin/comment/edit/{comment}",
            {"body": "It is spam."},
            (Comment, comment),
        ),
        Post("/admin/notification/read/{pk}", f"/admin/notification/read/{scene.adas_notification.id}"),
        Post("/admin/notification/read-all", "/admin/notification/read-all"),
        Post("/admin/pool/test-alert", "/admin/pool/test-alert", answers=200),
        *_on_oneself(scene),
        Post(SIGN_OUT, SIGN_OUT),
    ]


def _on_oneself(scene: Scene) -> list[Post]:
    def own(verb: str) -> tuple[str, str]:
        return (f"/admin/second-factor/{verb}",) * 2

    return [
        Post(f"{MY_SIGN_INS}/end", f"{MY_SIGN_INS}/end", {"session_id": str(scene.sign_in.id)}),
        Post(f"{MY_SIGN_INS}/end-others", f"{MY_SIGN_INS}/end-others"),
        Post(*own("begin")),
        CodePost(*own("confirm"), answers=200),
        CodePost(*own("recovery-codes"), answers=200),
        CodePost(*own("off")),
        Post(CODE, CODE, {"code": "000000"}),
        Post(LINK, LINK, {"password": "a kettle and a cup"}, answers=410, again=410),
        Post(f"{MY_SIGN_INS}/unlink", f"{MY_SIGN_INS}/unlink", {"identity_id": str(scene.identity.id)}),
        Post(MY_PASSWORD, MY_PASSWORD, WRONG_PASSWORD, answers=422, again=422),
    ]
