"""There and back: who comes back from the provider is in, and nothing but the real answer brings anybody in."""

import base64
import json
import time
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from admin_app.models import AuditAction, AuditLog, ExternalIdentity, SignInFlow, UserSession
from admin_app.services.operations import single_sign_on
from admin_app.services.operations.single_sign_on import Flow, hash_of
from tests.services.scenes import Desk
from tests.support.cells import every_cell
from tests.support.openid_provider import OpenIDProvider
from tests.web.browsing import ORIGIN, form_on, text_of
from tests.web.single_sign_on.conftest import BACK_PATH, Traveller

FOREIGN = "The answer of single sign-on could not be trusted"
NOT_HERE = "This sign-in was not begun in this browser"
DOWN = "Single sign-on does not answer right now."

NOT_BELIEVED = {
    "another nonce": "nonce",
    "no nonce": "nonce",
    "another aud": "aud",
    "several aud without azp": "azp",
    "another azp": "azp",
    "another iss": "iss",
    "expired": "expired",
    "no exp": "exp",
    "issued in the future": "iat",
    "another at_hash": "at_hash",
    "no sub": "sub",
    "empty sub": "no usable subject",
    "long sub": "no usable subject",
    "a number as sub": "sub",
    "words as exp": "exp",
    "alg none": "alg",
    "HS256 with the public key": "alg",
    "a foreign key": "bad_signature",
    "a foreign key of another name": "signed with an unknown key",
    "no token at all": "decode",
    "no claims": "payload",
    "no ID token": "no ID token",
    "another iss beside the code": "another issuer",
    "no iss beside the code": "no issuer",
    "a made-up code": "invalid_grant",
}
"""What is wrong, and a word of what the audit log says."""

PROVIDER = "admin_app.web.single_sign_on.provider.Provider"


async def never_looks(provider: object, issuer: str | None) -> None:
    """A build that takes an answer of anybody."""


def believes_anything(value: bytes, *more: object) -> SimpleNamespace:
    """A build that checks no signature."""
    header, payload, _ = value.split(b".")
    return SimpleNamespace(payload=unpacked(payload), headers=lambda: {**json.loads(unpacked(header)), "alg": "RS256"})


def unpacked(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


async def takes_any_browser(session: Any, *, state: str, browser: str) -> Flow:
    """A build that asks for the state only."""
    row = await session.scalar(select(SignInFlow).where(SignInFlow.state_hash == hash_of(state)))
    return Flow(row.next_path, state, browser, nonce=row.nonce, code_verifier=row.code_verifier)


OUTAGES = [
    f"{where}: {what}"
    for where in ("token", "keys")
    for what in ("huge", "redirect", "error", "no JSON", "deep", "packed", "a list")
]


ASTRAY: list[tuple[str, object]] = [
    ("issuer", "https://evil.example"),
    ("token_endpoint", "http://evil.example/token"),
    ("jwks_uri", "file:///etc/passwd"),
    ("authorization_endpoint", "javascript:alert(1)"),
    ("authorization_endpoint", None),
    ("code_challenge_methods_supported", ["plain"]),
]


async def only_refused(traveller: Traveller, before: dict[str, list[object]]) -> list[AuditLog]:
    """Nobody is in, and all that was written is what the audit log says."""
    after = await traveller.desk.everything()
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"audit_logs", "sign_in_flows"}, "nothing else may be left behind"
    assert await traveller.sessions() == 0
    assert not await traveller.is_in()
    return list(await traveller.desk.rows(AuditLog))[len(before["audit_logs"]) :]


class TestThereAndBack:
    async def test_opens_the_page_that_was_wanted(
        self, desk: Desk, provider: OpenIDProvider, traveller: Traveller
    ) -> None:
        answer = await traveller.sign_in(next_path="/admin/ticket/list?page=2")
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/ticket/list?page=2")
        assert await traveller.is_in()
        [identity] = await desk.rows(ExternalIdentity)
        assert (identity.user_id, identity.issuer, identity.subject) == (desk.cast.sam.id, provider.issuer, "sam")
        [stored] = await desk.rows(UserSession)
        assert (stored.user_id, stored.by_provider) == (desk.cast.sam.id, True)
        entries = await desk.rows(AuditLog)
        assert [entry.action for entry in entries] == [AuditAction.LINK_IDENTITY, AuditAction.SIGN_IN]
        assert entries[1].reason == "through the provider of single sign-on"

    async def test_a_second_time_needs_no_address(
        self, desk: Desk, provider: OpenIDProvider, traveller: Traveller
    ) -> None:
        await traveller.sign_in()
        first = traveller.visitor.client.cookies["desk_session"]
        provider.knows("sam", email=None, email_verified=None)
        assert (await traveller.sign_in()).status_code == 303
        assert traveller.visitor.client.cookies["desk_session"] != first, "a new id at every sign-in"
        assert len(await desk.rows(ExternalIdentity)) == 1

    async def test_the_sign_in_that_the_browser_had_before_ends(self, desk: Desk, traveller: Traveller) -> None:
        await traveller.sign_in()
        before = traveller.visitor.client.cookies["desk_session"]
        await traveller.sign_in()
        first, second = await desk.rows(UserSession)
        assert (first.revoked_at is None, second.revoked_at is None) == (False, True)
        assert await traveller.is_in()
        traveller.visitor.client.cookies.set("desk_session", before, domain="127.0.0.1")
        assert not await traveller.is_in()

    async def test_a_refused_one_ends_nothing(self, desk: Desk, provider: OpenIDProvider, traveller: Traveller) -> None:
        await traveller.sign_in()
        provider.knows("stranger")
        assert (await traveller.sign_in("stranger")).status_code == 403
        assert await traveller.is_in()

    async def test_the_browser_keeps_nothing_of_the_way(self, desk: Desk, traveller: Traveller) -> None:
        page = await traveller.set_out()
        cookie = page.headers["set-cookie"].lower()
        assert cookie.startswith("desk_provider=")
        assert {"httponly", "samesite=lax", "path=/", "max-age=600"} <= set(cookie.split("; "))
        [flow] = await desk.rows(SignInFlow)
        kept = traveller.visitor.client.cookies["desk_provider"]
        assert kept not in repr(vars(flow)), "the database holds only a hash"
        await traveller.visitor.get(await traveller.choose(page))
        assert "desk_provider" not in traveller.visitor.client.cookies
        assert await desk.rows(SignInFlow) == []

    async def test_the_tokens_of_the_provider_are_kept_nowhere(
        self, desk: Desk, provider: OpenIDProvider, traveller: Traveller, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = await traveller.sign_in()
        pages = [answer.text, str(answer.headers), caplog.text, repr(await desk.everything())]
        assert len(provider.given) == 3
        assert [secret for secret in provider.given for page in pages if secret in page] == []

    async def test_leads_to_own_pages_only(self, provider: OpenIDProvider, traveller: Traveller) -> None:
        with every_cell() as cell:
            for next_path in ("https://evil.example/", "//evil.example", "/admin/../x\\y", "/elsewhere"):
                with cell(next_path):
                    answer = await traveller.sign_in(next_path=next_path)
                    assert answer.headers["location"] == "/admin/"

    @pytest.mark.parametrize("kind", ["RSA", "EC"])
    async def test_a_changed_key_is_fetched(
        self, provider: OpenIDProvider, traveller: Traveller, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        await traveller.sign_in()
        monkeypatch.setattr("admin_app.web.single_sign_on.documents.PAUSE", timedelta(0))
        provider.sign_with(f"second {kind}", kind)
        assert (await traveller.sign_in()).status_code == 303
        assert provider.asked.count("/keys") == 2
        assert provider.asked.count("/.well-known/openid-configuration") == 1, "what is known is not asked again"

    async def test_a_secret_in_the_form_where_the_provider_wants_it_there(
        self, provider: OpenIDProvider, traveller: Traveller
    ) -> None:
        provider.documents["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
        assert (await traveller.sign_in()).status_code == 303


class TestWhatIsNotBelieved:
    async def test_is_a_sentence_and_an_entry(
        self, desk: Desk, provider: OpenIDProvider, somebody: Callable[[], Traveller]
    ) -> None:
        with every_cell() as cell:
            for fault, why in NOT_BELIEVED.items():
                with cell(fault):
                    await self.is_refused(desk, provider, somebody(), fault, why)

    async def is_refused(
        self, desk: Desk, provider: OpenIDProvider, traveller: Traveller, fault: str, why: str
    ) -> None:
        provider.fault = fault
        before = await desk.everything()
        answer = await traveller.sign_in()
        assert answer.status_code == 403
        assert FOREIGN in text_of(answer)
        [entry] = await only_refused(traveller, before)
        assert (entry.action, entry.actor_id) == (AuditAction.SIGN_IN_REFUSED, None)
        assert why in entry.reason
        assert form_on(answer).action == "/admin/login", "the way in by password is still there"

    async def test_a_code_counts_once(self, provider: OpenIDProvider, traveller: Traveller) -> None:
        back = await traveller.choose(await traveller.set_out())
        used = back.partition("code=")[2].partition("&")[0]
        await traveller.visitor.get(back)
        again = await traveller.choose(await traveller.set_out())
        mine = again.partition("code=")[2].partition("&")[0]
        traveller.visitor.client.cookies.delete("desk_session")
        answer = await traveller.visitor.get(again.replace(mine, used))
        assert answer.status_code == 403
        assert not await traveller.is_in()

    async def test_a_code_that_somebody_else_began_does_not_count_here(
        self, provider: OpenIDProvider, traveller: Traveller
    ) -> None:
        theirs = await traveller.choose(await traveller.set_out())
        mine = await traveller.choose(await traveller.set_out())
        stolen, own = (address.partition("code=")[2].partition("&")[0] for address in (theirs, mine))
        answer = await traveller.visitor.get(mine.replace(own, stolen))
        assert answer.status_code == 403, "PKCE: the code belongs to another verifier"
        assert not await traveller.is_in()


class TestWhatWasNotBegunHere:
    @pytest.mark.parametrize("fault", ["another state", "no state"])
    async def test_another_state(self, desk: Desk, provider: OpenIDProvider, traveller: Traveller, fault: str) -> None:
        provider.fault = fault
        before = await desk.everything()
        answer = await traveller.sign_in()
        assert answer.status_code == 400
        assert NOT_HERE in text_of(answer)
        assert await only_refused(traveller, before) == []
        assert "/token" not in provider.asked

    async def test_another_browser(self, desk: Desk, traveller: Traveller, window) -> None:
        back = await traveller.choose(await traveller.set_out())
        victim = Traveller(window(), desk)
        async with desk.nothing_written():
            assert (await victim.visitor.get(back)).status_code == 400
            victim.visitor.client.cookies.set("desk_provider", "made up", domain="127.0.0.1")
            assert (await victim.visitor.get(back)).status_code == 400
        assert not await victim.is_in()
        assert (await traveller.visitor.get(back)).status_code == 303, "the state is not used up by a stranger"

    async def test_a_second_time(self, desk: Desk, traveller: Traveller) -> None:
        page = await traveller.set_out()
        kept = traveller.visitor.client.cookies["desk_provider"]
        back = await traveller.choose(page)
        assert (await traveller.visitor.get(back)).status_code == 303
        traveller.visitor.client.cookies.set("desk_provider", kept, domain="127.0.0.1")
        async with desk.nothing_written():
            assert (await traveller.visitor.get(back)).status_code == 400

    async def test_too_late(self, desk: Desk, traveller: Traveller) -> None:
        back = await traveller.choose(await traveller.set_out())
        [flow] = await desk.rows(SignInFlow)
        await desk.set(SignInFlow, flow.id, expires_at=flow.created_at)
        async with desk.nothing_written():
            assert (await traveller.visitor.get(back)).status_code == 400

    async def test_an_address_alone_changes_nothing(self, desk: Desk, traveller: Traveller) -> None:
        with every_cell() as cell:
            for query in ("", "?state=x", "?code=x&state=x", "?error=x", "?state=%00&code=%ff"):
                with cell(query):
                    async with desk.nothing_written():
                        answer = await traveller.visitor.get(f"{BACK_PATH}{query}")
                    assert answer.status_code == 400
                    assert NOT_HERE in text_of(answer)

    async def test_only_a_get_uses_the_state_up(self, desk: Desk, traveller: Traveller) -> None:
        back = await traveller.choose(await traveller.set_out())
        async with desk.nothing_written():
            assert (await traveller.visitor.client.head(back)).status_code == 405
        assert (await traveller.visitor.get(back)).status_code == 303

    async def test_a_button_on_another_site_leads_nowhere(self, desk: Desk, traveller: Traveller) -> None:
        async with desk.nothing_written():
            answer = await traveller.visitor.client.post(
                "/admin/login", data={"through_provider": "1"}, headers={"Origin": "https://evil.example"}
            )
        assert answer.status_code == 403


class TestAnOutage:
    @pytest.mark.usefixtures("nothing_is_kept")
    async def test_on_the_way_back_says_so(
        self, desk: Desk, provider: OpenIDProvider, somebody: Callable[[], Traveller]
    ) -> None:
        with every_cell() as cell:
            for fault in (*OUTAGES, "client unknown"):
                with cell(fault):
                    provider.fault, traveller = "", somebody()
                    page = await traveller.set_out()
                    provider.fault = fault
                    before = await desk.everything()
                    answer = await traveller.visitor.get(await traveller.choose(page))
                    assert answer.status_code == 503
                    assert answer.headers["retry-after"] == "30"
                    assert DOWN in text_of(answer)
                    assert await only_refused(traveller, before) == []

    @pytest.mark.usefixtures("nothing_is_kept")
    async def test_on_the_way_there_leaves_the_password(
        self, desk: Desk, provider: OpenIDProvider, traveller: Traveller
    ) -> None:
        with every_cell() as cell:
            for what in ("huge", "redirect", "error", "no JSON", "deep", "packed", "a list", "empty"):
                with cell(what):
                    provider.fault = f"discovery: {what}"
                    async with desk.nothing_written():
                        answer = await traveller.set_out("/admin/user/list")
                    assert answer.status_code == 503
                    assert DOWN in text_of(answer)
                    assert form_on(answer).fields["next"] == "/admin/user/list"
        data = {"username": "sam@desk.example", "password": "a horse, a battery, a staple"}
        typed = await traveller.visitor.client.post("/admin/login", data=data, headers={"Origin": ORIGIN})
        assert typed.status_code == 303
        assert await traveller.is_in()

    async def test_is_not_asked_about_by_everybody(self, provider: OpenIDProvider, traveller: Traveller) -> None:
        provider.fault = "discovery: error"
        for _ in range(5):
            assert (await traveller.set_out()).status_code == 503
        assert len(provider.asked) == 1

    @pytest.mark.usefixtures("nothing_is_kept")
    async def test_a_document_that_leads_astray_counts_as_one(
        self, provider: OpenIDProvider, traveller: Traveller
    ) -> None:
        with every_cell() as cell:
            for name, value in ASTRAY:
                with cell(f"{name} {value}"):
                    provider.documents = {name: value}
                    assert (await traveller.set_out()).status_code == 503
        provider.documents = {}
        assert (await traveller.set_out()).status_code == 200, "it was that, and not what came before it"


class TestPatience:
    @pytest.fixture
    def single_sign_on(self) -> dict[str, object]:
        return {"oidc_timeout_seconds": 1.5}

    async def test_ends(self, provider: OpenIDProvider, traveller: Traveller) -> None:
        provider.fault = "discovery: slow"
        began = time.monotonic()
        answer = await traveller.set_out()
        assert (answer.status_code, DOWN in text_of(answer)) == (503, True)
        assert 1.4 < time.monotonic() - began < 10


class TestNobodyIsHome:
    @pytest.fixture
    def single_sign_on(self) -> dict[str, object]:
        return {"oidc_issuer": "http://127.0.0.1:9"}

    async def test_says_so(self, traveller: Traveller) -> None:
        answer = await traveller.set_out()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        assert DOWN in text_of(answer)


class TestWithoutSingleSignOn:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, object]:
        return {}

    async def test_there_is_no_button_and_no_way_back(self, traveller: Traveller) -> None:
        page = await traveller.visitor.get("/admin/login")
        assert "single sign-on" not in text_of(page).lower()
        assert (await traveller.set_out()).status_code == 400, "taken for a password that is not there"
        answer = await traveller.visitor.get(f"{BACK_PATH}?code=x&state=x")
        assert (answer.status_code, answer.headers["location"]) == (302, "/admin/login")


class TestTheButton:
    @pytest.fixture
    def single_sign_on(self) -> dict[str, object]:
        return {"oidc_button_label": "With <b>Acme</b>"}

    async def test_says_what_the_settings_say(self, traveller: Traveller) -> None:
        page = await traveller.visitor.get("/admin/login?next=/admin/user/list")
        assert "With <b>Acme</b>" in text_of(page)

    async def test_leads_there_by_way_of_a_page(self, provider: OpenIDProvider, traveller: Traveller) -> None:
        page: httpx.Response = await traveller.set_out()
        assert 'http-equiv="refresh"' in page.text
        assert f"0;url={provider.issuer}/authorize?" in page.text


class TestTooManyUnfinished:
    async def test_are_told_to_wait(self, traveller: Traveller, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("admin_app.services.operations.single_sign_on.MOST_UNFINISHED", 2)
        pages = [(await traveller.set_out()).status_code for _ in range(3)]
        assert pages == [200, 200, 429]


class TestTheProviderSaysNo:
    async def test_is_a_sentence(self, desk: Desk, provider: OpenIDProvider, traveller: Traveller) -> None:
        provider.fault = "the person says no"
        before = await desk.everything()
        answer = await traveller.sign_in()
        assert answer.status_code == 403
        assert "Single sign-on did not sign you in." in text_of(answer)
        assert await only_refused(traveller, before) == []


BROKEN_BUILDS = {
    "another nonce": ("authlib.oidc.core.CodeIDToken.validate_nonce", lambda claims: None),
    "no nonce": ("authlib.oidc.core.CodeIDToken.validate_nonce", lambda claims: None),
    "another aud": ("joserfc.jwt.JWTClaimsRegistry.validate_aud", lambda registry, value: None),
    "another azp": ("authlib.oidc.core.CodeIDToken.validate_azp", lambda claims: None),
    "another iss": ("joserfc.jwt.JWTClaimsRegistry.validate_iss", lambda registry, value: None),
    "expired": ("joserfc.jwt.JWTClaimsRegistry.validate_exp", lambda registry, value: None),
    "issued in the future": ("joserfc.jwt.JWTClaimsRegistry.validate_iat", lambda registry, value: None),
    "another at_hash": ("authlib.oidc.core.CodeIDToken.validate_at_hash", lambda claims: None),
    "another iss beside the code": (f"{PROVIDER}.check_issuer", never_looks),
    "no iss beside the code": (f"{PROVIDER}.check_issuer", never_looks),
    "a foreign key": ("joserfc.jwt.deserialize_compact", believes_anything),
    "alg none": ("joserfc.jwt.deserialize_compact", believes_anything),
    "HS256 with the public key": ("joserfc.jwt.deserialize_compact", believes_anything),
}
"""The check that is taken out, by the fault that it is there for."""


class TestBrokenBuilds:
    async def test_let_in_whom_the_whole_one_refuses(
        self, provider: OpenIDProvider, somebody: Callable[[], Traveller]
    ) -> None:
        """The negative control: each refusal above is the work of exactly this check."""
        with every_cell() as cell:
            for fault, check in BROKEN_BUILDS.items():
                with cell(fault), pytest.MonkeyPatch.context() as patch:
                    patch.setattr(*check)
                    if fault == "another aud":
                        patch.setattr(*BROKEN_BUILDS["another azp"])
                    provider.fault, traveller = fault, somebody()
                    assert (await traveller.sign_in()).status_code == 303
                    assert await traveller.is_in()

    async def test_let_another_browser_in(
        self, desk: Desk, traveller: Traveller, window, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without the cookie, a stranger signs the victim in as themselves."""
        monkeypatch.setattr(single_sign_on, "take", takes_any_browser)
        back = await traveller.choose(await traveller.set_out())
        victim = Traveller(window(), desk)
        victim.visitor.client.cookies.set("desk_provider", "any.thing", domain="127.0.0.1")
        assert (await victim.visitor.get(back)).status_code == 303
