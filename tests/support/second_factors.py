"""Somebody with an authenticator app: a second factor in the database, and the codes that the app would show."""

from datetime import datetime, timedelta
from typing import Any

import pyotp

from admin_app import clock
from admin_app.models import RecoveryCode, SecondFactor
from admin_app.services.records import one_time_codes
from admin_app.services.records.secret_box import SecretBox

RECOVERY = "aaaa-bbbb-cccc-dddd"


async def give(desk: Any, user_id: int, box: SecretBox) -> str:
    """A second factor that counts, with one recovery code; its secret."""
    secret = one_time_codes.new_secret()
    factor = await desk.store(
        SecondFactor(
            user_id=user_id,
            sealed_secret=box.seal(secret, owner_id=user_id),
            confirmed_at=clock.now(),
            last_used_step=0,
        )
    )
    await desk.store(RecoveryCode(second_factor_id=factor.id, code_hash=one_time_codes.hash_of(RECOVERY)))
    return secret


def code(secret: str, *, steps: int = 0, at: datetime | None = None) -> str:
    """What the app shows now, or so many steps later."""
    return pyotp.TOTP(secret).at((at or clock.now()) + timedelta(seconds=30 * steps))


def wrong_code(secret: str) -> str:
    """Six digits that are right neither now nor soon."""
    right = {code(secret, steps=steps) for steps in range(-3, 4)}
    return next(digits for digits in (f"{number:06d}" for number in range(10)) if digits not in right)
