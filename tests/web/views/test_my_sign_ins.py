"""Where somebody is signed in, ending it, and changing one's own password."""

import re

import pytest

from admin_app.models import AuditAction, AuditLog, ExternalIdentity, User, UserSession
from admin_app.services.records import passwords
from tests.web.browsing import form_on, forms_on, text_of
from tests.web.conftest import PASSWORD
from tests.web.test_sign_in import is_in, sign_in_as

PATH, PASSWORD_PATH = "/admin/my-sign-ins", "/admin/my-password"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEW = "a kettle, a cup, a spoon"


class TestMySignIns:
    async def test_shows_the_own_ones_in_words_and_which_is_this_one(self, desk, visit) -> None:
        here, _, _ = await visit("sam"), await visit("sam"), await visit("sid")
        [_, second, of_sid] = await desk.rows(UserSession)
        await desk.set(UserSession, second.id, user_agent=FIREFOX, ip="192.0.2.7")
        await desk.set(UserSession, of_sid.id, ip="192.0.2.99")
        page = await here.get(PATH)
        assert page.text.count("data-sign-in") == 2
        assert page.text.count("This one") == 1
        assert "Firefox on Windows" in text_of(page)
        assert "192.0.2.7" in text_of(page)
        assert "192.0.2.99" not in text_of(page)

    @pytest.mark.parametrize("name", ["sam", "sue", "olaf", "ada"])
    async def test_everybody_finds_it_in_their_corner(self, visit, name: str) -> None:
        page = await (await visit(name)).get(PATH)
        assert page.status_code == 200
        assert f'href="{PATH}"' in page.text
        assert f'href="{PASSWORD_PATH}"' in page.text

    async def test_one_is_ended_and_the_others_stay(self, desk, visit) -> None:
        here, there, third = await visit("sam"), await visit("sam"), await visit("sam")
        [_, second, _] = await desk.rows(UserSession)
        page = await here.get(PATH)
        form = next(form for form in _ends(page) if form.fields["session_id"] == str(second.id))
        assert (await here.submit(form)).status_code == 303
        assert [await is_in(one) for one in (here, there, third)] == [True, False, True]

    async def test_all_others_are_ended(self, desk, visit) -> None:
        here, there, sid = await visit("sam"), await visit("sam"), await visit("sid")
        await here.fill_in(PATH, action=f"{PATH}/end-others")
        assert "End all others" not in text_of(await here.get(PATH))
        assert [await is_in(one) for one in (here, there, sid)] == [True, False, True]

    async def test_nobody_ends_those_of_another_this_way(self, desk, visit) -> None:
        sam, sue = await visit("sam"), await visit("sue")
        [_, of_sue] = await desk.rows(UserSession)
        answer = await sam.post(f"{PATH}/end", {"session_id": str(of_sue.id)})
        assert answer.status_code == 404
        assert await is_in(sue)


class TestThoseOfAPerson:
    async def test_an_admin_sees_and_ends_them(self, desk, visit) -> None:
        sam, ada = await visit("sam"), await visit("ada")
        number = desk.cast.users["sam"]
        assert f"/admin/user/sign-ins/{number}" in (await ada.get(f"/admin/user/details/{number}")).text
        answer = await ada.fill_in(f"/admin/user/sign-ins/{number}", action=f"/admin/user/end-session/{number}")
        assert answer.status_code == 303
        assert not await is_in(sam)
        assert (await desk.rows(AuditLog))[-1].action is AuditAction.END_SESSION

    async def test_an_id_of_somebody_else_is_missing(self, desk, visit) -> None:
        await visit("sam")
        ada = await visit("ada")
        [of_sam, _] = await desk.rows(UserSession)
        answer = await ada.post(f"/admin/user/end-session/{desk.cast.users['sid']}", {"session_id": str(of_sam.id)})
        assert answer.status_code == 404


class TestUnlink:
    """A link to single sign-on, on the own page and on that of a person."""

    async def linked(self, desk, name: str) -> ExternalIdentity:
        return await desk.store(
            ExternalIdentity(user_id=desk.cast.users[name], issuer="https://login.example", subject=f"{name}-4711")
        )

    async def test_one_sees_and_unlinks_ones_own(self, desk, visit) -> None:
        await self.linked(desk, "sam")
        here, there = await visit("sam"), await visit("sam")
        [_, second] = await desk.rows(UserSession)
        await desk.set(UserSession, second.id, by_provider=True)
        assert {"sam-4711", "https://login.example"} <= set(text_of(await here.get(PATH)).split())
        answer = await here.fill_in(PATH, action=f"{PATH}/unlink")
        assert (answer.status_code, answer.headers["location"]) == (303, PATH)
        assert await desk.rows(ExternalIdentity) == []
        page = await here.get(PATH)
        assert [await is_in(one) for one in (here, there)] == [True, False]
        assert "That link to single sign-on is gone" in text_of(page)
        assert "data-identity" not in page.text

    async def test_without_a_password_it_is_the_only_way_in(self, desk, visit) -> None:
        await self.linked(desk, "sam")
        sam = await visit("sam")
        await desk.set(User, desk.cast.users["sam"], password_hash=None)
        answer = await sam.fill_in(PATH, action=f"{PATH}/unlink")
        assert (answer.status_code, len(await desk.rows(ExternalIdentity))) == (409, 1)
        assert "your only way in" in text_of(answer)

    async def test_an_admin_unlinks_that_of_somebody_and_is_asked_again_who_it_is(self, desk, visit) -> None:
        await self.linked(desk, "sam")
        ada, number = await visit("ada"), desk.cast.users["sam"]
        page, action = f"/admin/user/sign-ins/{number}", f"/admin/user/unlink/{number}"
        assert "sam-4711" in text_of(await ada.get(page))
        [session] = await desk.rows(UserSession)
        await desk.set(UserSession, session.id, stepped_up_at=None)
        question = await ada.fill_in(page, action=action)
        assert (question.status_code, "Is it still you?" in text_of(question)) == (403, True)
        answer = await ada.submit(form_on(question, action), confirm_password=PASSWORD)
        assert (answer.status_code, answer.headers["location"]) == (303, page)
        assert await desk.rows(ExternalIdentity) == []
        assert (await desk.rows(AuditLog))[-1].action is AuditAction.UNLINK_IDENTITY

    async def test_that_of_another_is_missing(self, desk, visit) -> None:
        sues = await self.linked(desk, "sue")
        sam = await visit("sam")
        assert (await sam.post(f"{PATH}/unlink", {"identity_id": str(sues.id)})).status_code == 404
        assert len(await desk.rows(ExternalIdentity)) == 1


class TestMyPassword:
    async def test_a_change_ends_the_other_sign_ins_and_this_one_goes_on_with_a_new_id(
        self, desk, visit, window
    ) -> None:
        here, there = await visit("sam"), await visit("sam")
        before, copy = here.client.cookies["desk_session"], window()
        answer = await here.fill_in(PASSWORD_PATH, present_password=PASSWORD, password=NEW)
        assert (answer.status_code, answer.headers["location"]) == (303, PATH)
        copy.client.cookies.set("desk_session", before, domain="127.0.0.1")
        assert [await is_in(one) for one in (here, there, copy)] == [True, False, False]
        assert here.client.cookies["desk_session"] != before
        assert passwords.is_right(NEW, (await desk.stored(User, desk.cast.sam.id)).password_hash)
        assert (await sign_in_as(window(), "sam@desk.example", NEW)).status_code == 303

    async def test_a_wrong_present_password_changes_nothing_and_is_written_down(
        self, desk, visit, password_hash
    ) -> None:
        here, there = await visit("sam"), await visit("sam")
        answer = await here.fill_in(PASSWORD_PATH, present_password="a wrong guess", password=NEW)
        assert answer.status_code == 422
        assert "This is not your present password." in text_of(answer)
        assert NEW not in answer.text
        assert (await desk.stored(User, desk.cast.sam.id)).password_hash == password_hash
        assert await is_in(there)
        assert [entry.action for entry in await desk.rows(AuditLog)] == [AuditAction.PASSWORD_REFUSED]

    async def test_a_weak_one_is_refused_at_its_field(self, desk, visit) -> None:
        answer = await (await visit("sam")).fill_in(PASSWORD_PATH, present_password=PASSWORD, password="short")
        assert answer.status_code == 422
        assert "at least 12 characters" in text_of(answer)
        assert form_on(answer, PASSWORD_PATH).fields["present_password"] == ""

    async def test_a_password_manager_can_tell_the_present_one_from_the_new(self, visit) -> None:
        page = (await (await visit("sam")).get(PASSWORD_PATH)).text
        fields = {
            name: re.search(rf'<input[^>]*name="{name}"[^>]*>', page)[0] for name in ("present_password", "password")
        }
        found = {name: re.search(r'autocomplete="([\w-]+)"', field)[1] for name, field in fields.items()}
        assert found == {"present_password": "current-password", "password": "new-password"}

    async def test_one_like_the_own_address_or_a_common_one_is_refused(self, desk, visit) -> None:
        olaf = await visit("olaf")  # ops may not see people, yet the rule knows whose password it is
        form = await olaf.form_at(PASSWORD_PATH, PASSWORD_PATH)
        for wanted, sentence in (("olaf@desk.example!", "too much like the name"), ("Password2026!", "tried first")):
            answer = await olaf.submit(form, present_password=PASSWORD, password=wanted)
            assert (answer.status_code, sentence in text_of(answer), wanted in answer.text) == (422, True, False)

    async def test_guessing_the_present_one_is_stopped(self, desk, visit, monkeypatch) -> None:
        monkeypatch.setattr(passwords, "is_right", lambda typed, stored: typed == PASSWORD)
        sam = await visit("sam")
        for _ in range(10):
            await sam.fill_in(PASSWORD_PATH, present_password="a wrong guess", password=NEW)
        answer = await sam.fill_in(PASSWORD_PATH, present_password=PASSWORD, password=NEW)
        assert answer.status_code == 429
        assert "Too many wrong tries." in text_of(answer)


def _ends(page):
    return [form for form in forms_on(page) if form.action == f"{PATH}/end"]
