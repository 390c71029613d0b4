"""Every setting, typed and frozen."""

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from admin_app import settings as module
from admin_app.permissions import Role
from admin_app.settings import EXAMPLE_SECRET_KEY, Environment, Settings

STRONG = "5f" * 16
ALERTS = {"alert_email_to": ("ops@desk.example",), "alert_email_from": "desk@desk.example"}
PG = "postgresql+asyncpg://desk@"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(module, "CONFIG_FOLDER", tmp_path)
    return tmp_path


class TestSecondFactor:
    def test_roles_come_as_one_word_from_the_environment(self, monkeypatch) -> None:
        monkeypatch.setenv("SECOND_FACTOR_REQUIRED_FOR", "supervisor, admin")
        assert Settings().second_factor_required_for == (Role.SUPERVISOR, Role.ADMIN)

    def test_nobody_must_have_one_unless_it_is_said(self) -> None:
        assert Settings().second_factor_required_for == ()

    @pytest.mark.parametrize("values", [{"second_factor_required_for": "boss"}, {"step_up_minutes": 0}])
    def test_a_mistake_is_found_at_the_start(self, values) -> None:
        with pytest.raises(ValidationError):
            Settings(**values)


class TestSources:
    def test_without_anything_it_is_a_desk_on_this_machine(self) -> None:
        settings = Settings()
        assert settings.environment is Environment.DEVELOPMENT
        assert settings.database_url.startswith("sqlite+aiosqlite:///")
        assert settings.host == "127.0.0.1"

    def test_the_file_of_the_environment_wins_over_the_default_file(self, config, monkeypatch) -> None:
        (config / "default.toml").write_text("port = 1\nworkers = 3\n")
        (config / "production.toml").write_text(f'port = 2\nsecret_key = "{STRONG}"\n')
        monkeypatch.setenv("ENVIRONMENT", "production")
        settings = Settings()
        assert (settings.port, settings.workers) == (2, 3)

    def test_the_environment_wins_over_the_files(self, config, monkeypatch) -> None:
        (config / "default.toml").write_text("port = 1\n")
        monkeypatch.setenv("PORT", "3")
        assert Settings().port == 3

    def test_an_argument_wins_over_the_environment(self, monkeypatch) -> None:
        monkeypatch.setenv("PORT", "3")
        assert Settings(port=4).port == 4

    def test_an_empty_variable_counts_as_not_set(self, monkeypatch) -> None:
        monkeypatch.setenv("PORT", "")
        assert Settings().port == 8000

    def test_a_misspelt_key_in_a_file_is_refused(self, config) -> None:
        (config / "default.toml").write_text("prot = 1\n")
        with pytest.raises(ValidationError, match="prot"):
            Settings()

    def test_an_unknown_environment_is_refused_by_name(self, monkeypatch) -> None:
        monkeypatch.setenv("ENVIRONMENT", "../secrets")
        with pytest.raises(ValidationError, match="environment"):
            Settings()

    @pytest.mark.parametrize("port", ["-1", "65536", "eighty"])
    def test_a_port_that_is_none_is_refused(self, monkeypatch, port: str) -> None:
        monkeypatch.setenv("PORT", port)
        with pytest.raises(ValidationError, match="port"):
            Settings()


class TestSplitLists:
    def test_host_names_come_as_one_word_with_commas(self, monkeypatch) -> None:
        monkeypatch.setenv("TRUSTED_HOSTS", "desk.example, www.desk.example,")
        assert Settings().trusted_hosts == ("desk.example", "www.desk.example")

    def test_or_as_a_list_from_a_file(self, config) -> None:
        (config / "default.toml").write_text('trusted_hosts = ["desk.example"]\n')
        assert Settings().trusted_hosts == ("desk.example",)

    def test_so_do_the_people_who_get_alerts(self, monkeypatch) -> None:
        monkeypatch.setenv("ALERT_EMAIL_TO", "ops@desk.example, ada@desk.example")
        monkeypatch.setenv("ALERT_EMAIL_FROM", "desk@desk.example")
        monkeypatch.setenv("SMTP_HOST", "mail.example")
        assert Settings().alert_email_to == ("ops@desk.example", "ada@desk.example")

    def test_so_do_trusted_proxies(self, monkeypatch) -> None:
        monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.1, fd00::/8")
        assert [str(network) for network in Settings().trusted_proxies] == ["10.0.0.1/32", "fd00::/8"]

    @pytest.mark.parametrize("network", ["proxy.example", "10.0.0.1/8", "10.0.0.0/33", "*"])
    def test_a_proxy_that_is_no_network_is_refused(self, network: str) -> None:
        with pytest.raises(ValidationError, match="trusted_proxies"):
            Settings(trusted_proxies=(network,))

    def test_so_do_earlier_keys(self, monkeypatch) -> None:
        monkeypatch.setenv("SECRET_KEY_PREVIOUS", f"{STRONG},{STRONG}0")
        assert [key.get_secret_value() for key in Settings().secret_key_previous] == [STRONG, f"{STRONG}0"]
        assert STRONG not in repr(Settings())


class TestRefuseAlertsToNowhere:
    @pytest.mark.parametrize(
        "given", [{}, {"smtp_host": "mail.example"}, {"alert_email_from": "desk@desk.example"}], ids=str
    )
    def test_people_without_a_mail_server_are_refused(self, given: dict[str, str]) -> None:
        with pytest.raises(ValidationError, match="ALERT_EMAIL_TO needs SMTP_HOST and ALERT_EMAIL_FROM"):
            Settings(alert_email_to=("ops@desk.example",), **given)

    @pytest.mark.parametrize("url", ["hooks.example", "file:///etc/passwd", "https://hooks.example/a b", "http://x/\n"])
    def test_a_hook_that_is_not_on_the_web_is_refused_without_repeating_it(self, url: str) -> None:
        with pytest.raises(ValidationError, match="must begin with http") as refused:
            Settings(alert_webhook_url=url)
        assert url not in str(refused.value)

    def test_fewer_than_no_errors_are_refused_and_none_is_never(self) -> None:
        assert (Settings().alert_errors, Settings(alert_errors=0).alert_errors) == (10, 0)
        with pytest.raises(
            ValidationError, match="ALERT_ERRORS must be a number of errors of one kind, or 0 for never"
        ):
            Settings(alert_errors=-1)

    def test_a_hook_on_the_web_is_kept_to_ourselves(self) -> None:
        settings = Settings(alert_webhook_url="https://hooks.example/t0ken")
        assert "t0ken" not in repr(settings)


class TestRefuseWeakProduction:
    @pytest.mark.parametrize("key", ["", "short", "x" * 31, EXAMPLE_SECRET_KEY])
    def test_a_missing_short_or_example_key_is_refused_with_the_cure(self, key: str) -> None:
        with pytest.raises(ValidationError, match="openssl rand -hex 32"):
            Settings(environment="production", secret_key=key)

    @pytest.mark.parametrize("key", ["short", "x" * 31, EXAMPLE_SECRET_KEY])
    def test_so_is_a_weak_key_among_the_earlier_ones(self, key: str) -> None:
        with pytest.raises(ValidationError, match="SECRET_KEY_PREVIOUS") as refused:
            Settings(environment="production", secret_key=STRONG, secret_key_previous=(STRONG, key))
        assert key not in str(refused.value)

    def test_debug_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="DEBUG must be off"):
            Settings(environment="production", secret_key=STRONG, debug=True)

    @pytest.mark.parametrize(
        ("weak", "cure"),
        [
            ({"trusted_hosts": ("desk.example", "*")}, "TRUSTED_HOSTS must name your hosts"),
            ({"trusted_hosts": ("*.example",)}, "TRUSTED_HOSTS must name your hosts"),
            ({"trusted_proxies": ("0.0.0.0/0",)}, "TRUSTED_PROXIES must not hold the whole internet"),
            ({"trusted_proxies": ("10.0.0.1", "::/0")}, "TRUSTED_PROXIES must not hold the whole internet"),
            ({"metrics_token": "fifteen-letters"}, "METRICS_TOKEN must have at least 16 characters"),
            (
                {"smtp_host": "mail.example", "smtp_password": "pass", "smtp_starttls": False},
                "SMTP_STARTTLS must be on",
            ),
            ({**ALERTS, "smtp_host": "mail.example", "smtp_starttls": False}, "SMTP_STARTTLS must be on"),
            ({"alert_webhook_url": "http://hooks.example/x"}, "ALERT_WEBHOOK_URL must begin with https"),
            ({"database_url": f"{PG}db.example/desk"}, "DATABASE_URL must demand TLS"),
            (
                {"database_url": f"{PG}localhost/desk", "replica_url": f"{PG}db.example/desk"},
                "REPLICA_URL must demand TLS",
            ),
            ({"database_url": f"{PG}db.example/desk?ssl=prefer"}, "DATABASE_URL must demand TLS"),
            ({"database_url": f"{PG}/desk?host=db.example:5433"}, "DATABASE_URL must demand TLS"),
            ({"database_url": f"{PG}127.0.0.1/desk?host=localhost&host=db.example"}, "DATABASE_URL must demand TLS"),
        ],
        ids=str,
    )
    def test_what_opens_a_door_is_refused_with_the_cure(self, weak: dict[str, object], cure: str) -> None:
        with pytest.raises(ValidationError, match=cure):
            Settings(environment="production", secret_key=STRONG, **weak)
        assert Settings(environment="test", **weak)

    @pytest.mark.parametrize(
        "safe",
        [
            {"trusted_proxies": ("10.0.0.0/8", "::1")},
            {"metrics_token": "sixteen-letters!"},
            {"smtp_host": "localhost", "smtp_password": "pass", "smtp_starttls": False},
            {"smtp_host": "mail.example", "smtp_starttls": False},
            {**ALERTS, "smtp_host": "mail.example", "smtp_starttls": False, "plain_hosts": ("Mail.Example",)},
            {"alert_webhook_url": "http://127.0.0.1:9000/x"},
            {"alert_webhook_url": "https://hooks.example/x"},
            {"database_url": "sqlite+aiosqlite:////srv/desk.sqlite3"},
            {"database_url": "no address at all"},
            {"database_url": f"{PG}localhost/desk"},
            {"database_url": f"{PG}[::1]:5432/desk"},
            {"database_url": "postgresql+asyncpg://desk:pa#s?s@127.0.0.1/desk"},
            {"database_url": f"{PG}/desk?host=/var/run/postgresql"},
            {"database_url": f"{PG}db.example/desk?ssl=verify-full"},
            {"database_url": f"{PG}db.example/desk", "plain_hosts": ("db.example",)},
        ],
        ids=str,
    )
    def test_what_opens_none_is_not(self, safe: dict[str, object]) -> None:
        assert Settings(environment="production", secret_key=STRONG, **safe)

    def test_all_that_is_weak_is_said_at_once(self) -> None:
        with pytest.raises(ValidationError, match=r"SECRET_KEY must be .* and DEBUG must be off .* and TRUSTED_HOSTS"):
            Settings(environment="production", debug=True, trusted_hosts=("*",))

    def test_a_strong_key_without_debug_starts(self) -> None:
        assert Settings(environment="production", secret_key=STRONG).environment is Environment.PRODUCTION

    @pytest.mark.parametrize("environment", ["development", "test"])
    def test_elsewhere_nothing_is_asked_for(self, environment: str) -> None:
        assert Settings(environment=environment, debug=True).debug is True

    def test_a_refusal_does_not_repeat_the_key(self) -> None:
        with pytest.raises(ValidationError) as refused:
            Settings(environment="production", secret_key="hunter2-hunter2")
        assert "hunter2" not in str(refused.value)


class TestSettings:
    def test_they_cannot_be_changed(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            Settings().port = 1

    def test_printing_them_shows_no_secret(self) -> None:
        settings = Settings(secret_key=STRONG, metrics_token="t0ken-t0ken")
        assert STRONG not in repr(settings)
        assert "t0ken" not in repr(settings)


class TestTransactionPooling:
    def test_it_is_for_a_server(self) -> None:
        assert Settings(database_url="postgresql://db/desk", transaction_pooling=True).transaction_pooling
        with pytest.raises(ValidationError, match="TRANSACTION_POOLING needs PostgreSQL"):
            Settings(transaction_pooling=True)


class TestReplica:
    def test_postgresql_has_one(self) -> None:
        both = {"database_url": "postgresql://desk@db/desk", "replica_url": "postgresql://desk@other/desk"}
        assert Settings(**both).replica_url == both["replica_url"]

    @pytest.mark.parametrize("given", [{}, {"database_url": "postgresql://db/desk", "replica_url": "sqlite:///x"}])
    def test_a_file_has_none_and_is_none(self, given: dict[str, str]) -> None:
        with pytest.raises(ValidationError, match="REPLICA_URL needs PostgreSQL"):
            Settings(**{"replica_url": "postgresql://other/desk", **given})


class TestSigningKey:
    @pytest.fixture(autouse=True)
    def _elsewhere(self, monkeypatch, tmp_path) -> None:
        monkeypatch.setattr(module, "PROJECT_ROOT", tmp_path)

    def test_it_is_the_secret_key_when_there_is_one(self, tmp_path) -> None:
        assert Settings(secret_key=STRONG).signing_key() == STRONG
        assert not (tmp_path / "var").exists()

    def test_else_one_is_made_and_kept(self) -> None:
        first = Settings().signing_key()
        assert len(first) == 64
        assert Settings().signing_key() == first

    def test_only_this_user_may_read_the_one_that_was_made(self, tmp_path) -> None:
        Settings().signing_key()
        assert stat.S_IMODE((tmp_path / "var" / "secret-key").stat().st_mode) == 0o600


class TestSigningKeys:
    def test_the_newest_comes_first(self) -> None:
        assert Settings(secret_key="new", secret_key_previous=("old", "older")).signing_keys() == [
            "new",
            "old",
            "older",
        ]
