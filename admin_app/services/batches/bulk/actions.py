"""The six things that can be done to many tickets: for each, whose turn it is, who is refused and why, what changes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from admin_app.actor import Actor
from admin_app.models.audit_log import AuditAction
from admin_app.models.batch import BatchKind
from admin_app.models.notification import NotificationType
from admin_app.models.ticket import ACTIVE_STATUSES, Priority, Status
from admin_app.permissions import Permission
from admin_app.services.batches.bulk.rows import People, Person, Row
from admin_app.services.blocks import ownership, workflow
from admin_app.services.operations.following import MOST_TAGS
from admin_app.services.records.audit import Changes, plain

MISSING = "There is no such ticket."
IN_THE_TRASH = "It is in the trash."
NOT_IN_THE_TRASH = "It is not in the trash."

DELETE_MARKS = ("deleted_at", "deleted_by_id", "delete_reason", "delete_batch_id")


Changed = Sequence[tuple[Row, Changes]]
"""Tickets as they are, with what becomes of them."""


@dataclass(frozen=True)
class Orders:
    """What was asked for, in JSON's own types, with what every action may need besides."""

    parameters: Mapping[str, Any]
    batch_id: str
    actor: Actor
    now: datetime
    new_owner: Person | None = None


class Action(ABC):
    """One kind of batch. Rules and values only: it reads nothing and writes nothing."""

    kind: ClassVar[BatchKind]
    done: ClassVar[AuditAction]
    permission: ClassVar[Permission]
    undo_permission: ClassVar[Permission]
    told_as: ClassVar[NotificationType | None] = None
    on_deleted: ClassVar[bool] = False
    asks_people: ClassVar[bool] = False
    undo_asks_people: ClassVar[bool] = False
    asks_tags: ClassVar[bool] = False
    tells_watchers: ClassVar[bool] = False

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.parameters = orders.parameters

    def refusal(self, row: Row | None, people: People) -> str:
        """Why this ticket will not be changed; empty when it will."""
        if row is None:
            return MISSING
        if (row.deleted_at is not None) is not self.on_deleted:
            return NOT_IN_THE_TRASH if self.on_deleted else IN_THE_TRASH
        return self.rule(row, people)

    @abstractmethod
    def rule(self, row: Row, people: People) -> str:
        """What speaks against it, besides being missing or deleted."""

    @abstractmethod
    def changes(self, row: Row, people: People) -> Changes:
        """Field → [old, new] of an allowed ticket."""

    def undo_rule(self, row: Row, changes: Changes, people: People) -> str:
        """What speaks against giving an untouched ticket its old values back."""
        return ""

    def machine_values(self, row: Row, changes: Changes) -> dict[str, Any]:
        """Columns that the desk writes itself along with these changes, be they done or undone."""
        return {}

    @property
    def asked(self) -> Changes:
        """What was asked for, as the changes of the batch's own entry."""
        return {name: [None, value] for name, value in self.parameters.items() if name != "reason" and value}


class Close(Action):
    """Closing keeps the resolution that a ticket has; the others get the one that was typed."""

    kind = BatchKind.CLOSE
    done = AuditAction.BULK_CLOSE
    permission = Permission.TICKET_CLOSE
    undo_permission = Permission.TICKET_REOPEN_CLOSED
    told_as = NotificationType.STATUS_CHANGED
    undo_asks_people = True
    tells_watchers = True

    def rule(self, row: Row, people: People) -> str:
        """An arrow of the state table leads there, and there is a resolution."""
        if row.status is Status.CLOSED:
            return "It is closed already."
        if not workflow.can_move(self.orders.actor, row.status, Status.CLOSED):
            return f"It cannot go from {workflow.label(row.status)} to {workflow.label(Status.CLOSED)}."
        return "" if row.has_resolution or self.parameters["resolution"] else "It needs a resolution."

    def changes(self, row: Row, people: People) -> Changes:
        """Status, and resolution where there is none yet."""
        status = {"status": [row.status.value, Status.CLOSED.value]}
        return status if row.has_resolution else {**status, "resolution": [None, self.parameters["resolution"]]}

    def machine_values(self, row: Row, changes: Changes) -> dict[str, Any]:
        """As `workflow.move` would set them; what is active again was never resolved."""
        status = Status(changes["status"][1])
        if status is Status.CLOSED:
            return {"closed_at": self.orders.now, "resolved_at": row.resolved_at or self.orders.now}
        return {"closed_at": None, "resolved_at": None if status in ACTIVE_STATUSES else row.resolved_at}

    @property
    def asked(self) -> Changes:
        """With the status, which goes without saying only to the form."""
        return {"status": [None, Status.CLOSED.value], **super().asked}

    def undo_rule(self, row: Row, changes: Changes, people: People) -> str:
        """Open work belongs to somebody who can do it, or to nobody."""
        return _cannot_own(row.owner_id, people)


class Assign(Action):
    """Handing over; the new owner is active and can own, or there would be no such action."""

    kind = BatchKind.ASSIGN
    done = AuditAction.BULK_ASSIGN
    permission = Permission.TICKET_TRANSFER
    undo_permission = Permission.TICKET_TRANSFER_ANY
    told_as = NotificationType.TRANSFERRED
    undo_asks_people = True

    def rule(self, row: Row, people: People) -> str:
        """Own and ownerless tickets, or anybody's with the right to that; not to whom it belongs already."""
        if not ownership.can_transfer(self.orders.actor, row):
            return "It is not yours to hand over."
        return "It belongs to them already." if row.owner_id == self.parameters["owner_id"] else ""

    def changes(self, row: Row, people: People) -> Changes:
        """The owner."""
        return {"owner_id": [row.owner_id, self.parameters["owner_id"]]}

    def undo_rule(self, row: Row, changes: Changes, people: People) -> str:
        """It goes back to somebody who can still own tickets, or to nobody."""
        return _cannot_own(changes["owner_id"][0], people)


class Prioritise(Action):
    """Another priority."""

    kind = BatchKind.PRIORITY
    done = AuditAction.BULK_PRIORITY
    permission = undo_permission = Permission.TICKET_EDIT

    def rule(self, row: Row, people: People) -> str:
        """Not the one it has."""
        return "It has this priority already." if row.priority == self.parameters["priority"] else ""

    def changes(self, row: Row, people: People) -> Changes:
        """The priority."""
        return {"priority": [int(row.priority), int(Priority(self.parameters["priority"]))]}


class ChangeTags(Action):
    """Some tags added, some removed. Counts as a version, so that the undo can see who came after."""

    kind = BatchKind.TAG
    done = AuditAction.BULK_TAG
    permission = undo_permission = Permission.TICKET_EDIT
    asks_tags = True

    def rule(self, row: Row, people: People) -> str:
        """Something changes, and there are not too many afterwards."""
        wanted = self._wanted(row)
        if wanted == sorted(row.tags):
            return "Its tags are like that already."
        return f"It would have more than {MOST_TAGS} tags." if len(wanted) > MOST_TAGS else ""

    def changes(self, row: Row, people: People) -> Changes:
        """All tags before and after, as on the ticket's own page."""
        return {"tags": [", ".join(sorted(row.tags)), ", ".join(self._wanted(row))]}

    def undo_rule(self, row: Row, changes: Changes, people: People) -> str:
        """Tags that were set on the ticket's own page leave no version behind."""
        return CHANGED_SINCE if ", ".join(sorted(row.tags)) != changes["tags"][1] else ""

    @property
    def asked(self) -> Changes:
        """Words instead of lists."""
        return {f"tags_{name}": [None, ", ".join(words)] for name, words in self.parameters.items() if words}

    def _wanted(self, row: Row) -> list[str]:
        return sorted((set(row.tags) | set(self.parameters["added"])) - set(self.parameters["removed"]))


class Delete(Action):
    """Into the trash with comments and attachments, all as one delete batch."""

    kind = BatchKind.DELETE
    done = AuditAction.BULK_DELETE
    permission = Permission.TICKET_DELETE
    undo_permission = Permission.TICKET_RESTORE
    told_as = NotificationType.DELETED
    undo_asks_people = True

    def rule(self, row: Row, people: People) -> str:
        """Whatever is live may go."""
        return ""

    def changes(self, row: Row, people: People) -> Changes:
        """The marks of the trash."""
        orders = self.orders
        marks = (orders.now, orders.actor.id, self.parameters["reason"], orders.batch_id)
        return {name: [None, plain(value)] for name, value in zip(DELETE_MARKS, marks, strict=True)}

    def undo_rule(self, row: Row, changes: Changes, people: People) -> str:
        """As for bringing back one."""
        return _cannot_return(row.creator_id, people) or _cannot_own(row.owner_id, people)


class Restore(Action):
    """Out of the trash, each with exactly what went with it; a new owner for those whose owner can own no more."""

    kind = BatchKind.RESTORE
    done = AuditAction.BULK_RESTORE
    permission = Permission.TICKET_RESTORE
    undo_permission = Permission.TICKET_DELETE
    told_as = NotificationType.RESTORED
    on_deleted = True
    asks_people = True

    def rule(self, row: Row, people: People) -> str:
        """Its customer is active, and its owner can own tickets or somebody else is named."""
        owner = "" if self.parameters["owner_id"] else _cannot_own(row.owner_id, people)
        return _cannot_return(row.creator_id, people) or owner

    def changes(self, row: Row, people: People) -> Changes:
        """The marks of the trash, and the owner where the old one can own no more."""
        marks: Changes = {name: [plain(getattr(row, name)), None] for name in DELETE_MARKS}
        if _cannot_own(row.owner_id, people):
            marks["owner_id"] = [row.owner_id, self.parameters["owner_id"]]
        return marks


CHANGED_SINCE = "It was changed since."

ACTIONS: Mapping[BatchKind, type[Action]] = {
    action.kind: action for action in (Close, Assign, Prioritise, ChangeTags, Delete, Restore)
}


def _cannot_own(owner_id: int | None, people: People) -> str:
    if owner_id is None or people[owner_id].can_own:
        return ""
    return f"{people[owner_id].name}, who owned it, can no longer own tickets."


def _cannot_return(creator_id: int, people: People) -> str:
    creator = people[creator_id]
    return "" if creator.is_active else f"{creator.name}, who opened it, is deactivated."
