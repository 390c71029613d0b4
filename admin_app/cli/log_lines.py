"""Log lines for people, which nobody can forge: one event, one line that begins with a time."""

import logging

MORE = "  | "
"""In front of every further line of an event; no event begins like that."""


class PlainLines(logging.Formatter):
    """Shows characters that would end a line, move the cursor or turn the reading direction as what they are."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """The line itself."""
        return _shown(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - the library's name
        """The trace, a little to the right."""
        return _indented(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the library's name
        """The way to the call, a little to the right."""
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    return "\n".join(f"{MORE}{_shown(line)}" for line in text.split("\n"))


def _shown(text: str) -> str:
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
