"""What people are told of incidents: that one began, that it is over and how long it lasted, what was kept quiet."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from admin_app.models.incident import Incident
from admin_app.services.records.alarms import Message
from admin_app.services.records.error_tracking import storing
from admin_app.services.records.error_tracking.storing import Alert
from admin_app.services.records.incidents import News, Trouble, Turn

OPENED, OVER, LATER, TEST = "incident.opened", "incident.over", "incident.digest", "incident.test"
ONE_HOST = "The database could not be asked who tells this, so each host tells it for itself."


def messages(news: Sequence[News]) -> list[Message]:
    """One for each incident that began or is over, and one for all that was kept quiet."""
    told = [_opened(each.incident) for each in news if each.turn is Turn.OPENED]
    told += [_over(each.incident) for each in news if each.turn is Turn.OVER]
    kept = [each.incident for each in news if each.turn is Turn.LATER]
    return [*told, _digest(kept)] if kept else told


def of_error(alert: Alert) -> Message:
    """The alert of error tracking, for the log: people are told of the incident that it opens."""
    details = {**asdict(alert), "occurred_at": alert.occurred_at.isoformat()}
    return Message(storing.sentence(alert), "errors.alert", details)


def test() -> Message:
    """To see that messages arrive."""
    return Message(
        "This is a test: alerts of the support desk arrive here. Nothing is wrong.",
        TEST,
        level=logging.WARNING,
    )


def on_this_host(trouble: Trouble, now: datetime) -> Message:
    """One that the database could not be asked about."""
    values = {**trouble.details, "incident": trouble.kind, "opened_at": now.isoformat()}
    return Message(f"{trouble.text} {trouble.advice}", OPENED, {**values, "scope": ONE_HOST}, level=_level(trouble))


def over_on_this_host(trouble: Trouble, opened_at: datetime, now: datetime) -> Message:
    """Its end."""
    text = f"Over after {duration(now - opened_at)}: {trouble.text}"
    return Message(text, OVER, {"incident": trouble.kind, "scope": ONE_HOST}, level=logging.WARNING)


def packed(trouble: Trouble, now: datetime) -> dict[str, Any]:
    """As plain values."""
    return {**asdict(trouble), "opened_at": now.isoformat()}


def unpacked(told: Mapping[str, Any]) -> tuple[Trouble, datetime]:
    """What was packed, and when it began."""
    values = dict(told)
    opened_at = datetime.fromisoformat(values.pop("opened_at"))
    return Trouble(**values), opened_at


def duration(time: timedelta) -> str:
    """As short as people say it."""
    seconds = time.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _opened(incident: Incident) -> Message:
    values = {**incident.details, **_of(incident)}
    return Message(f"{incident.text} {incident.advice}", OPENED, values, level=_level(incident))


def _over(incident: Incident) -> Message:
    lasted = _lasted(incident)
    text = f"Over after {duration(lasted)}: {incident.text}"
    return Message(text, OVER, {**_of(incident), "seconds": round(lasted.total_seconds())}, level=logging.WARNING)


def _digest(kept: Sequence[Incident]) -> Message:
    """One line each, under one that says what they are."""
    lines = [f"- {each.opened_at:%d %b %H:%M} UTC, {_until(each)}: {each.text}" for each in kept]
    head = f"{len(kept)} incident{'s' if len(kept) > 1 else ''} of the quiet hours, kept until now:"
    return Message("\n".join([head, *lines]), LATER, {"incidents": len(kept)}, level=logging.WARNING)


def _until(incident: Incident) -> str:
    return "still there" if incident.ended_at is None else f"over after {duration(_lasted(incident))}"


def _lasted(incident: Incident) -> timedelta:
    return (incident.ended_at or incident.last_seen_at) - incident.opened_at


def _of(incident: Incident) -> dict[str, object]:
    return {"incident": incident.kind, "incident_id": incident.id, "opened_at": incident.opened_at.isoformat()}


def _level(what: Trouble | Incident) -> int:
    return logging.CRITICAL if what.is_critical else logging.ERROR
