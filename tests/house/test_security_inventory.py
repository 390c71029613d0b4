"""The inventory of what there is to protect: complete, because the code says what there is."""

import re
import tomllib

import pytest

from admin_app import permissions
from admin_app.db.base import Base
from admin_app.settings import Settings
from tests.house.test_dangerous_calls import CALLERS
from tests.support.house import ADMIN_APP, PROJECT_ROOT, python_files

TEXT = (PROJECT_ROOT / "config" / "security-inventory.toml").read_text()
INVENTORY = tomllib.loads(TEXT)
SOURCE = "\n".join(file.read_text() for file in python_files(ADMIN_APP))
SETTINGS = {name.upper() for name in Settings.model_fields} | {"OIDC_ISSUER", "OIDC_CLIENT_SECRET"}
SECRETS = {name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}


class TestData:
    def test_every_table_is_in_a_class_and_every_class_has_rules(self) -> None:
        assert set(Base.metadata.tables) <= set(INVENTORY["tables"]), "A new table: whose data does it hold?"
        assert set(INVENTORY["tables"].values()) == set(INVENTORY["class"])
        assert all(len(one["rules"]) > 40 and one["means"] for one in INVENTORY["class"].values())

    @pytest.mark.parametrize("column", ["password_hash", "token_hash", "sealed_secret", "code_hash"])
    def test_tables_with_secrets_say_so(self, column: str) -> None:
        holding = [name for name, table in Base.metadata.tables.items() if column in table.columns]
        lines = {line.split(" =")[0]: line for line in reversed(TEXT.splitlines())}
        assert holding
        assert [name for name in holding if "secret" not in lines[name]] == []


class TestKeys:
    def test_every_secret_setting_is_a_key_or_belongs_to_one(self) -> None:
        listed = set(INVENTORY["key"]) | set(INVENTORY["connection"])
        assert {name for name in SECRETS if not name.startswith(tuple(listed))} == set()
        assert all({"protects", "made_by", "changed"} <= set(key) for key in INVENTORY["key"].values())

    def test_what_it_says_of_algorithms_is_what_the_code_uses(self) -> None:
        for said, used in (("Argon2id", "PasswordHasher"), ("AES-256-GCM", "AESGCM"), ("HKDF", "HKDF(SHA256()")):
            assert said in TEXT
            assert used in SOURCE


class TestConnections:
    def test_every_one_is_a_setting_and_every_caller_is_named_here(self) -> None:
        assert set(INVENTORY["connection"]) <= SETTINGS
        means = {"urllib.request": "ALERT_WEBHOOK_URL", "smtplib": "SMTP_HOST", "httpx": "OIDC_ISSUER"}
        used = {name for modules in CALLERS.values() for name in modules} - {"socket"}
        assert {means.get(name, name) for name in used} <= set(INVENTORY["connection"]), "Whom does the new one call?"
        assert all({"what", "when_it_fails", "limits"} == set(one) for one in INVENTORY["connection"].values())


class TestLogs:
    def test_every_logger_is_in_one(self) -> None:
        used = set(re.findall(r'getLogger\("([\w.]+)"\)', SOURCE))
        assert used <= set(INVENTORY["log"]["server"]["loggers"])
        assert all({"holds", "loggers", "goes_to", "kept", "read_by"} == set(log) for log in INVENTORY["log"].values())

    def test_who_reads_one_is_a_permission_or_a_role(self) -> None:
        known = {*map(str, permissions.Permission), *map(str, permissions.Role)}
        assert {log["read_by"] for log in INVENTORY["log"].values()} <= known


class TestSettings:
    def test_every_setting_that_it_names_exists(self) -> None:
        named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", TEXT))
        assert named <= SETTINGS

    def test_what_it_says_of_sessions_is_the_default(self) -> None:
        fields = Settings.model_fields
        assert f"{fields['session_idle_minutes'].default} unless set" in INVENTORY["sessions"]["idle"]
        assert f"{fields['session_absolute_hours'].default} unless set" in INVENTORY["sessions"]["absolute"]
