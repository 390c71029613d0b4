"""Everybody sees their own changes: the browser carries how far a replica must be for that."""

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace

import httpx
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from admin_app.web.own_changes import COOKIE, NOWHERE_YET, OwnChanges
from admin_app.web.tokens import Tokens

TOKENS = Tokens("a key of these tests, long enough to be one")


async def pieces() -> AsyncIterator[bytes]:
    yield b"begun"


class Request:
    """Changes something that is in at `writes`, or nothing; remembers what the browser brought."""

    def __init__(self, writes: int = 0, answer: Callable[[], Response] = lambda: PlainTextResponse("done")) -> None:
        self.writes = writes
        self.answer = answer
        self.brought: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        holder = scope["state"]["holder"]
        self.brought = holder.written
        holder.written = max(holder.written, self.writes)
        await self.answer()(scope, receive, send)

    async def sent(self, method: str = "GET", cookie: str = "", base: str = "http://127.0.0.1") -> str:
        """The cookie that comes back, empty when there is none."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = {"desk": SimpleNamespace(tokens=TOKENS), "holder": SimpleNamespace(written=0)}
            await OwnChanges(self)(scope, receive, send)

        cookies = {COOKIE: cookie} if cookie else {}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base, cookies=cookies) as client:
            answer = await client.request(method, "/admin/ticket/list")
        self.answered = answer.headers.get("set-cookie", "")
        return answer.cookies.get(COOKIE, "")


def position_in(cookie: str) -> int:
    return TOKENS.unpack_position(cookie, max_age=60)


class TestOwnChanges:
    async def test_the_next_request_brings_the_position_of_the_last_change(self) -> None:
        change, look = Request(writes=4711), Request()
        cookie = await change.sent("POST")
        assert position_in(cookie) == 4711
        assert await look.sent(cookie=cookie) == "", "what is known already is not sent again"
        assert look.brought == 4711

    async def test_a_later_change_takes_its_place_and_an_earlier_one_does_not(self) -> None:
        later, earlier = Request(writes=200), Request(writes=50)
        assert position_in(await later.sent("POST", TOKENS.pack_position(100))) == 200
        assert await earlier.sent("POST", TOKENS.pack_position(100)) == ""

    async def test_what_is_not_ours_counts_for_nothing(self) -> None:
        for cookie in ("", "9000000000", "nonsense", Tokens("another key").pack_position(9)):
            look = Request()
            assert await look.sent(cookie=cookie) == "", cookie
            assert look.brought == 0, cookie

    async def test_an_answer_that_goes_out_before_its_work_is_done_names_no_place(self) -> None:
        begun = Request(answer=lambda: StreamingResponse(pieces()))
        assert position_in(await begun.sent("POST")) == NOWHERE_YET
        assert await begun.sent("GET") == ""

    async def test_no_script_reads_it_and_over_https_it_stays_there(self) -> None:
        change = Request(writes=1)
        await change.sent("POST", base="https://desk.example")
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/admin", "Max-Age=600"} <= set(change.answered.split("; "))

    async def test_what_is_no_request_passes(self) -> None:
        seen: list[str] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["type"])

        await OwnChanges(app)({"type": "lifespan"}, None, None)
        assert seen == ["lifespan"]
