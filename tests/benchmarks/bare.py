"""What a page costs at least: Starlette, the database's driver, one statement, one compiled template."""

import re
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import aiosqlite
import asyncpg
import jinja2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from admin_app.db.engine import async_url
from admin_app.db.search_words import words

COLUMNS = "t.id, t.ticket_number, t.title, t.status, t.priority, t.due_at, t.created_at, t.updated_at"
PEOPLE = "JOIN users c ON c.id = t.creator_id LEFT JOIN users o ON o.id = t.owner_id"
ROWS = f"SELECT {COLUMNS}, c.full_name AS customer, o.full_name AS owner FROM tickets t {PEOPLE}"
LIVE = "t.deleted_at IS NULL"
NEWEST = "ORDER BY t.created_at DESC, t.id DESC LIMIT 50"
LIST = f"{ROWS} WHERE {LIVE} {NEWEST}"
LATER = f"{ROWS} WHERE {LIVE} AND (t.created_at, t.id) < ($1, $2) {NEWEST}"
BY_STATUS = f"{ROWS} WHERE {LIVE} AND t.status = $1 {NEWEST}"
ONE = f"{ROWS.replace('SELECT', 'SELECT t.description, t.resolution, t.version,')} WHERE t.id = $1 AND {LIVE}"
SAVE = "UPDATE tickets SET title = $1, version = version + 1 WHERE id = $2"
SUGGEST = (
    "SELECT email, full_name FROM users WHERE lower(full_name) LIKE $1 OR email LIKE $1 ORDER BY full_name LIMIT 10"
)

LIST_PAGE = """<!DOCTYPE html><title>Tickets</title><table>{% for row in rows %}
<tr><td><a href="/one/{{ row.id }}">{{ row.ticket_number }}</a><td>{{ row.title }}<td>{{ row.status }}
<td>{{ row.priority }}<td>{{ row.owner }}<td>{{ row.customer }}
<td>{{ row.due_at }}<td>{{ row.created_at }}<td>{{ row.updated_at }}{% endfor %}</table>"""
ONE_PAGE = """<!DOCTYPE html><title>{{ row.title }}</title><h1>{{ row.title }}</h1>
<dl>{% for name in row.keys() %}<dt>{{ name }}<dd>{{ row[name] }}{% endfor %}</dl>"""
FORM_PAGE = """<!DOCTYPE html><title>{{ row.title }}</title><form method="post">
<input name="title" value="{{ row.title }}"><textarea name="description">{{ row.description }}</textarea></form>"""
PAGES = jinja2.DictLoader({"list": LIST_PAGE, "one": ONE_PAGE, "form": FORM_PAGE})
TEMPLATES = jinja2.Environment(autoescape=True, loader=PAGES)


class Connections:
    """The driver behind one face; counts what it sends."""

    def __init__(self, database_url: str) -> None:
        self._url = async_url(database_url)
        self._pool: Any = None
        self.sent = 0

    async def fetch(self, statement: str, *values: Any) -> Sequence[Any]:
        """Rows by name."""
        self.sent += 1
        if self._url.get_backend_name() == "sqlite":
            if self._pool is None:
                self._pool = await aiosqlite.connect(self._url.database, isolation_level=None)
                self._pool.row_factory = sqlite3.Row
                await self._pool.create_function("search_words", 1, words, deterministic=True)
            texts = [
                value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value for value in values
            ]
            return list(await self._pool.execute_fetchall(re.sub(r"\$(\d)", r"?\1", statement), texts))
        if self._pool is None:
            plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
            self._pool = await asyncpg.create_pool(plain, min_size=1, max_size=10)
        return list(await self._pool.fetch(statement, *values))

    async def close(self) -> None:
        """Hang up."""
        if self._pool is not None:
            await self._pool.close()


def create_bare_app(database_url: str) -> Starlette:
    """The application, ready to serve."""
    database = Connections(database_url)

    async def rows(request: Request) -> Response:
        query = request.query_params
        if "status" in query:
            found = await database.fetch(BY_STATUS, query["status"])
        elif "at" in query:
            at = datetime.fromisoformat(query["at"]).replace(tzinfo=UTC)
            found = await database.fetch(LATER, at, int(query["id"]))
        else:
            found = await database.fetch(LIST)
        return HTMLResponse(TEMPLATES.get_template("list").render(rows=[dict(row) for row in found]))

    async def one(request: Request) -> Response:
        [row] = await database.fetch(ONE, int(request.path_params["id"]))
        return HTMLResponse(TEMPLATES.get_template(request.path_params["kind"]).render(row=dict(row)))

    async def save(request: Request) -> Response:
        form = await request.form()
        await database.fetch(SAVE, form["title"], int(request.path_params["id"]))
        return RedirectResponse(f"/one/{request.path_params['id']}", status_code=303)

    async def suggest(request: Request) -> Response:
        found = await database.fetch(SUGGEST, f"%{request.query_params['term'].lower()}%")
        return JSONResponse([dict(row) for row in found])

    routes = [
        Route("/list", rows),
        Route("/suggest", suggest),
        Route("/save/{id}", save, methods=["POST"]),
        Route("/{kind}/{id}", one),
    ]
    app = Starlette(routes=routes)
    app.state.connections, app.state.dispose = database, database.close
    return app
