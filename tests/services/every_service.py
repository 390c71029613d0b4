"""Every service with the right it needs and the roles that have it, as the specification says it by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any, NamedTuple

from admin_app import clock
from admin_app.models import (
    Attachment,
    Comment,
    ExternalIdentity,
    Notification,
    NotificationType,
    SecondFactor,
    Status,
    Ticket,
    TicketWatcher,
    UserSession,
    WatchLevel,
)
from admin_app.permissions import Permission, Role
from admin_app.services.operations import (
    accounts,
    attachments,
    comments,
    following,
    identities,
    own_sign_ins,
    password_links,
    second_factor,
    sign_in,
    tickets,
)
from admin_app.services.pages import audit_list, dashboard, notification_list, people_list, ticket_list, ticket_page
from admin_app.services.records import listing, lookup, notifications
from admin_app.services.records.file_store import FileStore
from tests.services.scenes import Desk

DESK = {"staff", "supervisor", "admin"}
SENIOR = {"supervisor", "admin"}
ADMIN = {"admin"}
SIGNED_IN = {"staff", "supervisor", "ops", "admin"}
FIRST_PAGE = listing.PageRequest()
NOBODYS_FILTER = ticket_list.TicketFilter()
LINK = password_links.NewLink("token", timedelta(hours=1))


@dataclass(frozen=True)
class Scene:
    """Records in every state that a service may ask for."""

    desk: Desk
    live: Ticket
    """nobody owns it"""
    owned: Ticket
    """by Sam, who is not the staff member that tries"""
    resolved: Ticket
    closed: Ticket
    deleted: Ticket
    comment: Comment
    attachment: Attachment
    sign_in: UserSession
    """Sam's"""
    identity: ExternalIdentity
    """Sam's, at a provider of single sign-on"""
    told: dict[str, int]
    """the number of a notification, by role"""
    store: FileStore

    def person(self, name: str) -> int:
        return self.desk.cast.users[name]


async def store_scene(desk: Desk, store: FileStore) -> Scene:
    """One of everything; Sam watches the live ticket, Mallory is deactivated."""
    live, owned = await desk.ticket(), await desk.ticket(owner="sam@desk.example")
    resolved, closed = await desk.ticket(), await desk.ticket()
    await desk.run(tickets.resolve, desk.cast.sam, resolved.id, resolution="done", version=1)
    await desk.run(tickets.close, desk.cast.sam, closed.id, resolution="done", version=1)
    comment = await desk.comment(live)
    content = BytesIO(b"log")
    attachment = await desk.run(
        attachments.attach, desk.cast.sam, live.id, filename="a.log", content=content, store=store
    )
    await desk.store(TicketWatcher(ticket_id=live.id, user_id=desk.cast.sam.id))
    await desk.run(accounts.deactivate, desk.cast.sue, desk.cast.mallory.id, reason="left")
    await desk.store(SecondFactor(user_id=desk.cast.users["sid"], sealed_secret="…", confirmed_at=clock.now()))
    until = clock.now() + timedelta(hours=1)
    opened = UserSession(token_hash="…", user_id=desk.cast.sam.id, last_seen_at=clock.now(), expires_at=until)
    sign_in_of_sam = await desk.store(opened)
    identity = await desk.store(ExternalIdentity(user_id=desk.cast.sam.id, issuer="https://login.example", subject="s"))
    told = {}
    for role in Role:
        row = Notification(user_id=desk.as_role(role).id, type=NotificationType.COMMENTED, message="m")
        told[role.value] = (await desk.store(row)).id
    deleted = await desk.deleted_ticket()
    return Scene(
        desk, live, owned, resolved, closed, deleted, comment, attachment, sign_in_of_sam, identity, told, store
    )


Call = Callable[..., Any]


class Row(NamedTuple):
    """One service as somebody would call it on the scene: `call(session, actor, scene)`."""

    name: str
    permission: Permission
    roles: set[str]
    call: Call

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.name.split()[0] not in {"see", "find", "list", "have", "look", "download"}


_P = Permission

TABLE = [
    Row(*row)
    for row in (
        (
            "open a ticket",
            _P.TICKET_CREATE,
            DESK,
            lambda s, a, x: tickets.open_ticket(s, a, tickets.NewTicket("kim@desk.example", "New")),
        ),
        ("see a ticket", _P.TICKET_DETAILS, DESK, lambda s, a, x: lookup.ticket(s, a, x.live.id)),
        (
            "find a ticket by number",
            _P.TICKET_DETAILS,
            DESK,
            lambda s, a, x: lookup.ticket_by_number(s, a, x.live.ticket_number),
        ),
        ("see a ticket's page", _P.TICKET_DETAILS, DESK, lambda s, a, x: ticket_page.read(s, a, x.live.id)),
        (
            "edit a ticket",
            _P.TICKET_EDIT,
            DESK,
            lambda s, a, x: tickets.edit(s, a, x.live.id, {"title": "New"}, version=1),
        ),
        (
            "resolve a ticket",
            _P.TICKET_CLOSE,
            DESK,
            lambda s, a, x: tickets.resolve(s, a, x.live.id, resolution="done", version=1),
        ),
        (
            "close a ticket",
            _P.TICKET_CLOSE,
            DESK,
            lambda s, a, x: tickets.close(s, a, x.live.id, resolution="done", version=1),
        ),
        (
            "close a ticket through the form",
            _P.TICKET_CLOSE,
            DESK,
            lambda s, a, x: tickets.edit(s, a, x.live.id, {"status": Status.CLOSED, "resolution": "done"}, version=1),
        ),
        (
            "reopen a resolved ticket",
            _P.TICKET_CLOSE,
            DESK,
            lambda s, a, x: tickets.reopen(s, a, x.resolved.id, reason="r", version=2),
        ),
        (
            "reopen a closed ticket",
            _P.TICKET_REOPEN_CLOSED,
            SENIOR,
            lambda s, a, x: tickets.reopen(s, a, x.closed.id, reason="r", version=2),
        ),
        (
            "hand over a ticket of nobody's",
            _P.TICKET_TRANSFER,
            DESK,
            lambda s, a, x: tickets.transfer(
                s, a, x.live.id, new_owner="sam@desk.example", reason="r", note="", version=1
            ),
        ),
        (
            "hand over a ticket of somebody else's",
            _P.TICKET_TRANSFER_ANY,
            SENIOR,
            lambda s, a, x: tickets.transfer(
                s, a, x.owned.id, new_owner="sid@desk.example", reason="r", note="", version=1
            ),
        ),
        (
            "take a ticket of nobody's",
            _P.TICKET_TRANSFER,
            DESK,
            lambda s, a, x: tickets.take(s, a, x.live.id, seen_owner_id=None),
        ),
        (
            "take a ticket of somebody else's",
            _P.TICKET_TRANSFER_ANY,
            SENIOR,
            lambda s, a, x: tickets.take(s, a, x.owned.id, seen_owner_id=x.owned.owner_id),
        ),
        (
            "delete a ticket",
            _P.TICKET_DELETE,
            DESK,
            lambda s, a, x: tickets.delete(s, a, x.live.id, reason="r", version=1),
        ),
        ("restore a ticket", _P.TICKET_RESTORE, SENIOR, lambda s, a, x: tickets.restore(s, a, x.deleted.id)),
        ("see a deleted ticket", _P.TICKET_TRASH, SENIOR, lambda s, a, x: lookup.deleted_ticket(s, a, x.deleted.id)),
        (
            "see a deleted ticket's page",
            _P.TICKET_TRASH,
            SENIOR,
            lambda s, a, x: ticket_page.read_deleted(s, a, x.deleted.id),
        ),
        (
            "see the trash",
            _P.TICKET_TRASH,
            SENIOR,
            lambda s, a, x: ticket_list.trash_page(s, a, search="", request=FIRST_PAGE),
        ),
        (
            "look at what a purge removes",
            _P.TICKET_PURGE,
            ADMIN,
            lambda s, a, x: tickets.purge_preview(s, a, x.deleted.id),
        ),
        (
            "purge a ticket",
            _P.TICKET_PURGE,
            ADMIN,
            lambda s, a, x: tickets.purge_for_good(
                s, a, x.deleted.id, typed_number=x.deleted.ticket_number, store=x.store
            ),
        ),
        (
            "comment",
            _P.TICKET_COMMENT,
            DESK,
            lambda s, a, x: comments.add(s, a, x.live.id, body="b", is_internal=False),
        ),
        (
            "edit a comment",
            _P.TICKET_COMMENT,
            DESK,
            lambda s, a, x: comments.edit(s, a, x.comment.id, body="b", version=1),
        ),
        ("see a comment", _P.TICKET_DETAILS, DESK, lambda s, a, x: comments.find(s, a, x.comment.id)),
        (
            "attach a file",
            _P.TICKET_ATTACH,
            DESK,
            lambda s, a, x: attachments.attach(
                s, a, x.live.id, filename="b.txt", content=BytesIO(b"text"), store=x.store
            ),
        ),
        ("download a file", _P.TICKET_DETAILS, DESK, lambda s, a, x: attachments.find(s, a, x.attachment.id)),
        (
            "watch",
            _P.TICKET_COMMENT,
            DESK,
            lambda s, a, x: following.watch(s, a, x.live.id, person="", level=WatchLevel.ALL),
        ),
        (
            "stop watching",
            _P.TICKET_COMMENT,
            DESK,
            lambda s, a, x: following.unwatch(s, a, x.live.id, user_id=x.person("sam")),
        ),
        ("tag", _P.TICKET_EDIT, DESK, lambda s, a, x: following.tag(s, a, x.live.id, names="smoke")),
        ("see all tags", _P.TICKET_LIST, DESK, lambda s, a, x: following.all_tags(s, a)),
        (
            "list tickets",
            _P.TICKET_LIST,
            DESK,
            lambda s, a, x: ticket_list.page(
                s, a, NOBODYS_FILTER, sort="created_at", descending=True, request=FIRST_PAGE
            ),
        ),
        ("see the dashboard", _P.TICKET_LIST, DESK, lambda s, a, x: dashboard.summary(s, a)),
        (
            "list people",
            _P.USER_LIST,
            DESK,
            lambda s, a, x: people_list.page(s, a, people_list.PeopleFilter(), request=FIRST_PAGE),
        ),
        ("see a person", _P.USER_DETAILS, DESK, lambda s, a, x: lookup.user(s, a, x.person("kim"))),
        (
            "have people suggested",
            _P.USER_LIST,
            DESK,
            lambda s, a, x: lookup.suggest_people(s, a, term="", roles=frozenset(Role)),
        ),
        (
            "make a customer",
            _P.USER_CREATE,
            DESK,
            lambda s, a, x: accounts.create(s, a, email="lea@desk.example", full_name="Lea"),
        ),
        (
            "make a colleague",
            _P.USER_EDIT_STAFF,
            ADMIN,
            lambda s, a, x: accounts.create(s, a, email="lea@desk.example", full_name="Lea", role=Role.STAFF),
        ),
        (
            "edit a customer",
            _P.USER_EDIT,
            DESK,
            lambda s, a, x: accounts.edit(s, a, x.person("kim"), {"full_name": "K"}, version=1),
        ),
        (
            "edit a colleague",
            _P.USER_EDIT_STAFF,
            ADMIN,
            lambda s, a, x: accounts.edit(s, a, x.person("sam"), {"full_name": "S"}, version=1),
        ),
        (
            "deactivate somebody",
            _P.USER_DEACTIVATE,
            SENIOR,
            lambda s, a, x: accounts.deactivate(s, a, x.person("kim"), reason="r"),
        ),
        (
            "reactivate somebody",
            _P.USER_REACTIVATE,
            SENIOR,
            lambda s, a, x: accounts.reactivate(s, a, x.person("mallory")),
        ),
        (
            "change a role",
            _P.USER_CHANGE_ROLE,
            ADMIN,
            lambda s, a, x: accounts.change_role(s, a, x.person("kim"), role=Role.STAFF),
        ),
        (
            "make a link for a new password",
            _P.USER_RESET_PASSWORD,
            ADMIN,
            lambda s, a, x: password_links.make(s, a, x.person("sam"), link=LINK, reason="r"),
        ),
        (
            "reset a second factor",
            _P.USER_RESET_PASSWORD,
            ADMIN,
            lambda s, a, x: second_factor.reset(s, a, x.person("sid"), reason="r"),
        ),
        (
            "see whether somebody has a second factor",
            _P.USER_RESET_PASSWORD,
            ADMIN,
            lambda s, a, x: second_factor.is_on(s, a, x.person("sid")),
        ),
        (
            "end somebody's sessions",
            _P.USER_END_SESSIONS,
            ADMIN,
            lambda s, a, x: sign_in.end_sessions_of(s, a, x.person("sam")),
        ),
        (
            "see somebody's sign-ins",
            _P.USER_END_SESSIONS,
            ADMIN,
            lambda s, a, x: own_sign_ins.of_person(s, a, x.person("sam"), idle=timedelta(hours=1)),
        ),
        (
            "end one of somebody's sign-ins",
            _P.USER_END_SESSIONS,
            ADMIN,
            lambda s, a, x: own_sign_ins.end_one_of(s, a, x.sign_in.id, user_id=x.person("sam")),
        ),
        (
            "see somebody's identities",
            _P.USER_RESET_PASSWORD,
            ADMIN,
            lambda s, a, x: identities.of_person(s, a, x.person("sam")),
        ),
        (
            "unlink an identity of somebody",
            _P.USER_RESET_PASSWORD,
            ADMIN,
            lambda s, a, x: identities.unlink_of(s, a, x.identity.id, user_id=x.person("sam")),
        ),
        (
            "list the audit log",
            _P.AUDIT_LIST,
            SENIOR,
            lambda s, a, x: audit_list.page(s, a, audit_list.AuditFilter(), request=FIRST_PAGE),
        ),
        ("see an audit entry", _P.AUDIT_DETAILS, SENIOR, lambda s, a, x: audit_list.find(s, a, 1)),
        (
            "list one's own notifications",
            _P.NOTIFICATION_LIST,
            SIGNED_IN,
            lambda s, a, x: notification_list.page(s, a, unread_only=False, everyone=False, request=FIRST_PAGE),
        ),
        (
            "list everybody's notifications",
            _P.NOTIFICATION_LIST_ALL,
            SENIOR,
            lambda s, a, x: notification_list.page(s, a, unread_only=False, everyone=True, request=FIRST_PAGE),
        ),
        (
            "mark a notification as read",
            _P.NOTIFICATION_MARK_READ,
            SIGNED_IN,
            lambda s, a, x: notifications.mark_read(s, a, x.told[a.role.value]),
        ),
        ("mark all as read", _P.NOTIFICATION_MARK_READ, SIGNED_IN, lambda s, a, x: notifications.mark_all_read(s, a)),
    )
]
