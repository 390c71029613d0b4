"""The composition root: the only place where settings, database, services and pages meet."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from admin_app.db import schema
from admin_app.db.claims import claims_of
from admin_app.db.database import Database
from admin_app.db.engine import PoolOptions, create_engines
from admin_app.db.holders import Holder, current_holder
from admin_app.db.own_view import own_view
from admin_app.db.slow_queries import SlowQueries
from admin_app.db.worker_reports import worker_reports_of
from admin_app.errors import TimedOut, Unavailable
from admin_app.services.batches.exports.running import Turns
from admin_app.services.blocks import tidings
from admin_app.services.blocks.troubles import Thresholds
from admin_app.services.operations.lookout import Lookout
from admin_app.services.operations.sign_in import Lifetime
from admin_app.services.operations.sign_in_attempts import Limit
from admin_app.services.operations.single_sign_on import Rules
from admin_app.services.records import pool
from admin_app.services.records.alarms import Alarm, Mail, Notifier, WebHook
from admin_app.services.records.error_tracking.tracker import ErrorTracker
from admin_app.services.records.file_store import FileStore
from admin_app.services.records.quiet_hours import QuietHours
from admin_app.services.records.secret_box import SecretBox
from admin_app.services.records.traffic import Traffic
from admin_app.services.records.workers import Crew
from admin_app.settings import CONFIG_FOLDER, LOCAL_HOSTS, Environment, Settings
from admin_app.web import draining, hashing, health, metrics
from admin_app.web.admin import DeskAdmin
from admin_app.web.compression import CompressedPages
from admin_app.web.desk import AttachDesk, Desk, SecondFactorRules, Watch
from admin_app.web.errors import ErrorPages, http_error
from admin_app.web.guard import Guard, SecurityHeaders
from admin_app.web.https_only import HttpsOnly
from admin_app.web.limits import RequestLimits
from admin_app.web.own_changes import OwnChanges
from admin_app.web.proxies import TrustedProxies
from admin_app.web.request_log import RequestLog
from admin_app.web.routes import OnlyListed, RouteTable
from admin_app.web.sign_in import HOME_PATH, SIGN_IN_PATH
from admin_app.web.single_sign_on.provider import Client, Provider
from admin_app.web.tokens import Tokens
from admin_app.web.uploads import file_limit

logger = logging.getLogger("admin_app")

ASSET_PATHS = ("/admin/assets/",)


def create_app_from_environment() -> Starlette:
    """The app as the environment and the config files describe it."""
    return create_app(Settings())


def create_app(settings: Settings) -> Starlette:
    """The desk, ready to serve; its database connections open with the first request and close with the app."""
    database = open_database(settings)
    alarm = Alarm(notifiers(settings))
    errors = open_errors(settings, database, alarm)
    traffic, slow_queries = Traffic(), open_slow_queries(settings, database)
    crew = open_crew(database, counting(database, traffic, errors, slow_queries))
    lookout = open_lookout(settings, database, crew, alarm)
    app = Starlette(
        routes=[*(Route(path, to_desk, methods=["GET"]) for path in ("/", "/admin")), *health.ROUTES, *metrics.ROUTES],
        exception_handlers={HTTPException: http_error},
        lifespan=lambda app: alive(settings, database, Watch(crew, lookout, alarm), errors),
    )
    app.router.redirect_slashes = False  # its redirects repeat the Host that the client claims
    admin = DeskAdmin(app, database.read_sessions)
    table = RouteTable()
    app.user_middleware = [
        Middleware(TrustedProxies, networks=settings.trusted_proxies),
        Middleware(RequestLog, holder=note_holder, count=traffic.note),
        Middleware(SecurityHeaders, asset_paths=ASSET_PATHS),
        Middleware(CompressedPages),
        Middleware(RequestLimits),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.trusted_hosts), www_redirect=False),
        *doors(settings),
        Middleware(
            AttachDesk,
            desk=open_desk(settings, database, errors, Watch(crew, lookout, alarm), slow_queries),
            templates=admin.templates,
        ),
        *([Middleware(OwnChanges)] if settings.replica_url else []),
        Middleware(ErrorPages),
        Middleware(OnlyListed, table=table),
        Middleware(Guard, sign_in_path=SIGN_IN_PATH, file_limit=file_limit),
    ]
    app.state.database = database
    app.state.routes = table
    app.state.errors = errors
    app.state.crew = crew
    app.state.lookout = lookout
    return app


def doors(settings: Settings) -> list[Middleware]:
    """What stands in the way in production alone: elsewhere there is seldom a certificate."""
    if settings.environment is not Environment.PRODUCTION:
        return []
    return [Middleware(HttpsOnly, local_hosts=LOCAL_HOSTS, open_paths=health.PROBES)]


@asynccontextmanager
async def alive(settings: Settings, database: Database, watch: Watch, errors: ErrorTracker) -> AsyncIterator[None]:
    """From the start of a worker process to its end."""
    try:
        if settings.environment is Environment.PRODUCTION and not await may_fit(database):
            raise RuntimeError(schema.NOT_MIGRATED)
        watch.crew.start()
        watch.lookout.start()
        with draining.heard(watch.crew.drain):
            yield
    finally:
        await watch.lookout.leave()
        await watch.crew.leave()
        await errors.close()
        await anyio.to_thread.run_sync(watch.alarm.close)
        await database.dispose()


async def may_fit(database: Database) -> bool:
    """False when the database says that this code does not; one that is silent must not keep a killed worker down."""
    try:
        return await database.read(schema.fits)
    except (Unavailable, TimedOut):
        logger.warning("the database cannot be asked for its schema; started without")
        return True


def open_errors(settings: Settings, database: Database, alarm: Alarm) -> ErrorTracker:
    """The one way in for errors that nobody foresaw; their alert is for the log, people are told of an incident."""
    return ErrorTracker(database.run, lambda alert: alarm.log(tidings.of_error(alert)), alert_at=settings.alert_errors)


def open_slow_queries(settings: Settings, database: Database) -> SlowQueries:
    """What listens to every statement."""
    slow_queries = SlowQueries(settings.slow_query_ms / 1000)
    slow_queries.watch(database.engines)
    return slow_queries


def open_desk(
    settings: Settings, database: Database, errors: ErrorTracker, watch: Watch, slow_queries: SlowQueries
) -> Desk:
    """What every request carries."""
    return Desk(
        database=database,
        pools=lambda: database.engines.every_pool,
        watch=watch,
        suspect_after=settings.leak_suspect_seconds,
        slow_queries=slow_queries,
        errors=errors,
        store=FileStore(settings.attachments_folder, settings.max_attachment_bytes),
        imports=FileStore(settings.attachments_folder.with_name("imports"), settings.max_import_bytes),
        import_presets=sorted(CONFIG_FOLDER.glob("import-*.toml")),
        tokens=Tokens(*settings.signing_keys()),
        lifetime=Lifetime(
            idle=timedelta(minutes=settings.session_idle_minutes),
            absolute=timedelta(hours=settings.session_absolute_hours),
        ),
        sign_in_limit=Limit(tries=settings.sign_in_attempts, within=timedelta(minutes=settings.sign_in_window_minutes)),
        password_link_lives=timedelta(minutes=settings.password_link_minutes),
        second_factor=SecondFactorRules(
            box=SecretBox(*settings.signing_keys()),
            fresh_for=timedelta(minutes=settings.step_up_minutes),
            required_for=frozenset(settings.second_factor_required_for),
        ),
        hashing=hashing.turns(),
        export_turns=Turns(settings.exports_at_once),
        provider=open_provider(settings),
        max_form_bytes=settings.max_form_bytes,
        body_timeout=settings.body_timeout_seconds,
        metrics_token=settings.metrics_token.get_secret_value(),
    )


def counting(
    database: Database, traffic: Traffic, errors: ErrorTracker, slow_queries: SlowQueries
) -> Callable[[], dict[str, Any]]:
    """What this worker has counted since it started, for its report."""
    return lambda: {
        "requests": traffic.packed(),
        "retries": database.retries,
        "errors": dict(errors.seen),
        "slow_statements": slow_queries.seen,
        "replica_reads": database.replica.answered if database.replica else {},
    }


def open_crew(database: Database, counts: Callable[[], dict[str, Any]] = dict) -> Crew:
    """This worker, and the way to all others."""

    def figures() -> list[dict[str, Any]]:
        return [pool.packed(pool.read(name, watched)) for name, watched in database.engines.every_pool.items()]

    return Crew(
        worker_reports_of(database.engines),
        figures,
        lambda: own_view(database.engines),
        version("support-desk-admin"),
        counts,
    )


def open_lookout(settings: Settings, database: Database, crew: Crew, alarm: Alarm) -> Lookout:
    """What sees incidents, and tells of them."""
    limits = Thresholds(
        waiting=settings.alert_waiting_seconds,
        timeouts=settings.alert_timeouts,
        suspect=settings.leak_suspect_seconds if settings.alert_leaks else 0,
        transaction=settings.alert_transaction_seconds,
        database=settings.alert_database_seconds,
        errors=settings.alert_errors,
    )
    quiet = QuietHours.read(settings.alert_quiet_hours)
    claims = claims_of(database.engines.write.url)
    return Lookout(crew.glimpse, database, claims, alarm, limits=limits, quiet=quiet)


def open_provider(settings: Settings) -> Provider | None:
    """Single sign-on, where an issuer is set."""
    if not settings.oidc_issuer:
        return None
    client = Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        scopes=settings.oidc_scopes,
        role_claim=settings.oidc_role_claim,
        label=settings.oidc_button_label,
    )
    rules = Rules(
        roles=settings.oidc_roles,
        creates_accounts=settings.oidc_create_accounts,
        asks_code=settings.oidc_second_factor,
    )
    return Provider(client, rules=rules, timeout=settings.oidc_timeout_seconds)


def open_database(settings: Settings) -> Database:
    """Engines and sessions for the database that the settings name."""
    options = PoolOptions(
        size=settings.pool_size,
        max_overflow=settings.pool_max_overflow,
        timeout=settings.pool_timeout_seconds,
        recycle=settings.pool_recycle_seconds,
        lock_timeout=settings.lock_timeout_seconds,
        statement_timeout=settings.statement_timeout_seconds,
        idle_in_transaction_timeout=settings.idle_in_transaction_timeout_seconds,
        command_timeout=settings.command_timeout_seconds,
        connect_timeout=settings.connect_timeout_seconds,
        snapshots=settings.exports_at_once,
        transaction_pooling=settings.transaction_pooling,
        replica_wait=settings.replica_wait_ms / 1000,
        replica_lag_limit=settings.replica_lag_limit_seconds,
    )
    return Database(create_engines(settings.database_url, options, replica_url=settings.replica_url))


def notifiers(settings: Settings) -> list[Notifier]:
    """Who is told of an alert, besides the log."""
    found: list[Notifier] = []
    if settings.alert_webhook_url.get_secret_value():
        found.append(WebHook(settings.alert_webhook_url.get_secret_value()))
    if settings.alert_email_to:
        found.append(
            Mail(
                host=settings.smtp_host,
                port=settings.smtp_port,
                sender=settings.alert_email_from,
                receivers=settings.alert_email_to,
                username=settings.smtp_username,
                password=settings.smtp_password.get_secret_value(),
                use_tls=settings.smtp_starttls,
            )
        )
    return found


def note_holder(route: str, request_id: str) -> Holder:
    """Leave a note of the request that is about to ask for a connection."""
    holder = Holder(route, request_id=request_id)
    current_holder.set(holder)
    return holder


async def to_desk(request: Request) -> Response:
    """The desk lives under /admin."""
    return RedirectResponse(HOME_PATH, status_code=302)
