"""What is measured: the same page of the desk, of stock SQLAdmin and of a bare application."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from tests.benchmarks.client import Answer, Client
from tests.benchmarks.data import COMMON, EMAIL, PASSWORD, RARE, Facts
from tests.web.browsing import form_on

Step = Callable[[], Awaitable[Answer]]

DESK, STOCK, BARE = "desk", "stock", "bare"
SAVE = "save"


@dataclass(frozen=True)
class Page:
    """Its address in each application, empty where there is none, and how we want to compare."""

    name: str
    desk: str
    stock: str = ""
    bare: str = ""
    of_stock: float | None = None
    """At most this part of what stock SQLAdmin takes."""
    of_bare: float | None = None

    def path(self, kind: str) -> str:
        """The address in one of the applications."""
        return str(getattr(self, kind))


def all_pages(facts: Facts) -> list[Page]:
    """In the order in which they are printed."""
    one = facts.tickets[0]
    found, listed, bare = "/admin/ticket/list?search=", "/admin/ticket/list", "/list"
    deep = f"{bare}?at={quote(facts.deep_at.replace(tzinfo=None).isoformat())}&id={facts.deep_id}"
    lookup = "/admin/ticket/ajax/lookup?name=creator&term="
    return [
        Page("list", listed, listed, bare, 0.1, 5),
        Page("list, row 90 %", f"{listed}?after={facts.deep_cursor}", f"{listed}?page={facts.deep_page}", deep, 0.1, 5),
        Page("search, rare", f"{found}{RARE}", f"{found}{RARE}", "", 0.01),
        Page("search, common", f"{found}{COMMON}", f"{found}{COMMON}", "", 0.025),
        Page("filter and sort", f"{listed}?status=open", f"{listed}?status=open", f"{bare}?status=open", 0.04),
        Page("ticket page", f"/admin/ticket/details/{one}", f"/admin/ticket/details/{one}", f"/one/{one}", 1.2),
        Page("edit form", f"/admin/ticket/edit/{one}", f"/admin/ticket/edit/{one}", f"/form/{one}", 0.8),
        Page(SAVE, SAVE, SAVE, SAVE, 1.0),
        Page("autocomplete", f"{lookup}mar", f"{lookup}mar", "/suggest?term=mar", 1.5),
        Page("autocomplete, rare", f"{lookup}seed-0000007", f"{lookup}seed-0000007", "/suggest?term=seed-0000007", 1.5),
        Page("dashboard", "/admin/"),
        Page("sign-in page", "/admin/login", "/admin/login"),
    ]


async def sign_in(kind: str, client: Client) -> None:
    """Where there is something to sign in to."""
    if kind != BARE:
        answer = await client.post("/admin/login", {"username": EMAIL, "password": PASSWORD})
        assert answer.status in {302, 303}, f"{kind}: signing in gave {answer.status}"


async def step_of(page: Page, kind: str, client: Client, facts: Facts, number: int) -> Step:
    """What one person does again and again; each saves a ticket of their own."""
    if page.name != SAVE:
        path = page.path(kind)
        return lambda: client.get(path)
    return await _save(kind, client, facts, facts.tickets[number + 1])


async def _save(kind: str, client: Client, facts: Facts, ticket: int) -> Step:
    saved = 0
    fields = {"title": ""}
    path = f"/save/{ticket}" if kind == BARE else f"/admin/ticket/edit/{ticket}"
    if kind == DESK:
        page = await client.get(path, accept="identity")
        fields = form_on(httpx.Response(page.status, content=page.body), path).fields
    elif kind == STOCK:
        chosen = {"status": "open", "channel": "web", "category": "Delivery", "resolution": ""}
        people = {"owner": str(facts.owner), "creator": str(facts.creator)}
        fields = {"title": "", "description": "It rings.", **chosen, **people, "save": "Save"}

    async def save() -> Answer:
        nonlocal saved
        form = {**fields, "title": f"Saved {uuid.uuid4().hex}"}
        if kind == DESK:
            form |= {"version": str(int(fields["version"]) + saved), "idempotency_key": uuid.uuid4().hex}
        saved += 1
        return await client.post(path, form)

    return save
