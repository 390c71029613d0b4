"""The web server, and the demo desk in front of it."""

import asyncio
import os
import socket
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import uvicorn
from rich.console import Console
from rich.table import Table

from admin_app.cli import opening
from admin_app.cli.talking import fail, say
from admin_app.db.database import Database
from admin_app.services.batches.samples import demo_desk, demo_people
from admin_app.services.records.file_store import FileStore
from admin_app.settings import CONFIG_FOLDER, Environment, Settings

APP = "admin_app.app:create_app_from_environment"

HUNG_SECONDS = 30
"""A worker that says nothing for so long is replaced. On a busy machine the first word takes longer than usual."""


def serve(settings: Settings) -> None:
    """Serve the desk until told to stop. The database has to be migrated."""

    async def look(database: Database) -> None:
        """Opening it is the check."""

    opening.with_database(settings, look)
    settings.signing_key()
    refuse_taken_port(settings.host, settings.port)
    os.environ.update(HOST=settings.host, PORT=str(settings.port), WORKERS=str(settings.workers))
    uvicorn.run(
        APP,
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=http_protocol(),
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=settings.graceful_shutdown_seconds,
        timeout_worker_healthcheck=HUNG_SECONDS,
        log_config=logging_config(settings.environment),
    )


def http_protocol() -> type[asyncio.Protocol] | str:
    """Ours where the C parser is; elsewhere uvicorn's pure Python one, which has a limit for the head itself."""
    if find_spec("httptools") is None:
        return "h11"
    from admin_app.cli.limited_http import LimitedHttp

    return LimitedHttp


def demo(settings: Settings) -> None:
    """Migrate, load the demo desk once, and show how to sign in; serving comes after."""
    if settings.environment is Environment.PRODUCTION:
        raise fail("The demo is not for production. Set ENVIRONMENT to development, or leave it out.")
    opening.migrate(settings.database_url)
    store = FileStore(settings.attachments_folder, settings.max_attachment_bytes)

    async def load(database: Database) -> bool:
        return await demo_desk.load(database.run, store)

    say("Loading the demo desk …")
    loaded = opening.with_database(settings, load)
    say("The demo desk is loaded." if loaded else "The demo desk is here already; everything in it is kept.")
    show_sign_ins(f"http://{settings.host}:{settings.port}/admin")


def show_sign_ins(url: str) -> None:
    """A table with one person per line."""
    table = Table("Role", "E-mail", "Password", "Name", title=f"Sign in at {url}", title_justify="left")
    for person in demo_people.DESK:
        if person.is_shown:
            table.add_row(person.role.value, person.email, person.password, person.full_name)
    Console(width=100).print(table)


def refuse_taken_port(host: str, port: int) -> None:
    """End the command when somebody listens there already, before the server says so less kindly."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise fail(f"Cannot listen on {host}, port {port}: {error.strerror}. Choose another with --port.") from None


def logging_config(environment: Environment, file: Path = CONFIG_FOLDER / "logging.toml") -> dict[str, Any]:
    """What is logged and where to; production writes one JSON object per line, and requests are always told so."""
    config = tomllib.loads(file.read_text(encoding="utf-8"))
    formatter = "json" if environment is Environment.PRODUCTION else "plain"
    for handler in config["handlers"].values():
        handler.setdefault("formatter", formatter)
    return config
