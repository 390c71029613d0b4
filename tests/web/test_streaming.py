"""A download that is made while it is sent, and whoever takes it leaves, stalls, or comes too many."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.requests import Request

from admin_app.errors import Unavailable
from admin_app.services.batches.exports.running import Turns
from admin_app.web import streaming
from admin_app.web.streaming import MadeMeanwhile


class Maker:
    """Pieces, and whether their making has ended."""

    def __init__(self, *pieces: bytes | Exception, waits: bool = False) -> None:
        self.has_ended = False
        self._pieces = pieces
        self._waits = waits

    async def make(self) -> AsyncGenerator[bytes, None]:
        """One after the other; at the end it waits for ever when it is to."""
        try:
            for piece in self._pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
            if self._waits:
                await asyncio.sleep(60)
        finally:
            self.has_ended = True


async def sent(
    maker: Maker, *, turns: Turns | None = None, leaves: asyncio.Event | None = None, send: Any = None
) -> Any:
    """What goes out, message by message."""
    messages: list[Any] = []
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    turns = turns or Turns(1)

    async def receive() -> dict[str, str]:
        await (leaves or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def keep(message: Any) -> None:
        messages.append(message)
        if send is not None:
            await send(message)

    answer = MadeMeanwhile(Request(scope), maker.make(), turns.one(), filename="x.csv", media_type="text/csv")
    await asyncio.wait_for(answer(scope, receive, keep), 10)
    assert maker.has_ended
    with turns.one():
        """The turn was given back."""
    return messages


def bodies(messages: Any) -> list[tuple[bytes, bool]]:
    return [(message["body"], message["more_body"]) for message in messages[1:]]


class TestMadeMeanwhile:
    async def test_all_of_it_and_then_the_end(self) -> None:
        messages = await sent(Maker(b"a", b"b"))
        headers = dict(messages[0]["headers"])
        assert (messages[0]["status"], b"content-length" in headers) == (200, False)
        assert headers[b"content-disposition"].startswith(b"attachment")
        assert bodies(messages) == [(b"a", True), (b"b", True), (b"", False)]

    async def test_nothing_is_a_whole_file_too(self) -> None:
        assert bodies(await sent(Maker())) == [(b"", False)]

    async def test_whoever_leaves_ends_the_making_at_once(self) -> None:
        leaves = asyncio.Event()

        async def leave(message: Any) -> None:
            leaves.set()

        messages = await sent(Maker(b"a", waits=True), leaves=leaves, send=leave)
        assert (b"", False) not in bodies(messages), "an answer that is not whole is not completed"

    async def test_whoever_takes_nothing_is_gone_as_well(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(streaming, "STALLED_SECONDS", 0.05)

        async def stall(message: Any) -> None:
            await asyncio.sleep(60)

        assert len(await sent(Maker(b"a", b"b"), send=stall)) == 1

    async def test_a_fault_before_the_first_piece_is_an_answer_of_its_own(self) -> None:
        with pytest.raises(Unavailable):
            await sent(Maker(Unavailable()))

    async def test_a_fault_later_leaves_the_download_unfinished(self) -> None:
        assert bodies(await sent(Maker(b"a", Unavailable()))) == [(b"a", True)]

    async def test_too_many_at_once_are_refused_before_anything_is_made(self) -> None:
        turns = Turns(1)
        with turns.one(), pytest.raises(Unavailable, match="One export is running"):
            await sent(Maker(b"a"), turns=turns)
