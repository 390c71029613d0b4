"""S-14: whatever is sent, the answer is a page or a sentence; never a failure, never SQL or a trace."""

import os
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from sqlalchemy import update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from admin_app.models import User
from admin_app.permissions import Role
from admin_app.web.routes import ANYONE, page
from admin_app.web.tokens import Tokens
from tests.services.scenes import Desk
from tests.web.browsing import ORIGIN, Visitor
from tests.web.generated import Known, Made, requests
from tests.web.posts import every_post
from tests.web.scene import SECRET_KEY, Scene
from tests.web.test_routes import plant

Visit = Callable[..., Awaitable[Visitor]]

OFTEN = int(os.environ.get("FUZZ", "250"))
SEED = int(os.environ.get("FUZZ_SEED", "20261121"))
LEAKS = (
    "Traceback",
    "sqlalchemy",
    "sqlite3",
    "asyncpg",
    "aiosqlite",
    "SELECT ",
    "INSERT INTO",
    "UPDATE ",
    '.py"',
    "[SQL",
)
SHOWS_SQL = "/admin/slow-queries"
"""Statements without their values are what this page is for."""
SITTING = 250
"""So many requests later everybody signs in again: some of them end sign-ins, or somebody's role."""
TOKENS = Tokens(SECRET_KEY)
ROLES = {"sam": Role.STAFF, "sue": Role.SUPERVISOR, "olaf": Role.OPS, "ada": Role.ADMIN}


def known(desk: Desk, scene: Scene) -> Known:
    """What there is at this desk."""
    ids = [str(number) for number in range(1, 12)]
    values = {
        "pk": [
            *ids,
            scene.ticket.ticket_number,
            scene.error.fingerprint,
            str(scene.batch.batch_id),
            "css/tabler.min.css",
        ],
        "version": ["1", "2", "3"],
        "user_id": ids,
        "person": ["sue@desk.example", "kim@desk.example"],
        "creator": ["kim@desk.example"],
        "new_owner": ["sid@desk.example"],
        "title": ["Scanner hums"],
        "priority": ["1", "2", "3", "4"],
        "channel": ["web", "email"],
        "reason": ["Because."],
        "resolution": ["It is wet now."],
        "role": ["staff", "admin", "customer"],
        "choice": ["leave", "spread", "transfer"],
        "mode": ["good_rows", "all_or_nothing"],
        "password": ["a kettle and a cup"],
        "email": ["nora@desk.example"],
        "full_name": ["Nora New"],
        "typed_number": [scene.deleted.ticket_number, scene.ticket.ticket_number],
        "selection": [f"action=tag&ids={scene.ticket.id}", "action=delete&all=1", "action=close&matching=1"],
        "filename": ["tickets.csv", "plan.txt", "a.pdf"],
    }
    return Known(values, {post.template: post.typed for post in every_post(desk, scene)})


async def sit_down(desk: Desk, visit: Visit, window: Callable[..., Visitor]) -> dict[str, Visitor]:
    """Everybody as they were, in a new window."""
    for name, role in ROLES.items():
        back = {"role": role, "is_active": True}
        await desk.run(
            lambda session, name=name, back=back: session.execute(
                update(User).where(User.id == desk.cast.users[name]).values(**back)
            )
        )
    return {"nobody": window(), **{name: await visit(name) for name in ROLES}}


async def send(made: Made, visitor: Visitor) -> httpx.Response:
    """As it was made; most forms carry the right token."""
    fields: dict[str, list[str]] = {}
    for name, value in made.fields:
        fields.setdefault(name, []).append(value)
    if made.has_token and made.method not in {"GET", "HEAD"}:
        fields["form_token"] = [TOKENS.form_token(visitor.client.cookies.get("desk_session", "") or "")]
    body: dict[str, Any] = {"data": fields} if fields else {}
    if made.file is not None:
        body["files"] = {"file": made.file}
    headers = {"Origin": ORIGIN, **made.headers}
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    return await visitor.client.request(made.method, ORIGIN + made.path, headers=raw, **body)


def faults_in(answer: httpx.Response) -> list[str]:
    """What an answer may never be, or say; too busy (503) and too slow (504) are answers."""
    found = ["failed"] if answer.status_code >= 500 and answer.status_code not in {503, 504} else []
    if answer.request.url.path == SHOWS_SQL:
        return found
    return found + [word for word in LEAKS if word.encode() in answer.content]


async def bombard(
    desk: Desk, scene: Scene, visit: Visit, window: Callable[..., Visitor], *, often: int
) -> tuple[Counter[int], list[str]]:
    """Statuses, and the requests that went wrong."""
    statuses: Counter[int] = Counter()
    wrong, is_out = list[str](), False
    for number, made in enumerate(requests(SEED, often, known(desk, scene))):
        if number % SITTING == 0 or is_out:
            visitors = await sit_down(desk, visit, window)
        answer = await send(made, visitors[made.who])
        statuses[answer.status_code] += 1
        is_out = made.who != "nobody" and "/admin/login" in answer.headers.get("location", "")
        if found := faults_in(answer):
            wrong.append(f"{found} {answer.status_code}: {made}")
    return statuses, wrong


class TestGeneratedRequests:
    async def test_no_answer_is_a_failure_or_tells_how_it_is_made(
        self, desk: Desk, scene: Scene, visit: Visit, window: Any, capsys: Any
    ) -> None:
        statuses, wrong = await bombard(desk, scene, visit, window, often=OFTEN)
        with capsys.disabled():
            dialect, total = desk.database.engines.dialect, sum(statuses.values())
            print(f"\nS-14 {dialect}: {total} requests, {len(wrong)} wrong; {dict(sorted(statuses.items()))}")
        assert wrong == []
        assert statuses[200] > OFTEN / 20, "most requests did not get anywhere"

    async def test_a_page_that_fails_or_tells_would_be_noticed(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit, window: Any
    ) -> None:
        """The negative control."""

        async def fail(request: Request) -> Response:
            raise KeyError(request.url.path)

        async def tell(request: Request) -> Response:
            return PlainTextResponse("[SQL: SELECT secret FROM users]")

        for path, endpoint in (("/failing", fail), ("/telling", tell)):
            plant(app, path, endpoint)
            app.state.routes.add(page(f"/admin{path}", ANYONE))
        assert faults_in(await window().get("/admin/failing")) == ["failed"]
        assert faults_in(await window().get("/admin/telling")) == ["SELECT ", "[SQL"]
