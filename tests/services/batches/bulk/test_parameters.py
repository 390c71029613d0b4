"""What was typed for a batch."""

import pytest

from admin_app.errors import InvalidInput
from admin_app.models import BatchKind, User
from admin_app.services.batches.bulk import parameters


async def checked(desk, kind: BatchKind, **typed: str):
    return await desk.read(parameters.check, desk.cast.sue, kind, typed)


async def wrong(desk, kind: BatchKind, **typed: str) -> dict[str, str]:
    return dict((await desk.refusal(InvalidInput, parameters.check, desk.cast.sue, kind, typed)).fields)


class TestCheck:
    async def test_keeps_what_was_typed_in_plain_types(self, desk) -> None:
        sid = desk.cast.sid.id
        assert await checked(desk, BatchKind.CLOSE, resolution=" a\r\nb ") == {"resolution": "a\nb"}
        assert await checked(desk, BatchKind.PRIORITY, priority="3") == {"priority": 3}
        assert await checked(desk, BatchKind.DELETE, reason=" spam ") == {"reason": "spam"}
        assert await checked(desk, BatchKind.RESTORE) == {"owner_id": None}
        assert await checked(desk, BatchKind.RESTORE, new_owner="sid@desk.example") == {"owner_id": sid}
        assert await checked(desk, BatchKind.ASSIGN, new_owner="Sid <SID@desk.example>", reason="r") == {
            "owner_id": sid,
            "reason": "r",
        }
        assert await checked(desk, BatchKind.TAG, tags="B, a ,b", removed_tags="c") == {
            "added": ["a", "b"],
            "removed": ["c"],
        }

    @pytest.mark.parametrize("kind", [BatchKind.ASSIGN, BatchKind.DELETE])
    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\x00b"])
    async def test_a_reason_is_needed_and_fits(self, desk, kind: BatchKind, reason: str) -> None:
        assert set(await wrong(desk, kind, new_owner="sid@desk.example", reason=reason)) == {"reason"}

    @pytest.mark.parametrize("address", ["", "nobody@desk.example", "kim@desk.example", "olaf@desk.example"])
    async def test_a_new_owner_can_own(self, desk, address: str) -> None:
        assert set(await wrong(desk, BatchKind.ASSIGN, new_owner=address, reason="r")) == {"new_owner"}

    async def test_nor_is_a_new_owner_deactivated(self, desk) -> None:
        await desk.set(User, desk.cast.sid.id, is_active=False)
        assert set(await wrong(desk, BatchKind.RESTORE, new_owner="sid@desk.example")) == {"new_owner"}

    @pytest.mark.parametrize("resolution", ["x" * 1_001, "a\x00b", "x" * 100_001])
    async def test_a_resolution_for_many_is_short(self, desk, resolution: str) -> None:
        assert set(await wrong(desk, BatchKind.CLOSE, resolution=resolution)) == {"resolution"}

    @pytest.mark.parametrize("priority", ["", "0", "5", "high", "²", "1.0"])
    async def test_a_priority_is_one_of_four(self, desk, priority: str) -> None:
        assert set(await wrong(desk, BatchKind.PRIORITY, priority=priority)) == {"priority"}

    async def test_tags_are_named_and_not_both_ways(self, desk) -> None:
        assert set(await wrong(desk, BatchKind.TAG, tags=" , ")) == {"tags"}
        assert await wrong(desk, BatchKind.TAG, tags="a, b", removed_tags="b") == {
            "removed_tags": "b cannot be both added and removed."
        }
