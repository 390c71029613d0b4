"""What the columns of a file mean: read from a TOML file, or from a form."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from admin_app.errors import InvalidInput
from admin_app.models.ticket import Channel, Priority, Status

T = TypeVar("T")


def folded(word: str) -> str:
    """How words are compared: without regard to case, blanks or underscores."""
    return " ".join(word.replace("_", " ").split()).casefold()


def _priority(word: object) -> object:
    named = {member.name.lower(): member for member in Priority}
    return named.get(word.lower(), word) if isinstance(word, str) else word


def _all_folded(words: dict[str, T]) -> dict[str, T]:
    return {folded(word): value for word, value in words.items()}


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("this is not a time zone; Europe/Berlin is one")
    return name


def _one_or_many(names: object) -> object:
    return [names] if isinstance(names, str) else names


ByName = Annotated[Priority, BeforeValidator(_priority)]
Columns = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeyRule(_Part):
    """Which column makes a row the same row in the next run, and what is put in front of it."""

    column: str
    prefix: str = ""


class CustomerRule(_Part):
    """Who opened the ticket."""

    email: str
    name: str | None = None


class ColumnRules(_Part):
    """Ticket field → column of the file. The creation time is the earliest of its columns."""

    title: str
    description: str | None = None
    category: str | None = None
    status: str | None = None
    priority: str | None = None
    channel: str | None = None
    resolution: str | None = None
    owner: str | None = None
    created_at: Columns = ()
    first_response_at: str | None = None
    resolved_at: str | None = None
    closed_at: str | None = None
    due_at: str | None = None
    tags: Columns = ()


class ValueRules(_Part):
    """Word in the file → word of the desk. The desk's own words are always understood."""

    status: Annotated[dict[str, Status], AfterValidator(_all_folded)] = {}
    priority: Annotated[dict[str, ByName], AfterValidator(_all_folded)] = {}
    channel: Annotated[dict[str, Channel], AfterValidator(_all_folded)] = {}


class Defaults(_Part):
    """For columns that the file does not have, and for empty cells."""

    status: Status = Status.NEW
    priority: ByName = Priority.MEDIUM
    channel: Channel = Channel.WEB


class ImportMapping(_Part):
    """Everything that turns a row into a ticket."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    customer: CustomerRule
    columns: ColumnRules
    external_key: KeyRule | None = None
    values: ValueRules = ValueRules()
    defaults: Defaults = Defaults()
    date_formats: tuple[str, ...] = ("iso",)
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"

    def column_of(self, field: str) -> str:
        """Which column a field of a ticket or a customer comes from; empty when none does."""
        own = {
            "email": self.customer.email,
            "full_name": self.customer.name,
            "external_key": self.external_key.column if self.external_key else None,
            "tag": self.columns.tags,
        }
        found = own.get(field) or getattr(self.columns, field, None) or ""
        return found if isinstance(found, str) else ", ".join(found)

    def missing_in(self, header: Sequence[str]) -> list[str]:
        """Columns that the mapping names and the file does not have."""
        return [name for name in self._named() if name not in header]

    def _named(self) -> list[str]:
        columns = self.columns.model_dump()
        single = [name for name in columns.values() if isinstance(name, str)]
        several = [name for names in columns.values() if isinstance(names, tuple) for name in names]
        key = [self.external_key.column] if self.external_key else []
        person = [name for name in (self.customer.email, self.customer.name) if name]
        return list(dict.fromkeys([*key, *person, *single, *several]))


def load(file: Path) -> ImportMapping:
    """The mapping in a TOML file; `InvalidInput` at `mapping` with a sentence when it cannot be used."""
    try:
        return parse(tomllib.loads(file.read_text(encoding="utf-8")), name=file.name)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(mapping=f"The mapping {file.name} is no TOML file: {error}.") from None


def parse(values: Mapping[str, Any], *, name: str) -> ImportMapping:
    """The mapping in plain values; `InvalidInput` at `mapping` names what is wrong in `name`."""
    try:
        return ImportMapping.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(mapping=f"The mapping {name} is wrong at {place}: {first['msg']}.") from None


def choose(files: Sequence[Path], header: Sequence[str]) -> ImportMapping:
    """The first mapping whose columns the file has; `InvalidInput` at `mapping` when none fits."""
    for file in sorted(files):
        mapping = load(file)
        if not mapping.missing_in(header):
            return mapping
    raise InvalidInput(
        mapping="No mapping in the config folder fits the columns of this file; name one with --mapping."
    )


def check(mapping: ImportMapping, header: Sequence[str]) -> None:
    """`InvalidInput` at `file` that names every column which the mapping needs and the file does not have."""
    missing = mapping.missing_in(header)
    if missing:
        raise InvalidInput(file=f"This file has no column named {', '.join(missing)}, which the mapping needs.")
