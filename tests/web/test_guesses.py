"""S-10: guessing passwords. So many are looked at and no more, and neither answer nor time tells who has an account.

In full with `make chaos`: a thousand guesses at one account, and one at each of a thousand.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from statistics import median
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from admin_app import clock
from admin_app.app import create_app
from admin_app.models import AttemptCounter, AuditLog, User
from admin_app.services.blocks import attempts
from admin_app.services.blocks.attempts import Admission, Limit
from admin_app.services.operations import sign_in_attempts
from admin_app.services.records import passwords
from admin_app.settings import Settings
from tests.conftest import DATABASES
from tests.services.conftest import SetClock
from tests.services.scenes import Desk
from tests.support import chaos
from tests.web.browsing import ORIGIN

GUESSES = chaos.times(40, 1_000)
AT_ONCE = 20
FULL_PAIRS = 250
PAIRS = chaos.times(8, FULL_PAIRS)
TOLERANCE = 0.10
SAM, NOBODY = "sam@desk.example", "sxm@desk.example"
TRIES = 10
"""In five minutes, as long as nobody has set anything else."""

Guess = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def chosen_settings() -> dict[str, Any]:
    """Guesses come from as many addresses as a guesser likes."""
    return {"trusted_proxies": "127.0.0.1"}


@pytest.fixture
async def guess(app: Starlette, settings: Settings, desk: Desk) -> AsyncIterator[Guess]:
    """`guess(address, number)` sends a wrong password from the numbered place, through one of two workers."""
    other = create_app(settings)
    transports = [httpx.ASGITransport(worker, raise_app_exceptions=False) for worker in (app, other)]
    clients = [httpx.AsyncClient(transport=transport, base_url=ORIGIN) for transport in transports]
    workers = cycle(clients)

    async def send(address: str, place: int = 0) -> httpx.Response:
        place_of = f"198.18.{place // 250}.{place % 250}"
        headers = {"Origin": ORIGIN, "Accept-Encoding": "identity", "X-Forwarded-For": place_of}
        form = {"username": address, "password": f"wrong guess {place}"}
        return await next(workers).post("/admin/login", data=form, headers=headers)

    yield send
    for client in clients:
        await client.aclose()
    await other.state.errors.close()
    await other.state.database.dispose()


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were compared with anything; comparing takes no time here."""
    found: list[str] = []
    monkeypatch.setattr(passwords, "is_right", lambda password, stored: bool(found.append(password)))
    return found


async def all_at_once(guess: Guess, tries: list[tuple[str, int]]) -> Counter[int]:
    """The statuses of these guesses, twenty of which are under way at any moment."""
    limiter = asyncio.Semaphore(AT_ONCE)

    async def one(address: str, place: int) -> int:
        async with limiter:
            return (await guess(address, place)).status_code

    return Counter(await asyncio.gather(*(one(*each) for each in tries)))


class TestManyGuesses:
    async def test_ten_are_looked_at_per_account_and_per_address(
        self, desk: Desk, guess: Guess, looked_at: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        plans = {
            "one account from everywhere": [(SAM, number) for number in range(GUESSES)],
            "an account that is not there": [(NOBODY, 1_000 + number) for number in range(GUESSES)],
            "many accounts from one address": [(f"p{number}@desk.example", 9_000) for number in range(GUESSES)],
        }
        wrong = {}
        for name, tries in plans.items():
            looked_at.clear()
            started = time.monotonic()
            statuses = await all_at_once(guess, tries)
            seconds = time.monotonic() - started
            is_busy = statuses[503] > 0  # somebody was told to come back, and then fewer may have been looked at
            if len(looked_at) > TRIES or not (is_busy or statuses == {400: TRIES, 429: GUESSES - TRIES}):
                wrong[name] = (len(looked_at), statuses)
            with capsys.disabled():
                print(f"\nS-10: {name}: {GUESSES} guesses in {seconds:.1f} s, {len(looked_at)} looked at, {statuses}")
        assert wrong == {}
        told = Counter(entry.action for entry in await desk.rows(AuditLog))
        assert told["SIGN_IN_REFUSED"] <= 3 * TRIES
        assert told["SIGN_IN_THROTTLED"] >= 3, "each account and each address tells the audit log once"

    async def test_counting_in_two_steps_lets_more_through(
        self, app: Starlette, guess: Guess, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control: the counter is read, and written when twenty have read it."""
        have_read, all_have_read = 0, asyncio.Event()

        async def read_then_write(session: Any, attempt: Any, *, caller: Any, limit: Limit) -> Admission:
            names = attempt.names(caller)
            nonlocal have_read
            counters = await app.state.database.read(lambda reading: _stored(reading, names))
            have_read += 1
            if have_read >= AT_ONCE:
                all_have_read.set()
            await asyncio.wait_for(all_have_read.wait(), 30)
            if any(len(counter.tries) >= limit.tries for counter in counters):
                return Admission((), 0.0, retry_after=60)
            return await attempts.admit(session, names, Limit(10**9, limit.within))

        monkeypatch.setattr(sign_in_attempts, "admit", read_then_write)
        await all_at_once(guess, [(SAM, number) for number in range(AT_ONCE)])
        assert len(looked_at) > TRIES


async def _stored(session: Any, names: list[str]) -> list[AttemptCounter]:
    keys = [attempts._key_hash(name) for name in names]
    found = await session.scalars(AttemptCounter.__table__.select().where(AttemptCounter.key_hash.in_(keys)))
    return list(found)


class TestOverTime:
    async def test_no_five_minutes_see_more_than_ten(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        stopped, chance, admitted = SetClock(), random.Random(7), []
        monkeypatch.setattr(clock, "now", stopped)
        limit = Limit(TRIES, timedelta(minutes=5))
        for _ in range(chaos.times(80, 1_000)):
            now = stopped.forward(seconds=chance.choice([0, 0.1, 1, 10, 40]))
            if not (await desk.run(attempts.admit, ["account"], limit)).is_refused:
                admitted.append(now)
        assert len(admitted) > 2 * TRIES, "the window moves on"
        assert all(later - first >= limit.within for first, later in zip(admitted, admitted[TRIES:], strict=False))


class TestWhatTheAnswerTells:
    async def test_the_same_whether_there_is_an_account_or_not(self, guess: Guess, looked_at: list[str]) -> None:
        for turn in range(TRIES + 2):
            known, unknown = await guess(SAM, 2 * turn), await guess(NOBODY, 2 * turn + 1)
            assert known.status_code == unknown.status_code == (400 if turn < TRIES else 429)
            assert known.text.replace(SAM, "") == unknown.text.replace(NOBODY, "")
            assert comparable(known) == comparable(unknown)


def comparable(answer: httpx.Response) -> dict[str, str]:
    """The headers, without those that differ between any two answers."""
    return {name: value for name, value in answer.headers.items() if name not in {"retry-after", "x-request-id"}}


@dataclass
class Factors:
    """How many times as long a guess at an account took as one at nobody's, pair by pair."""

    of_this_process: list[float] = field(default_factory=list)
    """What others do on the machine does not count here."""
    on_the_wall: list[float] = field(default_factory=list)
    """What a guesser could measure."""


async def factors(guess: Guess, known: str, pairs: int) -> Factors:
    """Guess at both in pairs, in an order by chance."""

    async def cost(address: str) -> tuple[float, float]:
        started = time.process_time(), time.perf_counter()
        answer = await guess(address)
        assert answer.status_code == 400
        return time.process_time() - started[0], time.perf_counter() - started[1]

    await guess(known)
    found, chance = Factors(), random.Random(7)
    for _ in range(pairs):
        costs = {address: await cost(address) for address in chance.sample([known, NOBODY], 2)}
        found.of_this_process.append(costs[known][0] / costs[NOBODY][0])
        found.on_the_wall.append(costs[known][1] / costs[NOBODY][1])
    return found


def interval(found: list[float]) -> tuple[float, float]:
    """Where the median of such pairs lies, wrong once in three hundred times or less (a sign test, no assumptions).

    Three standard deviations of a fair coin to either side of the middle.
    """
    ordered, size = sorted(found), len(found)
    low = max(0, int(size / 2 - 1.5 * size**0.5) - 1)
    return ordered[low], ordered[size - 1 - low]


def tells(found: Factors) -> bool:
    """Whether the time certainly differs by more than a tenth."""
    low, high = interval(found.of_this_process)
    return low > 1 + TOLERANCE or high < 1 - TOLERANCE


class TestWhatTheTimeTells:
    @pytest.fixture(params=DATABASES[: chaos.times(1, 2)])
    def database_url(self, request: pytest.FixtureRequest) -> str:
        """Taking the time takes time."""
        url: str = request.getfixturevalue(f"{request.param}_url")
        return url

    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """Nobody is refused while the time is taken."""
        return {"trusted_proxies": "127.0.0.1", "sign_in_attempts": 100_000}

    async def test_a_guess_takes_as_long_whoever_it_is_about(
        self, desk: Desk, guess: Guess, capsys: pytest.CaptureFixture[str]
    ) -> None:
        await desk.set(User, desk.cast.users["sid"], password_hash=None)
        await desk.set(User, desk.cast.users["sue"], is_active=False)
        kinds = {"known": "sam", "without a password": "sid", "deactivated": "sue", "a customer": "kim"}
        telling, off = [], []
        for kind, name in list(kinds.items())[: chaos.times(1, 4)]:
            found = await factors(guess, f"{name}@desk.example", PAIRS)
            telling += [kind] if tells(found) else []
            off += [kind] if abs(median(found.on_the_wall) - 1) > TOLERANCE else []
            low, high = interval(found.on_the_wall)
            with capsys.disabled():
                print(f"\nS-10: {kind}: {median(found.on_the_wall):.3f} × nobody ({low:.3f}–{high:.3f}), {PAIRS} pairs")
        assert telling == []
        assert off == [] or PAIRS < FULL_PAIRS, "the clock on the wall counts where there are pairs enough"

    async def test_a_check_that_is_spared_for_nobody_is_found_out(
        self, guess: Guess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control."""
        check = passwords.is_right
        monkeypatch.setattr(passwords, "is_right", lambda typed, stored: stored is not None and check(typed, stored))
        assert tells(await factors(guess, SAM, 8))
