"""The composition root: what the settings say is what the application does."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import Mount

from admin_app import app as composition
from admin_app.app import create_app, create_app_from_environment, note_holder, open_database
from admin_app.cli import opening
from admin_app.db import schema
from admin_app.db.holders import current_holder
from admin_app.db.slow_queries import SlowQueries
from admin_app.errors import Unavailable
from admin_app.services.records.traffic import Traffic
from admin_app.settings import Settings
from tests.support.migrating import is_current

SECRET_KEY = "a secret key that only this test uses, long enough"


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    """The smallest settings that start."""
    return Settings(
        environment="test", database_url=sqlite_url, secret_key=SECRET_KEY, attachments_folder=tmp_path / "files"
    )


def production(database_url: str, folder: Path) -> Settings:
    """Production settings on this database."""
    return Settings(
        environment="production", database_url=database_url, secret_key=SECRET_KEY, attachments_folder=folder
    )


async def started(app: Starlette) -> None:
    """Start the application and stop it again."""
    async with app.router.lifespan_context(app):
        pass


class TestCreateApp:
    async def test_the_way_in_leads_to_the_desk(self, settings: Settings) -> None:
        app = create_app(settings)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            for path, host in (("/", "127.0.0.1"), ("/admin", "127.0.0.1"), ("/admin", "127.0.0.1:99999999")):
                answer = await client.get(path, headers={"Host": host})
                assert (answer.status_code, answer.headers["location"]) == (302, "/admin/"), (path, host)
            assert (await client.get("/admin", follow_redirects=True)).url.path == "/admin/login"
        await started(app)

    async def test_only_trusted_hosts_are_answered(self, settings: Settings) -> None:
        app = create_app(settings.model_copy(update={"trusted_hosts": ("desk.example",)}))
        for host, status in (("desk.example", 200), ("127.0.0.1", 400), ("desk.example.evil.example", 400)):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
                assert (await client.get("/health/live")).status_code == status
        await started(app)

    async def test_stopping_closes_every_connection(self, settings: Settings) -> None:
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            await app.state.database.why_not_ready()
            await app.state.database.read(lambda session: session.connection())
        assert all(pool.checkedin() == 0 for pool in app.state.database.engines.pools.values())

    async def test_the_pool_is_as_large_as_the_settings_say(self, settings: Settings) -> None:
        database = open_database(settings.model_copy(update={"pool_size": 3, "pool_max_overflow": 2}))
        assert database.engines.read.pool.limit == 5  # type: ignore[attr-defined]
        await database.dispose()

    async def test_errors_of_a_kind_alarm_at_the_number_that_is_set(self, settings: Settings) -> None:
        app = create_app(settings.model_copy(update={"alert_errors": 3}))
        assert (app.state.errors.alert_at, app.state.lookout._limits.errors) == (3, 3)
        await started(app)

    async def test_what_the_replica_answered_is_counted_where_there_is_one(self, settings: Settings) -> None:
        url = "postgresql+asyncpg://desk@127.0.0.1:1/desk"
        for replica_url, counted in (("", {}), (url, {"replica": 0, "behind": 0, "gone": 0})):
            database = open_database(Settings(environment="test", database_url=url, replica_url=replica_url))
            told = composition.counting(database, Traffic(), create_app(settings).state.errors, SlowQueries(0.1))()
            assert told["replica_reads"] == counted
            await database.dispose()

    async def test_two_applications_do_not_share_their_desk(self, settings: Settings) -> None:
        first, second = create_app(settings), create_app(settings)
        assert first.state.database is not second.state.database
        for app in (first, second):
            await started(app)

    async def test_production_does_not_start_on_a_database_without_a_schema(
        self, empty_database_url: str, tmp_path: Path
    ) -> None:
        with pytest.raises(RuntimeError, match="python -m admin_app migrate"):
            await started(create_app(production(empty_database_url, tmp_path)))

    async def test_production_starts_on_a_migrated_database(self, database_url: str, tmp_path: Path) -> None:
        app = create_app(production(database_url, tmp_path))
        async with app.router.lifespan_context(app):
            assert await app.state.database.read(is_current)

    async def test_so_does_a_worker_that_is_started_again_while_the_next_release_is_brought_in(
        self, sqlite_url: str, tmp_path: Path
    ) -> None:
        database = open_database(production(sqlite_url, tmp_path))
        await database.run(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '9999'")))
        await started(create_app(production(sqlite_url, tmp_path)))
        await opening.refuse_unmigrated(database)
        async with database.engines.write.begin() as connection:
            await connection.execute(text("PRAGMA user_version = 9998"))
        with pytest.raises(RuntimeError, match="when a newer version has migrated it already: run that one"):
            await started(create_app(production(sqlite_url, tmp_path)))
        with pytest.raises(typer.Exit):
            await opening.refuse_unmigrated(database)
        await database.dispose()

    async def test_a_worker_starts_while_the_database_does_not_answer(
        self, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A worker that was killed just then would else end the whole server: its start would fail for good."""

        async def silent(*arguments: object) -> bool:
            raise Unavailable

        app = create_app(production(sqlite_url, tmp_path))
        monkeypatch.setattr(schema, "fits", silent)
        await started(app)

    async def test_the_environment_is_enough(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", settings.database_url)
        monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
        app = create_app_from_environment()
        assert any(isinstance(route, Mount) and route.path == "/admin" for route in app.routes)
        await started(app)


class TestNotifiers:
    @pytest.mark.parametrize(
        ("chosen", "kinds"),
        [
            ({}, []),
            ({"alert_webhook_url": "https://hooks.example/1"}, ["WebHook"]),
            (
                {
                    "alert_email_to": ("ops@desk.example",),
                    "alert_email_from": "desk@desk.example",
                    "smtp_host": "mail.example",
                },
                ["Mail"],
            ),
        ],
    )
    def test_alerts_go_where_the_settings_say(
        self, settings: Settings, chosen: dict[str, Any], kinds: list[str]
    ) -> None:
        chosen_settings = Settings(environment="test", database_url=settings.database_url, **chosen)
        found = composition.notifiers(chosen_settings)
        assert [type(notifier).__name__ for notifier in found] == kinds


class TestNoteHolder:
    def test_the_note_is_there_for_whoever_takes_a_connection(self) -> None:
        holder = note_holder("GET /admin/", "r-17")
        assert current_holder.get() is holder
        assert (holder.route, holder.actor, holder.request_id) == ("GET /admin/", "not signed in", "r-17")
