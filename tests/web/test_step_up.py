"""Before what cannot be taken back it is asked once more who it is; what was typed goes on as it was."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from admin_app import clock
from admin_app.errors import Unavailable
from admin_app.models import AuditAction, AuditLog, Ticket, User, UserSession
from admin_app.permissions import Role
from admin_app.services.operations import step_up
from admin_app.web.routes import ROWS
from tests.services.scenes import Desk
from tests.support.second_factors import RECOVERY, code, give, wrong_code
from tests.web.browsing import Visitor, form_on, text_of
from tests.web.conftest import PASSWORD
from tests.web.posts import Post, every_post
from tests.web.routes import every_address
from tests.web.scene import BOX, Scene

Visit = Callable[..., Awaitable[Visitor]]

QUESTION = "Is it still you?"
ASKED_ABOUT = ("purge", "export", "role", "empty", "/end", "unlink", "/user/password", "/user/second-factor")
ASKING = {row.path for row in ROWS if row.confirms}


async def long_ago(desk: Desk, **ago: float) -> None:
    """Every confirmation so far lies back so far."""
    for session in await desk.rows(UserSession):
        await desk.set(UserSession, session.id, stepped_up_at=clock.now() - timedelta(**(ago or {"minutes": 11})))


@pytest.fixture
async def ada(desk: Desk, visit: Visit) -> Visitor:
    """She signed in a while ago."""
    visitor = await visit("ada")
    await visitor.token()
    await long_ago(desk)
    return visitor


@pytest.fixture
async def deleted(desk: Desk) -> Ticket:
    """Something to remove for good."""
    return await desk.deleted_ticket()


async def ask_to_purge(visitor: Visitor, deleted: Ticket) -> httpx.Response:
    return await visitor.post(f"/admin/trash/purge/{deleted.id}", {"typed_number": deleted.ticket_number})


class TestTheList:
    async def test_every_row_is_about_a_form_that_there_is(self, desk: Desk, scene: Scene) -> None:
        templates = {post.template for post in every_post(desk, scene)}
        assert templates >= ASKING

    async def test_whatever_removes_for_good_exports_or_opens_and_ends_sign_ins_is_on_it(
        self, app: Starlette, desk: Desk, scene: Scene
    ) -> None:
        """Also a page that is not yet there today: whoever adds one adds its row, or says here why not."""
        for address in every_address(app, desk, scene):
            is_asked = "POST" in address.methods and "/export/cancel/" not in address.template
            if is_asked and any(word in address.template for word in ASKED_ABOUT):
                assert address.template in ASKING, address.template

    async def test_a_confirmation_of_before_does_for_none_of_them(self, desk: Desk, scene: Scene, ada: Visitor) -> None:
        guarded = [post for post in every_post(desk, scene) if post.template in ASKING]
        assert len(guarded) == len(ASKING)
        async with desk.nothing_written():
            for post in guarded:
                answer = await post.send(ada, desk)
                assert (answer.status_code, QUESTION in text_of(answer)) == (403, True), post.template

    async def test_a_fresh_one_does_for_all_of_them(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        """The control: what is asked above is asked for its age alone."""
        ada = await visit("ada")
        posts: list[Post] = [post for post in every_post(desk, scene) if post.template in ASKING]
        assert not [post.template for post in posts if QUESTION in text_of(await post.send(ada, desk))]

    @pytest.mark.parametrize("first_name", ["sam", "sue", "olaf"])
    async def test_whoever_may_not_do_it_is_refused_and_not_asked(
        self, desk: Desk, scene: Scene, visit: Visit, first_name: str
    ) -> None:
        visitor = await visit(first_name)
        await visitor.token()
        await long_ago(desk)
        for path in (f"/admin/trash/purge/{scene.deleted.id}", f"/admin/user/role/{desk.cast.users['sid']}"):
            answer = await visitor.post(path)
            assert (answer.status_code, QUESTION in text_of(answer)) == (403, False)

    async def test_other_forms_are_not_asked_about(self, desk: Desk, scene: Scene, ada: Visitor) -> None:
        answer = await ada.post(f"/admin/ticket/comment/{scene.ticket.id}", {"body": "Still smoking."})
        assert answer.status_code == 303


class TestThePassword:
    async def test_lets_the_form_go_on_as_it_was(self, desk: Desk, deleted: Ticket, ada: Visitor) -> None:
        question = await ask_to_purge(ada, deleted)
        form = form_on(question)
        assert form.fields["typed_number"] == deleted.ticket_number
        answer = await ada.submit(form, confirm_password=PASSWORD)
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/trash/list")
        assert await desk.stored(Ticket, deleted.id) is None

    async def test_is_then_not_asked_for_ten_minutes(self, desk: Desk, deleted: Ticket, ada: Visitor) -> None:
        await ada.submit(form_on(await ask_to_purge(ada, deleted)), confirm_password=PASSWORD)
        path = f"/admin/user/role/{desk.cast.users['olaf']}"
        assert (await ada.post(path, {"role": "staff"})).status_code == 303
        await long_ago(desk, minutes=10)
        assert QUESTION in text_of(await ada.post(path, {"role": "ops"}))

    async def test_a_mistake_in_the_form_is_told_after_it_with_the_text_kept(
        self, desk: Desk, deleted: Ticket, ada: Visitor
    ) -> None:
        path = f"/admin/trash/purge/{deleted.id}"
        question = await ada.post(path, {"typed_number": "T-999"})
        answer = await ada.submit(form_on(question), confirm_password=PASSWORD)
        assert answer.status_code == 422
        assert form_on(answer).fields["typed_number"] == "T-999"
        assert PASSWORD not in answer.text
        assert "confirm_password" not in answer.text

    async def test_a_wrong_one_asks_again_and_nothing_typed_is_lost(
        self, desk: Desk, deleted: Ticket, ada: Visitor
    ) -> None:
        answer = await ada.submit(form_on(await ask_to_purge(ada, deleted)), confirm_password="a wrong guess")
        assert (answer.status_code, "This is not right." in text_of(answer)) == (403, True)
        assert form_on(answer).fields["typed_number"] == deleted.ticket_number
        assert "a wrong guess" not in answer.text
        assert await desk.stored(Ticket, deleted.id) is not None
        entry = (await desk.rows(AuditLog))[-1]
        assert (entry.action, entry.reason) == (AuditAction.PASSWORD_REFUSED, step_up.TO_CONFIRM)

    async def test_ten_wrong_ones_are_enough(self, desk: Desk, deleted: Ticket, ada: Visitor) -> None:
        form = form_on(await ask_to_purge(ada, deleted))
        actor = desk.cast.ada
        fresh = step_up.Fresh((await desk.rows(UserSession))[-1].id, timedelta(minutes=10))
        for _ in range(10):
            await desk.run(step_up.confirm_with_password, actor, fresh=fresh, proven_hash=None)
        answer = await ada.submit(form, confirm_password=PASSWORD)
        assert (answer.status_code, "Too many wrong tries." in text_of(answer)) == (429, True)
        assert await desk.stored(Ticket, deleted.id) is not None

    async def test_a_form_sent_twice_is_done_once(self, desk: Desk, deleted: Ticket, ada: Visitor) -> None:
        path = f"/admin/user/role/{desk.cast.users['olaf']}"
        form = form_on(await ada.post(path, {"role": "staff"}))
        answers = [(await ada.submit(form, confirm_password=PASSWORD)).status_code for _ in range(2)]
        assert answers == [303, 303]
        changes = [entry for entry in await desk.rows(AuditLog) if entry.action is AuditAction.CHANGE_ROLE]
        assert len(changes) == 1

    async def test_is_no_part_of_what_the_form_is_remembered_by(
        self, desk: Desk, deleted: Ticket, ada: Visitor
    ) -> None:
        """The key of a form covers its fields; a password shall not be among them, however well hashed."""
        path = f"/admin/user/role/{desk.cast.users['olaf']}"
        form = form_on(await ada.post(path, {"role": "staff"}))
        await ada.submit(form, confirm_password=PASSWORD)
        async with desk.nothing_written():
            assert (await ada.submit(form)).status_code == 303


class TestTheCode:
    @pytest.fixture
    async def secret(self, desk: Desk, ada: Visitor) -> str:
        """What Ada's app knows."""
        return await give(desk, desk.cast.ada.id, BOX)

    @pytest.mark.parametrize("kind", ["time-based", "recovery"])
    async def test_lets_the_form_go_on_as_it_was(
        self, desk: Desk, deleted: Ticket, ada: Visitor, secret: str, kind: str
    ) -> None:
        form = form_on(await ask_to_purge(ada, deleted))
        typed = code(secret) if kind == "time-based" else RECOVERY
        assert (await ada.submit(form, confirm_code=typed)).status_code == 303
        assert await desk.stored(Ticket, deleted.id) is None

    async def test_the_password_does_not_do_instead(
        self, desk: Desk, deleted: Ticket, ada: Visitor, secret: str
    ) -> None:
        question = await ask_to_purge(ada, deleted)
        assert "confirm_password" not in question.text
        answer = await ada.submit(form_on(question), confirm_password=PASSWORD)
        assert answer.status_code == 403
        assert await desk.stored(Ticket, deleted.id) is not None

    async def test_a_wrong_one_asks_again(self, desk: Desk, deleted: Ticket, ada: Visitor, secret: str) -> None:
        typed = wrong_code(secret)
        answer = await ada.submit(form_on(await ask_to_purge(ada, deleted)), confirm_code=typed)
        assert (answer.status_code, "This is not right." in text_of(answer)) == (403, True)
        assert typed not in answer.text


class TestAnAddress:
    """That of somebody who signs in; of everybody else it is a field like any other."""

    async def edit(self, ada: Visitor, number: int, **typed: str) -> httpx.Response:
        return await ada.fill_in(f"/admin/user/edit/{number}", **typed)

    @pytest.mark.parametrize("whose", ["sam", "ada"])
    async def test_is_changed_after_a_proof_and_with_what_was_typed(self, desk: Desk, ada: Visitor, whose: str) -> None:
        number = desk.cast.users[whose]
        typed = {"email": "new@desk.example", "full_name": "Somebody New"}
        async with desk.nothing_written():
            question = await self.edit(ada, number, **typed)
            assert (question.status_code, QUESTION in text_of(question)) == (403, True)
        wrong = await ada.submit(form_on(question), confirm_password="a wrong guess")
        assert (wrong.status_code, "This is not right." in text_of(wrong)) == (403, True)
        assert (await desk.stored(User, number)).email == f"{whose}@desk.example"
        answer = await ada.submit(form_on(wrong), confirm_password=PASSWORD)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/user/details/{number}")
        stored = await desk.stored(User, number)
        assert (stored.email, stored.full_name) == ("new@desk.example", "Somebody New")

    async def test_everything_else_asks_for_none(self, desk: Desk, ada: Visitor) -> None:
        users = desk.cast.users
        answers = [
            await self.edit(ada, users["sam"], full_name="Sam Smith", email="SAM@desk.example"),
            await self.edit(ada, users["kim"], email="kim.new@desk.example"),
        ]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert (await desk.stored(User, users["kim"])).email == "kim.new@desk.example"

    async def test_on_the_page_of_a_conflict_too(self, desk: Desk, ada: Visitor) -> None:
        sam = desk.cast.users["sam"]
        form = await ada.form_at(f"/admin/user/edit/{sam}")
        await self.edit(ada, sam, full_name="Sam Smith")
        merged = await ada.submit(form, email="new@desk.example")
        question = await ada.submit(form_on(merged)) if merged.status_code == 409 else merged
        assert (question.status_code, QUESTION in text_of(question)) == (403, True)
        assert (await desk.stored(User, sam)).email == "sam@desk.example"


class TestTheQuestion:
    async def test_shows_what_was_typed_as_text(self, desk: Desk, ada: Visitor) -> None:
        path = f"/admin/user/second-factor/{desk.cast.users['sid']}"
        answer = await ada.post(path, {"reason": '"><script>alert(1)</script>'})
        assert "<script>alert" not in answer.text
        assert form_on(answer).fields["reason"] == '"><script>alert(1)</script>'

    async def test_a_secret_in_the_form_is_not_repeated(self, desk: Desk, deleted: Ticket, ada: Visitor) -> None:
        path = f"/admin/trash/purge/{deleted.id}"
        answer = await ada.post(path, {"password": "a new one for Sid", "confirm_code": "424242"})
        assert [word for word in ("a new one for Sid", "424242") if word in answer.text] == []

    async def test_a_script_is_told_in_json(self, desk: Desk, deleted: Ticket, ada: Visitor) -> None:
        path = f"/admin/trash/purge/{deleted.id}"
        answer = await ada.post(path, {"typed_number": "T-1"}, Accept="application/json")
        assert answer.status_code == 403
        assert "Confirm first that it is you" in answer.json()["error"]

    async def test_another_window_of_the_same_person_is_asked_for_itself(
        self, desk: Desk, deleted: Ticket, ada: Visitor, visit: Visit
    ) -> None:
        other = await visit("ada")
        await other.token()
        await long_ago(desk)
        await ada.submit(form_on(await ask_to_purge(ada, deleted)), confirm_password=PASSWORD)
        path = f"/admin/user/role/{desk.cast.users['olaf']}"
        assert QUESTION in text_of(await other.post(path, {"role": "staff"}))
        assert (await desk.stored(User, desk.cast.users["olaf"])).role is Role.OPS

    @pytest.mark.parametrize("field", ["confirm_code", "confirm_password"])
    async def test_while_the_desk_is_busy_the_proof_is_not_repeated_on_the_page(
        self, desk: Desk, deleted: Ticket, ada: Visitor, monkeypatch: pytest.MonkeyPatch, field: str
    ) -> None:
        if field == "confirm_code":
            await give(desk, desk.cast.ada.id, BOX)
        form = form_on(await ask_to_purge(ada, deleted))

        async def busy(*args: object, **options: object) -> None:
            raise Unavailable

        for name in ("confirm_with_code", "confirm_with_password"):
            monkeypatch.setattr(step_up, name, busy)
        answer = await ada.submit(form, **{field: "a proof of mine"})
        assert (answer.status_code, "a proof of mine" in answer.text) == (503, False)
        assert form_on(answer).fields["typed_number"] == deleted.ticket_number

    async def test_those_who_have_nothing_to_prove_it_with_are_told_what_to_do(
        self, desk: Desk, deleted: Ticket, ada: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As after a sign-in through a provider: there is no password to ask for."""

        async def none(*args: object) -> None:
            return None

        monkeypatch.setattr(step_up, "own_password_hash", none)
        answer = await ask_to_purge(ada, deleted)
        assert (answer.status_code, "sign in again" in text_of(answer)) == (403, True)
        assert deleted.ticket_number in text_of(answer)
        assert "confirm_password" not in answer.text
        answer = await ada.submit(form_on(answer), confirm_password="")
        assert answer.status_code == 403


class TestTheSetting:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """Half an hour instead of ten minutes."""
        return {"step_up_minutes": 30}

    @pytest.mark.parametrize(("minutes", "is_asked"), [(29, False), (31, True)])
    async def test_says_how_long_a_confirmation_is_fresh(
        self, desk: Desk, deleted: Ticket, ada: Visitor, minutes: int, is_asked: bool
    ) -> None:
        await long_ago(desk, minutes=minutes)
        assert (QUESTION in text_of(await ask_to_purge(ada, deleted))) is is_asked
