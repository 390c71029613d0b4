"""Every setting, typed and frozen. Read once at the top and handed on as plain values.

The environment wins over `config/<environment>.toml`, which wins over `config/default.toml`.
`config/production.example.toml` documents each of them.
"""

import os
import secrets
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, IPvAnyNetwork, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from admin_app.permissions import Role
from admin_app.services.records.error_tracking.storing import ALERT_AT
from admin_app.services.records.quiet_hours import QuietHours

PROJECT_ROOT = Path(__file__).resolve().parent.parent
CONFIG_FOLDER = PROJECT_ROOT / "config"

SHORTEST_SECRET_KEY = 32
SHORTEST_TOKEN = 16
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
EXAMPLE_SECRET_KEY = "replace-me-with-the-output-of-openssl-rand-hex-32"  # noqa: S105 - refused in production

TLS_DEMANDED = frozenset({"require", "verify-ca", "verify-full"})

LISTS = (
    "trusted_hosts",
    "trusted_proxies",
    "plain_hosts",
    "secret_key_previous",
    "second_factor_required_for",
    "alert_email_to",
)


class Environment(StrEnum):
    """Where this process runs."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """What a deployment may choose. Times are in the unit that the name says, sizes in bytes."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=True, hide_input_in_errors=True)

    environment: Environment = Environment.DEVELOPMENT
    database_url: str = f"sqlite+aiosqlite:///{PROJECT_ROOT / 'var' / 'desk.sqlite3'}"
    transaction_pooling: bool = False
    replica_url: str = ""
    replica_lag_limit_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    replica_wait_ms: Annotated[int, Field(ge=0, le=2000)] = 100
    secret_key: SecretStr = SecretStr("")
    secret_key_previous: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    debug: bool = False
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1", "localhost", "[::1]")
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = ()
    plain_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    metrics_token: SecretStr = SecretStr("")
    attachments_folder: Path = PROJECT_ROOT / "var" / "attachments"
    max_attachment_bytes: Annotated[int, Field(gt=0)] = 10 * 1024 * 1024
    max_import_bytes: Annotated[int, Field(gt=0)] = 200 * 1024 * 1024
    max_form_bytes: Annotated[int, Field(gt=0)] = 1024 * 1024
    body_timeout_seconds: Annotated[float, Field(gt=0)] = 20.0
    session_idle_minutes: Annotated[int, Field(gt=0)] = 30
    session_absolute_hours: Annotated[int, Field(gt=0)] = 12
    sign_in_attempts: Annotated[int, Field(ge=1)] = 10
    sign_in_window_minutes: Annotated[int, Field(ge=1)] = 5
    password_link_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 60
    second_factor_required_for: Annotated[tuple[Role, ...], NoDecode] = ()
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_scopes: str = "openid email profile"
    oidc_role_claim: str = ""
    oidc_roles: Annotated[dict[str, Role], NoDecode] = {}
    oidc_create_accounts: bool = False
    oidc_second_factor: bool = False
    oidc_button_label: Annotated[str, Field(min_length=1, max_length=60)] = "Sign in with single sign-on"
    oidc_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 5.0
    step_up_minutes: Annotated[int, Field(gt=0)] = 10
    pool_size: Annotated[int, Field(ge=1)] = 10
    pool_max_overflow: Annotated[int, Field(ge=0)] = 5
    pool_timeout_seconds: Annotated[float, Field(gt=0)] = 2.0
    pool_recycle_seconds: Annotated[int, Field(gt=0)] = 1800
    exports_at_once: Annotated[int, Field(ge=1, le=20)] = 2
    lock_timeout_seconds: Annotated[float, Field(gt=0)] = 2.0
    statement_timeout_seconds: Annotated[float, Field(gt=0)] = 10.0
    idle_in_transaction_timeout_seconds: Annotated[float, Field(gt=0)] = 15.0
    command_timeout_seconds: Annotated[float, Field(gt=0)] = 15.0
    connect_timeout_seconds: Annotated[float, Field(gt=0)] = 3.0
    leak_suspect_seconds: Annotated[float, Field(gt=0)] = 30.0
    graceful_shutdown_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    slow_query_ms: Annotated[int, Field(gt=0)] = 100
    alert_waiting_seconds: Annotated[float, Field(ge=0)] = 10.0
    alert_timeouts: Annotated[int, Field(ge=0)] = 20
    alert_leaks: bool = True
    alert_transaction_seconds: Annotated[float, Field(ge=0)] = 300.0
    alert_database_seconds: Annotated[float, Field(ge=0)] = 10.0
    alert_errors: int = ALERT_AT
    alert_quiet_hours: str = ""
    alert_webhook_url: SecretStr = SecretStr("")
    alert_email_to: Annotated[tuple[str, ...], NoDecode] = ()
    alert_email_from: str = ""
    smtp_host: str = ""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool = True

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the two files."""
        environment = os.environ.get("ENVIRONMENT", Environment.DEVELOPMENT)
        files = [CONFIG_FOLDER / "default.toml"]
        if environment in set(Environment):
            files.append(CONFIG_FOLDER / f"{environment}.toml")
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, files))

    @model_validator(mode="before")
    @classmethod
    def split_lists(cls, values: dict[str, object]) -> dict[str, object]:
        """Lists come as one comma-separated word from the environment, mappings as pairs with = between."""
        for name in LISTS:
            given = values.get(name)
            if isinstance(given, str):
                values[name] = tuple(word.strip() for word in given.split(",") if word.strip())
        roles = values.get("oidc_roles")
        if isinstance(roles, str):
            values["oidc_roles"] = dict(_pair(word) for word in roles.split(",") if word.strip())
        return values

    @model_validator(mode="after")
    def refuse_servers_of_a_file(self) -> Self:
        """Only a PostgreSQL server has a replica, or is one; and only its connections can be lent."""
        if self.transaction_pooling and not self.database_url.startswith("postgres"):
            raise ValueError("TRANSACTION_POOLING needs PostgreSQL in DATABASE_URL")
        if self.replica_url and not all(url.startswith("postgres") for url in (self.replica_url, self.database_url)):
            raise ValueError("REPLICA_URL needs PostgreSQL, in DATABASE_URL as well")
        return self

    @model_validator(mode="after")
    def refuse_alerts_to_nowhere(self) -> Self:
        """An alert that could never arrive is found out at the start, not on the day it is needed."""
        hook = self.alert_webhook_url.get_secret_value()
        if hook and not (hook.startswith(("http://", "https://")) and hook.isprintable() and " " not in hook):
            raise ValueError("ALERT_WEBHOOK_URL must begin with http:// or https:// and hold no blanks")
        QuietHours.read(self.alert_quiet_hours)
        if self.alert_errors < 0:
            raise ValueError("ALERT_ERRORS must be a number of errors of one kind, or 0 for never")
        if self.alert_email_to and not (self.smtp_host and self.alert_email_from):
            raise ValueError("ALERT_EMAIL_TO needs SMTP_HOST and ALERT_EMAIL_FROM as well")
        return self

    @model_validator(mode="after")
    def refuse_broken_single_sign_on(self) -> Self:
        """A door to another house is checked before anybody stands in front of it; all faults are said at once."""
        if self.oidc_issuer:
            faults = [cure for is_wrong, cure in self._faults_of_single_sign_on() if is_wrong]
            if faults:
                raise ValueError("; and ".join(faults))
        return self

    def _faults_of_single_sign_on(self) -> Iterator[tuple[bool, str]]:
        yield (
            not _is_safe_issuer(self.oidc_issuer),
            "OIDC_ISSUER must begin with https:// (http:// only on this machine) and have no ? or #",
        )
        yield not self.oidc_client_id, "OIDC_ISSUER needs OIDC_CLIENT_ID as well"
        yield "openid" not in self.oidc_scopes.split(), "OIDC_SCOPES must hold openid"
        yield (
            bool(self.oidc_roles) != bool(self.oidc_role_claim),
            "OIDC_ROLE_CLAIM and OIDC_ROLES belong together: set both or neither",
        )
        yield Role.CUSTOMER in self.oidc_roles.values(), "OIDC_ROLES must not name customer: a customer never signs in"
        yield (
            self.oidc_create_accounts and not self.oidc_roles,
            "OIDC_CREATE_ACCOUNTS needs OIDC_ROLE_CLAIM and OIDC_ROLES: a new account needs a role",
        )

    @model_validator(mode="after")
    def refuse_weak_production(self) -> Self:
        """Production starts only with settings that keep its doors shut; all that is wrong is said at once."""
        if self.environment is Environment.PRODUCTION:
            weaknesses = [cure for is_weak, cure in self._weaknesses() if is_weak]
            if weaknesses:
                raise ValueError("; and ".join(weaknesses))
        return self

    def _weaknesses(self) -> Iterator[tuple[bool, str]]:
        yield (
            _is_weak(self.secret_key),
            f"SECRET_KEY must be at least {SHORTEST_SECRET_KEY} characters of your own in production; "
            "make one with: openssl rand -hex 32",
        )
        yield (
            any(_is_weak(key) for key in self.secret_key_previous),
            f"SECRET_KEY_PREVIOUS holds a key of fewer than {SHORTEST_SECRET_KEY} characters, or the example; "
            "whoever knows it could sign with it, so leave it out",
        )
        yield self.debug, "DEBUG must be off in production; remove it from the environment and the config file"
        yield (
            any("*" in name for name in self.trusted_hosts),
            "TRUSTED_HOSTS must name your hosts in production, without *",
        )
        yield (
            any(network.prefixlen == 0 for network in self.trusted_proxies),
            "TRUSTED_PROXIES must not hold the whole internet: anybody could claim any address",
        )
        yield (
            bool(self.metrics_token.get_secret_value()) and len(self.metrics_token.get_secret_value()) < SHORTEST_TOKEN,
            f"METRICS_TOKEN must have at least {SHORTEST_TOKEN} characters, or be empty",
        )
        sends_password = bool(self.smtp_password.get_secret_value()) and self.smtp_host not in LOCAL_HOSTS
        yield (
            sends_password and not self.smtp_starttls,
            "SMTP_STARTTLS must be on where SMTP_PASSWORD leaves this machine",
        )
        yield from self._plain_connections()

    def _plain_connections(self) -> Iterator[tuple[bool, str]]:
        """What would leave this machine for everybody on the way to read."""
        trusted = LOCAL_HOSTS | {name.lower() for name in self.plain_hosts}
        hook = self.alert_webhook_url.get_secret_value()
        yield (
            hook.startswith("http://") and _host_of(hook) not in trusted,
            "ALERT_WEBHOOK_URL must begin with https:// in production, or its host stand in PLAIN_HOSTS",
        )
        yield (
            bool(self.alert_email_to) and not self.smtp_starttls and self.smtp_host.lower() not in trusted,
            "SMTP_STARTTLS must be on in production, or SMTP_HOST stand in PLAIN_HOSTS",
        )
        for name, url in (("DATABASE_URL", self.database_url), ("REPLICA_URL", self.replica_url)):
            yield (
                not _plain_database_hosts(url) <= trusted,
                f"{name} must demand TLS of a database on another machine: add ?ssl=verify-full (or verify-ca, or "
                "require), or put its host into PLAIN_HOSTS when nobody else is on the line",
            )

    def signing_keys(self) -> list[str]:
        """The secret key, which signs, and those before it, which are still accepted; the newest first."""
        return [self.signing_key(), *(key.get_secret_value() for key in self.secret_key_previous)]

    def signing_key(self) -> str:
        """The secret key; outside production one is made and kept under `var/` when none is set."""
        key = self.secret_key.get_secret_value()
        if key:
            return key
        file = PROJECT_ROOT / "var" / "secret-key"
        if not file.exists():
            _keep_fresh_key(file)
        return file.read_text()


def _pair(word: str) -> tuple[str, str]:
    """The role stands behind the last = because a group may hold one."""
    group, _, role = word.strip().rpartition("=")
    return group.strip(), role.strip()


def _is_safe_issuer(issuer: str) -> bool:
    try:
        parts = urlsplit(issuer)
    except ValueError:
        return False
    is_local = parts.scheme == "http" and parts.hostname in LOCAL_HOSTS
    return bool(parts.hostname) and (parts.scheme == "https" or is_local) and not parts.query and not parts.fragment


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _plain_database_hosts(url: str) -> set[str]:
    """The servers that this URL would talk to without TLS; none for a file or a socket of this machine."""
    try:
        parts = make_url(url)
    except ArgumentError:
        return set()  # the engine says better what is wrong with it
    if not parts.drivername.startswith("postgresql") or parts.query.get("ssl") in TLS_DEMANDED:
        return set()
    more = parts.query.get("host", ())
    named = [more] if isinstance(more, str) else more
    hosts = {_host_of(f"//{host}") for host in named if not host.startswith("/")}
    return (hosts | {(parts.host or "").lower()}) - {""}


def _is_weak(key: SecretStr) -> bool:
    return len(key.get_secret_value()) < SHORTEST_SECRET_KEY or key.get_secret_value() == EXAMPLE_SECRET_KEY


def _keep_fresh_key(file: Path) -> None:
    """Write a key beside the file and link it into place: of two processes one wins, and nobody reads half a key."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_hex(32))
    try:
        file.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
