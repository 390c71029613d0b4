"""Where a link for a new password leads, from the admin's page to the next sign-in."""

import asyncio

from admin_app.models import AuditLog, User
from admin_app.services.operations import second_factor
from admin_app.services.records import one_time_codes, password_rules
from tests.support.second_factors import code
from tests.web.browsing import form_on, forms_on, link_on, text_of
from tests.web.conftest import PASSWORD
from tests.web.scene import BOX
from tests.web.test_secrets_stay_secret import log
from tests.web.test_sign_in import is_in, sign_in_as

__all__ = ["log"]

LINK = "/admin/password-link"
NEW = "a kettle, a cup, a spoon"
BOTH = {"password": NEW, "password_again": NEW}


async def made(desk, visit, whom="sam") -> str:
    ada = await visit("ada")
    return link_on(await ada.fill_in(f"/admin/user/password/{desk.cast.users[whom]}", reason="Forgotten."))


class TestPasswordLinkPage:
    async def test_a_lost_password_is_set_anew_and_nothing_tells_the_link(self, desk, visit, window, log) -> None:
        sam, link, visitor = await visit("sam"), await made(desk, visit), window()
        token = link.partition("=")[2]
        answer = await visitor.get(link)
        assert (answer.status_code, answer.headers["location"]) == (303, LINK)
        assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("no-referrer", "no-store")
        cookie = answer.headers["set-cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=900"))
        page = await visitor.get(LINK)
        assert (page.status_code, token in page.text) == (200, False)
        assert page.headers["referrer-policy"] == "same-origin", "else the browser would send the form without origin"
        assert page.text.count('autocomplete="new-password"') == 2
        assert 'autocomplete="username" readonly value="sam@desk.example"' in page.text
        assert password_rules.RULE in text_of(page)
        answer = await visitor.submit(form_on(page, LINK), **BOTH)
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/login")
        assert "Your password is set. Sign in with it." in text_of(await visitor.get("/admin/login"))
        assert [await is_in(one) for one in (sam, visitor)] == [False, False]
        assert "desk_password_link" not in visitor.client.cookies
        assert (await sign_in_as(window(), "sam@desk.example", NEW)).status_code == 303
        assert (await sign_in_as(window(), "sam@desk.example", PASSWORD)).status_code == 400
        everything = f"{await desk.everything()}{log.getvalue()}"
        assert [secret for secret in (token, NEW) if secret in everything] == []

    async def test_it_works_once_and_a_dead_one_is_told_to_its_holder_and_the_audit_log(
        self, desk, visit, window
    ) -> None:
        link, first, second = await made(desk, visit), window(), window()
        await first.get(link)
        await second.get(link)
        forms = [form_on(await visitor.get(LINK), LINK) for visitor in (first, second)]
        sent = [visitor.submit(form, **BOTH) for visitor, form in zip((first, second), forms, strict=True)]
        answers = sorted(await asyncio.gather(*sent), key=lambda answer: answer.status_code)
        third = await window().get(link)
        assert [answer.status_code for answer in (*answers, third)] == [303, 410, 410]
        for answer in (answers[1], third, await window().get(f"{LINK}?token=made-up"), await window().get(LINK)):
            assert (answer.status_code, forms_on(answer)) == (410, [])
            assert "This link works no more" in text_of(answer)
        assert third.headers["referrer-policy"] == "no-referrer"
        refused = [entry.reason for entry in await desk.rows(AuditLog) if "REFUSED" in entry.action]
        assert refused == ["it was used already"]

    async def test_a_weak_or_mistyped_one_is_refused_and_the_link_goes_on(self, desk, visit, window) -> None:
        link, visitor = await made(desk, visit), window()
        await visitor.get(link)
        form = form_on(await visitor.get(LINK), LINK)
        for wanted, again, sentence in (
            ("short", "short", password_rules.TOO_SHORT),
            ("Password2026!", "Password2026!", password_rules.TOO_COMMON),
            ("Sam Staff 2026", "Sam Staff 2026", password_rules.TOO_CLOSE),
            (NEW, f"{NEW}.", "These two are not the same."),
        ):
            answer = await visitor.submit(form, password=wanted, password_again=again)
            assert (answer.status_code, sentence in text_of(answer), f'"{wanted}' in answer.text) == (422, True, False)
        assert (await visitor.submit(form, **BOTH)).status_code == 303

    async def test_a_form_that_another_page_made_up_is_refused(self, desk, visit, window, password_hash) -> None:
        link, visitor, mallory = await made(desk, visit), window(), window()
        await visitor.get(link)
        await mallory.get(await made(desk, visit, "sid"))
        theirs = form_on(await mallory.get(LINK), LINK).fields["form_token"]
        for token in (theirs, "", "made up"):
            answer = await visitor.submit(form_on(await visitor.get(LINK), LINK), form_token=token, **BOTH)
            assert (answer.status_code, "no longer valid" in answer.text) == (403, True)
        assert (await desk.stored(User, desk.cast.sam.id)).password_hash == password_hash

    async def test_the_second_factor_is_asked_for_as_before(self, desk, visit, window) -> None:
        factor = await desk.run(second_factor.begin, desk.cast.sam, box=BOX)
        secret = BOX.open(factor.sealed_secret, owner_id=desk.cast.sam.id)
        proof, codes = second_factor.Proof(code(secret), BOX), one_time_codes.new_recovery_codes()
        await desk.run(second_factor.confirm, desk.cast.sam, proof=proof, recovery_codes=codes)
        visitor = window()
        await visitor.get(await made(desk, visit))
        await visitor.fill_in(LINK, action=LINK, **BOTH)
        answer = await sign_in_as(visitor, "sam@desk.example", NEW)
        assert (answer.headers["location"], await is_in(visitor)) == ("/admin/login/code", False)

    async def test_over_https_the_cookie_is_bound_to_the_host(self, desk, visit, window) -> None:
        answer = await window().client.get(f"https://127.0.0.1{await made(desk, visit)}")
        assert answer.headers["set-cookie"].startswith("__Host-desk_password_link=")
        assert "Secure" in answer.headers["set-cookie"]
