"""S-18: whichever fault of the database meets whichever form, the page has a sentence or a reference, and no more.

In full with `make chaos`; ordinarily every fault meets some of the forms, and every form some of the faults.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from admin_app.db import database
from admin_app.db.engine import Engines
from admin_app.errors import UnexpectedFailure
from admin_app.web import perform
from tests.db.test_failures import KNOWN
from tests.services.scenes import Desk
from tests.support import chaos
from tests.support.statements import HOUSEKEEPING
from tests.web.browsing import Visitor, text_of
from tests.web.posts import every_post
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]

INSIDES = ("SELECT", "INSERT", "UPDATE ", "[SQL", "parameters", "Traceback", "sqlalchemy", "QueuePool", "violated")
FAULTS = {name: fault for name, (fault, *_) in KNOWN.items()} | {"nobody foresaw": KeyError("SELECT secret")}
REFERENCE = "Something went wrong. Reference "
EVERY = chaos.times(25, 1)
"""Of the pairs of fault and form, one in so many."""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The faults are those of both databases; which one is behind the forms makes no difference."""
    return sqlite_url


@contextmanager
def every_statement_fails(engines: Engines, fault: BaseException, *, reading_too: bool = False) -> Iterator[None]:
    """Inside the block the writer reaches nothing, nor does a reader if that is asked for."""

    def fail(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.lstrip().upper().startswith(HOUSEKEEPING):
            raise fault

    failing = [engines.write, *([engines.read, engines.aside] if reading_too else [])]
    for engine in failing:
        event.listen(engine.sync_engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        for engine in failing:
            event.remove(engine.sync_engine, "before_cursor_execute", fail)


def too_much(answer: httpx.Response) -> list[str]:
    """What an answer tells of the inside; a failure without a reference counts too."""
    text = text_of(answer)
    found = [word for word in INSIDES if word in text]
    return found + (["no reference"] if answer.status_code == 500 and REFERENCE not in text else [])


class TestEveryFault:
    async def test_through_every_form_there_is_a_sentence_or_a_reference(
        self, desk: Desk, scene: Scene, visit: Visit, monkeypatch: pytest.MonkeyPatch, capsys: Any
    ) -> None:
        monkeypatch.setattr(database, "_backoff", lambda attempt: 0.0)
        ada, statuses, wrong = await visit("ada"), Counter[int](), []
        await ada.token()
        posts = [(post, await post.data(desk)) for post in every_post(desk, scene)]
        tries = [(name, reading_too) for name in FAULTS for reading_too in (False, True)]
        async with desk.nothing_written():
            for number, (turn, (name, reading_too)) in enumerate(product(posts, tries)):
                post, data = turn
                if number % EVERY:
                    continue
                with every_statement_fails(desk.database.engines, FAULTS[name], reading_too=reading_too):
                    answer = await ada.post(post.path, data, files=post.files)
                statuses[answer.status_code] += 1
                if found := too_much(answer):
                    wrong.append(f"{name}, {post.path}: {answer.status_code} {found}")
        with capsys.disabled():
            kinds = dict(sorted(statuses.items()))
            print(
                f"\nS-18: {statuses.total()} forms met one of {len(FAULTS)} faults, {len(wrong)} tell too much; {kinds}"
            )
        assert wrong == []
        assert {500, 503, 504} <= set(statuses)

    async def test_a_page_that_tells_would_be_noticed(
        self, desk: Desk, scene: Scene, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control: an error whose words are taken for a sentence."""

        async def careless(*_: Any) -> UnexpectedFailure:
            failure = UnexpectedFailure("3f2a91c0")
            failure.args = ("[SQL: SELECT secret FROM users]",)
            return failure

        monkeypatch.setattr(perform, "report", careless)
        ada = await visit("ada")
        await ada.token()
        with every_statement_fails(desk.database.engines, KeyError("?")):
            answer = await ada.post(f"/admin/ticket/comment/{scene.ticket.id}", {"body": "Hello"})
        assert too_much(answer) == ["SELECT", "[SQL", "no reference"]
