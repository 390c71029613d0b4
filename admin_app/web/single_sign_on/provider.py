"""One provider of single sign-on, as this desk talks with it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from admin_app.services.operations.single_sign_on import Flow, Identity, Rules
from admin_app.web.single_sign_on import id_tokens
from admin_app.web.single_sign_on.documents import Discovery, Documents
from admin_app.web.single_sign_on.fetching import Asking, ProviderDown
from admin_app.web.single_sign_on.id_tokens import Expected, NotBelieved, UnknownKey


@dataclass(frozen=True)
class Client:
    """This desk as the provider knows it."""

    issuer: str
    client_id: str
    client_secret: str
    scopes: str
    role_claim: str
    label: str
    """what the button says"""


class Provider:
    """Sends people there and finds out who has come back."""

    def __init__(self, client: Client, *, rules: Rules, timeout: float) -> None:
        self.client = client
        self.rules = rules
        self._asking = Asking(timeout)
        self._documents = Documents(client.issuer, self._asking)

    async def address(self, flow: Flow, *, redirect_uri: str) -> str:
        """Where the browser goes to sign in."""
        discovery = await self._documents.discovery()
        address: str = prepare_grant_uri(
            discovery.authorization_endpoint,
            client_id=self.client.client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=self.client.scopes,
            state=flow.state,
            nonce=flow.nonce,
            code_challenge=create_s256_code_challenge(flow.code_verifier),
            code_challenge_method="S256",
        )
        return address

    async def check_issuer(self, issuer: str | None) -> None:
        """Refuse an answer that names another issuer, or none where this one always does (RFC 9207)."""
        discovery = await self._documents.discovery()
        if issuer is None and discovery.names_issuer:
            raise NotBelieved("the answer names no issuer")
        if issuer is not None and issuer != self.client.issuer:
            raise NotBelieved("the answer names another issuer")

    async def identity(self, flow: Flow, *, code: str, redirect_uri: str) -> Identity:
        """Who has signed in there, when everything about the answer is right."""
        answer = await self._redeem(flow, code, redirect_uri)
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str):
            raise NotBelieved("the answer holds no ID token")
        expected = Expected(
            issuer=self.client.issuer,
            client_id=self.client.client_id,
            nonce=flow.nonce,
            access_token=access_token if isinstance(access_token, str) else None,
        )
        try:
            claims = id_tokens.claims_of(id_token, await self._documents.keys(), expected)
        except UnknownKey:
            claims = id_tokens.claims_of(id_token, await self._documents.keys(anew=True), expected)
        return id_tokens.identity_in(claims, issuer=self.client.issuer, role_claim=self.client.role_claim)

    async def _redeem(self, flow: Flow, code: str, redirect_uri: str) -> dict[str, Any]:
        discovery = await self._documents.discovery()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": flow.code_verifier,
        }
        status, answer = await self._asking.json("POST", discovery.token_endpoint, **self._proven(form, discovery))
        if status != 200:
            problem = str(answer.get("error", ""))[:50]
            if problem in {"invalid_client", "unauthorized_client"}:
                raise ProviderDown(problem)
            raise NotBelieved(f"the code was refused: {problem}")
        return answer

    def _proven(self, form: dict[str, str], discovery: Discovery) -> dict[str, Any]:
        """The form with what proves that this desk sends it (RFC 6749, section 2.3.1)."""
        client_id, secret = self.client.client_id, self.client.client_secret
        if not secret:
            return {"data": {**form, "client_id": client_id}}
        if discovery.takes_basic:
            return {"data": form, "auth": (quote(client_id, safe=""), quote(secret, safe=""))}
        return {"data": {**form, "client_id": client_id, "client_secret": secret}}
