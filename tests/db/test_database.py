"""`Database.run`: the only commit, and the only retry, in the house."""

import asyncio
import logging
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, text

from admin_app.db import database as module
from admin_app.db import readiness
from admin_app.db.database import MAX_TRIES, Database
from admin_app.db.engine import PoolOptions, create_engines
from admin_app.db.failures import Retry
from admin_app.db.holders import Holder, current_holder
from admin_app.db.readiness import NotReady
from admin_app.db.sessions import after_commit, afterwards
from admin_app.errors import AlreadyExists, Conflict, Contended, Unavailable
from admin_app.models import Tag
from tests.db.test_failures import postgresql as fault
from tests.support.faults import end_backend


def adding(name: str, *, failing: list[Exception] | None = None, seen: list | None = None) -> Callable:
    """A unit of work that adds a tag, then raises what `failing` holds until that is used up."""

    async def work(session) -> str:
        if seen is not None:
            seen.append(session)
        session.add(Tag(name=name))
        await session.flush()
        if failing:
            raise failing.pop(0)
        return name

    return work


async def tags(database) -> list[str]:
    found = await database.read(lambda session: session.scalars(select(Tag.name).order_by(Tag.name)))
    return list(found)


def pause_by(sleep: Callable, monkeypatch) -> None:
    """Only this module pauses by `sleep`: servers in other threads go on with the real one."""
    monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=sleep))


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """The pauses between tries, which tests do not wait for."""
    slept: list[float] = []

    async def note(seconds: float) -> None:
        slept.append(seconds)

    pause_by(note, monkeypatch)
    return slept


class TestNote:
    async def test_is_written_and_read_past_a_pool_that_is_exhausted(self, database_url) -> None:
        small = Database(create_engines(database_url, PoolOptions(size=1, max_overflow=0, timeout=0.1)))
        heard: list[str] = []

        async def work(session) -> None:
            await adding("a")(session)
            after_commit(session, lambda: heard.append("told"))

        async with small.read_sessions() as holder:
            await holder.execute(text("SELECT 1"))
            await small.note(work)
            assert list(await small.glance(lambda session: session.scalars(select(Tag.name)))) == ["a"]
            with pytest.raises(Conflict):
                await small.note(adding("b", failing=[Conflict("no")]))
        assert await tags(small) == ["a"]
        assert heard == ["told"]
        await small.dispose()


class TestRun:
    async def test_work_is_committed_and_its_result_given_back(self, database) -> None:
        assert await database.run(adding("a")) == "a"
        assert await tags(database) == ["a"]

    async def test_nothing_is_left_when_work_raises(self, database) -> None:
        with pytest.raises(Conflict):
            await database.run(adding("a", failing=[Conflict("no")]))
        assert await tags(database) == []
        assert all(pool.checkedout() == 0 for pool in database.engines.pools.values())

    async def test_nothing_is_left_when_work_is_cancelled(self, database) -> None:
        async def work(session) -> None:
            session.add(Tag(name="a"))
            await session.flush()
            await asyncio.sleep(60)

        task = asyncio.create_task(database.run(work))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await tags(database) == []
        assert all(pool.checkedout() == 0 for pool in database.engines.pools.values())

    async def test_an_error_that_is_not_the_databases_comes_out_as_it_is(self, database) -> None:
        with pytest.raises(KeyError, match="ours"):
            await database.run(adding("a", failing=[KeyError("ours")]))
        assert database.retries == 0

    async def test_a_database_error_comes_out_as_an_answer(self, database) -> None:
        await database.run(adding("a"))
        with pytest.raises(AlreadyExists) as refused:
            await database.run(adding("a"))
        assert list(refused.value.fields) == ["name"]

    async def test_an_error_found_only_at_the_end_is_an_answer_too(self, database) -> None:
        async def work(session) -> None:
            session.add(Tag(name="a"))

        await database.run(work)
        with pytest.raises(AlreadyExists):
            await database.run(work)

    async def test_an_exhausted_pool_is_refused_at_once(self, database_url) -> None:
        options = PoolOptions(size=1, max_overflow=0, timeout=0.05, writer_timeout=0.05)
        database = Database(create_engines(database_url, options))
        async with database.engines.write.connect():
            with pytest.raises(Unavailable) as refused:
                await database.run(adding("a"))
        assert refused.value.retry_after >= 1
        assert database.retries == 0
        await database.dispose()


class TestRetry:
    async def test_the_whole_unit_is_run_again_in_a_new_session(self, database, pauses) -> None:
        seen: list = []
        current_holder.set(Holder("POST /a"))
        await database.run(adding("a", failing=[fault("40P01"), fault("40001")], seen=seen))
        assert await tags(database) == ["a"]
        assert len(set(map(id, seen))) == 3
        assert database.retries == current_holder.get().retries == 2

    async def test_no_connection_is_held_while_it_pauses(self, database, monkeypatch) -> None:
        held: list[int] = []

        async def look(seconds: float) -> None:
            held.append(sum(pool.checkedout() for pool in database.engines.pools.values()))

        pause_by(look, monkeypatch)
        await database.run(adding("a", failing=[fault("40P01")]))
        assert held == [0]

    async def test_after_five_tries_it_gives_up(self, database, pauses) -> None:
        seen: list = []
        with pytest.raises(Contended):
            await database.run(adding("a", failing=[fault("40P01") for _ in range(9)], seen=seen))
        assert len(seen) == 5
        assert len(pauses) == database.retries == 4
        assert await tags(database) == []

    async def test_pauses_grow_and_stay_below_their_ceiling(self, database, pauses, monkeypatch) -> None:
        monkeypatch.setattr(module, "random", SimpleNamespace(uniform=lambda low, high: high))
        with pytest.raises(Contended):
            await database.run(adding("a", failing=[fault("40P01") for _ in range(5)]))
        assert pauses == [0.05, 0.1, 0.2, 0.4]

    async def test_a_budget_that_is_used_up_ends_it_early(self, database, pauses, monkeypatch) -> None:
        monkeypatch.setattr(module, "RETRY_BUDGET_SECONDS", 0)
        monkeypatch.setattr(module, "random", SimpleNamespace(uniform=lambda low, high: high))
        seen: list = []
        with pytest.raises(Contended):
            await database.run(adding("a", failing=[fault("40P01")], seen=seen))
        assert (len(seen), pauses) == (1, [])

    async def test_every_retry_is_logged_with_its_reason(self, database, pauses, caplog) -> None:
        with caplog.at_level(logging.INFO, "admin_app.database"):
            await database.run(adding("a", failing=[fault("40P01")]))
        (record,) = [record for record in caplog.records if record.name == "admin_app.database"]
        assert (record.event, record.attempt, record.fault) == ("database.retry", 1, "DBAPIError")

    @pytest.mark.parametrize("state", ["55P03", "57014", "53300", "23505"])
    async def test_what_a_fresh_start_does_not_cure_is_not_run_again(self, database, pauses, state) -> None:
        seen: list = []
        with pytest.raises(Exception, match=r".") as refused:
            await database.run(adding("a", failing=[fault(state)], seen=seen))
        assert refused.type is not KeyError
        assert (len(seen), pauses) == (1, [])

    async def test_real_deadlocks_are_all_acknowledged_in_the_end(self, postgresql_url) -> None:
        """Two streams of work that lock the same two rows the other way round."""
        database = Database(create_engines(postgresql_url))
        for name in ("a", "b"):
            await database.run(adding(name))

        held = {"a": asyncio.Event(), "b": asyncio.Event()}

        def crossing(first: str, second: str):
            async def work(session) -> None:
                await session.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
                change = text("UPDATE tags SET updated_at = now() WHERE name = :n")
                await session.execute(change, {"n": first})
                held[first].set()
                await asyncio.wait_for(held[second].wait(), 30)
                await session.execute(change, {"n": second})

            return work

        await asyncio.gather(database.run(crossing("a", "b")), database.run(crossing("b", "a")))
        assert database.retries >= 1
        await database.dispose()


class TestConnectionLost:
    """The one fault that leaves open whether the change was applied."""

    @pytest.fixture
    async def database(self, postgresql_url):
        database = Database(create_engines(postgresql_url))
        yield database
        await database.dispose()

    async def test_before_the_commit_it_is_run_again(self, database, pauses) -> None:
        tries: list[int] = []

        async def work(session) -> None:
            tries.append(1)
            session.add(Tag(name="a"))
            await session.flush()
            if len(tries) == 1:
                await end_backend(database.engines, session)
                await session.execute(select(1))

        await database.run(work)
        assert (len(tries), await tags(database)) == (2, ["a"])

    async def test_in_the_last_flush_it_is_run_again(self, database, pauses) -> None:
        tries: list[int] = []

        async def work(session) -> None:
            tries.append(1)
            await session.execute(select(1))
            if len(tries) == 1:
                await end_backend(database.engines, session)
            session.add(Tag(name="a"))

        await database.run(work)
        assert (len(tries), await tags(database)) == (2, ["a"])

    def losing_the_commit(self, database, tries: list[int]) -> Callable:
        async def work(session) -> None:
            tries.append(1)
            if not await session.scalar(select(func.count(Tag.id))):
                session.add(Tag(name="a"))
            await session.flush()
            if len(tries) == 1:
                await end_backend(database.engines, session)

        return work

    async def test_at_the_commit_it_is_told_and_not_repeated(self, database, pauses) -> None:
        tries: list[int] = []
        with pytest.raises(Unavailable, match="Please look whether the change is there"):
            await database.run(self.losing_the_commit(database, tries))
        assert len(tries) == 1

    async def test_at_the_commit_work_that_asks_first_is_run_again(self, database, pauses) -> None:
        tries: list[int] = []
        await database.run(self.losing_the_commit(database, tries), repeatable=True)
        assert (len(tries), await tags(database)) == (2, ["a"])

    async def test_at_the_commit_even_that_gives_up_after_five(self, database, pauses, monkeypatch) -> None:
        monkeypatch.setattr(module.failures, "retry_rule", lambda error: Retry.UNLESS_COMMITTING)
        tries: list[int] = []

        async def work(session) -> None:
            tries.append(1)
            session.add(Tag(name="a"))
            await session.flush()
            await end_backend(database.engines, session)

        with pytest.raises(Unavailable, match="Please look whether the change is there"):
            await database.run(work, repeatable=True)
        assert len(tries) == 5

    async def test_a_serialization_failure_at_the_commit_is_run_again(self, database, pauses) -> None:
        """Two that both looked before they wrote: PostgreSQL notices when the second commits."""
        look, serializable = select(func.count(Tag.id)), text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        counted: list[int] = []

        async def work(session) -> None:
            await session.execute(serializable)
            counted.append(await session.scalar(look))
            if counted == [0]:
                async with database.engines.write.begin() as other:
                    await other.execute(serializable)
                    await other.execute(look)
                    await adding("mine")(session)
                    await other.execute(text("INSERT INTO tags VALUES (99, 'theirs', now(), now())"))
            else:
                await adding("mine")(session)

        await database.run(work)
        assert (counted, await tags(database)) == ([0, 1], ["mine", "theirs"])


class TestFailover:
    @pytest.mark.parametrize("refusals", [1, MAX_TRIES])
    async def test_a_server_that_turned_read_only_loses_its_pool_and_the_next_is_asked(
        self, postgresql_url, refusals: int
    ) -> None:
        """Every pooled connection leads to the old primary."""
        database = Database(create_engines(postgresql_url))
        pools = []

        async def work(session) -> str:
            pools.append(database.engines.write.pool)
            if len(pools) <= refusals:
                await session.execute(text("SET TRANSACTION READ ONLY"))
            return await adding("a")(session)

        if refusals == MAX_TRIES:
            with pytest.raises(Unavailable):
                await database.run(work)
        assert await database.run(work) == "a"
        assert len(set(map(id, pools))) == refusals + 1
        await database.dispose()


class TestFollowUps:
    def work(self, ran: list[str], failing: list[Exception] | None = None) -> Callable:
        add = adding("a", failing=failing)

        async def work(session) -> None:
            after_commit(session, lambda: ran.append("first"))
            after_commit(session, lambda: ran.append("second"))
            await add(session)
            assert ran == []

        return work

    async def test_they_run_after_the_commit_in_order(self, database) -> None:
        ran: list[str] = []
        await database.run(self.work(ran))
        assert ran == ["first", "second"]

    async def test_they_do_not_run_when_work_raises(self, database) -> None:
        ran: list[str] = []
        with pytest.raises(Conflict):
            await database.run(self.work(ran, [Conflict("no")]))
        assert ran == []

    async def test_they_run_once_however_often_the_work_did(self, database, pauses) -> None:
        ran: list[str] = []
        await database.run(self.work(ran, [fault("40P01"), fault("40P01")]))
        assert ran == ["first", "second"]

    async def test_one_that_fails_is_logged_and_the_change_stands(self, database, caplog) -> None:
        ran: list[str] = []

        async def work(session) -> None:
            after_commit(session, lambda: 1 / 0)
            await self.work(ran)(session)

        await database.run(work)
        assert await tags(database) == ["a"]
        assert ran == ["first", "second"]
        (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
        assert record.event == "database.follow_up"


class TestLaterWork:
    async def test_runs_in_a_transaction_of_its_own_once_the_first_is_in(self, database) -> None:
        seen: list[list[str]] = []

        async def later(session) -> None:
            seen.append(await tags(database))
            await adding("b")(session)

        async def work(session) -> None:
            afterwards(session, later)
            await adding("a")(session)

        await database.run(work)
        assert seen == [["a"]]
        assert await tags(database) == ["a", "b"]

    async def test_needs_one_connection_only(self, database_url) -> None:
        database = Database(create_engines(database_url, PoolOptions(size=1, max_overflow=0, timeout=0.5)))

        async def work(session) -> None:
            afterwards(session, adding("b"))
            await adding("a")(session)

        await database.run(work)
        assert await tags(database) == ["a", "b"]
        await database.dispose()

    async def test_that_fails_is_logged_and_the_change_stands(self, database, caplog) -> None:
        async def work(session) -> None:
            afterwards(session, adding("b", failing=[Conflict("no")]))
            await adding("a")(session)

        await database.run(work)
        assert await tags(database) == ["a"]
        assert [record.event for record in caplog.records if record.levelname == "ERROR"] == ["database.follow_up"]


class TestRead:
    async def test_it_gives_back_what_was_read(self, database) -> None:
        assert await database.read(lambda session: session.scalar(select(1))) == 1

    @pytest.mark.parametrize("error", [Conflict("no"), KeyError("ours")])
    async def test_errors_that_are_not_the_databases_come_out_as_they_are(self, database, error) -> None:
        async def work(session) -> None:
            raise error

        with pytest.raises(type(error)) as raised:
            await database.read(work)
        assert raised.value is error

    async def test_database_errors_come_out_as_answers(self, database) -> None:
        async def work(session) -> None:
            raise fault("40P01")

        with pytest.raises(Contended):
            await database.read(work)

    async def test_aside_answers_while_the_pool_is_exhausted(self, database_url) -> None:
        database = Database(create_engines(database_url, PoolOptions(size=1, max_overflow=0, timeout=0.05)))
        async with database.engines.read.connect():
            with pytest.raises(Unavailable):
                await database.read(lambda session: session.scalar(select(1)))
            assert await database.read(lambda session: session.scalar(select(1)), aside=True) == 1
        await database.dispose()


class TestStream:
    async def test_it_reads_for_as_long_as_the_caller_wants(self, database) -> None:
        await database.run(adding("a"))
        async with database.stream() as session:
            rows = await session.stream_scalars(select(Tag.name))
            assert [name async for name in rows] == ["a"]

    async def test_an_exhausted_pool_is_an_answer(self, database_url) -> None:
        database = Database(create_engines(database_url, PoolOptions(size=1, max_overflow=0, timeout=0.05)))
        async with database.engines.read.connect():
            with pytest.raises(Unavailable):
                async with database.stream() as session:
                    await session.scalar(select(1))
        await database.dispose()


class TestWhyNotReady:
    @pytest.fixture(autouse=True)
    def patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A first connection may take its time here; how long anybody is kept waiting is Readiness' own test."""
        monkeypatch.setattr(readiness, "PATIENCE_SECONDS", 30.0)

    async def test_a_database_that_answers_is_unless_its_schema_is_older_than_the_code(self, database) -> None:
        assert await database.why_not_ready() is None
        for revision, reason in (("0001", NotReady.UNMIGRATED), ("9999", None), ("0001", NotReady.UNMIGRATED)):
            change = text(f"UPDATE alembic_version SET version_num = '{revision}'")
            await database.run(lambda session, change=change: session.execute(change))
            assert await database.why_not_ready() is reason, (
                f"{revision} is newer than the code: a release is under way"
            )

    async def test_an_exhausted_pool_is_not(self, database_url) -> None:
        database = Database(create_engines(database_url, PoolOptions(size=2, max_overflow=0)))
        async with database.engines.read.connect(), database.engines.read.connect():
            assert await database.why_not_ready() is NotReady.EXHAUSTED
        assert await database.why_not_ready() is None
        await database.dispose()

    async def test_a_pool_of_one_that_is_busy_still_is(self, database_url) -> None:
        """One writer at a time is SQLite's normal state, not a fault."""
        database = Database(create_engines(database_url, PoolOptions(size=1, max_overflow=0)))
        async with database.engines.write.connect():
            assert await database.why_not_ready() is None
        await database.dispose()

    async def test_a_server_that_is_not_there_is_not(self) -> None:
        database = Database(create_engines("postgresql://desk@127.0.0.1:1/desk"))
        assert await database.why_not_ready() is NotReady.DOWN
