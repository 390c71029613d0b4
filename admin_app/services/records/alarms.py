"""Telling people what happened: a line in the log at once, a web hook and an e-mail outside of anybody's way.

What could not be sent is sent again by later looks, ever more seldom and not for ever. What has arrived, as far as
anybody said, is never sent again; whoever took it and did not say so gets it once more under the same name.
"""

import json
import logging
import secrets
import smtplib
import ssl
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.error import HTTPError
from urllib.parse import urlsplit

logger = logging.getLogger("admin_app.alarms")

TIMEOUT_SECONDS = 5.0
FIRST_WAIT, LONGEST_WAIT = 4.0, 300.0
"""Seconds until a message is tried again; twice as long after every further failure."""
MOST_TRIES = 10
"""Of one message: within some eighteen minutes."""
MOST_WAITING = 50
PASSING_STATUSES = frozenset({408, 425, 429})
"""Among those that say whose fault it is, these may be otherwise a little later."""
OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


@dataclass(frozen=True)
class Message:
    """What somebody should know: one line, what it is called in the log, and the rest in JSON's own types."""

    text: str
    event: str
    details: Mapping[str, object] = field(default_factory=dict)
    level: int = logging.CRITICAL
    name: str = field(default_factory=lambda: secrets.token_hex(16), compare=False)
    """The same however often it is sent."""


Notifier = Callable[[Message], None]
"""Tells somebody; may block and may fail, it has a thread of its own."""


@dataclass(frozen=True)
class Delivery:
    """How a message went through one channel; `failure` is empty when it did."""

    channel: str
    failure: str = ""


class Channel:
    """One way to people, for one thread. Messages go in their order: all wait behind one that could not be sent."""

    def __init__(self, notifier: Notifier, first_wait: float = FIRST_WAIT) -> None:
        self._notifier = notifier
        self._first_wait = first_wait
        self._waiting: deque[Message] = deque()
        self._failures = 0
        """Of the first that waits."""
        self._due_at = float("-inf")

    @property
    def is_due(self) -> bool:
        """Whether something waits, and has waited for long enough."""
        return bool(self._waiting) and time.monotonic() >= self._due_at

    def take(self, message: Message) -> None:
        """Send it, unless others wait."""
        self._waiting.append(message)
        if len(self._waiting) > MOST_WAITING:
            self._give_up("too many wait")
        self.go_on()

    def go_on(self, *, is_last: bool = False) -> None:
        """Send what is due, or for the last time everything, until one fails."""
        while self._waiting and (is_last or self.is_due):
            failure = _send(self._notifier, self._waiting[0])
            if failure is None:
                self._turn_to_the_next()
                continue
            self._failures += 1
            if self._failures == 1:
                _log(self._notifier, failure)
            if not may_pass(failure) or self._failures >= MOST_TRIES:
                self._give_up(_reason(failure))
                continue
            self._due_at = time.monotonic() + wait_after(self._failures, self._first_wait)
            return

    def end(self) -> None:
        """The process ends: try once more, and say what is lost."""
        self.go_on(is_last=True)
        while self._waiting:
            self._give_up("the process ends")

    def _give_up(self, reason: str) -> None:
        lost = {"event": "alarms.lost", "channel": str(self._notifier), "tries": self._failures, "reason": reason}
        logger.error("a message was not sent: %s", self._waiting[0].text, extra=lost)
        self._turn_to_the_next()

    def _turn_to_the_next(self) -> None:
        self._waiting.popleft()
        self._failures, self._due_at = 0, float("-inf")


class Alarm:
    """Logs a message and hands it to every notifier, in a thread, in which nobody waits for a failure to pass."""

    def __init__(self, notifiers: Sequence[Notifier] = (), *, first_wait: float = FIRST_WAIT) -> None:
        self._notifiers = tuple(notifiers)
        self._channels = tuple(Channel(notifier, first_wait) for notifier in notifiers)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="alarm")

    def log(self, message: Message) -> None:
        """The line alone: somebody else tells people, or later."""
        logger.log(message.level, message.text, extra={"event": message.event, **_loggable(message.details)})

    def ring(self, message: Message) -> None:
        """Returns at once."""
        self.log(message)
        for channel in self._channels:
            self._thread.submit(channel.take, message)

    def try_again(self) -> None:
        """Send what could not be sent before, as far as it is due; returns at once."""
        for channel in self._channels:
            if channel.is_due:
                self._thread.submit(channel.go_on)

    def try_out(self, message: Message) -> list[Delivery]:
        """Send it now, wait for every channel, and say how it went; may take seconds for each of them."""
        self.log(message)
        return [Delivery("the log"), *(_deliver(notifier, message) for notifier in self._notifiers)]

    def close(self) -> None:
        """Lets the messages that are on their way arrive."""
        for channel in self._channels:
            self._thread.submit(channel.end)
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
        headers["Idempotency-Key"] = message.name
        request = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310 - checked above
        try:
            _STRAIGHT.open(request, timeout=self.timeout).close()
        except HTTPError as refusal:
            refusal.close()  # else its connection lasts as long as anybody remembers the error
            raise


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
        letter["Message-ID"] = f"<{message.name}@{self.sender.rpartition('@')[2]}>"
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


def may_pass(failure: Exception) -> bool:
    """Whether it may go better another time: nobody answered, or said that it is not the message's fault."""
    if isinstance(failure, HTTPError):
        return failure.code >= 500 or failure.code in PASSING_STATUSES
    if isinstance(failure, smtplib.SMTPResponseException):
        return failure.smtp_code < 500
    if isinstance(failure, smtplib.SMTPRecipientsRefused):
        return any(code < 500 for code, _ in failure.recipients.values())
    return isinstance(failure, OSError)


def wait_after(failures: int, first: float = FIRST_WAIT) -> float:
    """Seconds until the next try."""
    return min(LONGEST_WAIT, first * 2.0 ** (failures - 1))


def _send(notifier: Notifier, message: Message) -> Exception | None:
    try:
        notifier(message)
    except Exception as error:
        return error
    return None


def _deliver(notifier: Notifier, message: Message) -> Delivery:
    failure = _send(notifier, message)
    if failure is None:
        return Delivery(str(notifier))
    _log(notifier, failure)
    return Delivery(str(notifier), _reason(failure))


def _log(notifier: Notifier, failure: Exception) -> None:
    extra = {"event": "alarms.notifier", "channel": str(notifier)}
    logger.error("a message could not be sent", extra=extra, exc_info=failure)


def _reason(failure: Exception) -> str:
    return f"HTTP {failure.code}" if isinstance(failure, HTTPError) else type(failure).__name__
