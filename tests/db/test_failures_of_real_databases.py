"""The same faults, raised by the databases themselves: the table in test_failures.py must not be wishful."""

import asyncio
import socket
import threading

import pytest
from sqlalchemy import insert, select, text, update

from admin_app.db.database import Database
from admin_app.db.engine import Engines, PoolOptions, create_engines
from admin_app.db.failures import Retry, retry_rule, sqlstate, translate
from admin_app.errors import AlreadyExists, Contended, InvalidInput, StillReferenced, TimedOut, Unavailable
from admin_app.models import Ticket, User
from tests.support.cast import store_cast
from tests.support.faults import deadlock, end_backend, end_backend_number, raised_by, serialization_failure
from tests.support.tickets import store_ticket
from tests.support.waiting import until


async def send(engines: Engines, *statements) -> None:
    async with engines.write.begin() as connection:
        for statement in statements:
            await connection.execute(statement)


def driver_is_gone() -> bool:
    return not any("_connection_worker_thread" in thread.name for thread in threading.enumerate())


async def connect(engines: Engines) -> None:
    async with engines.write.connect():
        pass


def new_ticket(**columns: object):
    return insert(Ticket).values(**{"ticket_number": "T-1", "title": "x", "version": 1, "creator_id": 1, **columns})


class TestConstraints:
    @pytest.mark.parametrize(
        ("statement", "answer", "fields"),
        [
            (update(User).values(email="sam@desk.example"), AlreadyExists, {"email"}),
            (new_ticket(owner_id=999), InvalidInput, {"owner_id", "form"}),
            (new_ticket(title=None), InvalidInput, {"title"}),
            (text("UPDATE users SET email = 'Sam@desk.example' WHERE id = 1"), InvalidInput, {"email"}),
            (text("UPDATE users SET role = 'king' WHERE id = 1"), InvalidInput, {"role"}),
        ],
        ids=["unique", "foreign key", "not null", "check", "enumeration"],
    )
    async def test_a_violation_points_at_its_field(self, database, cast, statement, answer, fields) -> None:
        error = await raised_by(send(database.engines, statement))
        found = translate(error)
        assert type(found) is answer
        assert set(found.fields) <= fields
        assert retry_rule(error) is Retry.NEVER

    async def test_removing_what_others_point_at_is_told_so(self, database, cast) -> None:
        await store_ticket(database, cast)
        error = await raised_by(send(database.engines, text(f"DELETE FROM users WHERE id = {cast.kim.id}")))
        assert type(translate(error)) is StillReferenced

    async def test_a_clash_on_the_ticket_number_is_worth_another_try(self, database, cast) -> None:
        error = await raised_by(send(database.engines, new_ticket(), new_ticket()))
        assert retry_rule(error) is Retry.ALWAYS


class TestValues:
    @pytest.mark.parametrize("number", [2**63, 2**70], ids=["63 bits", "70 bits"])
    async def test_a_number_no_column_can_hold_is_invalid_input(self, database, number: int) -> None:
        with pytest.raises(InvalidInput):
            await database.read(lambda session: session.execute(select(User).where(User.id == number)))

    async def test_half_a_character_is_invalid_input(self, database) -> None:
        with pytest.raises(InvalidInput):
            await database.read(lambda session: session.execute(select(User).where(User.email == "\ud800")))


class TestPool:
    async def test_an_exhausted_pool_is_unavailable(self, database_url) -> None:
        engines = create_engines(database_url, PoolOptions(size=1, max_overflow=0, timeout=0.05, writer_timeout=0.05))
        async with engines.write.connect():
            error = await raised_by(connect(engines))
        assert type(translate(error)) is Unavailable
        assert retry_rule(error) is Retry.NEVER
        await engines.dispose()


@pytest.fixture
async def engines(postgresql_url):
    database = Database(create_engines(postgresql_url))
    await store_cast(database)
    yield database.engines
    await database.dispose()


class TestPostgresql:
    async def test_a_deadlock_is_contention(self, engines) -> None:
        error = await deadlock(engines)
        assert (sqlstate(error), type(translate(error)), retry_rule(error)) == ("40P01", Contended, Retry.ALWAYS)

    async def test_a_serialization_failure_is_contention(self, engines) -> None:
        error = await serialization_failure(engines)
        assert (sqlstate(error), type(translate(error)), retry_rule(error)) == ("40001", Contended, Retry.ALWAYS)

    async def test_a_row_that_is_locked_times_out(self, engines) -> None:
        lock = select(User.id).with_for_update(nowait=True)
        async with engines.write.connect() as holder:
            await holder.execute(lock)
            error = await raised_by(send(engines, lock))
        assert (sqlstate(error), type(translate(error)), retry_rule(error)) == ("55P03", TimedOut, Retry.NEVER)

    async def test_a_lock_waited_for_too_long_times_out(self, engines) -> None:
        lock = select(User.id).with_for_update()
        async with engines.write.connect() as holder:
            await holder.execute(lock)
            error = await raised_by(send(engines, text("SET LOCAL lock_timeout = '30ms'"), lock))
        assert (sqlstate(error), type(translate(error))) == ("55P03", TimedOut)

    async def test_a_slow_statement_times_out(self, engines) -> None:
        slow = text("SELECT pg_sleep(5)")
        error = await raised_by(send(engines, text("SET LOCAL statement_timeout = '30ms'"), slow))
        assert (sqlstate(error), type(translate(error)), retry_rule(error)) == ("57014", TimedOut, Retry.NEVER)

    async def test_a_connection_cut_in_a_statement_is_lost(self, engines) -> None:
        connection = await engines.write.connect()
        number = await connection.scalar(text("SELECT pg_backend_pid()"))
        running = asyncio.create_task(raised_by(connection.execute(text("SELECT pg_sleep(5)"))))
        await asyncio.sleep(0.05)
        await end_backend_number(engines, number)
        error = await running
        await connection.close()
        assert (type(translate(error)), retry_rule(error)) == (Unavailable, Retry.UNLESS_COMMITTING)

    @pytest.mark.parametrize("step", ["execute", "commit"])
    async def test_a_connection_cut_between_two_statements_is_lost(self, engines, step: str) -> None:
        connection = await engines.write.connect()
        await end_backend(engines, connection)
        next_step = connection.commit() if step == "commit" else connection.execute(text("SELECT 1"))
        error = await raised_by(next_step)
        await connection.close()
        assert (type(translate(error)), retry_rule(error)) == (Unavailable, Retry.UNLESS_COMMITTING)

    async def test_writing_to_a_standby_is_unavailable(self, engines) -> None:
        read_only = text("SET TRANSACTION READ ONLY")
        error = await raised_by(send(engines, read_only, text("UPDATE users SET version = 1")))
        assert (sqlstate(error), type(translate(error))) == ("25006", Unavailable)

    async def test_a_changed_schema_is_worth_another_try(self, engines) -> None:
        look = text("SELECT * FROM tags")
        async with engines.write.connect() as reader:
            await reader.execute(look)
            await reader.commit()
            await send(engines, text("ALTER TABLE tags ADD COLUMN colour text"))
            error = await raised_by(reader.execute(look))
            await reader.rollback()
            assert retry_rule(error) is Retry.ALWAYS
            assert "colour" in (await reader.execute(look)).keys()  # noqa: SIM118 - a result's keys

    async def test_too_many_connections_are_unavailable(self, engines, postgresql) -> None:
        await send(engines, text("CREATE ROLE nobody_fits LOGIN CONNECTION LIMIT 0"))
        other = create_engines(engines.write.url.set(username="nobody_fits").render_as_string(hide_password=False))
        error = await raised_by(connect(other))
        await send(engines, text("DROP ROLE nobody_fits"))
        assert (sqlstate(error), type(translate(error)), retry_rule(error)) == ("53300", Unavailable, Retry.NEVER)


class TestServerOutOfReach:
    @pytest.mark.parametrize("host", ["127.0.0.1:1", "/?host=/nowhere"])
    async def test_a_server_that_is_not_there_is_unavailable(self, host: str) -> None:
        error = await raised_by(connect(create_engines(f"postgresql://desk@{host}")))
        assert (type(translate(error)), retry_rule(error)) == (Unavailable, Retry.NEVER)

    async def test_a_server_that_hangs_up_is_unavailable(self) -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        error = await raised_by(connect(create_engines(f"postgresql://desk@127.0.0.1:{port}/desk")))
        server.close()
        assert type(translate(error)) is Unavailable

    async def test_a_server_that_does_not_answer_times_out(self) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            url = f"postgresql://desk@127.0.0.1:{silent.getsockname()[1]}/desk"
            error = await raised_by(connect(create_engines(url, PoolOptions(connect_timeout=0.1))))
        assert (type(translate(error)), retry_rule(error)) == (TimedOut, Retry.NEVER)


class TestSqlite:
    async def test_a_file_that_another_process_writes_to_is_worth_another_try(self, sqlite_url) -> None:
        ours, theirs = create_engines(sqlite_url, PoolOptions(lock_timeout=0.02)), create_engines(sqlite_url)
        async with theirs.write.begin():
            error = await raised_by(send(ours, text("UPDATE ticket_number_seq SET value = 1")))
        assert (type(translate(error)), retry_rule(error)) == (Unavailable, Retry.ALWAYS)
        await ours.dispose()
        await theirs.dispose()

    async def test_a_file_that_cannot_be_opened_is_unavailable(self, tmp_path) -> None:
        engines = create_engines(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite3'}")
        error = await raised_by(connect(engines))
        assert (type(translate(error)), retry_rule(error)) == (Unavailable, Retry.NEVER)
        await until(driver_is_gone, "the driver's thread has ended, as it must before the loop that it reports to")
