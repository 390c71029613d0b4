"""What a sample ticket and its comments hold: believable text, in the proportions of a real desk."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from admin_app.db import ticket_search_schema
from admin_app.models.ticket import Channel, Priority, Status
from admin_app.services.batches.samples import cases

DELETED_SHARE = 0.02
OWNERLESS_SHARE = 0.08
TAGGED_SHARE = 0.4
DUE_SHARE = 0.6
DAYS = 730
MINUTES = DAYS * 24 * 60
RECENT_MINUTES = 30 * 24 * 60
COMMENTS = (0, 1, 1, 2, 2, 2, 3, 5)
"""How many a ticket has, equally likely: two on average."""

RECENT_STATUSES = (Status.NEW, Status.NEW, Status.OPEN, Status.OPEN, Status.OPEN, Status.PENDING, Status.ON_HOLD)
OLD_STATUSES = (*[Status.CLOSED] * 42, *[Status.RESOLVED] * 6, Status.PENDING, Status.OPEN)
PRIORITIES = (Priority.LOW, *[Priority.MEDIUM] * 3, Priority.HIGH, Priority.CRITICAL)
CHANNELS = (Channel.EMAIL, *Channel)
DUE_DAYS = (1, 3, 5, 10)

DELETION_COLUMNS = ("deleted_at", "delete_reason", "delete_batch_id")
TICKET_COLUMNS = (
    "id",
    "ticket_number",
    "title",
    "description",
    "status",
    "priority",
    "channel",
    "category",
    "creator_id",
    "owner_id",
    "resolution",
    "first_response_at",
    "resolved_at",
    "closed_at",
    "due_at",
    "created_at",
    "updated_at",
    "version",
    *DELETION_COLUMNS,
)
COMMENT_COLUMNS = (
    "ticket_id",
    "author_id",
    "body",
    "is_internal",
    "created_at",
    "updated_at",
    "version",
    *DELETION_COLUMNS,
)
TAG_COLUMNS = ("ticket_id", "tag_id")
SEARCH_COLUMNS = ("ticket_id", "is_deleted", "title", "customer", "body")

Record = tuple[Any, ...]


@dataclass(frozen=True)
class People:
    """Ids that tickets point at; the weights say who owns how much."""

    customers: dict[int, str]
    """With the words by which their tickets are found."""
    owners: list[int]
    weights: list[float]


class Batch:
    """Tickets one after the other, and what was said about those that were made so far."""

    def __init__(self, seed: str, people: People, tag_ids: dict[str, int], today: datetime) -> None:
        self.comments: list[Record] = []
        self.tags: list[Record] = []
        self._texts: list[Record] = []
        self._chance = random.Random(seed)  # noqa: S311 - made-up data keeps no secret
        self._people = people
        self._customers = list(people.customers)
        self._tag_ids = tag_ids
        self._today = today

    def tickets(self, ids: list[int], numbers: list[str]) -> Iterator[Record]:
        """One record per id and number."""
        for ticket_id, number in zip(ids, numbers, strict=True):
            yield self._ticket(ticket_id, number)

    def words(self) -> Iterator[Record]:
        """By what the tickets made so far are found."""
        for ticket_id, is_deleted, number, title, customer, description, comments in self._texts:
            body = ticket_search_schema.body_words(description, comments)
            name = self._people.customers[customer]
            yield ticket_id, is_deleted, ticket_search_schema.title_words(number, title), name, body

    def _ticket(self, ticket_id: int, number: str) -> Record:
        chance = self._chance
        case = chance.choice(cases.CASES)
        age = int(MINUTES * chance.random())
        created_at = self._today - timedelta(minutes=age)
        status = chance.choice(OLD_STATUSES if age > RECENT_MINUTES else RECENT_STATUSES)
        owner_id = self._owner()
        due_at = created_at + timedelta(days=chance.choice(DUE_DAYS)) if chance.random() < DUE_SHARE else None
        ending = self._ending(case, status, created_at)
        deletion = self._deletion(created_at)
        if chance.random() < TAGGED_SHARE:
            self.tags += [(ticket_id, self._tag_ids[tag]) for tag in case.tags]
        said = self._talk(ticket_id, owner_id, created_at, deletion)
        title, description = self._text(case)
        priority, channel, customer = chance.choice(PRIORITIES), chance.choice(CHANNELS), self._customer()
        self._texts.append((ticket_id, deletion[0] is not None, number, title, customer, description, said))
        return (
            ticket_id,
            number,
            title,
            description,
            status,
            priority,
            channel,
            case.category,
            customer,
            owner_id,
            *ending,
            due_at,
            created_at,
            ending[2] or created_at,
            1,
            *deletion,
        )

    def _text(self, case: cases.Case) -> tuple[str, str]:
        """Title and description: the case, what else happened, and something that only this ticket says."""
        chance = self._chance
        words = {
            "product": chance.choice(cases.PRODUCTS),
            "order": f"HP-{int(10_000 + 90_000 * chance.random())}",
            "serial": f"{chance.getrandbits(32):08X}",
        }
        description = f"{case.description} {chance.choice(cases.CASES).description} {chance.choice(cases.CLOSINGS)}"
        return case.title.format_map(words), description.format_map(words)

    def _owner(self) -> int | None:
        chance = self._chance
        if chance.random() < OWNERLESS_SHARE:
            return None
        return chance.choices(self._people.owners, self._people.weights)[0]

    def _customer(self) -> int:
        """Some write every week, most of them once."""
        customers = self._customers
        return customers[int(len(customers) * self._chance.random() ** 3)]

    def _ending(self, case: cases.Case, status: Status, created_at: datetime) -> Record:
        """Resolution, first answer, when it was resolved and when closed."""
        if status not in (Status.RESOLVED, Status.CLOSED):
            return None, None, None, None
        answered_at = created_at + timedelta(minutes=self._chance.randint(5, 600))
        ended_at = answered_at + timedelta(minutes=self._chance.randint(1, 12_000))
        return case.resolution, answered_at, ended_at, ended_at if status is Status.CLOSED else None

    def _deletion(self, created_at: datetime) -> Record:
        if self._chance.random() >= DELETED_SHARE:
            return None, None, None
        batch_id = f"{self._chance.getrandbits(128):032x}"
        return created_at + timedelta(hours=1), self._chance.choice(cases.DELETE_REASONS), batch_id

    def _talk(self, ticket_id: int, owner_id: int | None, created_at: datetime, deletion: Record) -> list[str]:
        """What was said; it went into the trash together with its ticket."""
        chance = self._chance
        author_id = owner_id or self._people.owners[0]
        moment = created_at
        said = []
        for _ in range(chance.choice(COMMENTS)):
            case, is_internal = chance.choice(cases.CASES), chance.random() < 0.4
            moment += timedelta(minutes=int(1 + 50 * chance.random()))
            body = (case.note if is_internal else case.reply).format_map({"product": "unit", "order": "the order"})
            said.append(body)
            self.comments.append((ticket_id, author_id, body, is_internal, moment, moment, 1, *deletion))
        return said
