"""S-09: whatever ends a sign-in acts on the very next request, in the worker that did it and in every other.

Two applications on one database are two workers: they share nothing else.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from admin_app import clock
from admin_app.app import create_app
from admin_app.models import User, UserSession
from admin_app.permissions import Role
from admin_app.services.operations import sign_in
from admin_app.settings import Settings
from tests.services.scenes import Desk
from tests.web.browsing import ORIGIN, Visitor, link_on
from tests.web.conftest import PASSWORD

Visit = Callable[..., Awaitable[Visitor]]
SoonEnds = Callable[["Sams"], Awaitable[AbstractContextManager[Any]]]

PAGE, FORM = "/admin/ticket/list", "/admin/notification/read-all"
NEW_PASSWORD = "a kettle, a cup and a spoon"


@dataclass(frozen=True)
class Sams:
    """Sam, signed in: one sign-in, used through two workers; and Ada, who may end it."""

    desk: Desk
    here: Visitor
    there: Visitor
    other: Visitor
    """another sign-in of Sam's"""
    ada: Visitor
    session_id: int

    async def by_ada(self, verb: str, **typed: str) -> AbstractContextManager[Any]:
        """Ada does something to Sam's account."""
        return done(await self.ada.post(f"/admin/user/{verb}/{self.desk.cast.sam.id}", typed))


def done(answer: httpx.Response) -> AbstractContextManager[Any]:
    """It was done, not refused."""
    assert answer.status_code == 303, answer.text
    return nullcontext()


def later(**duration: float) -> SoonEnds:
    """Time goes by, in which nobody clicks."""

    async def pass_by(sams: Sams) -> AbstractContextManager[Any]:
        return clock.at(clock.now() + timedelta(**duration))

    return pass_by


async def at_the_end_of_the_day(sams: Sams) -> AbstractContextManager[Any]:
    """Twelve hours after signing in, though Sam clicked a moment ago."""
    end = (await sams.desk.stored(UserSession, sams.session_id)).expires_at
    await sams.desk.set(UserSession, sams.session_id, last_seen_at=end)
    return clock.at(end)


async def straight_in_the_database(sams: Sams) -> AbstractContextManager[Any]:
    """No longer of the desk, past every service that would end sign-ins."""
    await sams.desk.set(User, sams.desk.cast.sam.id, role=Role.CUSTOMER)
    return nullcontext()


async def own_password(sams: Sams) -> AbstractContextManager[Any]:
    """Sam changes the password from another desk."""
    typed = {"present_password": PASSWORD, "password": NEW_PASSWORD}
    return done(await sams.other.post("/admin/my-password", typed))


async def with_a_link(sams: Sams) -> AbstractContextManager[Any]:
    """Ada makes a link, and whoever holds it sets a new password."""
    answer = await sams.ada.post(f"/admin/user/password/{sams.desk.cast.sam.id}", {"reason": "Forgotten."})
    await sams.other.get(link_on(answer))
    return done(await sams.other.fill_in("/admin/password-link", password=NEW_PASSWORD, password_again=NEW_PASSWORD))


async def signing_out(sams: Sams) -> AbstractContextManager[Any]:
    """The browser forgets its cookie; a copy of it is tried."""
    copied = sams.here.client.cookies["desk_session"]
    answer = await sams.here.post("/admin/logout")
    sams.here.client.cookies.set("desk_session", copied, domain="127.0.0.1")
    return done(answer)


async def end_others(sams: Sams) -> AbstractContextManager[Any]:
    return done(await sams.other.post("/admin/my-sign-ins/end-others"))


async def end_own(sams: Sams) -> AbstractContextManager[Any]:
    return done(await sams.other.post("/admin/my-sign-ins/end", {"session_id": str(sams.session_id)}))


ENDS: dict[str, SoonEnds] = {
    "signing out": signing_out,
    "a changed password": own_password,
    "a password set with a link": with_a_link,
    "another role": lambda sams: sams.by_ada("role", role="ops"),
    "no role of the desk": straight_in_the_database,
    "deactivation": lambda sams: sams.by_ada("deactivate", reason="Left us."),
    "an admin who ends all": lambda sams: sams.by_ada("end-sessions"),
    "an admin who ends this one": lambda sams: sams.by_ada("end-session", session_id=str(sams.session_id)),
    "ending the others": end_others,
    "ending this one": end_own,
    "half an hour without a click": later(minutes=30),
    "twelve hours": at_the_end_of_the_day,
}


@pytest.fixture
async def there(settings: Settings) -> AsyncIterator[Callable[[Visitor], Visitor]]:
    """`there(visitor)` is the same browser at the other worker."""
    app, clients = create_app(settings), []

    def open_one(visitor: Visitor) -> Visitor:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        clients.append(httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=visitor.client.cookies))
        return Visitor(clients[-1])

    yield open_one
    for client in clients:
        await client.aclose()
    await app.state.errors.close()
    await app.state.database.dispose()


async def still_in(desk: Desk, visit: Visit, there: Callable[[Visitor], Visitor]) -> list[str]:
    """What did not act at once in both workers; every one of them worked before."""
    found, sam = [], await desk.stored(User, desk.cast.sam.id)
    before = {name: getattr(sam, name) for name in ("role", "is_active", "password_hash")}
    ada = await visit("ada")
    for name, end in ENDS.items():
        await desk.set(User, sam.id, **before)
        other, here = await visit("sam"), await visit("sam")
        session_id = (await desk.rows(UserSession))[-1].id
        sams = Sams(desk, here, there(here), other, ada, session_id)
        for visitor in (sams.here, sams.there):
            assert (await visitor.get(PAGE)).status_code == 200
            assert (await visitor.post(FORM)).status_code == 303
        with await end(sams):
            for where, visitor in (("here", sams.here), ("there", sams.there)):
                page, form = await visitor.get(PAGE), await visitor.post(FORM)
                if (page.status_code, form.status_code) != (302, 401):
                    found.append(f"{name}, {where}: {page.status_code}, {form.status_code}")
    return found


class TestEveryEndOfASignIn:
    async def test_acts_on_the_next_request_in_every_worker(self, desk: Desk, visit: Visit, there: Any) -> None:
        assert await still_in(desk, visit, there) == []


class TestControl:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """What is wrong is far from any database."""
        return sqlite_url

    async def test_a_worker_that_remembers_who_was_in_is_found_out(
        self, desk: Desk, visit: Visit, there: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each process keeps the sessions that it has recognised."""
        kept: dict[Any, Any] = {}
        recognise = sign_in.recognise

        async def remembering(reader: Any, *, token: str, **options: Any) -> Any:
            key = (id(reader.engine), token)
            if key not in kept:
                kept[key] = await recognise(reader, token=token, **options)
            return kept[key]

        monkeypatch.setattr(sign_in, "recognise", remembering)
        found = await still_in(desk, visit, there)
        assert len([one for one in found if ", there: " in one]) == len(ENDS)
