"""R-01: twenty people save one ticket again and again on a server, each from a form of their own; nothing is lost."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from admin_app.models import AuditLog, Ticket
from tests.faults import builds
from tests.faults.posting import Poster, several
from tests.flows.serving import Server, serving
from tests.services.scenes import Desk
from tests.support import chaos
from tests.web.browsing import form_on

CLIENTS = 20
SAVES = chaos.times(5, 50)


@dataclass
class Tally:
    """How the saves ended, and what the tables say of them."""

    statuses: Counter[int] = field(default_factory=Counter)
    acked: list[str] = field(default_factory=list)
    growth: int = 0
    entries: int = 0
    stored: list[str] = field(default_factory=list)

    def complaints(self) -> list[str]:
        """What is not as it must be."""
        checks = {
            "saved words are lost": not set(self.acked) <= set(self.stored),
            "acked, version growth and audit rows differ": not len(self.acked) == self.growth == self.entries,
            "somebody heard something else": not set(self.statuses) <= {303, 409},
        }
        return [complaint for complaint, is_so in checks.items() if is_so]

    def __str__(self) -> str:
        acked, refused = self.statuses[303], self.statuses[409]
        return (
            f"acked {acked}, refused {refused}, unknown {self.statuses.total() - acked - refused}, "
            f"version growth {self.growth}, audit rows {self.entries}, lost {len(set(self.acked) - set(self.stored))}"
        )


async def save(poster: Poster, path: str, word: str) -> int:
    """Open the form, add a word to the text, send it; the status."""
    form = form_on(await poster.look(path))
    text = f"{form.fields['description']} {word}".strip()
    return (await poster.client.post(path, data=form.filled({"description": text}))).status_code


async def storm(desk: Desk, server: Server) -> Tally:
    """Everybody saves without a pause."""
    ticket, tally = await desk.ticket(), Tally()
    path = f"/admin/ticket/edit/{ticket.id}"

    async def client(name: int, poster: Poster) -> None:
        for turn in range(SAVES):
            word = f"{name}-{turn}"
            status = await save(poster, path, word)
            tally.statuses[status] += 1
            if status == 303:
                tally.acked.append(word)

    async with several(desk.database, server, desk.cast.sam.id, CLIENTS) as posters:
        await asyncio.gather(*(client(name, poster) for name, poster in enumerate(posters)))
    stored = await desk.stored(Ticket, ticket.id)
    tally.growth, tally.stored = stored.version - ticket.version, stored.description.split()
    tally.entries = len([entry for entry in await desk.rows(AuditLog) if entry.action == "EDIT"])
    return tally


class TestSavesAtOnce:
    async def test_every_acknowledged_word_is_there_and_the_rest_is_told(
        self, desk: Desk, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with serving(database_url, tmp_path) as server:
            tally = await storm(desk, server)
        with capsys.disabled():
            print(f"\nR-01 {desk.database.engines.dialect}: {tally}")
        assert tally.complaints() == []
        assert tally.statuses.total() == CLIENTS * SAVES
        assert tally.statuses[409], "nobody met anybody: this load proves nothing"


class TestTheTestItself:
    async def test_a_save_that_does_not_look_at_the_version_is_found_out(
        self, desk: Desk, database_url: str, tmp_path: Path
    ) -> None:
        """The negative control."""
        with serving(database_url, tmp_path, build=f"{builds.HERE}:saving_without_looking") as server:
            tally = await storm(desk, server)
        assert "saved words are lost" in tally.complaints(), str(tally)
