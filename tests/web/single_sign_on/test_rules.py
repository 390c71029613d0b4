"""What the claims of a provider make of somebody at this desk."""

from collections.abc import Mapping
from typing import Any

import pytest

from admin_app.models import AuditLog, User, UserSession
from admin_app.permissions import Role
from tests.services.scenes import Desk
from tests.support.openid_provider import OpenIDProvider
from tests.support.second_factors import give
from tests.web.browsing import text_of
from tests.web.scene import BOX
from tests.web.single_sign_on.conftest import Traveller

ROLES = {"oidc_role_claim": "realm_access.roles", "oidc_roles": "bosses=admin,desk=staff,operators=ops"}


def groups(*names: str) -> Mapping[str, Any]:
    return {"realm_access": {"roles": list(names)}}


class TestRoles:
    @pytest.fixture
    def single_sign_on(self) -> dict[str, Any]:
        return {**ROLES, "oidc_create_accounts": True}

    async def test_follow_the_claim_at_every_sign_in(
        self, desk: Desk, provider: OpenIDProvider, traveller: Traveller
    ) -> None:
        for names, role in ((("others", "bosses"), Role.ADMIN), (("desk",), Role.STAFF)):
            provider.knows("sam", **groups(*names))
            assert (await traveller.sign_in()).status_code == 303
            assert (await desk.stored(User, desk.cast.sam.id)).role is role

    @pytest.mark.parametrize("claims", [{}, groups(), groups("strangers"), {"realm_access": ["desk"]}], ids=str)
    async def test_that_the_desk_does_not_know_keep_people_out(
        self, desk: Desk, provider: OpenIDProvider, traveller: Traveller, claims: Mapping[str, Any]
    ) -> None:
        provider.knows("sam", **claims)
        answer = await traveller.sign_in()
        assert (answer.status_code, await traveller.is_in()) == (403, False)
        assert "gives you no role at this desk" in text_of(answer)

    async def test_that_would_leave_work_without_an_owner_are_refused(
        self, desk: Desk, provider: OpenIDProvider, traveller: Traveller
    ) -> None:
        await desk.ticket(owner="sam@desk.example")
        provider.knows("sam", **groups("operators"))
        answer = await traveller.sign_in()
        assert answer.status_code == 403
        assert "Ask a supervisor to hand them over first." in text_of(answer)
        assert (await desk.stored(User, desk.cast.sam.id)).role is Role.STAFF

    async def test_make_an_account_where_that_is_allowed(
        self, desk: Desk, provider: OpenIDProvider, traveller: Traveller
    ) -> None:
        provider.knows("nell", **groups("desk"))
        assert (await traveller.sign_in("nell")).status_code == 303
        assert (await desk.rows(User))[-1].email == "nell@desk.example"
        assert await traveller.is_in()


class TestPeople:
    @pytest.mark.parametrize(
        ("who", "claims", "says"),
        [
            ("stranger", {}, "no account of this desk is yours"),
            ("mallory", {}, "no account of this desk is yours"),
            ("sam", {"email_verified": False}, "does not vouch for your e-mail address"),
            ("sam", {"email_verified": "true"}, "does not vouch for your e-mail address"),
            ("sam", {"email_verified": None}, "does not vouch for your e-mail address"),
            ("sam", {"email": ["sam@desk.example"]}, "does not vouch for your e-mail address"),
        ],
        ids=str,
    )
    async def test_without_an_account_of_the_desk_stay_outside(
        self, desk: Desk, provider: OpenIDProvider, traveller: Traveller, who: str, claims: dict[str, Any], says: str
    ) -> None:
        provider.knows(who, **claims)
        answer = await traveller.sign_in(who)
        assert (answer.status_code, await traveller.is_in()) == (403, False)
        assert says in text_of(answer)
        assert [entry.action for entry in await desk.rows(AuditLog)] == ["SIGN_IN_REFUSED"]
        assert await desk.rows(UserSession) == []

    async def test_need_no_password(self, desk: Desk, traveller: Traveller) -> None:
        await desk.set(User, desk.cast.sam.id, password_hash=None)
        await traveller.sign_in()
        assert await traveller.is_in()

    async def test_who_are_deactivated_are_out_at_once(self, desk: Desk, traveller: Traveller) -> None:
        await traveller.sign_in()
        await desk.set(User, desk.cast.sam.id, is_active=False)
        assert not await traveller.is_in()
        assert (await traveller.sign_in()).status_code == 403


class TestSecondFactor:
    @pytest.fixture
    def single_sign_on(self) -> dict[str, Any]:
        return {"second_factor_required_for": "staff"}

    async def test_is_the_business_of_the_provider(self, desk: Desk, traveller: Traveller) -> None:
        await traveller.sign_in()
        assert await traveller.is_in(), "not led to set one up"
        await give(desk, desk.cast.sam.id, BOX)
        assert (await traveller.sign_in()).headers["location"] == "/admin/"


class TestSecondFactorOfTheDesk:
    @pytest.fixture
    def single_sign_on(self) -> dict[str, Any]:
        return {"second_factor_required_for": "staff", "oidc_second_factor": "true"}

    async def test_is_asked_for_as_well(self, desk: Desk, traveller: Traveller) -> None:
        await traveller.sign_in()
        answer = await traveller.visitor.get("/admin/user/list")
        assert answer.headers["location"] == "/admin/second-factor"
        await give(desk, desk.cast.sam.id, BOX)
        answer = await traveller.sign_in(next_path="/admin/user/list")
        assert answer.headers["location"] == "/admin/login/code?next=/admin/user/list"
        assert not await traveller.is_in()
