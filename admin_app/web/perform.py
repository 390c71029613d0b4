"""The stairs: request → one service → one transaction."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from starlette.requests import Request

from admin_app.actor import Actor
from admin_app.errors import AppError, UnexpectedFailure
from admin_app.services.records import audit, idempotency
from admin_app.services.records.error_tracking import sightings
from admin_app.web.desk import actor_of, desk_of, form_of, signed_in, text_in

logger = logging.getLogger("admin_app.web")

T = TypeVar("T")
Service = Callable[..., Awaitable[T]]

KEY_FIELD = "idempotency_key"
LONGEST_KEY = 100


async def read(
    request: Request, reader: Service[T], /, *args: Any, aside: bool = False, may_lag: bool = False, **options: Any
) -> T:
    """What `reader(session, actor, …)` finds, in a read-only session; `aside` through the connection kept for ops.

    `may_lag`: it is only looked at, so a replica may answer that does not have the latest changes of others.
    """
    actor, database = actor_of(request), desk_of(request).database
    return await database.read(lambda session: reader(session, actor, *args, **options), aside=aside, may_lag=may_lag)


async def look_up(request: Request, reader: Service[T], /, *args: Any, may_lag: bool = False, **options: Any) -> T:
    """What `reader(connection, actor, …)` finds in columns, without a transaction; `may_lag` as above."""
    actor, database = actor_of(request), desk_of(request).database
    return await database.look_up(lambda connection: reader(connection, actor, *args, **options), may_lag=may_lag)


async def perform(request: Request, service: Service[Any], /, *args: Any, **options: Any) -> idempotency.Outcome:
    """Do `service(session, actor, …)` in one transaction, once per form however often that form is sent.

    Only `AppError` comes out; everything else is reported and becomes `UnexpectedFailure`.
    """
    actor = actor_of(request)
    key = _key_of(request, actor)

    async def work(session: Any) -> idempotency.Outcome:
        if key is None:
            result = await service(session, actor, *args, **options)
            return idempotency.outcome_of(result)
        return await idempotency.once(session, key, lambda inner: service(inner, actor, *args, **options))

    try:
        return await desk_of(request).database.run(work, repeatable=key is not None)
    except AppError:
        raise
    except Exception as error:
        raise await report(request, error) from error


async def report(request: Request, error: Exception) -> UnexpectedFailure:
    """Have a scrubbed report stored, or in a flood counted; the person gets a reference whatever becomes of it."""
    reference = sightings.new_reference()
    found = signed_in(request)
    actor_id = found.actor.id if found else None
    request_id = request.state.request_id
    sighting = sightings.note(
        error, reference=reference, path=request.url.path, actor_id=actor_id, request_id=request_id
    )
    is_stored = await desk_of(request).errors.report(sighting)
    logger.error(
        "unexpected failure",
        exc_info=error if is_stored else None,  # a flood of one kind needs its trace only so often
        extra={
            "event": "web.failure",
            "reference": reference,
            "request_id": request_id,
            "path": request.url.path,
            "fingerprint": sighting.fingerprint,
        },
    )
    return UnexpectedFailure(reference)


async def record_refusal(request: Request, actor: Actor, reason: str) -> None:
    """Write a refused request to the audit log, in a transaction of its own."""
    what = f"{request.method} {request.url.path}"
    try:
        await desk_of(request).database.run(lambda session: audit.refuse(session, actor, what, reason))
    except Exception:
        logger.exception("a refusal could not be recorded", extra={"event": "web.refusal", "path": request.url.path})


def _key_of(request: Request, actor: Actor) -> str | None:
    """The form's key with everything that it was sent with; changed text makes another request."""
    form = form_of(request)
    key = text_in(form, KEY_FIELD)[:LONGEST_KEY]
    if not key:
        return None
    typed = sorted(
        (name, value if isinstance(value, str) else f"{value.filename} {value.size}")
        for name, value in form.multi_items()
    )
    return idempotency.key_hash(key, actor.id, request.url.path, typed)
