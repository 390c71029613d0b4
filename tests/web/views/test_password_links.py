"""Making a link for a new password: confirmed, with a reason, and shown once."""

from admin_app.models import AuditAction, AuditLog, PasswordLink
from tests.web.browsing import form_on, text_of
from tests.web.conftest import PASSWORD
from tests.web.test_step_up import long_ago


class TestPage:
    async def test_it_is_shown_once_however_often_its_form_is_sent(self, desk, visit) -> None:
        ada, person = await visit("ada"), f"/admin/user/details/{desk.cast.sid.id}"
        assert f"/admin/user/password/{desk.cast.sid.id}" in (await ada.get(person)).text
        form = await ada.form_at(f"/admin/user/password/{desk.cast.sid.id}")
        answers = [await ada.submit(form, reason="Forgotten.") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 303]
        assert answers[0].headers["cache-control"] == "no-store"
        assert "http://127.0.0.1/admin/password-link?token=" in answers[0].text
        assert "was shown already, once" in text_of(await ada.get(person))
        assert len(await desk.rows(PasswordLink)) == 1

    async def test_who_makes_one_is_asked_who_it_is(self, desk, visit) -> None:
        ada = await visit("ada")
        form = await ada.form_at(f"/admin/user/password/{desk.cast.sid.id}")
        await long_ago(desk)
        question = await ada.submit(form, reason="Forgotten.")
        assert (question.status_code, await desk.rows(PasswordLink)) == (403, [])
        answer = await ada.submit(form_on(question), confirm_password=PASSWORD)
        assert (answer.status_code, len(await desk.rows(PasswordLink))) == (200, 1)
        actions = [entry.action for entry in await desk.rows(AuditLog)]
        assert actions[-1] is AuditAction.RESET_LINK_MADE

    async def test_no_reason_and_nobody_who_could_sign_in_are_refused_on_the_page(self, desk, visit) -> None:
        ada = await visit("ada")
        path = f"/admin/user/password/{desk.cast.sid.id}"
        assert (await ada.fill_in(path, reason=" ")).status_code == 422
        answer = await ada.fill_in(f"/admin/user/password/{desk.cast.kim.id}", reason="Asked.")
        assert (answer.status_code, "A customer never signs in." in text_of(answer)) == (409, True)
        assert await desk.rows(PasswordLink) == []
