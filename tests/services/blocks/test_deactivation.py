"""Who may be kept out, and writing that down."""

import pytest

from admin_app.errors import Conflict, PermissionDenied
from admin_app.models import AuditAction, User
from admin_app.services.blocks import deactivation


class TestCheck:
    async def test_lets_pass_whom_it_should(self, desk) -> None:
        deactivation.check(desk.cast.sue, await desk.stored(User, desk.cast.sam.id))
        deactivation.check(desk.cast.ada, User(id=99, full_name="Other Admin", role="admin", is_active=True))

    @pytest.mark.parametrize(
        ("who", "whom", "sentence"),
        [("sue", "sue", "themselves"), ("ada", "ada", "themselves"), ("sue", "ada", "Only an admin")],
    )
    async def test_stops_the_others(self, desk, who: str, whom: str, sentence: str) -> None:
        with pytest.raises(PermissionDenied, match=sentence):
            deactivation.check(getattr(desk.cast, who), await desk.stored(User, desk.cast.users[whom]))

    async def test_stops_a_second_time(self, desk) -> None:
        await desk.set(User, desk.cast.sam.id, is_active=False)
        with pytest.raises(Conflict, match="Sam Staff is deactivated already"):
            deactivation.check(desk.cast.sue, await desk.stored(User, desk.cast.sam.id))


class TestWrite:
    @pytest.mark.parametrize("batch_id", [None, "b" * 32])
    async def test_deactivates_with_one_entry(self, desk, batch_id: str | None) -> None:
        async def write(session) -> None:
            user = await session.get(User, desk.cast.sam.id)
            await deactivation.write(session, desk.cast.sue, user, reason=" left ", batch_id=batch_id)

        async with desk.recorded() as written:
            await desk.run(write)
        assert not (await desk.stored(User, desk.cast.sam.id)).is_active
        entry = written.entry
        assert (entry.action, entry.reason, entry.batch_id) == (AuditAction.DEACTIVATE, "left", batch_id)
