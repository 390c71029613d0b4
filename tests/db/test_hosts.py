"""Several hosts in one URL: the one that takes writes is found, whatever the others do."""

import socket
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url, text

from admin_app.db import engine
from admin_app.db.database import Database
from admin_app.db.engine import PoolOptions, create_engines
from admin_app.db.failures import translate
from admin_app.db.hosts import Hosts, NoHost, has_several_hosts
from admin_app.errors import Unavailable
from tests.support.clusters import free_port


@pytest.fixture
def real(postgresql, postgresql_url: str) -> tuple[str, int, dict[str, Any]]:
    """Host, port and the rest of the server that the tests share."""
    url = make_url(postgresql_url)
    rest = {"user": url.username or "postgres", "password": url.password, "database": url.database}
    return str(url.host or url.query["host"]), url.port or 5432, rest


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of somebody who takes every call and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(20)
        yield listening.getsockname()[1]


@pytest.fixture
def nobody() -> int:
    """A port where nobody listens."""
    return free_port()


async def connected(hosts: Hosts, places: list[tuple[str, int]], rest: dict[str, Any], **options: Any) -> Any:
    host, port = zip(*places, strict=True)
    connection = await hosts(host=list(host), port=list(port), **{"timeout": 3.0, **rest, **options})
    try:
        return await connection.fetchval("SELECT current_database()")
    finally:
        await connection.close()


class TestHosts:
    async def test_a_first_host_that_is_gone_is_passed_over_and_then_asked_last(self, real, nobody) -> None:
        host, port, rest = real
        places = [("127.0.0.1", nobody), (host, port)]
        hosts = Hosts()
        assert await connected(hosts, places, rest) == rest["database"]
        assert hosts._right_last == 1
        assert [number for number, _ in hosts._attempts(2, "read-write")] == [1, 0], "it comes first from now on"

    async def test_a_standby_that_is_only_preferred_is_looked_for_everywhere_first(self, real, nobody) -> None:
        host, port, rest = real
        places = [(host, port), ("127.0.0.1", nobody)]
        hosts = Hosts()
        assert await connected(hosts, places, rest, target_session_attrs="prefer-standby") == rest["database"]
        assert list(hosts._attempts(2, "prefer-standby")) == [
            (0, "standby"),
            (1, "standby"),
            (0, "any"),
            (1, "any"),
        ]

    async def test_where_nobody_takes_writes_the_desk_is_unavailable(self, real, nobody) -> None:
        host, port, rest = real
        with pytest.raises(NoHost) as refused:
            await connected(Hosts(), [(host, port), ("127.0.0.1", nobody)], rest, target_session_attrs="standby")
        assert isinstance(translate(refused.value), Unavailable)

    async def test_what_a_server_said_is_told_rather_than_that_another_is_gone(self, real, nobody) -> None:
        host, port, rest = real
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            await connected(Hosts(), [(host, port), ("127.0.0.1", nobody)], {**rest, "database": "nothing"})


class TestHasSeveralHosts:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("postgresql://desk@db/desk", False),
            ("postgresql://desk@/desk?host=/run/postgresql", False),
            ("postgresql://desk@/desk?host=one:5432&host=two:5432", True),
            ("postgresql://desk@/desk?host=one,two&port=5432,5433", True),
        ],
    )
    def test_in_both_ways_to_write_it(self, url: str, expected: bool) -> None:
        assert has_several_hosts(make_url(url)) is expected


class TestThroughTheEngines:
    async def test_every_engine_finds_the_server(self, real, nobody) -> None:
        host, port, rest = real
        several = f"postgresql://{rest['user']}@/{rest['database']}?host=127.0.0.1:{nobody}&host={host}:{port}"
        database = Database(create_engines(several, replica_url=several))
        engines = database.engines
        for each in (engines.write, engines.read, engines.aside, engines.watching, engines.snapshots):
            async with each.connect() as connection:
                assert await connection.scalar(text("SELECT current_database()")) == rest["database"]
        assert await database.read(lambda session: session.scalar(text("SELECT 1")), may_lag=True) == 1
        await database.dispose()

    async def test_a_first_host_that_is_silent_leaves_time_for_the_second(self, real, silent) -> None:
        host, port, rest = real
        several = f"postgresql://{rest['user']}@/{rest['database']}?host=127.0.0.1:{silent}&host={host}:{port}"
        database = Database(create_engines(several, PoolOptions(connect_timeout=3.0)))
        assert await database.read(lambda session: session.scalar(text("SELECT 1"))) == 1
        await database.dispose()

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("host=one:1&host=two:2", "read-write"),
            ("host=one:1&host=two:2&target_session_attrs=primary", "primary"),
            ("host=one:1", None),
        ],
    )
    def test_of_several_hosts_the_one_that_takes_writes_is_meant(self, query: str, expected: Any) -> None:
        url = engine._looking_for("read-write", make_url(f"postgresql+asyncpg://desk@/desk?{query}"))
        assert url.query.get("target_session_attrs") == expected

    async def test_none_of_them_answering_is_a_503(self, nobody) -> None:
        others = free_port()
        database = Database(create_engines(f"postgresql://desk@/desk?host=127.0.0.1:{nobody}&host=127.0.0.1:{others}"))
        with pytest.raises(Unavailable):
            await database.read(lambda session: session.scalar(text("SELECT 1")))
        await database.dispose()
