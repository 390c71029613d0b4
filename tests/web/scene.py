"""A desk with a bit of everything on it: whatever a route can point at exists here."""

import io
import uuid
from dataclasses import dataclass
from datetime import timedelta

from admin_app import clock
from admin_app.models import (
    Attachment,
    Batch,
    BatchKind,
    Comment,
    ErrorGroup,
    ErrorReport,
    ExternalIdentity,
    Notification,
    Ticket,
    TicketExport,
    TicketImport,
    UserSession,
    WatchLevel,
)
from admin_app.services.batches.imports import uploads
from admin_app.services.operations import attachments, comments, following, tickets
from admin_app.services.records.file_store import FileStore
from admin_app.services.records.secret_box import SecretBox
from tests.services.batches.bulk.scenes import previewed
from tests.services.batches.csv_files import csv_bytes, rows
from tests.services.batches.exports.exporting import asked
from tests.services.scenes import Desk
from tests.support import second_factors

SECRET_KEY = "signs the forms of every test of the browser side"
BOX = SecretBox(SECRET_KEY)


@dataclass(frozen=True)
class Scene:
    """What there is, by name."""

    ticket: Ticket
    """Sam's, with a comment, a file, a tag and a watcher"""
    other: Ticket
    """Sid's, with nothing on it"""
    closed: Ticket
    deleted: Ticket
    """in the trash, with a comment and a file"""
    comment: Comment
    deleted_comment: Comment
    """in the trash with its ticket"""
    attachment: Attachment
    deleted_attachment: Attachment
    notification: Notification
    """to Sid"""
    adas_notification: Notification
    error: ErrorGroup
    imported: TicketImport
    """sent, and not yet mapped"""
    exported: TicketExport
    """Ada's, not begun"""
    unwanted: TicketExport
    """another of hers"""
    batch: Batch
    """Ada's preview: Sid's ticket becomes critical"""
    sign_in: UserSession
    """Ada's, at another desk"""
    sues_sign_in: UserSession
    identity: ExternalIdentity
    """Ada's, at a provider of single sign-on"""
    sues_identity: ExternalIdentity


async def furnish(desk: Desk, store: FileStore) -> Scene:
    """Put it all there, through the services."""
    cast = desk.cast
    ticket = await desk.ticket(owner="sam@desk.example", description="Smoke everywhere.", category="Hardware")
    comment = await desk.comment(ticket)
    attachment = await attach(desk, store, ticket, "log.txt", b"it burns")
    await desk.run(following.watch, cast.sam, ticket.id, person="sid@desk.example", level=WatchLevel.ALL)
    await desk.run(following.tag, cast.sam, ticket.id, names="vip, fire")
    other = await desk.ticket(title="Mouse is gone", owner="sid@desk.example")
    closed = await desk.ticket(title="Solved long ago", owner="sam@desk.example")
    await desk.run(tickets.close, cast.sam, closed.id, resolution="Turned it on.", version=1)
    deleted = await desk.ticket(title="Spam", owner="sam@desk.example")
    deleted_comment = await desk.run(comments.add, cast.sam, deleted.id, body="Looks like spam.", is_internal=True)
    deleted_attachment = await attach(desk, store, deleted, "spam.txt", b"buy this")
    version = (await desk.stored(Ticket, deleted.id)).version
    await desk.run(tickets.delete, cast.sam, deleted.id, reason="spam", version=version)
    await desk.ticket(title="Look at this", owner="ada@desk.example")
    told = {row.user_id: row for row in await desk.rows(Notification)}
    await second_factors.give(desk, cast.sid.id, BOX)
    return Scene(
        ticket=await desk.stored(Ticket, ticket.id),
        other=other,
        closed=await desk.stored(Ticket, closed.id),
        deleted=await desk.stored(Ticket, deleted.id),
        comment=comment,
        deleted_comment=deleted_comment,
        attachment=attachment,
        deleted_attachment=deleted_attachment,
        notification=told[cast.sid.id],
        adas_notification=told[cast.ada.id],
        error=await report_error(desk),
        imported=await send_import(desk, store),
        exported=await asked(desk, cast.ada),
        unwanted=await asked(desk, cast.ada),
        sign_in=await desk.store(signed_in_elsewhere(cast.ada.id)),
        identity=await desk.store(known_as("ada", cast.ada.id)),
        sues_identity=await desk.store(known_as("sue", cast.sue.id)),
        sues_sign_in=await desk.store(signed_in_elsewhere(cast.sue.id)),
        batch=await previewed(desk, BatchKind.PRIORITY, [other.id], actor=cast.ada),
    )


def signed_in_elsewhere(user_id: int | None) -> UserSession:
    """A sign-in in a window that nobody of the test holds."""
    now = clock.now()
    return UserSession(
        token_hash=uuid.uuid4().hex, user_id=user_id, last_seen_at=now, expires_at=now + timedelta(hours=12)
    )


def known_as(subject: str, user_id: int | None) -> ExternalIdentity:
    """Somebody as a provider of single sign-on knows them."""
    return ExternalIdentity(user_id=user_id, issuer="https://login.example", subject=subject)


async def attach(desk: Desk, store: FileStore, ticket: Ticket, filename: str, content: bytes) -> Attachment:
    """A file that Sam put on a ticket."""
    file: Attachment = await desk.run(
        attachments.attach, desk.cast.sam, ticket.id, filename=filename, content=io.BytesIO(content), store=store
    )
    return file


async def report_error(desk: Desk) -> ErrorGroup:
    """One failure that nobody foresaw."""
    common = {"fingerprint": "a1" * 32, "kind": "KeyError", "message": "…"}
    report = ErrorReport(**common, reference="3f2a91c0", path="/admin/ticket/list")
    now = clock.now()
    group: ErrorGroup = await desk.store(
        ErrorGroup(**common, total=1, first_seen_at=now, last_seen_at=now, latest_references=["3f2a91c0"]), report
    )
    return group


async def send_import(desk: Desk, store: FileStore) -> TicketImport:
    """A file of tickets that Ada sent."""
    imports = FileStore(store.folder.with_name("imports"), store.limit)
    upload = uploads.receive(imports, "tickets.csv", io.BytesIO(csv_bytes(rows(2))))
    sent: TicketImport = await desk.run(uploads.keep, desk.cast.ada, upload, store=imports)
    return sent
