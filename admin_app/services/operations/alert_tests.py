"""Trying out whether alerts arrive."""

from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.models.audit_log import AuditAction
from admin_app.permissions import Permission
from admin_app.services.records import audit


async def record(session: AsyncSession, actor: Actor) -> None:
    """Note that somebody has a message sent to whoever hears of alerts; it is sent once this is written."""
    actor.require(Permission.POOL_TEST_ALERT)
    subject = audit.Subject(table_name="incidents", record_id=None, label="A test", changes={})
    await audit.record_many(session, actor, AuditAction.TEST_ALERT, [subject])
