"""How a command talks: results on standard output, one sentence on standard error when it fails, never a trace."""

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import ArgumentError

from admin_app.db import failures
from admin_app.errors import AppError, InvalidInput, Unavailable

PLAIN_STEPS = 10
UNNAMED_FIELDS = frozenset({"file", "mapping", "form"})
NO_DATABASE = "The database cannot be reached. Is it running, and is DATABASE_URL right?"
NO_ACCESS = "The database refuses this user, password or database name. Check DATABASE_URL."
NO_ACCESS_STATES = ("28", "3D")
BAD_URL = (
    "DATABASE_URL cannot be read; it looks like sqlite+aiosqlite:///folder/desk.sqlite3 "
    "or postgresql+asyncpg://user:password@host/database."
)


def say(sentence: str) -> None:
    """One line for the person at the terminal."""
    typer.echo(sentence)


def warn(sentence: str) -> None:
    """One line beside the result."""
    typer.echo(sentence, err=True)


def fail(sentence: str, *, code: int = 1) -> typer.Exit:
    """Say what went wrong; `raise fail(…)` ends the command."""
    typer.echo(sentence, err=True)
    return typer.Exit(code)


@contextmanager
def sentences() -> Iterator[None]:
    """Whatever goes wrong inside ends as one sentence and a non-zero exit; DEBUG=1 shows the trace of an accident."""
    try:
        yield
    except typer.Exit:
        raise
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except Exception as error:
        sentence = sentence_for(error)
        if sentence is None:
            if os.environ.get("DEBUG", "").lower() in {"1", "true", "yes", "on"}:
                traceback.print_exc()
            sentence = f"Something went wrong ({type(error).__name__}). DEBUG=1 shows where."
        raise fail(sentence) from None


def sentence_for(error: Exception) -> str | None:
    """What a person can do something with; None for an accident that nobody foresaw."""
    if isinstance(error, ValidationError):
        return settings_sentence(error)
    if isinstance(error, ArgumentError):
        return BAD_URL
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror or 'this cannot be used'}."
    state = failures.sqlstate(error) or getattr(error, "sqlstate", None) or ""
    if state.startswith(NO_ACCESS_STATES):
        return NO_ACCESS
    answer = failures.translate(error)
    if isinstance(answer, Unavailable):
        return NO_DATABASE
    if isinstance(answer, InvalidInput):
        return " ".join(_at_field(name, text) for name, text in answer.fields.items()) or str(answer)
    if isinstance(answer, AppError):
        return str(answer)
    return (
        f"{error}." if isinstance(error, ValueError) and str(error).startswith(("DATABASE_URL", "the desk")) else None
    )


def settings_sentence(error: ValidationError) -> str:
    """Which settings are wrong and why, without their values."""
    lines = []
    for wrong in error.errors(include_url=False, include_input=False, include_context=False):
        name = ".".join(str(part) for part in wrong["loc"]).upper()
        reason = wrong["msg"].removeprefix("Value error, ")
        lines.append(f"{name}: {reason}." if name else f"{reason}.")
    return " ".join(lines)


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yields what to call with the amount done so far: a bar on a terminal, a line per tenth when piped."""
    if not sys.stdout.isatty():
        yield _plain_lines(label, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)


def _plain_lines(label: str, total: int) -> Callable[[int], None]:
    told = 0

    def advance(done: int) -> None:
        nonlocal told
        tenth = PLAIN_STEPS * done // max(total, 1)
        if tenth > told:
            told = tenth
            say(f"{label}: {100 * tenth // PLAIN_STEPS} %")

    return advance


def _at_field(name: str, text: str) -> str:
    return text if name in UNNAMED_FIELDS else f"{name.replace('_', ' ').capitalize()}: {text}"
