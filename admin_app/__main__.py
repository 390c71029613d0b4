"""The command line: `python -m admin_app …`. Errors are one sentence on standard error and a non-zero exit."""

import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from admin_app.actor import command_line_actor
from admin_app.cli import opening, serving, tickets, trash
from admin_app.cli.talking import fail, say, sentences
from admin_app.db.database import Database
from admin_app.errors import InvalidInput
from admin_app.models.ticket import Channel, Priority, Status
from admin_app.models.ticket_export import ExportFormat
from admin_app.permissions import Role
from admin_app.services.batches.csv_import import mapping as mappings
from admin_app.services.blocks.sign_in_sessions import TOKEN_BYTES
from admin_app.services.operations import accounts, password_links, second_factor
from admin_app.services.pages.ticket_list import TicketFilter
from admin_app.services.records import password_rules, passwords
from admin_app.services.records.file_store import FileStore
from admin_app.settings import Environment, Settings
from admin_app.web.guard import LINK_PATH

desk = typer.Typer(
    name="python -m admin_app",
    help="Support Desk Admin: a browser admin for a customer-support desk.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Host = Annotated[str | None, typer.Option(help="Address to listen on; HOST when left out.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; PORT when left out.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The CSV file.")]
ExistingFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, readable=True)]


@desk.command()
def serve(
    host: Host = None,
    port: Port = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes; WORKERS when left out.")] = None,
) -> None:
    """Serve the desk. The database has to be migrated."""
    with sentences():
        serving.serve(read_settings(host=host, port=port, workers=workers))


@desk.command()
def demo(host: Host = None, port: Port = None) -> None:
    """Load a believable demo desk once, show the sign-ins, and serve it."""
    with sentences():
        settings = read_settings(host=host, port=port)
        serving.demo(settings)
        serving.serve(settings)


@desk.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    with sentences():
        settings = read_settings()
        if settings.transaction_pooling:
            raise fail(
                "Migrations go past PgBouncer: set TRANSACTION_POOLING=false, and DATABASE_URL to the server itself."
            )
        opening.migrate(settings.database_url)
        say("The database is up to date.")


@desk.command("create-user")
def create_user(
    email: Annotated[str, typer.Argument(help="The address that the person signs in with.")],
    name: Annotated[str, typer.Option(help="Full name.")],
    role: Annotated[Role, typer.Option(case_sensitive=False, help="What the person is at this desk.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
    ] = False,
) -> None:
    """Make an account. Without a password the person cannot sign in yet."""
    with sentences():
        settings = read_settings()
        hashed = _password_hash(email, name, role) if password_stdin else None

        async def create(database: Database) -> None:
            await database.run(
                lambda session: accounts.create(
                    session, command_line_actor(), email=email, full_name=name, role=role, password_hash=hashed
                )
            )

        opening.with_database(settings, create)
        say(f"{name} <{email.strip().lower()}> is now {role.value} at this desk.")


@desk.command("reset-second-factor")
def reset_second_factor(
    email: Annotated[str, typer.Argument(help="The address that the person signs in with.")],
    reason: Annotated[str, typer.Option(help="Why; it stays in the audit log.")],
) -> None:
    """Take a second factor away that nobody in the browser can: that of the last admin, say."""
    with sentences():

        async def reset(database: Database) -> str:
            user = await database.run(
                lambda session: second_factor.reset_by_address(session, command_line_actor(), email, reason=reason)
            )
            return user.full_name

        name = opening.with_database(read_settings(), reset)
        say(f"{name} signs in with the password alone now, and is signed out everywhere.")


@desk.command("reset-password")
def reset_password(
    email: Annotated[str, typer.Argument(help="The address that the person signs in with.")],
    reason: Annotated[str, typer.Option(help="Why; it stays in the audit log.")],
    url: Annotated[
        str, typer.Option(help="Where people find the desk, such as https://desk.example; else HOST and PORT.")
    ] = "",
) -> None:
    """Make a link with which somebody sets a new password, once: an admin who is locked out, say."""
    with sentences():
        settings = read_settings()
        lives = timedelta(minutes=settings.password_link_minutes)
        link = password_links.NewLink(secrets.token_urlsafe(TOKEN_BYTES), lives)

        async def make(database: Database) -> str:
            user = await database.run(
                lambda session: password_links.make_by_address(
                    session, command_line_actor(), email, link=link, reason=reason
                )
            )
            return user.full_name

        name = opening.with_database(settings, make)
        say(f"{name} can set a new password with this link, once, within {settings.password_link_minutes} minutes:")
        say(f"{url.rstrip('/') or f'http://{settings.host}:{settings.port}'}{LINK_PATH}?token={link.token}")


@desk.command("import-tickets")
def import_tickets(
    file: File,
    mapping: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="What the columns mean; else the file in config/ whose columns fit."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, then write nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where rejected rows go; else FILE.rejected.csv, here.")
    ] = None,
) -> None:
    """Import tickets from a CSV file: good rows in, bad rows out with the reason."""
    with sentences():
        settings = read_settings()
        chosen = mappings.load(mapping) if mapping else None
        opening.with_database(
            settings, lambda database: tickets.import_tickets(database, file, chosen, report, dry_run=dry_run)
        )


@desk.command("export-tickets")
def export_tickets(
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="File to write, with a .sha256 beside it; else standard output.")
    ] = None,
    status: Annotated[Status | None, typer.Option(case_sensitive=False)] = None,
    priority: Annotated[str | None, typer.Option(help="low, medium, high or critical.")] = None,
    channel: Annotated[Channel | None, typer.Option(case_sensitive=False)] = None,
    owner: Annotated[str, typer.Option(help="An e-mail address, or nobody.")] = "",
    customer: Annotated[str, typer.Option(help="An e-mail address.")] = "",
    tag: Annotated[str, typer.Option(help="Only tickets with this tag.")] = "",
    search: Annotated[str, typer.Option(help="As in the search box of the list.")] = "",
    file_format: Annotated[
        ExportFormat, typer.Option("--format", case_sensitive=False, help="What the file is to be.")
    ] = ExportFormat.CSV,
) -> None:
    """Export tickets, safe to open in a spreadsheet; deleted ones stay out."""
    with sentences():
        settings = read_settings()
        wanted = TicketFilter(
            status=status,
            priority=_priority(priority),
            channel=channel,
            owner=owner,
            creator=customer,
            tag=tag,
            search=search,
        )
        opening.with_database(settings, lambda database: tickets.export_tickets(database, wanted, output, file_format))


@desk.command("purge-trash")
def purge_trash(
    older_than: Annotated[int, typer.Option(min=1, max=36_500, help="Days since they were deleted.")],
    reason: Annotated[str, typer.Option(help="For the audit log; else the reason of each deletion.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Really remove them; there is no way back.")] = False,
) -> None:
    """Remove what has been in the trash for long enough, for good. Without --apply it only says what would go."""
    with sentences():
        settings = read_settings()
        store = FileStore(settings.attachments_folder, settings.max_attachment_bytes)

        async def empty(database: Database) -> None:
            await trash.purge_trash(database, store, older_than_days=older_than, reason=reason, apply=apply)

        opening.with_database(settings, empty)


@desk.command()
def seed(
    count: Annotated[int, typer.Option("--tickets", min=1, max=10_000_000, help="How many tickets to add.")],
) -> None:
    """Add sample tickets for benchmarks; the same ones every time."""
    with sentences():
        settings = read_settings()
        if settings.environment is Environment.PRODUCTION:
            raise fail("Sample tickets are not for production. Set ENVIRONMENT to development, or leave it out.")
        opening.with_database(settings, lambda database: tickets.seed_tickets(database, count))


def read_settings(**options: Any) -> Settings:
    """The settings, with those options on top that were given."""
    return Settings(**{name: value for name, value in options.items() if value is not None})


def main() -> None:
    """Run the command that was typed; a mistyped one gets a sentence as well."""
    try:
        code = desk(standalone_mode=False)
    except TyperException as error:
        sys.exit(fail(error.format_message().replace("Value error, ", ""), code=error.exit_code).exit_code)
    except typer.Abort:
        sys.exit(fail("Stopped.", code=130).exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _password_hash(email: str, name: str, role: Role) -> str:
    if role is Role.CUSTOMER:
        raise InvalidInput(password="A customer never signs in; leave --password-stdin out.")  # noqa: S106 - a sentence
    typed = sys.stdin.readline().rstrip("\r\n")
    password_rules.check(typed, email=email, full_name=name)
    return passwords.hash_password(typed)


def _priority(name: str | None) -> Priority | None:
    named = {member.name.lower(): member for member in Priority}
    if name is not None and name.lower() not in named:
        raise InvalidInput(priority=f"Choose one of {', '.join(named)}.")
    return named[name.lower()] if name is not None else None


if __name__ == "__main__":
    main()
