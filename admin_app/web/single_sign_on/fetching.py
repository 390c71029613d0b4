"""Asking the provider something: within limits of time and size, and never led elsewhere."""

import json
import logging
import ssl
from typing import Any

import anyio
import httpx

from admin_app.errors import Unavailable

logger = logging.getLogger("admin_app.web")

LARGEST_ANSWER = 256 * 1024
RETRY_AFTER = 30


class ProviderDown(Unavailable):
    """The provider does not answer, or not with what the protocol asks of it."""

    default_message = "Single sign-on does not answer right now. Try again in a moment, or sign in with your password."

    def __init__(self, why: str) -> None:
        super().__init__(retry_after=RETRY_AFTER)
        self.why = why


class Asking:
    """Sends one request at a time and reads the JSON of its answer."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._tls = ssl.create_default_context()

    async def json(self, method: str, url: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """The status and the object of an answer; `ProviderDown` when it is late, too large, or anything else."""
        try:
            with anyio.fail_after(self.timeout):
                status, content = await self._content(method, url, options)
            answer = json.loads(content)
        except ProviderDown as error:
            _log(url, error.why)
            raise
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError, RecursionError) as error:
            _log(url, type(error).__name__)
            raise ProviderDown(type(error).__name__) from error
        if not isinstance(answer, dict):
            _log(url, "no object")
            raise ProviderDown("no object")
        return status, answer

    async def _content(self, method: str, url: str, options: dict[str, Any]) -> tuple[int, bytes]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        content = bytearray()
        async with (
            httpx.AsyncClient(
                verify=self._tls, follow_redirects=False, trust_env=False, timeout=self.timeout, headers=headers
            ) as client,
            client.stream(method, url, **options) as response,
        ):
            if response.is_redirect or response.status_code >= 500:
                raise ProviderDown(f"status {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ProviderDown("a packed answer")
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise ProviderDown("too large an answer")
        return response.status_code, bytes(content)


def _log(url: str, why: str) -> None:
    place = url.split("?", maxsplit=1)[0]
    logger.warning("single sign-on failed", extra={"event": "single_sign_on.down", "url": place, "reason": why})
