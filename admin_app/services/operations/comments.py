"""What people say on a ticket."""

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from admin_app import clock
from admin_app.actor import Actor
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.errors import Gone, NotFound
from admin_app.models.audit_log import AuditAction
from admin_app.models.comment import Comment
from admin_app.models.notification import NotificationType
from admin_app.models.ticket import Ticket
from admin_app.models.user import User
from admin_app.models.watcher import WatchLevel
from admin_app.permissions import OWNING_ROLES, Permission
from admin_app.services.blocks import editing
from admin_app.services.records import audit, lookup, notifications, text_rules

MOST_MENTIONS = 20
PUNCTUATION = ".,:;!?()"


async def add(session: AsyncSession, actor: Actor, ticket_id: int, *, body: str, is_internal: bool) -> Comment:
    """Say something on a live ticket, to the customer or (`is_internal`) to the desk only.

    The first public comment is the first response; that does not count as a change of the ticket. Tells the owner,
    the watchers and whoever is mentioned. `InvalidInput` at `body` when it is empty or too long.
    """
    actor.require(Permission.TICKET_COMMENT)
    ticket = await lookup.ticket(session, actor, ticket_id, lock=True)
    text_rules.check({"body": body}, required=("body",))
    comment = Comment(
        ticket_id=ticket.id, author_id=actor.id, body=text_rules.normalised(body), is_internal=is_internal
    )
    session.add(comment)
    if not is_internal and ticket.first_response_at is None:
        ticket.first_response_at = clock.now()
    await session.flush()
    changes: dict[str, list[object]] = {"body": [None, comment.body], "is_internal": [None, is_internal]}
    await audit.record(session, actor, AuditAction.COMMENT, ticket, changes=changes)
    receivers = [ticket.owner_id, *await _interested(session, ticket), *await _mentioned(session, comment.body)]
    message = f"{actor.name} commented on {ticket.ticket_number}: {comment.body[:120]}"
    notifications.notify(session, actor, receivers, NotificationType.COMMENTED, message, ticket)
    return comment


async def edit(session: AsyncSession, actor: Actor, comment_id: int, *, body: str, version: int) -> Comment:
    """Change the text of a live comment on a live ticket under its optimistic lock. `StaleEdit` as for tickets."""
    actor.require(Permission.TICKET_COMMENT)
    comment = await find(session, actor, comment_id, lock=True)
    text = text_rules.normalised(body)
    await editing.check_version(session, comment, version=version, typed={"body": text})
    text_rules.check({"body": text}, required=("body",))
    await editing.write(session, actor, comment, {"body": text})
    return comment


async def find(session: AsyncSession, actor: Actor, comment_id: int, *, lock: bool = False) -> Comment:
    """A live comment of a live ticket that the actor may see; `Gone` when either is deleted, `NotFound` otherwise."""
    if not actor.can(Permission.TICKET_DETAILS) or not 0 < comment_id <= lookup.LARGEST_ID:
        raise NotFound("There is no such comment.")
    statement = (
        select(Comment)
        .where(Comment.id == comment_id)
        .options(joinedload(Comment.ticket), joinedload(Comment.author))
        .execution_options(**INCLUDE_DELETED)
    )
    if lock:
        statement = statement.with_for_update(of=Comment)
    comment = await session.scalar(statement)
    if comment is None:
        raise NotFound("There is no such comment.")
    if comment.ticket.deleted_at is not None:
        raise lookup.gone(actor, comment.ticket)
    if comment.deleted_at is not None:
        raise Gone("This comment was deleted.")
    return comment


async def _interested(session: AsyncSession, ticket: Ticket) -> list[int]:
    return await notifications.watchers_of(session, ticket, WatchLevel.ALL, WatchLevel.REPLIES)


async def _mentioned(session: AsyncSession, body: str) -> list[int]:
    """People of the desk whom the text names as @address, or as @ and what stands before the at of their address."""
    words = {word.strip(PUNCTUATION).lower() for word in body.split()}
    names = sorted(word[1:] for word in words if word.startswith("@") and len(word) > 1)[:MOST_MENTIONS]
    if not names:
        return []
    is_named = or_(*(User.email.startswith(name if "@" in name else f"{name}@", autoescape=True) for name in names))
    at_the_desk = select(User.id).where(User.is_active, User.role.in_(OWNING_ROLES), is_named)
    return list((await session.scalars(at_the_desk)).all())
