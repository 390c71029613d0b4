"""A small but real provider of OpenID Connect on a port of its own, which can be told to misbehave.

Discovery, authorization endpoint (a page where one chooses who one is), token endpoint with PKCE, and keys that can be
changed. Codes count once.
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.waiting import until

CLIENT_ID = "support-desk"
CLIENT_SECRET = "between the desk and its provider: 100 %"
ELSEWHERE = "/elsewhere"
"""where a provider leads that redirects: to a document that looks right"""
FIRST_KEY: Key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
FOREIGN_KEY: Key = RSAKey.generate_key(2048)


def _half_hash(text: str) -> str:
    half = hashlib.sha256(text.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def _packed(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class OpenIDProvider:
    """Who is there, what it signs with, and what is wrong with it."""

    issuer: str = ""
    fault: str = ""
    """what goes wrong from now on; empty: nothing"""
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    """claims by subject"""
    key: Key = field(default_factory=lambda: FIRST_KEY)
    documents: dict[str, Any] = field(default_factory=dict)
    """what discovery says differently"""
    asked: list[str] = field(default_factory=list)
    """the paths of every request"""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    """codes and tokens that went out"""

    def reset(self) -> None:
        """Nothing is wrong, nobody is known."""
        self.key = FIRST_KEY
        self.fault = ""
        for kept in (self.people, self.documents, self.asked, self.codes, self.given):
            kept.clear()

    def knows(self, subject: str, **claims: Any) -> None:
        """Somebody with a verified address, unless the claims say otherwise."""
        usual = {"email": f"{subject}@desk.example", "email_verified": True, "name": subject.title()}
        self.people[subject] = {name: value for name, value in {**usual, **claims}.items() if value is not None}

    def sign_with(self, kid: str, kind: str = "RSA") -> None:
        """Change the key; the old one is no longer published."""
        parameters: Any = {"kid": kid, "use": "sig"}
        self.key = RSAKey.generate_key(2048, parameters) if kind == "RSA" else ECKey.generate_key("P-256", parameters)

    @property
    def app(self) -> Starlette:
        """Its pages."""
        routes = [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/authorize", self._authorize, methods=["GET", "POST"]),
            Route("/token", self._token, methods=["POST"]),
            Route("/keys", self._keys),
            Route(ELSEWHERE, self._discovery),
        ]
        return Starlette(routes=routes)

    async def _misbehaves(self, request: Request, name: str) -> Response | None:
        """What every document does under a fault that is named after it, such as `token: slow`."""
        self.asked.append(request.url.path)
        where, _, what = self.fault.partition(": ")
        if where != name:
            return None
        if what == "slow":
            fault = self.fault
            await until(lambda: self.fault != fault, f"somebody ends the fault {fault}")
        answers: dict[str, Response] = {
            "huge": Response(b'{"a": "' + b"x" * 2_000_000 + b'"}', media_type="application/json"),
            "redirect": RedirectResponse(f"{self.issuer}{ELSEWHERE}", status_code=302),
            "error": JSONResponse({"error": "server_error"}, status_code=500),
            "no JSON": Response(b"<html>", media_type="text/html"),
            "deep": Response(b"[" * 100_000, media_type="application/json"),
            "packed": Response(b"", headers={"Content-Encoding": "gzip"}),
            "a list": JSONResponse([]),
            "empty": JSONResponse({}),
        }
        return answers.get(what)

    async def _discovery(self, request: Request) -> Response:
        usual = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        wrong = None if request.url.path == ELSEWHERE else await self._misbehaves(request, "discovery")
        return wrong or JSONResponse({**usual, **self.documents})

    async def _keys(self, request: Request) -> Response:
        return await self._misbehaves(request, "keys") or JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def _authorize(self, request: Request) -> Response:
        if request.method == "GET":
            buttons = "".join(f'<button name="who" value="{escape(who)}">{escape(who)}</button>' for who in self.people)
            head = '<!DOCTYPE html><title>Provider</title><link rel="icon" href="data:,">'
            return HTMLResponse(f'{head}<form method="post">{buttons}</form>')
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        who = dict(parse_qsl((await request.body()).decode()))["who"]
        return RedirectResponse(self._way_back(asked, who), status_code=303)

    def _way_back(self, asked: dict[str, str], who: str) -> str:
        code = secrets.token_urlsafe(16)
        self.given.append(code)
        self.codes[code] = {**asked, "who": who}
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        answer |= {
            "the person says no": {"error": "access_denied", "code": ""},
            "another state": {"state": secrets.token_urlsafe(16)},
            "no state": {"state": ""},
            "another iss beside the code": {"iss": "https://evil.example"},
            "no iss beside the code": {"iss": ""},
            "a made-up code": {"code": "made-up"},
        }.get(self.fault, {})
        return f"{asked['redirect_uri']}?{urlencode({name: value for name, value in answer.items() if value})}"

    async def _token(self, request: Request) -> Response:
        sent = dict(parse_qsl((await request.body()).decode()))
        wrong = await self._misbehaves(request, "token")
        if wrong is not None:
            return wrong
        if not self._is_client(request, sent) or self.fault == "client unknown":
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        begun = self.codes.pop(sent.get("code", ""), None)
        if begun is None or begun["redirect_uri"] != sent.get("redirect_uri"):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        if challenge_of(sent.get("code_verifier", "")) != begun["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        access_token = secrets.token_urlsafe(16)
        answer = {"access_token": access_token, "token_type": "Bearer", "id_token": self._id_token(begun, access_token)}
        self.given += [access_token, answer["id_token"]]
        if self.fault == "no ID token":
            del answer["id_token"]
        return JSONResponse(answer)

    def _is_client(self, request: Request, sent: dict[str, str]) -> bool:
        methods = self.documents.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" not in methods:
            return (sent.get("client_id"), sent.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        quoted = urlencode({"": CLIENT_SECRET})[1:].replace("+", "%20")
        right = base64.b64encode(f"{CLIENT_ID}:{quoted}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {right}"

    def _id_token(self, begun: dict[str, str], access_token: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": begun["who"],
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": begun["nonce"],
            "at_hash": _half_hash(access_token),
            **self.people[begun["who"]],
        }
        claims |= self._wrong_claims(now)
        claims = {name: value for name, value in claims.items() if value is not None}
        return self._signed(claims)

    def _wrong_claims(self, now: int) -> dict[str, Any]:
        return {
            "another nonce": {"nonce": "another"},
            "no nonce": {"nonce": None},
            "another aud": {"aud": "another-desk"},
            "several aud without azp": {"aud": [CLIENT_ID, "another-desk"]},
            "another azp": {"aud": [CLIENT_ID, "another-desk"], "azp": "another-desk"},
            "another iss": {"iss": "https://evil.example"},
            "expired": {"iat": now - 900, "exp": now - 600},
            "no exp": {"exp": None},
            "issued in the future": {"iat": now + 600, "exp": now + 900},
            "another at_hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
            "no sub": {"sub": None},
            "empty sub": {"sub": ""},
            "long sub": {"sub": "x" * 256},
            "a number as sub": {"sub": 7},
            "words as exp": {"exp": "tomorrow"},
        }.get(self.fault, {})

    def _signed(self, claims: dict[str, Any]) -> str:
        algorithm = "ES256" if isinstance(self.key, ECKey) else "RS256"
        header = {"alg": algorithm, "kid": self.key.kid}
        if self.fault == "alg none":
            return f"{_packed({'alg': 'none'})}.{_packed(claims)}."
        if self.fault == "HS256 with the public key":
            signed = f"{_packed({**header, 'alg': 'HS256'})}.{_packed(claims)}"
            seal = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"
        if self.fault == "a foreign key":
            return jwt.encode(header, claims, FOREIGN_KEY, algorithms=[algorithm])
        if self.fault == "a foreign key of another name":
            return jwt.encode({**header, "kid": "evil"}, claims, FOREIGN_KEY, algorithms=[algorithm])
        if self.fault == "no token at all":
            return "rubbish"
        if self.fault == "no claims":
            return jws.serialize_compact(header, b"[1]", self.key, [algorithm])
        return jwt.encode(header, claims, self.key, algorithms=[algorithm])


@contextmanager
def running(provider: OpenIDProvider) -> Iterator[OpenIDProvider]:
    """The provider at a free port of this machine, under a name that is another site than 127.0.0.1."""
    listening = socket.create_server(("127.0.0.1", 0))
    provider.issuer = f"http://localhost:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(provider.app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.started, "the provider did not start"
        yield provider
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
