"""What text a field takes. One rule for forms, actions, imports and the command line."""

from collections.abc import Mapping

from admin_app.errors import InvalidInput

LONGEST = {
    "title": 200,
    "description": 100_000,
    "category": 100,
    "resolution": 100_000,
    "body": 100_000,
    "reason": 500,
    "note": 300,
    "full_name": 200,
    "email": 254,
    "tag": 50,
}
"""Characters per field."""


def check(texts: Mapping[str, str], *, required: tuple[str, ...] = ()) -> None:
    """`InvalidInput` with a sentence per field that is empty though required, too long, or holds a NUL."""
    wrong = {}
    for name, text in texts.items():
        if name in required and not text.strip():
            wrong[name] = "This is required."
        elif len(text) > LONGEST[name]:
            wrong[name] = f"At most {LONGEST[name]:,} characters; these are {len(text):,}."
        elif "\x00" in text:
            wrong[name] = "This contains a character that cannot be stored."
    if wrong:
        raise InvalidInput(**wrong)


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends in a mark of its own."""
    return text if text.endswith((".", "!", "?", "…", ":")) else f"{text}."


def normalised(text: str) -> str:
    """Browsers send CRLF from text areas; blanks around a text say nothing."""
    return text.replace("\r\n", "\n").strip()
