"""One table a file; enumerations beside the table that uses them."""

from admin_app.models.attachment import Attachment
from admin_app.models.attempt_counter import AttemptCounter
from admin_app.models.audit_log import AuditAction, AuditLog
from admin_app.models.audit_member import AuditMember
from admin_app.models.batch import Batch, BatchKind, BatchState
from admin_app.models.comment import Comment
from admin_app.models.error_group import ErrorGroup
from admin_app.models.error_report import ErrorReport
from admin_app.models.external_identity import ExternalIdentity
from admin_app.models.half_open_session import HalfOpenSession
from admin_app.models.idempotency_key import IdempotencyKey
from admin_app.models.import_layout import ImportLayout
from admin_app.models.import_rejection import ImportRejection
from admin_app.models.incident import Incident
from admin_app.models.notification import Notification, NotificationType
from admin_app.models.password_link import PasswordLink
from admin_app.models.second_factor import RecoveryCode, SecondFactor
from admin_app.models.sign_in_flow import SignInFlow
from admin_app.models.tag import Tag, ticket_tags
from admin_app.models.ticket import Channel, Priority, Status, Ticket
from admin_app.models.ticket_export import ExportFormat, ExportState, TicketExport
from admin_app.models.ticket_import import ImportMode, ImportState, TicketImport
from admin_app.models.user import User
from admin_app.models.user_session import UserSession
from admin_app.models.watcher import TicketWatcher, WatchLevel
from admin_app.models.worker_report import WorkerReport

__all__ = [
    "Attachment",
    "AttemptCounter",
    "AuditAction",
    "AuditLog",
    "AuditMember",
    "Batch",
    "BatchKind",
    "BatchState",
    "Channel",
    "Comment",
    "ErrorGroup",
    "ErrorReport",
    "ExportFormat",
    "ExportState",
    "ExternalIdentity",
    "HalfOpenSession",
    "IdempotencyKey",
    "ImportLayout",
    "ImportMode",
    "ImportRejection",
    "ImportState",
    "Incident",
    "Notification",
    "NotificationType",
    "PasswordLink",
    "Priority",
    "RecoveryCode",
    "SecondFactor",
    "SignInFlow",
    "Status",
    "Tag",
    "Ticket",
    "TicketExport",
    "TicketImport",
    "TicketWatcher",
    "User",
    "UserSession",
    "WatchLevel",
    "WorkerReport",
    "ticket_tags",
]
