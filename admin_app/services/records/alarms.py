"""Telling people what happened: a line in the log at once, a web hook and an e-mail outside of anybody's way."""

import json
import logging
import smtplib
import ssl
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.error import HTTPError
from urllib.parse import urlsplit

logger = logging.getLogger("admin_app.alarms")

TIMEOUT_SECONDS = 5.0
OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


@dataclass(frozen=True)
class Message:
    """What somebody should know: one line, what it is called in the log, and the rest in JSON's own types."""

    text: str
    event: str
    details: Mapping[str, object] = field(default_factory=dict)
    level: int = logging.CRITICAL


Notifier = Callable[[Message], None]
"""Tells somebody; may block and may fail, it has a thread of its own."""


@dataclass(frozen=True)
class Delivery:
    """How a message went through one channel; `failure` is empty when it did."""

    channel: str
    failure: str = ""


class Alarm:
    """Logs a message and hands it to every notifier, in a thread; a notifier that fails is logged only."""

    def __init__(self, notifiers: Sequence[Notifier] = ()) -> None:
        self._notifiers = tuple(notifiers)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="alarm")

    def log(self, message: Message) -> None:
        """The line alone: somebody else tells people, or later."""
        logger.log(message.level, message.text, extra={"event": message.event, **_loggable(message.details)})

    def ring(self, message: Message) -> None:
        """Returns at once."""
        self.log(message)
        for notifier in self._notifiers:
            self._thread.submit(_tell, notifier, message)

    def try_out(self, message: Message) -> list[Delivery]:
        """Send it now, wait for every channel, and say how it went; may take seconds for each of them."""
        self.log(message)
        return [Delivery("the log"), *(_tell(notifier, message) for notifier in self._notifiers)]

    def close(self) -> None:
        """Lets the messages that are on their way arrive."""
        self._thread.shutdown(wait=True)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A hook that answers "go elsewhere" has failed: who set the address has not chosen that one."""

    def redirect_request(self, *given: object) -> None:
        """Follow nobody."""


_STRAIGHT = urllib.request.build_opener(_NoRedirect)


@dataclass(frozen=True)
class WebHook:
    """POSTs a message as JSON; its `text` is what chat services show."""

    url: str
    timeout: float = TIMEOUT_SECONDS

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise ValueError("A web hook has an address that begins with http:// or https://")

    def __str__(self) -> str:
        return "the web hook"

    def __call__(self, message: Message) -> None:
        """Raises what urllib raises."""
        body = json.dumps({**message.details, "text": message.text, "event": message.event}).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "support-desk-admin"}
        request = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310 - checked above
        with _STRAIGHT.open(request, timeout=self.timeout):
            pass


@dataclass(frozen=True)
class Mail:
    """Sends a message as an e-mail."""

    host: str
    port: int
    sender: str
    receivers: tuple[str, ...]
    username: str = ""
    password: str = ""
    use_tls: bool = True
    timeout: float = TIMEOUT_SECONDS

    def __str__(self) -> str:
        return "e-mail"

    def __call__(self, message: Message) -> None:
        """Raises what smtplib raises."""
        letter = EmailMessage()
        letter["Subject"] = " ".join(message.text.splitlines()[0].split())
        letter["From"] = self.sender
        letter["To"] = ", ".join(self.receivers)
        details = "".join(f"{name}: {value}\n" for name, value in message.details.items())
        letter.set_content(f"{message.text}\n\n{details}")
        with smtplib.SMTP(self.host, self.port, timeout=self.timeout) as server:
            if self.use_tls:
                server.starttls(context=ssl.create_default_context())
            if self.username:
                server.login(self.username, self.password)
            server.send_message(letter)


def _loggable(details: Mapping[str, object]) -> dict[str, object]:
    """A log record has a `message`, a `name` and more of its own."""
    return {f"alert_{name}" if name in OF_EVERY_RECORD else name: value for name, value in details.items()}


def _tell(notifier: Notifier, message: Message) -> Delivery:
    try:
        notifier(message)
    except Exception as error:
        logger.exception("a message could not be sent", extra={"event": "alarms.notifier", "channel": str(notifier)})
        reason = f"HTTP {error.code}" if isinstance(error, HTTPError) else type(error).__name__
        return Delivery(str(notifier), reason)
    return Delivery(str(notifier))
