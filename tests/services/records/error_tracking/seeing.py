"""Sightings that the tests of error tracking are made of."""

import itertools
from datetime import datetime
from typing import Any

from admin_app import clock
from admin_app.services.records.error_tracking.sightings import Sighting

_numbers = itertools.count(1)


def seen(at: datetime | None = None, **fields: Any) -> Sighting:
    """A failure with a reference of its own."""
    usual = {
        "reference": f"{next(_numbers):08x}",
        "kind": "KeyError",
        "fingerprint": "f" * 64,
        "message": "…",
        "path": "/admin/ticket/list",
        "actor_id": None,
        "occurred_at": at or clock.now(),
    }
    return Sighting(**{**usual, **fields})
