"""A provider of single sign-on is checked at the start, with every fault named at once."""

from typing import Any

import pytest
from pydantic import ValidationError

from admin_app.permissions import Role
from admin_app.settings import Settings

GOOD: dict[str, Any] = {"oidc_issuer": "https://login.example.com/realms/a", "oidc_client_id": "desk"}
MAPPED = {**GOOD, "oidc_role_claim": "groups", "oidc_roles": {"bosses": "admin"}}


def faults(**chosen: Any) -> str:
    """What is said at the start."""
    with pytest.raises(ValidationError) as caught:
        Settings(**chosen)
    return str(caught.value)


class TestIssuer:
    @pytest.mark.parametrize("issuer", ["https://login.example.com", "http://localhost:8080", "http://127.0.0.1:9/a"])
    def test_is_reached_safely(self, issuer: str) -> None:
        assert Settings(**{**GOOD, "oidc_issuer": issuer}).oidc_issuer == issuer

    @pytest.mark.parametrize(
        "issuer",
        ["http://login.example.com", "login.example.com", "https://", "https://[a", "https://a/?b", "ftp://a/"],
    )
    def test_that_is_not_is_refused(self, issuer: str) -> None:
        assert "OIDC_ISSUER must begin with https://" in faults(**{**GOOD, "oidc_issuer": issuer})

    def test_without_one_nothing_else_matters(self) -> None:
        assert Settings(oidc_scopes="").oidc_issuer == ""


class TestTheRest:
    @pytest.mark.parametrize(
        ("chosen", "says"),
        [
            ({"oidc_client_id": ""}, "OIDC_CLIENT_ID"),
            ({"oidc_scopes": "email openidx"}, "OIDC_SCOPES must hold openid"),
            ({"oidc_role_claim": "groups"}, "belong together"),
            ({"oidc_roles": {"bosses": "admin"}}, "belong together"),
            ({"oidc_role_claim": "groups", "oidc_roles": {"all": "customer"}}, "a customer never signs in"),
            ({"oidc_create_accounts": True}, "a new account needs a role"),
            ({"oidc_button_label": ""}, "oidc_button_label"),
            ({"oidc_role_claim": "groups", "oidc_roles": {"all": "emperor"}}, "oidc_roles.all"),
        ],
        ids=str,
    )
    def test_must_fit_together(self, chosen: dict[str, Any], says: str) -> None:
        assert says in faults(**{**GOOD, **chosen})

    def test_all_faults_are_named_at_once(self) -> None:
        said = faults(oidc_issuer="http://login.example.com", oidc_scopes="email")
        assert [word for word in ("OIDC_ISSUER must", "OIDC_CLIENT_ID", "OIDC_SCOPES") if word not in said] == []

    def test_the_secret_is_never_shown(self) -> None:
        chosen = {**GOOD, "oidc_client_secret": "between us"}
        assert "between us" not in repr(Settings(**chosen)) + faults(**chosen, oidc_scopes="")


class TestRoles:
    def test_come_from_the_environment_as_pairs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OIDC_ROLES", "cn=bosses=admin, desk = staff,")
        assert Settings(**GOOD, oidc_role_claim="groups").oidc_roles == {"cn=bosses": Role.ADMIN, "desk": Role.STAFF}

    def test_keep_their_order(self) -> None:
        chosen = Settings(**{**MAPPED, "oidc_roles": {"b": "staff", "a": "admin"}, "oidc_create_accounts": True})
        assert list(chosen.oidc_roles) == ["b", "a"]
