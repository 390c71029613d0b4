"""Forms as data: what is asked, what was typed, what is wrong with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from starlette.datastructures import FormData

from admin_app.errors import AppError, StaleEdit
from admin_app.web.desk import text_in
from admin_app.web.pages import in_words

Options = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Field:
    """One question. `kind` is text, textarea, select, person, datetime, checkbox, password, file or hidden."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    error: str = ""
    help: str = ""
    required: bool = False
    longest: int | None = None
    options: Options = ()
    rows: int = 4
    suggest: str = ""
    """Address that suggests people while somebody types."""


@dataclass(frozen=True)
class Form:
    """Questions in order, with a sentence above them when something is wrong in general."""

    fields: Sequence[Field]
    error: str = ""

    def filled(self, values: Mapping[str, str]) -> "Form":
        """With these values; fields that are not named keep theirs."""
        return replace(self, fields=[replace(f, value=values.get(f.name, f.value)) for f in self.fields])

    def typed(self, form: FormData, error: AppError | None = None) -> "Form":
        """With what was typed, and the error's sentences at their fields."""
        filled = self.filled({f.name: text_in(form, f.name) for f in self.fields if f.kind not in {"file", "password"}})
        return filled.wrong(error) if error is not None else filled

    def wrong(self, error: AppError) -> "Form":
        """With the error's sentence at each field it names; what is about no field here goes above the form."""
        messages: Mapping[str, str] = getattr(error, "fields", {})
        if isinstance(error, StaleEdit):
            messages = {}
        known = {f.name for f in self.fields}
        rest = " ".join(text for name, text in messages.items() if name not in known)
        general = rest if messages else str(error)
        marked = [replace(f, error=messages.get(f.name, "")) for f in self.fields]
        return Form(marked, error=general)


@dataclass(frozen=True)
class ClashRow:
    """One field of the conflict page, in people's words."""

    field: Field
    at_start: str
    theirs: str
    yours: str
    is_clash: bool
    changed_by: str
    """`both`, `them`, `you` or empty."""


@dataclass(frozen=True)
class Merge:
    """A stale save, ready to be shown: one-sided changes merged, true clashes asked."""

    rows: Sequence[ClashRow]
    stale: StaleEdit
    clashes: int = field(default=0)


def merge(form: Form, stale: StaleEdit, as_typed: Callable[[str, object], str]) -> Merge:
    """The conflict page's rows; `as_typed(field, stored)` is a stored value as the form would hold it."""
    clashes = {clash.field: clash for clash in stale.fields}
    rows = []
    for asked in form.fields:
        clash = clashes.get(asked.name)
        if clash is None:
            continue
        rows.append(_clash_row(asked, *(as_typed(asked.name, v) for v in (clash.at_start, clash.theirs, clash.yours))))
    return Merge(rows, stale, sum(row.is_clash for row in rows))


def without_theirs(form: FormData, values: Mapping[str, object]) -> dict[str, object]:
    """The values to save, without those for which the conflict page's answer was *keep theirs*."""
    return {name: value for name, value in values.items() if form.get(f"choice-{name}") != "theirs"}


def _clash_row(asked: Field, at_start: str, theirs: str, yours: str) -> ClashRow:
    """Sides are compared as the form holds them: a form knows no seconds, and nobody typed those it left out."""
    them, you = theirs != at_start, yours != at_start
    merged = yours if you else theirs
    words = dict(asked.options)
    if asked.kind == "select" and merged not in words:
        words[merged] = in_words(merged)  # no longer on offer, yet what they chose must be what they see
    at_start, theirs, yours = (words.get(text, text) for text in (at_start, theirs, yours))
    return ClashRow(
        field=replace(asked, value=merged, options=list(words.items())),
        at_start=at_start,
        theirs=theirs,
        yours=yours,
        is_clash=them and you and theirs != yours,
        changed_by={(True, True): "both", (True, False): "them", (False, True): "you", (False, False): ""}[them, you],
    )
