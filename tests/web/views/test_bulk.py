"""Many tickets at once, through the pages: choose, preview, apply, undo."""

import json
import re
from collections.abc import Awaitable, Callable

import pytest

from admin_app.models import AuditAction, AuditLog, AuditMember, Batch, BatchKind, BatchState, Priority, Status, Ticket
from admin_app.services.batches.bulk import apply as applying
from admin_app.services.operations import tickets
from tests.services.batches.bulk.scenes import BIN, applied, many_tickets, previewed
from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import Visitor, form_on, forms_on, links_on, text_of

Visit = Callable[..., Awaitable[Visitor]]

LINES = "application/x-ndjson, application/json"


@pytest.fixture
async def ids(desk: Desk) -> list[int]:
    """Three tickets of Sam's."""
    return await many_tickets(desk, 3)


def path_of(batch: Batch) -> str:
    return f"/admin/ticket/bulk/{batch.batch_id}"


async def stored(desk: Desk, batch: Batch) -> Batch:
    found: Batch = await desk.stored(Batch, batch.id)
    return found


class TestList:
    async def test_a_supervisor_can_tick_and_choose(self, visit: Visit, ids: list[int]) -> None:
        page = (await (await visit("sue")).get("/admin/ticket/list?status=new&owner=sam@desk.example")).text
        assert [int(number) for number in re.findall(r'name="ids" value="(\d+)" form="bulk"', page)] == ids[::-1]
        assert "all 3 that match" in page
        bar = page[page.index('id="bulk"') : page.index("</form>", page.index('id="bulk"'))]
        assert re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', bar) == [
            ("owner", "sam@desk.example"),
            ("status", "new"),
            ("shown", " ".join(map(str, ids[::-1]))),
        ]
        assert re.findall(r'<option value="(\w+)">', bar) == [
            "close",
            "assign",
            "priority",
            "tag",
            "delete",
            "ticked",
            "page",
            "matching",
        ]

    async def test_staff_see_no_boxes(self, visit: Visit, ids: list[int]) -> None:
        assert 'id="bulk"' not in (await (await visit("sam")).get("/admin/ticket/list")).text

    async def test_the_trash_has_boxes_too(self, desk: Desk, visit: Visit) -> None:
        ids = await many_tickets(desk, 2, **BIN)
        page = (await (await visit("sue")).get("/admin/trash/list?search=fire")).text
        assert len(re.findall(r'name="ids" value="\d+" form="bulk"', page)) == len(ids)
        assert 'action="/admin/trash/bulk"' in page


class TestAsking:
    @pytest.mark.parametrize(
        ("action", "asked"),
        [
            ("close", {"resolution"}),
            ("assign", {"new_owner", "reason"}),
            ("priority", {"priority"}),
            ("tag", {"tags", "removed_tags"}),
            ("delete", {"reason"}),
        ],
    )
    async def test_each_kind_asks_for_what_it_needs(
        self, desk: Desk, visit: Visit, ids: list[int], action: str, asked: set[str]
    ) -> None:
        sue = await visit("sue")
        async with desk.nothing_written():
            answer = await sue.get(f"/admin/ticket/bulk?action={action}&ids={ids[0]}&ids={ids[1]}&ids={ids[0]}")
        form = form_on(answer)
        assert form.fields.keys() == asked | {"form_token", "idempotency_key", "selection"}
        assert "2 chosen tickets" in text_of(answer)

    @pytest.mark.parametrize(
        ("query", "chosen"),
        [
            ("ids=7", "1 chosen ticket"),
            ("scope=page&shown=1+2+3&ids=7", "3 chosen tickets"),
            ("scope=matching&status=open", "everything that matches"),
            ("", "no ticket yet"),
        ],
    )
    async def test_says_which_ones(self, visit: Visit, query: str, chosen: str) -> None:
        answer = await (await visit("sue")).get(f"/admin/ticket/bulk?action=close&{query}")
        assert f"Close: {chosen}" in text_of(answer)

    @in_one(
        "query",
        [
            "",
            "action=",
            "action=purge&ids=1",
            "action=restore&ids=1",
            "action=close&ids=one",
            "action=close&ids=0",
            "action=close&ids=99999999999",
            "action=close&scope=all",
            "action=close&scope=matching&status=lost",
            "action=close&scope=matching&stauts=open",
        ],
    )
    async def test_what_cannot_be_read_is_a_sentence_and_never_everything(self, visit: Visit, query: str) -> None:
        answer = await (await visit("sue")).get(f"/admin/ticket/bulk?{query}")
        assert answer.status_code == 400


class TestPreview:
    async def test_leads_to_a_page_with_before_and_after_and_the_refused(
        self, desk: Desk, visit: Visit, ids: list[int]
    ) -> None:
        await desk.run(tickets.close, desk.cast.sue, ids[2], resolution="Done.", version=1)
        sue = await visit("sue")
        path = f"/admin/ticket/bulk?action=close&ids={ids[0]}&ids={ids[1]}&ids={ids[2]}&ids=4711"
        answer = await sue.fill_in(path, resolution="Put it out.")
        [batch] = await desk.rows(Batch)
        assert (answer.status_code, answer.headers["location"]) == (303, path_of(batch))
        said = text_of(await sue.get(path_of(batch)))
        assert "2 tickets would change , 2 would not" in said.replace("change,", "change ,")
        assert "from New → to Closed" in said
        assert "M-000003 It is closed already." in said
        assert "Number 4711 There is no such ticket." in said
        assert {row.status for row in await desk.rows(Ticket)} == {Status.NEW, Status.CLOSED}

    async def test_everything_that_matches_is_what_the_list_shows(
        self, desk: Desk, visit: Visit, ids: list[int]
    ) -> None:
        await desk.set(Ticket, ids[1], owner_id=None)
        sue = await visit("sue")
        await sue.fill_in("/admin/ticket/bulk?action=priority&scope=matching&owner=nobody&at=end", priority="4")
        [batch] = await desk.rows(Batch)
        assert batch.plan == [[ids[1], 1]]

    async def test_a_whole_delete_batch_comes_back(self, desk: Desk, visit: Visit) -> None:
        ids = await many_tickets(desk, 3, **BIN)
        await desk.set(Ticket, ids[0], delete_batch_id="another")
        sue = await visit("sue")
        await sue.fill_in(f"/admin/trash/bulk?batch={'b' * 32}")
        await sue.fill_in("/admin/trash/bulk?scope=matching&search=fire")
        await sue.fill_in(f"/admin/trash/bulk?ids={ids[0]}")
        plans = [[number for number, _ in batch.plan] for batch in await desk.rows(Batch)]
        assert plans == [ids[1:], ids, ids[:1]]
        last = (await desk.rows(Batch))[-1]
        assert "comes back" in text_of(await sue.get(path_of(last)))

    @pytest.mark.parametrize(
        ("action", "typed", "sentence"),
        [
            ("delete", {"reason": ""}, "This is required."),
            ("assign", {"reason": "r", "new_owner": "kim@desk.example"}, "cannot own tickets"),
            ("tag", {"tags": ""}, "Say which tags to add or to remove."),
        ],
    )
    async def test_a_mistake_brings_the_form_back_with_what_was_chosen(
        self, desk: Desk, visit: Visit, ids: list[int], action: str, typed: dict[str, str], sentence: str
    ) -> None:
        sue = await visit("sue")
        async with desk.nothing_written():
            answer = await sue.fill_in(f"/admin/ticket/bulk?action={action}&ids={ids[0]}", **typed)
        assert (answer.status_code, sentence in text_of(answer)) == (422, True)
        assert form_on(answer).fields["selection"] == f"action={action}&ids={ids[0]}"

    async def test_nothing_ticked_is_a_sentence(self, visit: Visit) -> None:
        answer = await (await visit("sue")).fill_in("/admin/ticket/bulk?action=close")
        assert (answer.status_code, "Choose at least one ticket." in text_of(answer)) == (422, True)

    async def test_what_is_stale_is_marked(self, desk: Desk, visit: Visit, ids: list[int]) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, ids)
        await desk.run(tickets.edit, desk.cast.sam, ids[0], {"title": "Mine"}, version=1)
        said = text_of(await (await visit("sue")).get(path_of(batch)))
        assert "Mine Somebody changed it since: preview again." in said

    async def test_only_whoever_made_it_sees_the_button(self, desk: Desk, visit: Visit, ids: list[int]) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, ids, actor=desk.cast.ada)
        answer = await (await visit("sue")).get(path_of(batch))
        assert "Ada Admin made this preview." in text_of(answer)
        assert [form.action for form in forms_on(answer)] == [f"/admin/ticket/bulk/again/{batch.batch_id}"]


class TestApply:
    async def test_changes_them_and_shows_what_came_of_it(self, desk: Desk, visit: Visit, ids: list[int]) -> None:
        batch, sue = await previewed(desk, BatchKind.PRIORITY, [*ids, 4711]), await visit("sue")
        path = f"/admin/ticket/bulk/apply/{batch.batch_id}"
        answer = await sue.fill_in(path_of(batch), action=path)
        assert (answer.status_code, answer.headers["location"]) == (303, path_of(batch))
        assert {row.priority for row in await desk.rows(Ticket)} == {Priority.CRITICAL}
        page = await sue.get(path_of(batch))
        assert "Set priority: done" in text_of(page)
        assert "Changed 3 Not changed 1" in text_of(page)
        [entry] = [row for row in await desk.rows(AuditLog) if row.action is AuditAction.BULK_PRIORITY]
        assert f"/admin/audit-log/details/{entry.id}" in links_on(page)

    async def test_a_double_click_is_one_change(self, desk: Desk, visit: Visit, ids: list[int]) -> None:
        batch, sue = await previewed(desk, BatchKind.PRIORITY, ids), await visit("sue")
        form = await sue.form_at(path_of(batch), f"/admin/ticket/bulk/apply/{batch.batch_id}")
        assert [(await sue.submit(form)).status_code for _ in range(2)] == [303, 303]
        assert {row.version for row in await desk.rows(Ticket)} == {2}
        again = await sue.post(form.action)
        assert (again.status_code, "applied already" in text_of(again)) == (409, True)

    async def test_a_conflict_brings_the_preview_back_to_be_made_again(
        self, desk: Desk, visit: Visit, ids: list[int]
    ) -> None:
        batch, sue = await previewed(desk, BatchKind.PRIORITY, ids), await visit("sue")
        form = await sue.form_at(path_of(batch), f"/admin/ticket/bulk/apply/{batch.batch_id}")
        await desk.run(tickets.edit, desk.cast.sam, ids[0], {"title": "Mine"}, version=1)
        answer = await sue.submit(form)
        assert answer.status_code == 409
        assert "Nothing was changed. M-000001: It was changed since the preview." in text_of(answer)
        [again] = forms_on(answer)
        assert (await sue.submit(again)).status_code == 303
        fresh = (await desk.rows(Batch))[-1]
        await sue.fill_in(path_of(fresh), action=f"/admin/ticket/bulk/apply/{fresh.batch_id}")
        assert {row.priority for row in await desk.rows(Ticket)} == {Priority.CRITICAL}

    async def test_an_unknown_batch_is_not_found(self, visit: Visit) -> None:
        sue = await visit("sue")
        assert (await sue.get("/admin/ticket/bulk/nothing")).status_code == 404
        assert (await sue.post("/admin/ticket/bulk/apply/nothing")).status_code == 404


class TestLines:
    async def test_progress_flows_and_ends_with_where_to_go(
        self, desk: Desk, visit: Visit, ids: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("admin_app.web.progress.PAUSE_SECONDS", 0.0)
        batch, sue = await previewed(desk, BatchKind.PRIORITY, ids), await visit("sue")
        answer = await sue.post(f"/admin/ticket/bulk/apply/{batch.batch_id}", Accept=LINES)
        *news, last = [json.loads(line) for line in answer.text.splitlines()]
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        assert last == {"goto": path_of(batch)}
        assert all(0 < line["done"] <= line["total"] == 6 for line in news)
        assert {line["said"] for line in news} <= {"3 of 3 tickets checked", "3 of 3 tickets changed"}
        assert (await stored(desk, batch)).state is BatchState.APPLIED

    async def test_a_conflict_is_the_last_line(self, desk: Desk, visit: Visit, ids: list[int]) -> None:
        batch, sue = await previewed(desk, BatchKind.PRIORITY, ids), await visit("sue")
        await desk.run(tickets.edit, desk.cast.sam, ids[0], {"title": "Mine"}, version=1)
        answer = await sue.post(f"/admin/ticket/bulk/apply/{batch.batch_id}", Accept=LINES)
        last = json.loads(answer.text.splitlines()[-1])
        assert last["error"].startswith("Nothing was changed. M-000001")

    async def test_somebody_elses_preview_is_refused_before_any_line(
        self, desk: Desk, visit: Visit, ids: list[int]
    ) -> None:
        batch, sue = await previewed(desk, BatchKind.PRIORITY, ids, actor=desk.cast.ada), await visit("sue")
        answer = await sue.post(f"/admin/ticket/bulk/apply/{batch.batch_id}", Accept=LINES)
        assert (answer.status_code, answer.json()) == (403, {"error": "Somebody else made this preview."})
        assert (await desk.rows(AuditLog))[-1].action is AuditAction.REFUSED

    async def test_a_reader_who_leaves_does_not_undo_what_was_begun(
        self, desk: Desk, visit: Visit, ids: list[int], app, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch, sue = await previewed(desk, BatchKind.PRIORITY, ids), await visit("sue")
        left: list[str] = []

        def leave(phase: str, done: int, total: int) -> None:
            left.append(phase)

        real = applying.apply

        async def slowly(session, actor, batch_id, progress):
            return await real(session, actor, batch_id, leave)

        monkeypatch.setattr(applying, "apply", slowly)
        async with sue.client.stream(
            "POST",
            f"/admin/ticket/bulk/apply/{batch.batch_id}",
            data={"form_token": await sue.token()},
            headers={"Origin": "http://127.0.0.1", "Accept": LINES},
        ):
            pass  # not one line is read
        assert left == ["checking", "changing"]
        assert (await stored(desk, batch)).state is BatchState.APPLIED


class TestUndo:
    async def test_gives_back_and_names_the_others(self, desk: Desk, visit: Visit, ids: list[int]) -> None:
        batch, ada = await applied(desk, await previewed(desk, BatchKind.PRIORITY, ids)), await visit("ada")
        await desk.run(tickets.edit, desk.cast.sam, ids[0], {"title": "Mine"}, version=2)
        answer = await ada.fill_in(path_of(batch), action=f"/admin/ticket/bulk/undo/{batch.batch_id}")
        assert (answer.status_code, answer.headers["location"]) == (303, path_of(batch))
        page = await ada.get(path_of(batch))
        assert "Given back 2 Kept as they are 1" in text_of(page)
        assert "M-000001 It was changed since." in text_of(page)
        assert forms_on(page) == []

    async def test_a_second_time_is_a_sentence(self, desk: Desk, visit: Visit, ids: list[int]) -> None:
        batch, sue = await applied(desk, await previewed(desk, BatchKind.PRIORITY, ids)), await visit("sue")
        path = f"/admin/ticket/bulk/undo/{batch.batch_id}"
        assert (await sue.post(path)).status_code == 303
        answer = await sue.post(path)
        assert (answer.status_code, "undone already" in text_of(answer)) == (409, True)


class TestHistory:
    async def test_the_ticket_and_the_log_tell_of_it(self, desk: Desk, visit: Visit, ids: list[int]) -> None:
        await applied(desk, await previewed(desk, BatchKind.PRIORITY, ids))
        sue = await visit("sue")
        said = text_of(await sue.get(f"/admin/ticket/details/{ids[0]}"))
        assert "Sue Supervisor set its priority as part of a change to many" in said
        [entry] = [row for row in await desk.rows(AuditLog) if row.action is AuditAction.BULK_PRIORITY]
        page = await sue.get(f"/admin/audit-log/details/{entry.id}")
        assert "What it did to each of 3" in text_of(page)
        assert {f"/admin/ticket/details/{number}" for number in ids} <= set(links_on(page))
        found = await sue.get("/admin/audit-log/list?record=M-000002")
        assert f"/admin/audit-log/details/{entry.id}" in links_on(found)
        assert len(await desk.rows(AuditMember)) == 3

    async def test_a_ticket_page_stays_within_twelve_statements(
        self, desk: Desk, visit: Visit, ids: list[int], statement_counter
    ) -> None:
        await applied(desk, await previewed(desk, BatchKind.ASSIGN, ids))
        sue = await visit("sue")
        await sue.get("/admin/notification/list")
        with statement_counter() as counted:
            assert (await sue.get(f"/admin/ticket/details/{ids[0]}")).status_code == 200
        assert counted.total <= 12
