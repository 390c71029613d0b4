"""Telling people of an alert: a line in the log at once, a web hook and an e-mail outside of anybody's way."""

import json
import logging
import smtplib
import ssl
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from urllib.parse import urlsplit

from admin_app.services.records.error_tracking.storing import WINDOW, Alert

logger = logging.getLogger("admin_app.errors")

TIMEOUT_SECONDS = 5.0

Notifier = Callable[[Alert], None]
"""Tells somebody of an alert; may block and may fail, it has a thread of its own."""


class Alarm:
    """Logs an alert at CRITICAL and hands it to every notifier, in a thread; a notifier that fails is logged only."""

    def __init__(self, notifiers: Sequence[Notifier] = ()) -> None:
        self._notifiers = tuple(notifiers)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="alarm")

    def ring(self, alert: Alert) -> None:
        """Returns at once."""
        logger.critical(sentence(alert), extra={"event": "errors.alert", **_plain(alert)})
        for notifier in self._notifiers:
            self._thread.submit(_tell, notifier, alert)

    def close(self) -> None:
        """Lets the alerts that are on their way arrive."""
        self._thread.shutdown(wait=True)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A hook that answers "go elsewhere" has failed: who set the address has not chosen that one."""

    def redirect_request(self, *given: object) -> None:
        """Follow nobody."""


_STRAIGHT = urllib.request.build_opener(_NoRedirect)


@dataclass(frozen=True)
class WebHook:
    """POSTs an alert as JSON; its `text` is what chat services show."""

    url: str
    timeout: float = TIMEOUT_SECONDS

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise ValueError("A web hook has an address that begins with http:// or https://")

    def __call__(self, alert: Alert) -> None:
        """Raises what urllib raises."""
        body = json.dumps({"text": sentence(alert), **_plain(alert)}).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "support-desk-admin"}
        request = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310 - checked above
        with _STRAIGHT.open(request, timeout=self.timeout):
            pass


@dataclass(frozen=True)
class Mail:
    """Sends an alert as an e-mail."""

    host: str
    port: int
    sender: str
    receivers: tuple[str, ...]
    username: str = ""
    password: str = ""
    use_tls: bool = True
    timeout: float = TIMEOUT_SECONDS

    def __call__(self, alert: Alert) -> None:
        """Raises what smtplib raises."""
        message = EmailMessage()
        message["Subject"] = " ".join(sentence(alert).split())
        message["From"] = self.sender
        message["To"] = ", ".join(self.receivers)
        message.set_content("".join(f"{name}: {value}\n" for name, value in _plain(alert).items()))
        with smtplib.SMTP(self.host, self.port, timeout=self.timeout) as server:
            if self.use_tls:
                server.starttls(context=ssl.create_default_context())
            if self.username:
                server.login(self.username, self.password)
            server.send_message(message)


def sentence(alert: Alert) -> str:
    """What happened, in one line."""
    minutes = int(WINDOW.total_seconds() // 60)
    return f"{alert.count} errors of one kind in {minutes} minutes: {alert.kind} (reference {alert.reference})"


def _plain(alert: Alert) -> dict[str, object]:
    """An alert in JSON's own types; `alert_message`, because a log record has a message of its own."""
    fields = asdict(alert)
    return {
        "alert_message": fields.pop("message"),
        **fields,
        "occurred_at": alert.occurred_at.isoformat(),
    }


def _tell(notifier: Notifier, alert: Alert) -> None:
    try:
        notifier(alert)
    except Exception:
        logger.exception("an alert could not be sent", extra={"event": "errors.notifier"})
