"""R-03 through the pages: one missing, deleted, stale, forbidden and doubled id; all or nothing, and true counts."""

from collections.abc import Awaitable, Callable

import pytest

from admin_app.models import AuditMember, Batch, Status, Ticket
from admin_app.services.batches.bulk import apply as applying
from admin_app.services.batches.bulk import choosing
from admin_app.services.operations import tickets
from tests.services.batches.bulk.scenes import many_tickets
from tests.services.scenes import Desk
from tests.web.browsing import Form, Visitor, form_on, forms_on, text_of

Visit = Callable[..., Awaitable[Visitor]]

MISSING = 4_711


@pytest.fixture
async def ids(desk: Desk) -> list[int]:
    """Eight tickets: five that can be closed, one in the trash, one closed already, one that Sam will edit."""
    ids = await many_tickets(desk, 8)
    await desk.run(tickets.delete, desk.cast.sue, ids[5], reason="a double", version=1)
    await desk.run(tickets.close, desk.cast.sue, ids[6], resolution="Done.", version=1)
    return ids


async def preview_of_all(desk: Desk, sue: Visitor, ids: list[int]) -> Form:
    """The form of a preview of all of them, one twice and one that is missing, after Sam has edited the last one."""
    chosen = "&".join(f"ids={number}" for number in [*ids, ids[0], MISSING])
    answer = await sue.fill_in(f"/admin/ticket/bulk?action=close&{chosen}", resolution="Put it out.")
    page = await sue.get(answer.headers["location"])
    assert "6 tickets would change , 3 would not" in text_of(page).replace("change,", "change ,")
    form = next(form for form in forms_on(page) if "/apply/" in form.action)
    await desk.run(tickets.edit, desk.cast.sam, ids[7], {"title": "Mine"}, version=1)
    return form


async def closed(desk: Desk) -> list[int]:
    return [row.id for row in await desk.rows(Ticket) if row.status is Status.CLOSED]


class TestAllOrNothing:
    async def test_nothing_happens_until_the_preview_is_true_and_then_all_of_it(
        self, desk: Desk, visit: Visit, ids: list[int]
    ) -> None:
        sue = await visit("sue")
        form = await preview_of_all(desk, sue, ids)
        before = await desk.rows(Ticket)
        answer = await sue.submit(form)
        said = text_of(answer)
        assert answer.status_code == 409
        assert "Nothing was changed. M-000008: It was changed since the preview." in said
        assert [vars(row)["version"] for row in await desk.rows(Ticket)] == [row.version for row in before]
        assert await closed(desk) == [ids[6]]
        assert await desk.rows(AuditMember) == []
        fresh = await sue.submit(forms_on(answer)[0])
        page = await sue.get(fresh.headers["location"])
        done = await sue.submit(next(form for form in forms_on(page) if "/apply/" in form.action))
        assert "Changed 6" in text_of(await sue.get(done.headers["location"]))
        assert await closed(desk) == [*ids[:5], *ids[6:]]
        members = [member.record_id for member in await desk.rows(AuditMember)]
        assert sorted(members) == [*ids[:5], ids[7]], "each once, doubled or not"

    async def test_a_batch_that_ignores_versions_would_be_noticed(
        self, desk: Desk, visit: Visit, ids: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control."""
        sue = await visit("sue")
        form = await preview_of_all(desk, sue, ids)
        monkeypatch.setattr(applying, "_stale_or_refused", lambda *row: "")
        assert (await sue.submit(form)).status_code == 303
        assert ids[7] in await closed(desk)


class TestTooMany:
    async def test_more_than_a_batch_holds_are_refused_with_a_sentence(
        self, desk: Desk, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(choosing, "MOST_ROWS", 10)
        await many_tickets(desk, 11)
        sue = await visit("sue")
        answer = await sue.fill_in("/admin/ticket/bulk?action=delete&scope=matching", reason="spam")
        assert answer.status_code == 422
        assert "One batch changes at most 10 tickets. Narrow the list, or do it in parts." in text_of(answer)
        assert form_on(answer).fields["reason"] == "spam"
        assert await desk.rows(Batch) == []
        await desk.set(Ticket, 1, status=Status.RESOLVED)
        answer = await sue.fill_in("/admin/ticket/bulk?action=delete&scope=matching&status=new", reason="spam")
        assert answer.status_code == 303
        assert (await desk.rows(Batch))[0].planned_count == 10

    async def test_a_choice_that_is_too_long_is_refused_and_never_cut(self, desk: Desk, visit: Visit) -> None:
        sue = await visit("sue")
        form = await sue.form_at("/admin/ticket/bulk?action=delete&ids=1")
        for selection in ("action=delete" + "&ids=123456" * 800, "action=delete&shown=1" + "+1" * 4_000):
            answer = await sue.submit(form, selection=selection, reason="spam")
            assert (answer.status_code, "too long a choice" in text_of(answer)) == (400, True)
        assert await desk.rows(Batch) == []
