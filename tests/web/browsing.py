"""Somebody at a browser window, without the browser: pages are fetched, their forms read, filled in and sent."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

ORIGIN = "http://127.0.0.1"
ANY_PAGE = "/admin/notification/list"
"""Everybody at the desk may see this one."""


@dataclass
class Form:
    """A form as it stands on a page: where it goes, and what its fields hold."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)

    def filled(self, typed: Mapping[str, str]) -> dict[str, str]:
        """What the browser would send."""
        return {**self.fields, **typed}


class _PageReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._form: Form | None = None
        self._area: tuple[str, list[str]] | None = None
        self._select = ""
        self._in_link = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._in_link = tag == "a" or self._in_link
        if tag == "a":
            self.links.append((given.get("href", ""), ""))
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._form)
        elif tag == "textarea":
            self._area = (given.get("name", ""), [])
        elif self._form is not None:
            self._question(tag, given, self._form)

    def _question(self, tag: str, given: dict[str, str], form: Form) -> None:
        if tag == "select":
            self._select = given["name"]
            form.options[self._select] = []
        elif tag == "option" and self._select:
            value = given.get("value", "")
            if "selected" in given or not form.options[self._select]:
                form.fields[self._select] = value
            form.options[self._select].append(value)
        elif tag == "input" and given.get("name"):
            kind = given.get("type", "text")
            if kind == "radio":
                form.options.setdefault(given["name"], []).append(given.get("value", ""))
            if kind not in {"checkbox", "radio", "file"} or "checked" in given:
                form.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._in_link = False
        elif tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._area is not None:
            name, parts = self._area
            if self._form is not None and name:
                self._form.fields[name] = "".join(parts).removeprefix("\n")
            self._area = None

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._in_link:
            address, before = self.links[-1]
            self.links[-1] = (address, f"{before}{data}")
        if self._area is not None:
            self._area[1].append(data)


def _read(answer: httpx.Response) -> _PageReader:
    reader = _PageReader()
    reader.feed(answer.text)
    reader.close()
    return reader


def text_of(answer: httpx.Response) -> str:
    """What a person reads on the page, with single blanks."""
    return " ".join(" ".join(_read(answer).texts).split())


def links_on(answer: httpx.Response) -> list[str]:
    """Where the links of a page lead."""
    return [address for address, _ in _read(answer).links]


def names_of_links(answer: httpx.Response, beginning: str) -> list[str]:
    """What the links say that lead to addresses with this beginning."""
    return [name.strip() for address, name in _read(answer).links if address.startswith(beginning)]


def forms_on(answer: httpx.Response) -> list[Form]:
    """The forms that change something, without the one that signs out."""
    return [form for form in _read(answer).forms if form.method == "post" and form.action != "/admin/logout"]


def form_on(answer: httpx.Response, action: str | None = None) -> Form:
    """The one form of a page; where there are several, the one that goes to `action`."""
    found = [form for form in forms_on(answer) if action is None or form.action == action]
    assert len(found) >= 1, f"no form on this page ({answer.status_code}): {text_of(answer)[:300]}"
    return found[0]


def link_on(answer: httpx.Response) -> str:
    """The link for a new password that a page shows."""
    found = re.search(r"/admin/password-link\?token=[\w-]{43}", answer.text)
    assert found, f"no link on this page ({answer.status_code}): {text_of(answer)[:300]}"
    return found.group()


class Visitor:
    """One browser window."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self._token = ""

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """Follow a link."""
        return await self.client.get(path, **options)

    async def form_at(self, path: str, action: str | None = None) -> Form:
        """The form on the page behind `path`."""
        answer = await self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}, {text_of(answer)[:300]}"
        return form_on(answer, action)

    async def submit(self, form: Form, *, files: Any = None, **typed: str) -> httpx.Response:
        """Press the button of a form that was fetched before."""
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
        return await self.client.post(form.action, data=form.filled(typed), files=files, headers=headers)

    async def fill_in(self, path: str, *, action: str | None = None, files: Any = None, **typed: str) -> httpx.Response:
        """Open a page, type, and press the button."""
        return await self.submit(await self.form_at(path, action), files=files, **typed)

    async def token(self) -> str:
        """The token that this window's forms carry."""
        if not self._token:
            page = _read(await self.get(ANY_PAGE))
            self._token = next(form.fields["form_token"] for form in page.forms if "form_token" in form.fields)
        return self._token

    async def post(
        self, path: str, data: Mapping[str, str] | None = None, *, files: Any = None, **headers: str
    ) -> httpx.Response:
        """Send a form to `path` with this window's token and a key of its own, whether or not a page shows one."""
        hidden = {"form_token": await self.token(), "idempotency_key": uuid.uuid4().hex}
        sent = {"Origin": ORIGIN, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.client.post(path, data={**hidden, **(data or {})}, files=files, headers=sent)
