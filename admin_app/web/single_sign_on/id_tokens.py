"""What an ID token must be before anybody is believed to be who it says (OpenID Connect Core 1.0, section 3.1.3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from admin_app.errors import AppError
from admin_app.services.operations.single_sign_on import Identity

ALGORITHMS = ("RS256", "ES256")
"""Public keys only: with `none` anybody could sign, with HS256 whoever has read the public key."""
LEEWAY_SECONDS = 60
LONGEST_SUBJECT = 255


class NotBelieved(AppError):
    """Something in the answer of the provider is not as it must be; `why` is for the audit log."""

    status_code = 403
    default_message = "The answer of single sign-on could not be trusted, so nobody was signed in. Please begin again."

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


class UnknownKey(NotBelieved):
    """The token is signed with a key that is not among these."""


@dataclass(frozen=True)
class Expected:
    """What this sign-in has asked for."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None


def claims_of(id_token: str, keys: KeySet, expected: Expected) -> Mapping[str, Any]:
    """The claims of a token that is signed by the issuer, for this desk, for this sign-in, now; else `NotBelieved`."""
    try:
        token = jwt.decode(id_token, keys, algorithms=ALGORITHMS)
        options: Any = {
            "iss": {"essential": True, "value": expected.issuer},
            "aud": {"essential": True, "value": expected.client_id},
        }
        params = {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": expected.access_token}
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate(leeway=LEEWAY_SECONDS)
    except InvalidKeyIdError as error:
        raise UnknownKey("signed with an unknown key") from error
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotBelieved(_why(error)) from error
    return dict(claims)


def identity_in(claims: Mapping[str, Any], *, issuer: str, role_claim: str) -> Identity:
    """Who the claims are about; an e-mail address that is not verified counts for nothing."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise NotBelieved("no usable subject")
    email, name = claims.get("email"), claims.get("name")
    is_verified = claims.get("email_verified") is True and isinstance(email, str) and email.isprintable()
    return Identity(
        issuer=issuer,
        subject=subject,
        email=email if is_verified else None,
        name=name if isinstance(name, str) else "",
        groups=_groups(claims, role_claim) if role_claim else (),
    )


def _groups(claims: Mapping[str, Any], role_claim: str) -> tuple[str, ...]:
    """The values of a claim, or of one inside another that is written with dots (`realm_access.roles`)."""
    value: Any = claims.get(role_claim)
    if value is None and "." in role_claim:
        value = claims
        for name in role_claim.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
    values = value if isinstance(value, list) else [value]
    return tuple(item for item in values if isinstance(item, str))


def _why(error: Exception) -> str:
    claim = getattr(error, "claim", None)
    return f"{getattr(error, 'error', None) or type(error).__name__}{f': {claim}' if claim else ''}"[:200]
