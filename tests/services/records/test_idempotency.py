"""A double click is applied once."""

import asyncio
from datetime import timedelta
from functools import partial

from admin_app import clock
from admin_app.errors import InvalidInput
from admin_app.models import AuditLog, Comment, IdempotencyKey, Ticket
from admin_app.services.operations import comments, tickets
from admin_app.services.records import idempotency

KEY = idempotency.key_hash("form-1", 7, "/admin/ticket/create", "title=Printer")


def opening(desk, title: str = "Printer on fire"):
    new = tickets.NewTicket(creator="kim@desk.example", title=title)
    return lambda session: tickets.open_ticket(session, desk.cast.sam, new)


class TestKeyHash:
    def test_is_the_same_for_the_same_parts(self) -> None:
        assert idempotency.key_hash("form", 7, "/x", "a=1") == idempotency.key_hash("form", 7, "/x", "a=1")

    def test_any_changed_part_makes_another_key(self) -> None:
        keys = {
            idempotency.key_hash("form", 7, "/x", "a=1"),
            idempotency.key_hash("form2", 7, "/x", "a=1"),
            idempotency.key_hash("form", 8, "/x", "a=1"),
            idempotency.key_hash("form", 7, "/y", "a=1"),
            idempotency.key_hash("form", 7, "/x", "a=2"),
        }
        assert len(keys) == 5

    def test_characters_cannot_move_from_one_part_to_the_next(self) -> None:
        assert idempotency.key_hash("ab", "c") != idempotency.key_hash("a", "bc")
        assert idempotency.key_hash("a", "", "b") != idempotency.key_hash("a", "b", "")

    def test_fits_its_column(self) -> None:
        assert len(KEY) == IdempotencyKey.key_hash.type.length


class TestOnce:
    async def test_the_first_time_does_the_work_and_names_the_record(self, desk) -> None:
        outcome = await desk.run(idempotency.once, KEY, opening(desk))
        [ticket] = await desk.rows(Ticket)
        assert outcome == idempotency.Outcome(ticket.id, replayed=False, version=1)

    async def test_the_second_time_gives_the_first_answer_and_writes_nothing(self, desk) -> None:
        first = await desk.run(idempotency.once, KEY, opening(desk))
        async with desk.nothing_written():
            second = await desk.run(idempotency.once, KEY, opening(desk))
        assert second == idempotency.Outcome(first.record_id, replayed=True)

    async def test_two_at_the_same_moment_are_applied_once(self, desk) -> None:
        work = partial(idempotency.once, hashed=KEY, work=opening(desk))
        outcomes = await asyncio.gather(*(desk.database.run(work, repeatable=True) for _ in range(4)))
        assert sorted(outcome.replayed for outcome in outcomes) == [False, True, True, True]
        assert len({outcome.record_id for outcome in outcomes}) == 1
        assert [len(await desk.rows(model)) for model in (Ticket, AuditLog, IdempotencyKey)] == [1, 1, 1]

    async def test_changed_content_is_a_new_request(self, desk) -> None:
        ticket = await desk.ticket()
        for body in ("On my way.", "On my way!"):
            hashed = idempotency.key_hash("form-1", desk.cast.sam.id, "/comment", body)
            add = partial(comments.add, actor=desk.cast.sam, ticket_id=ticket.id, body=body, is_internal=False)
            await desk.run(idempotency.once, hashed, add)
        assert [comment.body for comment in await desk.rows(Comment)] == ["On my way.", "On my way!"]

    async def test_work_that_fails_takes_its_key_with_it_so_that_it_can_be_sent_again(self, desk) -> None:
        await desk.refusal(InvalidInput, idempotency.once, KEY, opening(desk, title=""))
        outcome = await desk.run(idempotency.once, KEY, opening(desk))
        assert not outcome.replayed

    async def test_work_without_a_record_is_remembered_too(self, desk) -> None:
        async def nothing(session) -> None:
            return None

        assert await desk.run(idempotency.once, KEY, nothing) == idempotency.Outcome(None)
        assert await desk.run(idempotency.once, KEY, nothing) == idempotency.Outcome(None, replayed=True)


class TestForgetOld:
    async def test_removes_keys_after_a_day_and_keeps_younger_ones(self, desk) -> None:
        now = clock.now()
        await desk.store(
            IdempotencyKey(key_hash="old", created_at=now - timedelta(hours=25)),
            IdempotencyKey(key_hash="young", created_at=now - timedelta(hours=23)),
        )
        await desk.run(idempotency.forget_old)
        assert [key.key_hash for key in await desk.rows(IdempotencyKey)] == ["young"]
