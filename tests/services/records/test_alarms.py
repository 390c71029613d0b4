"""Who hears of an alert: the log at once, a web hook and a mail server that are really there."""

import asyncio
import json
import logging
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from admin_app.services.records import alarms
from admin_app.services.records.alarms import MOST_TRIES, MOST_WAITING, Alarm, Delivery, Mail, Message, WebHook
from tests.support import chaos

SENTENCE = "10 errors of one kind in 5 minutes: KeyError (reference 3f2a91c0)"
ALERT = Message(SENTENCE, "errors.alert", {"kind": "KeyError", "message": "…", "count": 10, "reference": "3f2a91c0"})


@contextmanager
def listening(
    status: int = 204, location: str = "", at_first: Sequence[int] = ()
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A web server that takes what it is sent, and answers with the status, `at_first` with others."""
    taken: list[dict[str, Any]] = []
    statuses = list(at_first)

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = {"type": self.headers["Content-Type"], "key": self.headers["Idempotency-Key"]}
            taken.append({**json.loads(body), "to": self.path, **told})
            self.send_response(statuses.pop(0) if statuses else status)
            if location:
                self.send_header("Location", location)
            self.end_headers()

        def do_GET(self) -> None:
            taken.append({"to": self.path})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            """Quietly."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class FakeServer:
    """Stands in for smtplib.SMTP and remembers the conversation."""

    said: list[Any] = []

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self.said.append(("connect", host, port, timeout))

    def __enter__(self) -> "FakeServer":
        return self

    def __exit__(self, *error: Any) -> None:
        self.said.append("quit")

    def starttls(self, context: ssl.SSLContext) -> None:
        assert context.verify_mode is ssl.CERT_REQUIRED, "else anybody could be the mail server"
        self.said.append("starttls")

    def login(self, username: str, password: str) -> None:
        self.said.append(("login", username, password))

    def send_message(self, message: Any) -> None:
        self.said.append(message)


@pytest.fixture
def mail_server(monkeypatch: pytest.MonkeyPatch) -> type[FakeServer]:
    monkeypatch.setattr("smtplib.SMTP", FakeServer)
    FakeServer.said = []
    return FakeServer


class TestAlarm:
    def test_is_a_critical_line_in_the_log_whose_details_keep_out_of_the_way_of_its_own(self, caplog) -> None:
        Alarm().ring(ALERT)
        [record] = caplog.records
        assert (record.levelname, record.message) == ("CRITICAL", SENTENCE)
        assert (record.event, record.alert_message, record.count) == ("errors.alert", "…", 10)

    def test_what_is_only_logged_is_sent_to_nobody(self, caplog) -> None:
        told: list[Message] = []
        alarm = Alarm([told.append])
        alarm.log(ALERT)
        alarm.close()
        assert (len(caplog.records), told) == (1, [])

    def test_trying_it_out_says_of_every_channel_how_it_went_and_why_without_the_address(self, caplog) -> None:
        def broken(message: Message) -> None:
            raise OSError("https://hooks.example/secret")

        with listening(status=403) as (url, _):
            found = Alarm([broken, print, WebHook(url)]).try_out(ALERT)
        assert [each.failure for each in found] == ["", "OSError", "", "HTTP 403"]
        assert found[-1] == Delivery("the web hook", "HTTP 403")

    def test_tells_every_notifier_once(self) -> None:
        told: list[tuple[str, Message]] = []
        alarm = Alarm([lambda alert: told.append(("one", alert)), lambda alert: told.append(("two", alert))])
        alarm.ring(ALERT)
        alarm.close()
        assert told == [("one", ALERT), ("two", ALERT)]

    async def test_nobody_waits_for_a_notifier(self) -> None:
        gate = threading.Event()
        alarm = Alarm([lambda alert: gate.wait(10) and None])
        began = time.monotonic()
        alarm.ring(ALERT)
        assert time.monotonic() - began < chaos.seconds(with_others=5.0, alone=1.0)
        gate.set()
        await asyncio.to_thread(alarm.close)

    def test_one_that_fails_is_logged_and_keeps_nobody_from_the_others(self, caplog) -> None:
        told: list[Message] = []

        def broken(alert: Message) -> None:
            raise OSError("no way there")

        alarm = Alarm([broken, told.append])
        with caplog.at_level(logging.ERROR, logger="admin_app.alarms"):
            alarm.ring(ALERT)
            alarm.close()
        assert told == [ALERT]
        sentences = [SENTENCE, "a message could not be sent", f"a message was not sent: {SENTENCE}"]
        assert [record.message for record in caplog.records] == sentences


def look(alarm: Alarm, times: int = 1) -> None:
    """As the lookout does it, each after what the one before it sent."""
    for _ in range(times):
        alarm.try_again()
        alarm._thread.submit(int).result()


def lost(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """After how many tries what was given up, and why."""
    return [(each.tries, each.reason) for each in caplog.records if getattr(each, "event", "") == "alarms.lost"]


class TestTryAgain:
    def test_a_hook_that_fails_first_gets_all_in_order_by_later_looks_and_nothing_after_a_success(self) -> None:
        with listening(at_first=(503, 429, 500)) as (url, taken):
            alarm = Alarm([WebHook(url)], first_wait=0)
            alarm.ring(Message("one", "incident.opened"))
            alarm.ring(Message("two", "incident.over"))
            look(alarm, 8)
            alarm.close()
        assert [each["text"] for each in taken] == ["one"] * 4 + ["two"]
        assert len({each["key"] for each in taken}) == 2, "the receiver can tell which is the same"

    def test_it_is_left_alone_for_a_while_and_the_end_of_the_process_is_the_last_try(self, caplog) -> None:
        with listening(at_first=(503,)) as (url, taken):
            alarm = Alarm([WebHook(url)])
            alarm.ring(ALERT)
            look(alarm, 3)
            assert len(taken) == 1
            alarm.close()
        assert len(taken) == 2
        assert lost(caplog) == []
        waits = [alarms.wait_after(failures) for failures in range(1, MOST_TRIES)]
        assert waits == [4, 8, 16, 32, 64, 128, 256, 300, 300]

    def test_not_for_ever_and_the_next_gets_its_chance(self, caplog) -> None:
        with listening(at_first=(503,) * MOST_TRIES) as (url, taken):
            alarm = Alarm([WebHook(url)], first_wait=0)
            alarm.ring(Message("one", "incident.opened"))
            alarm.ring(Message("two", "incident.over"))
            look(alarm, MOST_TRIES + 3)
            alarm.close()
        assert [each["text"] for each in taken] == ["one"] * MOST_TRIES + ["two"]
        assert lost(caplog) == [(MOST_TRIES, "HTTP 503")]

    def test_never_when_it_would_not_help_nor_when_too_many_wait(self, caplog) -> None:
        with listening(status=403) as (url, taken):
            alarm = Alarm([WebHook(url)], first_wait=0)
            alarm.ring(ALERT)
            look(alarm, 3)
            alarm.close()
        assert (len(taken), lost(caplog)) == (1, [(1, "HTTP 403")])
        caplog.clear()

        def broken(message: Message) -> None:
            raise ConnectionRefusedError

        alarm = Alarm([broken])
        for _ in range(MOST_WAITING + 1):
            alarm.ring(ALERT)
        look(alarm)
        assert lost(caplog) == [(1, "too many wait")]
        alarm.close()
        assert len(lost(caplog)) == 1 + MOST_WAITING

    def test_what_a_mail_server_refuses_for_good_is_not_repeated(self) -> None:
        refused = {"olaf@desk.example": (550, b"no"), "ada@desk.example": (451, b"later")}
        for failure, is_worth_it in (
            (smtplib.SMTPDataError(451, b"later"), True),
            (smtplib.SMTPAuthenticationError(535, b"no"), False),
            (smtplib.SMTPRecipientsRefused(refused), True),
            (smtplib.SMTPRecipientsRefused({"olaf@desk.example": (550, b"no")}), False),
            (TimeoutError(), True),
            (ValueError("our own mistake"), False),
        ):
            assert alarms.may_pass(failure) is is_worth_it, failure


class TestWebHook:
    def test_posts_the_alert_as_json(self) -> None:
        with listening() as (url, taken):
            WebHook(url)(ALERT)
        [post] = taken
        assert (post["to"], post["type"], post["text"]) == ("/hook", "application/json", SENTENCE)
        assert (post["kind"], post["count"], post["event"]) == ("KeyError", 10, "errors.alert")

    def test_an_answer_that_is_none_is_an_error(self) -> None:
        with listening(status=500) as (url, _), pytest.raises(OSError, match="500"):
            WebHook(url)(ALERT)

    @pytest.mark.parametrize("status", [301, 302, 303, 307])
    def test_follows_nobody_elsewhere(self, status: int) -> None:
        with listening() as (elsewhere, taken), listening(status, elsewhere) as (url, _):
            with pytest.raises(OSError, match=str(status)):
                WebHook(url)(ALERT)
            assert taken == []

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://hook.example", "hook.example", ""])
    def test_goes_nowhere_but_to_the_web(self, url: str) -> None:
        with pytest.raises(ValueError, match="http"):
            WebHook(url)


class TestMail:
    def test_sends_the_alert(self, mail_server) -> None:
        receivers = ("ops@desk.example", "ada@desk.example")
        mail = Mail("mail.example", 587, "desk@desk.example", receivers, username="desk", password="secret")
        assert Alarm([mail]).try_out(ALERT)[-1] == Delivery("e-mail")
        connect, tls, login, message, quitted = mail_server.said
        assert connect[:3] == ("connect", "mail.example", 587)
        assert (tls, login, quitted) == ("starttls", ("login", "desk", "secret"), "quit")
        assert (message["Subject"], message["From"]) == (SENTENCE, "desk@desk.example")
        assert message["To"] == "ops@desk.example, ada@desk.example"
        assert message["Message-ID"] == f"<{ALERT.name}@desk.example>"
        assert "reference: 3f2a91c0" in message.get_content()

    def test_without_encryption_and_name_when_the_server_is_on_this_machine(self, mail_server) -> None:
        Mail("localhost", 25, "desk@desk.example", ("ops@desk.example",), use_tls=False)(ALERT)
        connect, message, quitted = mail_server.said
        assert (connect[1:3], message["From"], quitted) == (("localhost", 25), "desk@desk.example", "quit")

    def test_a_kind_with_a_line_break_cannot_add_a_header(self, mail_server) -> None:
        alert = Message("Odd\r\nBcc: mallory@desk.example", "errors.alert", {"kind": "Odd\r\nBcc: x@desk.example"})
        Mail("mail.example", 587, "desk@desk.example", ("ops@desk.example",))(alert)
        message = next(said for said in mail_server.said if hasattr(said, "get_content"))
        assert message["Bcc"] is None
