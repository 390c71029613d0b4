"""A batch of rows becomes tickets, in the transaction of its caller: good rows in, bad rows told."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db import failures, ticket_numbers
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.db.upserts import insert_or_skip
from admin_app.errors import AlreadyExists, AppError, InvalidInput
from admin_app.models.audit_log import AuditAction
from admin_app.models.tag import Tag, ticket_tags
from admin_app.models.ticket import Ticket
from admin_app.models.user import User
from admin_app.permissions import OWNING_ROLES, Permission, Role
from admin_app.services.batches.csv_import.drafting import Draft, Drafter, Rejection
from admin_app.services.batches.csv_import.reading import Row
from admin_app.services.records import audit

INSERT_TICKETS = insert(Ticket).returning(Ticket.ticket_number, Ticket.id).execution_options(render_nulls=True)
"""Empty columns are written too: left out, they would make a statement of their own for every mix of them."""


class Person(NamedTuple):
    """What an import needs to know of somebody. No `User`: a rolled-back savepoint would leave a false one behind."""

    id: int
    email: str
    full_name: str
    role: Role
    is_active: bool


@dataclass
class BatchOutcome:
    """What became of the rows of one batch. Every row is imported, known or rejected."""

    imported: int = 0
    known: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """External keys of the imported tickets."""
    customers: list[str] = field(default_factory=list)
    """Addresses of the customers that were made."""


async def import_batch(
    session: AsyncSession,
    actor: Actor,
    rows: Sequence[Row],
    *,
    drafter: Drafter,
    batch_id: str,
    also_taken: Callable[[Iterable[str]], AbstractSet[str]] = lambda keys: frozenset(),
) -> BatchOutcome:
    """Open a ticket per row, with an audit entry each; a dozen statements whatever the number of rows.

    A row whose external key is stored already (in the trash too), or `also_taken`, counts as known. A row that
    breaks a rule is rejected with its column and the reason, and the others still get in. Customers are made by
    address; people who are here already keep their name and role. Tells nobody: a notification per imported ticket
    would help no one.
    """
    actor.require(Permission.TICKET_IMPORT)
    outcome = BatchOutcome()
    drafts: list[Draft] = []
    for read in map(drafter.draft, rows):
        if isinstance(read, Rejection):
            outcome.rejections.append(read)
        else:
            drafts.append(read)
    keys = {draft.external_key for draft in drafts if draft.external_key}
    fresh = _without_known(drafts, await _stored_keys(session, keys) | also_taken(keys))
    outcome.known = len(drafts) - len(fresh)
    people = await _people(session, {draft.email for draft in fresh})
    people |= await _people(session, {draft.owner for draft in fresh}, lock=True)
    fit = [draft for draft in fresh if _may_enter(draft, people, outcome, drafter)]
    if fit:
        numbers = await ticket_numbers.take(session, len(fit))
        tags = await _tag_ids(session, {name for draft in fit for name in draft.tags})
        batch = _Batch(session, actor, drafter, batch_id, people, tags, outcome)
        await batch.store(list(zip(numbers, fit, strict=True)))
    outcome.rejections.sort(key=lambda rejection: rejection.row.line)
    return outcome


@dataclass
class _Batch:
    """What storing needs to know besides the rows."""

    session: AsyncSession
    actor: Actor
    drafter: Drafter
    batch_id: str
    people: dict[str, Person]
    tags: dict[str, int]
    outcome: BatchOutcome

    async def store(self, group: Sequence[tuple[str, Draft]]) -> None:
        """Store a group under one savepoint; when the database refuses it, each half under its own, down to the row.

        The `try` belongs here and nowhere else in a service: a savepoint is the one place where a failed statement
        must not end the unit of work. Faults that are not a row's own (a lost connection, a deadlock) pass through.
        """
        try:
            async with self.session.begin_nested():
                found, made = await self._insert(group)
        except DBAPIError as error:
            answer = _blame_on_row(error)
        else:
            self.outcome.imported += len(group)
            self.outcome.keys += [draft.external_key for _, draft in group if draft.external_key]
            self.outcome.customers += made
            self.people.update(found)
            return
        if len(group) == 1:
            self._turn_away(group[0][1], answer)
            return
        middle = len(group) // 2
        await self.store(group[:middle])
        await self.store(group[middle:])

    def _turn_away(self, draft: Draft, answer: AppError) -> None:
        fields = answer.fields if isinstance(answer, AlreadyExists | InvalidInput) else {}
        if "external_key" in fields:  # another import was faster
            self.outcome.known += 1
            return
        name = next(iter(fields), "")
        self.outcome.rejections.append(Rejection(draft.row, self.drafter.mapping.column_of(name), str(answer)))

    async def _insert(self, group: Sequence[tuple[str, Draft]]) -> tuple[dict[str, Person], list[str]]:
        """Customers, tickets, tags and audit entries of a group; its customers, and the addresses of those it made."""
        found, made = await self._missing_customers(draft for _, draft in group)
        people = {**self.people, **found}
        tickets = [self._ticket(number, draft, people) for number, draft in group]
        ids = await _inserted(self.session, tickets)
        pairs = [
            {"ticket_id": ticket_id, "tag_id": self.tags[name]}
            for ticket_id, (_, draft) in zip(ids, group, strict=True)
            for name in draft.tags
        ]
        if pairs:
            await self.session.execute(insert(ticket_tags), pairs)
        subjects = [
            audit.Subject("tickets", ticket_id, ticket["ticket_number"], audit.created_changes(ticket), version=1)
            for ticket_id, ticket in zip(ids, tickets, strict=True)
        ]
        await audit.record_many(self.session, self.actor, AuditAction.CREATE, subjects, batch_id=self.batch_id)
        return found, made

    async def _missing_customers(self, drafts: Iterable[Draft]) -> tuple[dict[str, Person], list[str]]:
        """Make the customers that nobody knows yet, named as in the first row that mentions them."""
        rows: dict[str, dict[str, Any]] = {}
        for draft in drafts:
            if draft.email not in self.people and draft.email not in rows:
                rows[draft.email] = {"email": draft.email, "full_name": draft.full_name, "role": Role.CUSTOMER}
        if not rows:
            return {}, []
        statement = insert_or_skip(self.session, User).returning(User.id)
        ids = set((await self.session.scalars(statement, list(rows.values()))).all())
        found = await _people(self.session, rows.keys())
        made = [person for person in found.values() if person.id in ids]
        subjects = [
            audit.Subject("users", person.id, person.email, audit.created_changes(rows[person.email]), version=1)
            for person in made
        ]
        await audit.record_many(self.session, self.actor, AuditAction.CREATE, subjects, batch_id=self.batch_id)
        return found, [person.email for person in made]

    def _ticket(self, number: str, draft: Draft, people: dict[str, Person]) -> dict[str, Any]:
        return {
            **draft.columns,
            "ticket_number": number,
            "creator_id": people[draft.email].id,
            "owner_id": people[draft.owner].id if draft.owner else None,
            "external_key": draft.external_key,
        }


async def _inserted(session: AsyncSession, tickets: Sequence[dict[str, Any]]) -> list[int]:
    """Insert the tickets; their ids in the same order. Matched by number, because SQLite promises no order."""
    returned = await session.execute(INSERT_TICKETS, tickets)
    ids = {row.ticket_number: row.id for row in returned}
    return [ids[ticket["ticket_number"]] for ticket in tickets]


def _blame_on_row(error: DBAPIError) -> AppError:
    """What to tell of a row that the database refused; any other fault goes on its way."""
    answer = failures.translate(error)
    is_the_rows = isinstance(answer, AlreadyExists | InvalidInput)
    if answer is None or not is_the_rows or failures.retry_rule(error) is not failures.Retry.NEVER:
        raise error
    return answer


def _without_known(drafts: Sequence[Draft], keys: AbstractSet[str]) -> list[Draft]:
    """Drafts whose key is new; of several with one key, the first."""
    seen = set(keys)
    fresh = []
    for draft in drafts:
        if draft.external_key is None or draft.external_key not in seen:
            fresh.append(draft)
            seen.add(draft.external_key or "")
    return fresh


def _may_enter(draft: Draft, people: dict[str, Person], outcome: BatchOutcome, drafter: Drafter) -> bool:
    """Customer and owner are fit for a new ticket; else the draft is rejected."""
    customer, owner = people.get(draft.email), people.get(draft.owner)
    field_name, reason = "", ""
    if customer is not None and not customer.is_active:
        field_name, reason = "email", f"{customer.full_name} is deactivated."
    elif draft.owner and owner is None:
        field_name, reason = "owner", f"Nobody here has the address {draft.owner}."
    elif owner is not None and not (owner.is_active and owner.role in OWNING_ROLES):
        field_name, reason = "owner", f"{owner.full_name} cannot own tickets."
    if reason:
        outcome.rejections.append(Rejection(draft.row, drafter.mapping.column_of(field_name), reason))
    return not reason


async def _stored_keys(session: AsyncSession, keys: AbstractSet[str]) -> set[str]:
    if not keys:
        return set()
    statement = select(Ticket.external_key).where(Ticket.external_key.in_(keys)).execution_options(**INCLUDE_DELETED)
    return {key for key in await session.scalars(statement) if key}


async def _people(session: AsyncSession, addresses: AbstractSet[str], *, lock: bool = False) -> dict[str, Person]:
    """Those of them who are here; `lock` keeps them from leaving before their tickets are in."""
    wanted = addresses - {""}
    if not wanted:
        return {}
    columns = select(User.id, User.email, User.full_name, User.role, User.is_active)
    statement = columns.where(User.email.in_(wanted)).order_by(User.id)
    rows = await session.execute(statement.with_for_update(read=True) if lock else statement)
    return {person.email: person for person in map(Person._make, rows)}


async def _tag_ids(session: AsyncSession, names: AbstractSet[str]) -> dict[str, int]:
    if not names:
        return {}
    found = select(Tag).where(Tag.name.in_(names))
    missing = sorted(names - {tag.name for tag in await session.scalars(found)})
    if missing:
        await session.execute(insert_or_skip(session, Tag), [{"name": name} for name in missing])
    return {tag.name: tag.id for tag in await session.scalars(found)}
