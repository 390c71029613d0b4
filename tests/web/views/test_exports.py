"""Exports in the browser: what the list shows, once, to whom it belongs."""

import csv
import hashlib
import io

import pytest

from admin_app.errors import Unavailable
from admin_app.models import ExportState, Priority, TicketExport
from admin_app.services.batches.exports import pages
from admin_app.services.batches.exports.running import Turns
from admin_app.web.views.exports import PATH
from tests.services.batches.exports.exporting import asked
from tests.services.scenes import Desk
from tests.web.browsing import form_on, forms_on, links_on, text_of
from tests.web.conftest import Visit


def action(verb: str, export: TicketExport) -> str:
    return f"{PATH}/{verb}/{export.id}"


class TestExport:
    async def test_from_the_list_to_the_file_and_its_checksum(
        self, desk: Desk, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "FIRST_PAGE_ROWS", 1)
        found = [await desk.ticket(title=f"Lamp {n} =1+1", priority=Priority.HIGH) for n in range(3)]
        await desk.ticket(title="Lamp too", priority=Priority.LOW)
        sue = await visit("sue")
        listed = await sue.get("/admin/ticket/list?search=lamp&priority=3&sortBy=ticket_number&sort=desc&pageSize=25")
        [way] = [link for link in links_on(listed) if link.startswith(PATH)]
        assert "pageSize" not in way
        question = await sue.get(way)
        assert "3 tickets , as you have filtered and searched the list, in the order of the list." in text_of(question)
        answer = await sue.submit(form_on(question, PATH), format="csv")
        [export] = await desk.rows(TicketExport)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}/{export.id}?begin=yes")

        page = await sue.get(f"{PATH}/{export.id}")
        assert "3 tickets as CSV." in text_of(page)
        download = await sue.submit(form_on(page, action("download", export)))
        lines = list(csv.DictReader(io.StringIO(download.text, newline="")))
        assert [line["Number"] for line in lines] == [ticket.ticket_number for ticket in reversed(found)]
        name = f"tickets-{export.created_at:%Y-%m-%d}-{export.id}.csv"
        assert download.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"

        digest = hashlib.sha256(download.content).hexdigest()
        over = await sue.get(f"{PATH}/{export.id}")
        assert "The whole file is out" in text_of(over)
        assert digest in text_of(over)
        assert forms_on(over) == []
        side = await sue.get(action("checksum", export))
        assert side.text == f"# rows: 3\n{digest}  {name}\n"
        told = await sue.get(f"{PATH}/{export.id}", headers={"Accept": "application/json"})
        assert told.json() == {"done": 3, "state": "finished", "is_over": True}
        assert f"{PATH}/{export.id}" in links_on(await sue.get(PATH))

    async def test_it_goes_out_once_and_what_was_cancelled_never(self, desk: Desk, visit: Visit) -> None:
        sue = await visit("sue")
        export = await asked(desk, desk.cast.sue)
        assert (await sue.get(action("checksum", export))).status_code == 409
        page = await sue.get(f"{PATH}/{export.id}")
        answer = await sue.submit(form_on(page, action("cancel", export)))
        assert answer.headers["location"] == f"{PATH}/{export.id}"
        assert "This export was cancelled." in text_of(await sue.get(f"{PATH}/{export.id}"))
        assert (await sue.post(action("download", export))).status_code == 409
        assert (await sue.post(action("cancel", export))).status_code == 409
        assert (await desk.stored(TicketExport, export.id)).state is ExportState.CANCELLED

    async def test_somebody_elses_is_not_there(self, desk: Desk, visit: Visit) -> None:
        ada, export = await visit("ada"), await asked(desk, desk.cast.sue)
        assert (await ada.get(f"{PATH}/{export.id}")).status_code == 404
        assert (await ada.get(action("checksum", export))).status_code == 404
        for verb in ("download", "cancel"):
            assert (await ada.post(action(verb, export))).status_code == 404

    async def test_who_comes_too_many_gets_a_sentence_and_a_time(
        self, desk: Desk, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def taken(turns: Turns) -> None:
            raise Unavailable("2 exports are running already. Try again in a minute.", retry_after=60)

        monkeypatch.setattr(Turns, "one", taken)
        sue, export = await visit("sue"), await asked(desk, desk.cast.sue)
        answer = await sue.post(action("download", export))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert "2 exports are running already." in text_of(answer)
        assert (await desk.stored(TicketExport, export.id)).state is ExportState.WAITING

    async def test_an_address_that_no_list_has_is_refused(self, visit: Visit) -> None:
        sue = await visit("sue")
        for query in ("shoe=9", "sort=sideways", "sortBy=shoe", "priority=9"):
            answer = await sue.get(f"{PATH}?{query}")
            posted = await sue.post(PATH, {"query": query, "format": "csv"})
            assert posted.status_code == 400, query
            assert answer.status_code == 400 or query == "sortBy=shoe"
        assert (await sue.post(PATH, {"query": "", "format": "pdf"})).status_code == 422
