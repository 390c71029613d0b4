"""A file with bad rows of twelve kinds, and somebody who imports it on a real server."""

import json
import re
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import update

from admin_app import clock
from admin_app.models import User, UserSession
from admin_app.services.operations.sign_in import hash_of
from admin_app.web.tokens import Tokens
from tests.flows.serving import SECRET_KEY, Server
from tests.services.scenes import Desk

HEADER = "Id,Subject,Description,Status,Priority,Channel,Customer email,Owner email,Resolution,Closed,Tags"
TEXT = "It began on Monday. " * 12
BAD_ROWS = (
    "{n},,x,open,low,email,c{n}@c.example,,,,",
    "{n}," + "long " * 60 + ",x,open,low,email,c{n}@c.example,,,,",
    "{n},No address,x,open,low,email,nobody,,,,",
    "{n},No such status,x,frozen,low,email,c{n}@c.example,,,,",
    "{n},No such priority,x,open,huge,email,c{n}@c.example,,,,",
    "{n},No such channel,x,open,low,pigeon,c{n}@c.example,,,,",
    "{n},No resolution,x,closed,low,email,c{n}@c.example,,,,",
    "{n},No time,x,closed,low,email,c{n}@c.example,,done,yesterday,",
    "{n},No such owner,x,open,low,email,c{n}@c.example,nobody@desk.example,,,",
    "{n},Too few,x,open",
    "{n},Too many,x,open,low,email,c{n}@c.example,,,,,,,",
    ",No key,x,open,low,email,c{n}@c.example,,,,",
)


def write_file(file: Path, rows: int) -> int:
    """One row in a hundred is bad, in twelve ways by turns; how many that are."""
    bad = 0
    with file.open("w", encoding="utf-8", newline="") as text:
        text.write(HEADER + "\r\n")
        for n in range(1, rows + 1):
            if n % 100 == 50:
                text.write(BAD_ROWS[bad % len(BAD_ROWS)].format(n=n) + "\r\n")
                bad += 1
            else:
                status, answer = ("closed", "Solved.") if n % 3 == 0 else ("open", "")
                person = f"c{n % (rows // 2)}@c.example"
                text.write(
                    f'{n},"Lamp {n}, again","{TEXT}\r\nline two",{status},high,email,{person},,{answer},,lamps\r\n'
                )
    return bad


@dataclass
class Importer:
    """Sue, at a server, with a script's patience."""

    client: httpx.AsyncClient
    form_token: str

    async def post(self, path: str, data: dict[str, str] | None = None, **options: Any) -> httpx.Response:
        """Send a form."""
        return await self.client.post(path, data=self.form(data), **options)

    def form(self, data: dict[str, str] | None = None) -> dict[str, str]:
        """A form's fields with the hidden ones."""
        return {"form_token": self.form_token, "idempotency_key": uuid.uuid4().hex, **(data or {})}

    async def send(self, file: Path, key_prefix: str = "load:") -> str:
        """Send a file and take its columns as guessed; the number of its import."""
        with file.open("rb") as content:
            answer = await self.post("/admin/import", files={"file": (file.name, content)})
        assert answer.status_code == 303, answer.text[:500]
        path = answer.headers["location"]
        page = (await self.client.get(path)).text
        chosen = re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL)
        given = {
            name: found.group(1) for name, body in chosen if (found := re.search(r'value="([^"]*)" selected', body))
        }
        answer = await self.post(path, {**given, "key_prefix": key_prefix, "timezone": "UTC"})
        assert answer.status_code == 303, answer.text[:500]
        return path.rsplit("/", 1)[1]

    async def run(self, number: str, verb: str = "run", mode: str = "good_rows") -> AsyncIterator[dict[str, Any]]:
        """The lines of a run, as they come."""
        headers = {"Accept": "application/x-ndjson, application/json"}
        form = self.form({"mode": mode})
        async with self.client.stream("POST", f"/admin/import/{verb}/{number}", data=form, headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            async for line in answer.aiter_lines():
                yield json.loads(line)

    async def run_to_the_end(self, number: str, verb: str = "run", mode: str = "good_rows") -> float:
        """Import and wait; seconds."""
        started, last = time.perf_counter(), {}
        async for line in self.run(number, verb, mode):
            last = line
        assert "goto" in last, last
        return time.perf_counter() - started


async def sue_at(desk: Desk, server: Server) -> Importer:
    """Sue, signed in there."""
    token, now, sue = secrets.token_urlsafe(32), clock.now(), desk.cast.sue.id
    session = UserSession(token_hash=hash_of(token), user_id=sue, last_seen_at=now, expires_at=now + timedelta(hours=9))
    await desk.store(session)
    await desk.database.run(lambda s: s.execute(update(User).where(User.id == sue).values(password_hash="set")))
    client = httpx.AsyncClient(
        base_url=server.url, timeout=900, cookies={"desk_session": token}, headers={"Origin": server.url}
    )
    return Importer(client, Tokens(SECRET_KEY).form_token(token))
