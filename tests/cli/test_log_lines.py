"""Nobody can forge a line of the log, whatever they call themselves, their file or their browser."""

import io
import json
import logging
import logging.config
import re
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from admin_app.cli.log_lines import MORE
from admin_app.cli.serving import logging_config
from admin_app.settings import Environment

BEGINS = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2},\d{3} [A-Z]+ +\S+: ")
FORGED = '\n2026-11-21 08:00:00,000 INFO    admin_app: Ada signed in\r\n{"level": "INFO"}'
TEXTS = st.text(max_size=40) | st.text(alphabet='\n\r\t\x1b\x00\x08\x85\u2028\u202e[2J{}":,ab', max_size=30)


def formatter_of(environment: Environment) -> logging.Formatter:
    """The formatter that a served desk has."""
    config = logging_config(environment)
    name = config["handlers"]["console"]["formatter"]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": config["formatters"],
            "handlers": {"probe": {"class": "logging.StreamHandler", "formatter": name, "stream": io.StringIO()}},
            "loggers": {"tests.log_lines": {"handlers": ["probe"], "propagate": False}},
        }
    )
    formatter = logging.getLogger("tests.log_lines").handlers[0].formatter
    assert formatter is not None
    return formatter


def written(formatter: logging.Formatter, text: str) -> str:
    """An event in which somebody's text stands wherever a text can stand."""
    try:
        raise RuntimeError(text)
    except RuntimeError:
        record = logging.LogRecord("admin_app.web", logging.ERROR, "x.py", 1, "failed at %s", (text,), sys.exc_info())
    record.path = record.user_agent = record.filename_of_theirs = text
    record.stack_info = text
    return formatter.format(record)


class TestJsonLines:
    formatter = formatter_of(Environment.PRODUCTION)

    @given(TEXTS)
    @example(FORGED)
    def test_one_event_is_one_line_of_json_and_says_what_was_said(self, text: str) -> None:
        line = written(self.formatter, text)
        assert len(line.splitlines()) == 1
        assert line.isascii()
        assert line.isprintable()
        event = json.loads(line)
        assert (event["level"], event["logger"], event["path"]) == ("ERROR", "admin_app.web", text)
        assert event["message"] == f"failed at {text}"


class TestPlainLines:
    formatter = formatter_of(Environment.DEVELOPMENT)

    @given(TEXTS)
    @example(FORGED)
    def test_one_event_begins_once_and_moves_no_cursor(self, text: str) -> None:
        first, *more = written(self.formatter, text).split("\n")
        assert BEGINS.match(first)
        assert more
        assert all(line.startswith(MORE) for line in more)
        assert all(line.isprintable() for line in (first, *more))

    def test_what_is_harmless_stays_readable(self) -> None:
        assert "failed at Grüße aus 東京" in written(self.formatter, "Grüße aus 東京").split("\n")[0]

    @pytest.mark.parametrize(("text", "shown"), [("a\nb", r"a\nb"), ("\x1b[2J", r"\x1b[2J"), ("\u202e", r"\u202e")])
    def test_what_is_not_is_shown_as_what_it_is(self, text: str, shown: str) -> None:
        assert f"failed at {shown}" in written(self.formatter, text)

    def test_without_it_a_line_could_be_forged(self) -> None:
        """The control: the library's own formatter lets somebody's text begin a line."""
        careless = logging.Formatter(self.formatter._fmt)
        lines = written(careless, FORGED).split("\n")
        assert sum(bool(BEGINS.match(line)) for line in lines) > 1
