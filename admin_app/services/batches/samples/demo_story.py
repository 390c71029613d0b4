"""The life of each demo ticket as a list of steps in time: who does what, when. No database is asked here."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from admin_app.models.ticket import Channel, Priority, Status
from admin_app.permissions import OWNING_ROLES, Role
from admin_app.services.batches.samples import cases, demo_people

TICKETS = 160
CUSTOMERS = 40
DAYS = 120
LATEST = timedelta(minutes=20)

OWNERS = tuple(person.first_name for person in demo_people.DESK if person.role in OWNING_ROLES)
BUSY_OWNERS = (*OWNERS, "sam", "sam", "sam", "sid", "sid", "ines", "priya")
"""Some have more to do than others."""

SUPERVISORS = tuple(person.first_name for person in demo_people.DESK if person.role is Role.SUPERVISOR)

ENDINGS = (
    *[Status.CLOSED] * 11,
    *[Status.RESOLVED] * 6,
    *[Status.OPEN] * 9,
    *[Status.PENDING] * 6,
    *[Status.ON_HOLD] * 2,
    *[Status.NEW] * 6,
)


@dataclass(frozen=True)
class Step:
    """One thing that somebody does to a ticket; `what` names the verb, `words` what it needs."""

    at: datetime
    ticket: int
    who: str
    what: str
    words: dict[str, object] = field(default_factory=dict)


class Story:
    """Steps of one ticket, each later than the one before and none in the future."""

    def __init__(self, number: int, now: datetime) -> None:
        self.steps: list[Step] = []
        self._number = number
        self._random = random.Random(f"demo ticket {number}")  # noqa: S311 - made-up data keeps no secret
        self._now = now
        self._at = now
        self._tell()

    def _tell(self) -> None:
        chance = self._random
        ending = ENDINGS[self._number * 7 % len(ENDINGS)]
        is_over = ending in (Status.RESOLVED, Status.CLOSED)
        case = cases.CASES[self._number % len(cases.CASES)]
        age = chance.uniform(6, DAYS) if is_over else chance.triangular(0.1, 30, 2)
        opened = (self._now - timedelta(days=age)).replace(hour=chance.randint(8, 17), minute=chance.randint(0, 59))
        self._at = min(opened, self._now - timedelta(hours=9))
        owner = chance.choice(BUSY_OWNERS)
        has_owner = ending is not Status.NEW and (is_over or chance.random() > 0.15)
        self._open(case, owner if has_owner and chance.random() < 0.6 else "")
        if has_owner and not self.steps[0].words["owner"]:
            giver = chance.choice(SUPERVISORS)
            self._add(giver, "transfer", new_owner=owner, reason=chance.choice(cases.TRANSFER_REASONS))
        self._surround(case, owner)
        if ending is not Status.NEW:
            self._work(case, owner, ending, has_owner=has_owner)
        if self._number % 16 == 5:
            self._add(chance.choice(OWNERS), "delete", reason=chance.choice(cases.DELETE_REASONS))

    def _open(self, case: cases.Case, owner: str) -> None:
        chance = self._random
        words = {"product": chance.choice(cases.PRODUCTS), "order": f"HP-{chance.randint(20_000, 89_999)}"}
        urgent = "urgent" in case.tags
        due = self._at + timedelta(days=1 if urgent else chance.choice([3, 5, 10, 30]))
        self._add(
            chance.choice(OWNERS),
            "open",
            customer=chance.randrange(CUSTOMERS),
            owner=owner,
            title=case.title.format(**words),
            description=case.description.format(**words),
            category=case.category,
            priority=Priority.CRITICAL
            if urgent
            else chance.choice([Priority.LOW, *[Priority.MEDIUM] * 3, Priority.HIGH]),
            channel=chance.choice([*Channel, Channel.EMAIL, Channel.WEB]),
            due_at=due if chance.random() < 0.7 else None,
        )

    def _surround(self, case: cases.Case, owner: str) -> None:
        """Tags, watchers and files: what hangs on a ticket."""
        chance = self._random
        if case.tags:
            self._add(owner, "tag", names=", ".join(case.tags))
        if chance.random() < 0.3:
            self._add(owner, "watch", person=chance.choice(SUPERVISORS), level=chance.choice(["all", "replies"]))
        if chance.random() < 0.12:
            filename, content = chance.choice(cases.ATTACHMENTS)
            self._add(owner, "attach", filename=filename, content=content)

    def _work(self, case: cases.Case, owner: str, ending: Status, *, has_owner: bool) -> None:
        chance = self._random
        note = case.note.format(product="unit", order="the order")
        self._add(owner, "move", status=Status.OPEN)
        if chance.random() < 0.7:
            self._add(owner, "comment", body=note, is_internal=True)
        if chance.random() < 0.85:
            self._add(owner, "comment", body=case.reply, is_internal=False)
        if has_owner and chance.random() < 0.15:
            other = chance.choice([name for name in OWNERS if name != owner])
            self._add(
                chance.choice(SUPERVISORS), "transfer", new_owner=other, reason=chance.choice(cases.TRANSFER_REASONS)
            )
            self._add(other, "comment", body="I take it from here; thank you for the notes.", is_internal=True)
        if ending in (Status.PENDING, Status.ON_HOLD):
            self._add(owner, "move", status=ending)
        if ending in (Status.RESOLVED, Status.CLOSED):
            self._add(owner, "resolve", resolution=case.resolution)
        if ending is Status.CLOSED:
            self._add(owner, "close")
            if self._number % 11 == 3:
                self._add(chance.choice(SUPERVISORS), "reopen", reason="The customer writes that it happened again")

    def _add(self, who: str, what: str, **words: object) -> None:
        """The next step, some hours on; close to the present the steps move together."""
        self.steps.append(Step(self._at, self._number, who, what, words))
        latest = self._now - LATEST + timedelta(seconds=20 * len(self.steps))
        self._at = min(self._at + timedelta(hours=self._random.uniform(0.2, 20)), latest)


def whole_story(now: datetime) -> Iterator[Step]:
    """Every step of every ticket in the order of time; the same story every time, told back from `now`."""
    steps = [step for number in range(TICKETS) for step in Story(number, now).steps]
    yield from sorted(steps, key=lambda step: step.at)
