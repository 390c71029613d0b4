"""What can go wrong, as one tree. `str(error)` is always safe to show to a person.

AppError
├── Malformed 400            an id, number, date, filter, page or version that cannot be read
├── PermissionDenied 403
│   └── NotConfirmed         it has to be shown again who it is
├── NotFound 404             also for rows the actor may not see
├── Conflict 409
│   ├── StaleEdit            somebody saved first
│   ├── AlreadyExists        a unique value is taken
│   ├── InvalidTransition    the state table has no such arrow
│   ├── StillReferenced      other records still point here
│   └── Contended            deadlock or serialization failure after all retries
├── Gone 410                 soft-deleted
├── TooLarge 413
├── InvalidInput 422         field → message
├── UnexpectedFailure 500    "Something went wrong. Reference 3f2a91c0"
├── Unavailable 503          retry_after: pool exhausted, database down
└── TimedOut 504
WriteOutsideService          RuntimeError: our bug, never shown
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime


class AppError(Exception):
    """An answer, not an accident: its text is shown as it is."""

    status_code = 500
    default_message = "Something went wrong."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.default_message)


class Malformed(AppError):
    """The request could not be read."""

    status_code = 400
    default_message = "This request could not be read."


class PermissionDenied(AppError):
    """The actor may see it, but not do it."""

    status_code = 403
    default_message = "You are not allowed to do this."

    def __init__(self, message: str | None = None, *, permission: str | None = None) -> None:
        super().__init__(message)
        self.permission = permission
        """The one that is missing: for the audit log, people never read it."""


class NotConfirmed(PermissionDenied):
    """The actor may do it, after showing again that it is them."""

    default_message = "Confirm first that it is you."


class NotFound(AppError):
    """There is no such record, or none that the actor may see."""

    status_code = 404
    default_message = "There is no such page or record."


class Conflict(AppError):
    """The record is not in the state that this needs."""

    status_code = 409
    default_message = "Somebody else changed this at the same moment. Please try again."


@dataclass(frozen=True)
class FieldClash:
    """One field in a stale save: what it was, what it is now, what was typed."""

    field: str
    at_start: object
    theirs: object
    yours: object

    @property
    def is_clash(self) -> bool:
        """Both sides changed it, to different values."""
        return self.theirs != self.at_start and self.yours != self.at_start and self.theirs != self.yours

    @property
    def merged(self) -> object:
        """The side that changed it; where both did, yours."""
        return self.theirs if self.yours == self.at_start else self.yours


@dataclass(frozen=True)
class SavedBy:
    """Who saved in between, and when."""

    name: str
    at: datetime


class StaleEdit(Conflict):
    """The form was opened on an older version; carries what a merge needs."""

    default_message = "Somebody saved this while you were editing. Nothing of yours was written yet."

    def __init__(
        self,
        message: str | None = None,
        *,
        current_version: int = 0,
        fields: Sequence[FieldClash] = (),
        saved_by: Sequence[SavedBy] = (),
    ) -> None:
        super().__init__(message)
        self.current_version = current_version
        self.fields = tuple(fields)
        self.saved_by = tuple(saved_by)


class AlreadyExists(Conflict):
    """A value that must be unique is taken."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.fields: Mapping[str, str] = {field: message}


class InvalidTransition(Conflict):
    """The state table has no such arrow."""


class StillReferenced(Conflict):
    """Other records still point at this one."""


class Contended(Conflict):
    """Others kept changing the same rows until every retry was used up."""


class Gone(AppError):
    """The record was deleted; supervisors find it in the trash."""

    status_code = 410
    default_message = "This was deleted."

    def __init__(self, message: str | None = None, *, ticket_id: int | None = None) -> None:
        super().__init__(message)
        self.ticket_id = ticket_id


class TooLarge(AppError):
    """More than this desk takes in one go."""

    status_code = 413
    default_message = "This is too large."


class InvalidInput(AppError):
    """One or more fields are wrong; each gets its own sentence."""

    status_code = 422
    default_message = "Please check the marked fields."

    def __init__(self, message: str | None = None, **fields: str) -> None:
        super().__init__(message or " ".join(fields.values()) or None)
        self.fields: Mapping[str, str] = fields


class Findings:
    """What is wrong with a form, gathered, so that one answer names every field."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep an `InvalidInput` at fields for later."""
        try:
            yield
        except InvalidInput as error:
            if not error.fields:
                raise
            self._fields |= error.fields

    def tell(self) -> None:
        """`InvalidInput` at every field that was found wrong; nothing when none was."""
        if self._fields:
            raise InvalidInput(**self._fields)


class UnexpectedFailure(AppError):
    """Something nobody foresaw; the reference finds the stored report."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"Something went wrong. Reference {reference}")
        self.reference = reference


class Unavailable(AppError):
    """The database cannot take this now; it is worth trying again soon."""

    status_code = 503
    default_message = "The desk is very busy right now. Nothing was saved; please try again in a moment."

    def __init__(self, message: str | None = None, *, retry_after: int = 2) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TimedOut(AppError):
    """The database took too long and was stopped."""

    status_code = 504
    default_message = "This took too long and was stopped. Nothing was saved."


class WriteOutsideService(RuntimeError):
    """A page tried to write through a read-only session: our bug, never shown."""
