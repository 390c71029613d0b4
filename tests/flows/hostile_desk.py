"""A desk on which every text that somebody may have typed is a piece of code."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from admin_app import clock
from admin_app.actor import Actor
from admin_app.models import (
    Attachment,
    ImportRejection,
    Ticket,
    TicketImport,
    User,
    UserSession,
    WatchLevel,
)
from admin_app.permissions import Role
from admin_app.services.operations import comments, following, tickets
from admin_app.services.records.error_tracking import storing
from admin_app.services.records.error_tracking.storing import Counted
from tests.flows.payloads import PAYLOADS, payload
from tests.flows.stage import Stage
from tests.services.records.error_tracking.seeing import seen


def furnish(stage: Stage) -> None:
    """A hundred tickets; each payload stands in each field of one of them."""
    stage.run(lambda session: _people(session, stage))
    for start in range(0, len(PAYLOADS), 25):
        stage.run(lambda session, start=start: _tickets(session, stage, range(start, start + 25)))
    stage.run(lambda session: _records(session, stage))


async def _people(session: Any, stage: Stage) -> None:
    for number in range(len(PAYLOADS)):
        session.add(
            User(
                email=f"{number}{payload(number)}@x.example".lower(),
                full_name=payload(number + 1),
                role=Role.STAFF if number % 5 == 0 else Role.CUSTOMER,
                timezone="UTC",
            )
        )
    (await session.get(User, stage.cast.users["sid"])).full_name = payload(1)
    now = clock.now()
    for number in range(20):
        fields = {"last_seen_at": now, "expires_at": now + timedelta(hours=1), "ip": payload(number)[:45]}
        agent = payload(5 * number)
        session.add(
            UserSession(token_hash=f"{number:064}", user_id=stage.cast.users["ada"], user_agent=agent, **fields)
        )


async def _tickets(session: Any, stage: Stage, numbers: range) -> None:
    for number in numbers:
        actor = replace(stage.cast.sam, name=payload(number + 2), ip=payload(number)[:45])
        new = tickets.NewTicket(
            creator="kim@desk.example",
            title=payload(number),
            description=f"{payload(number + 3)}\n{payload(number + 4)}",
            category=payload(number + 5)[:100],
            owner="sid@desk.example" if number % 2 else "ada@desk.example",
        )
        ticket = await tickets.open_ticket(session, actor, new)
        await _around(session, actor, ticket, number)
        await _onwards(session, actor, ticket, number)


async def _around(session: Any, actor: Actor, ticket: Ticket, number: int) -> None:
    await comments.add(session, actor, ticket.id, body=payload(number + 6), is_internal=number % 2 == 0)
    await following.tag(session, actor, ticket.id, names=payload(number + 7)[:50])
    await following.watch(session, actor, ticket.id, person="sid@desk.example", level=WatchLevel.ALL)
    file = {"content_type": payload(number + 9)[:100], "size": 1, "sha256": "a" * 64, "storage_key": "aa/a"}
    session.add(Attachment(ticket_id=ticket.id, filename=payload(number + 8), uploaded_by_id=actor.id, **file))


async def _onwards(session: Any, actor: Actor, ticket: Ticket, number: int) -> None:
    changes = {"title": payload(number + 10), "category": payload(number + 11)[:100], "description": payload(number)}
    await tickets.edit(session, actor, ticket.id, changes, version=ticket.version)
    words = {"reason": payload(number + 12), "note": payload(number + 13)}
    version, sue = ticket.version, replace(actor, role=Role.SUPERVISOR)
    other = "ada@desk.example" if number % 2 else "sid@desk.example"
    await tickets.transfer(session, sue, ticket.id, new_owner=other, **words, version=version)
    if number % 3 == 0:
        resolution = payload(number + 14)
        await tickets.resolve(session, actor, ticket.id, resolution=resolution, version=ticket.version)
    if number % 7 == 0:
        await tickets.delete(session, actor, ticket.id, reason=payload(number + 15), version=ticket.version)


async def _records(session: Any, stage: Stage) -> None:
    for number in range(0, len(PAYLOADS), 5):
        text = payload(number)
        error = seen(fingerprint=f"{number:064x}", kind=text[:100], message=text, path=f"/{text}")
        await storing.store(session, [Counted(error, 1)])
    texts = PAYLOADS[:100]
    sent = TicketImport(
        batch_id="b" * 32,
        actor_id=stage.cast.users["ada"],
        file_name=payload(1),
        sha256="c" * 64,
        size=1,
        row_count=100,
        header=texts,
        rejected=100,
        failure=payload(2),
        state="finished",
    )
    session.add(sent)
    await session.flush()
    for number, text in enumerate(texts):
        place = {"line": number + 2, "column": text, "reason": payload(number + 1), "cells": texts}
        session.add(ImportRejection(import_id=sent.id, **place))
