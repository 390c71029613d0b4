"""Stored names and values, as people at the desk say them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from admin_app import clock

FIELDS: Mapping[str, str] = {
    "body": "Comment",
    "channel": "Channel",
    "closed_at": "Closed",
    "creator": "Customer",
    "creator_id": "Customer",
    "due_at": "Due",
    "email": "E-mail address",
    "external_key": "Number elsewhere",
    "first_response_at": "First response",
    "full_name": "Name",
    "identity": "Account at the provider",
    "is_active": "Active",
    "is_internal": "Internal",
    "manager_id": "Manager",
    "open_sessions": "Open sign-ins",
    "owner_id": "Owner",
    "parent": "Follow-up to",
    "parent_id": "Follow-up to",
    "person": "Person",
    "recovery_codes": "Recovery codes left",
    "resolved_at": "Resolved",
    "timezone": "Time zone",
}
HIDDEN = frozenset({"deleted_at", "deleted_by_id", "delete_reason", "delete_batch_id", "storage_key", "sha256"})
"""Fields of an audit entry that tell a person nothing."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY, DATE = len("21 Nov"), len("21 Nov 2026")
SPOKEN_FIELDS = frozenset({"status", "channel", "role", "priority"})
VERBS: Mapping[str, str] = {
    "CREATE": "opened it",
    "EDIT": "edited",
    "RESOLVE": "resolved it",
    "CLOSE": "closed it",
    "REOPEN": "reopened it",
    "DELETE": "deleted it",
    "RESTORE": "restored it",
    "TRANSFER_OWNERSHIP": "handed it over",
    "COMMENT": "commented",
    "ATTACH": "attached a file",
    "WATCH": "set a watcher",
    "UNWATCH": "removed a watcher",
    "TAG": "changed the tags",
    "IMPORT": "imported it",
    "BULK_CLOSE": "closed it as part of a change to many",
    "BULK_ASSIGN": "handed it over as part of a change to many",
    "BULK_PRIORITY": "set its priority as part of a change to many",
    "BULK_TAG": "changed its tags as part of a change to many",
    "BULK_DELETE": "deleted it as part of a change to many",
    "BULK_RESTORE": "restored it as part of a change to many",
    "UNDO": "undid a change to many tickets",
    "SECOND_FACTOR_BEGUN": "began to set up a second factor",
    "SECOND_FACTOR_ON": "turned the second factor on",
    "SECOND_FACTOR_OFF": "turned the second factor off",
    "SECOND_FACTOR_RESET": "reset the second factor",
    "RECOVERY_CODES_NEW": "made new recovery codes",
    "RECOVERY_CODE_USED": "used a recovery code",
    "CODE_REFUSED": "typed a code that was refused",
    "END_SESSION": "ended one sign-in",
    "END_SESSIONS": "ended sign-ins",
    "SIGN_IN_THROTTLED": "had too many tries at signing in",
    "LINK_IDENTITY": "signed in through the provider for the first time",
    "UNLINK_IDENTITY": "unlinked an identity of single sign-on",
    "PASSWORD_REFUSED": "typed a password that was refused",
    "TEST_ALERT": "tried out the alerts",
    "RESET_LINK_MADE": "made a link to set a new password",
    "RESET_LINK_USED": "set a new password with a link",
    "RESET_LINK_REFUSED": "tried a link for a new password that works no more",
}


def in_words(value: object) -> str:
    """A stored word as people read it: `on_hold` is *On hold*."""
    text = str(getattr(value, "name", value) if isinstance(value, int) else value)
    return text.replace("_", " ").strip().capitalize()


def field_words(field: str) -> str:
    """A column as people call it; what is a name already stays as it is."""
    if field in FIELDS:
        return FIELDS[field]
    return in_words(field) if field.islower() and " " not in field else field


def action_words(action: str, kind: str = "") -> str:
    """What somebody did to a ticket, to be read after their name; `kind` is the door they came through."""
    return VERBS.get("IMPORT" if (action, kind) == ("CREATE", "import") else action, in_words(action).lower())


def value_words(value: Any, field: str, zone: Any) -> str:
    """A recorded value as the page of the record would show it."""
    if value is None or value == "":
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field in SPOKEN_FIELDS:
        return in_words(value)
    if field == "size" and isinstance(value, int):
        return file_size(value)
    if field.endswith("_at") and isinstance(value, str):
        return _local(value, zone)
    return str(value)


def file_size(size: int) -> str:
    """Bytes as people read them."""
    amount = float(size)
    for unit in ("bytes", "KB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"


def brief_time(moment: datetime | None, zone: Any) -> str:
    """A time as short as it can be told apart: today by the hour, this year without the year."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    return _brief(local, _long(local))


def brief_moment(moment: datetime | None, zone: Any, empty: str = "–") -> Markup:
    """The same as an element that tells the whole time to who asks; lists hold hundreds of these."""
    if moment is None:
        return Markup(f'<span class="desk-quiet">{escape(empty)}</span>')  # noqa: S704
    local = moment.astimezone(zone)
    told = _long(local)
    return Markup(f'<time datetime="{moment.isoformat()}" title="{told}">{_brief(local, told)}</time>')  # noqa: S704


def _long(local: datetime) -> str:
    """`strftime` takes three times as long, and lists hold hundreds of times."""
    return f"{local.day:02} {MONTHS[local.month - 1]} {local.year}, {local.hour:02}:{local.minute:02}"


def _brief(local: datetime, told: str) -> str:
    today = clock.now().astimezone(local.tzinfo)
    if local.year != today.year:
        return told[:DATE]
    is_today = (local.month, local.day) == (today.month, today.day)
    return f"{told[DATE + 2 :]} today" if is_today else f"{told[:DAY]}{told[DATE:]}"


def _local(text: str, zone: Any) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return _long(moment.astimezone(zone)) if moment.tzinfo else text
