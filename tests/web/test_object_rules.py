"""S-02: no address reads or writes a record beyond its rule, whatever id or name is put into it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from admin_app.models import AuditAction
from admin_app.web.routes import ROWS, Records, Row
from tests.services.scenes import Desk
from tests.web.browsing import Visitor, text_of
from tests.web.posts import every_post
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]

EVERYBODY = ("sam", "sue", "olaf", "ada")
MISSING = 999_999
SECRETS = ("Spam", "buy this", "Looks like spam", "was handed to Sid")
"""What is written in the records that are tried."""
ANSWERS = {403, 404, 409, 410}


@dataclass(frozen=True)
class Try:
    """A record that this address may not be about."""

    row: Row
    state: str
    record: object

    @property
    def path(self) -> str:
        """The address with that record in it."""
        return self.row.path.replace("{pk:path}", str(self.record)).replace("{pk}", str(self.record))


def tries(scene: Scene) -> list[Try]:
    """Every address that names a record, with records in each state that its rule leaves out."""
    found = []
    for row in ROWS:
        if "{pk" in row.path:
            found.append(Try(row, "missing", MISSING))
            found += [Try(row, state, record) for state, record in _beyond(row, scene)]
    return found


def _beyond(row: Row, scene: Scene) -> Sequence[tuple[str, object]]:
    if row.records is Records.DELETED:
        return [("live", scene.other.id)]
    if row.records is Records.LIVE:
        deleted = {"attachment": scene.deleted_attachment.id, "comment": scene.deleted_comment.id}
        kind = "attachment" if "/attachment/" in row.path else row.path.split("/")[2]
        return [("deleted", deleted.get(kind, scene.deleted.id))]
    if row.path == "/admin/notification/read/{pk}":
        return [("another's", scene.notification.id)]
    return []


async def rows_besides_refusals(desk: Desk) -> dict[str, list[Any]]:
    """Every row, without the entries that refusals leave and the marks of who was seen when."""
    found = await desk.everything()
    found["audit_logs"] = [entry for entry in found["audit_logs"] if AuditAction.REFUSED not in entry]
    del found["user_sessions"]
    return found


async def beyond_the_rule(desk: Desk, scene: Scene, visitor: Visitor) -> tuple[int, list[str]]:
    """How many requests were sent, and those that read or wrote what they may not."""
    forms = {post.template: post for post in every_post(desk, scene)}
    await visitor.token()
    before, sent, wrong = await rows_besides_refusals(desk), 0, []
    for attempt in tries(scene):
        for method in sorted(attempt.row.methods - {"HEAD"}):
            if method == "GET":
                answer = await visitor.get(attempt.path)
            else:
                post = forms[attempt.row.path]
                typed = {"version": "1", **post.typed}
                answer = await visitor.post(attempt.path, typed, files=post.files)
            sent += 1
            text = text_of(answer) if method == "GET" else ""
            if answer.status_code not in ANSWERS or any(secret in text for secret in SECRETS):
                wrong.append(f"{method} {attempt.path} ({attempt.state}): {answer.status_code}")
    after = await rows_besides_refusals(desk)
    return sent, wrong + [f"{name} changed" for name in before if before[name] != after[name]]


class TestObjectRules:
    @pytest.mark.parametrize("first_name", EVERYBODY)
    async def test_no_record_is_read_or_written_beyond_the_rule(
        self, desk: Desk, scene: Scene, visit: Visit, capsys: Any, first_name: str
    ) -> None:
        sent, wrong = await beyond_the_rule(desk, scene, await visit(first_name))
        with capsys.disabled():
            print(
                f"\nS-02 {desk.database.engines.dialect}, {first_name}: {sent} requests, {len(wrong)} beyond the rule"
            )
        assert wrong == []

    async def test_a_record_within_reach_would_be_noticed(
        self, desk: Desk, scene: Scene, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control: the ticket that should be deleted is not."""
        object.__setattr__(scene, "deleted", scene.other)
        _, wrong = await beyond_the_rule(desk, scene, await visit("ada"))
        assert f"GET /admin/ticket/details/{scene.other.id} (deleted): 200" in wrong
        assert "tickets changed" in wrong


NOT_FOR_THIS = [
    ("/admin/ticket/create", {"creator": "nobody@desk.example"}),
    ("/admin/ticket/create", {"owner": "kim@desk.example"}),
    ("/admin/ticket/create", {"owner": "olaf@desk.example"}),
    ("/admin/ticket/create", {"parent": "T-999999"}),
    ("/admin/ticket/create", {"parent": "deleted"}),
    ("/admin/ticket/transfer/{pk}", {"new_owner": "kim@desk.example"}),
    ("/admin/ticket/transfer/{pk}", {"new_owner": "olaf@desk.example"}),
    ("/admin/ticket/transfer/{pk}", {"new_owner": "nobody@desk.example"}),
    ("/admin/ticket/watch/{pk}", {"person": "kim@desk.example"}),
    ("/admin/ticket/watch/{pk}", {"person": "nobody@desk.example"}),
]
"""References that exist not, not any more, or not for this."""


class TestForeignKeys:
    async def test_no_form_refers_to_what_it_may_not(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        ada, forms = await visit("ada"), {post.template: post for post in every_post(desk, scene)}
        await ada.token()
        before, statuses = await rows_besides_refusals(desk), {}
        for template, typed in NOT_FOR_THIS:
            post = forms[template]
            odd = {name: scene.deleted.ticket_number if value == "deleted" else value for name, value in typed.items()}
            answer = await ada.post(post.path, {**await post.data(desk), **odd})
            statuses[(template, *typed.values())] = answer.status_code
        assert {key: status for key, status in statuses.items() if status != 422} == {}
        assert await rows_besides_refusals(desk) == before
