"""The inventory of what there is to protect: complete, because the code says what there is."""

import re
import tomllib

import pytest

from admin_app import permissions
from admin_app.db.base import Base
from admin_app.models.ticket import Status
from admin_app.services.batches.bulk import choosing
from admin_app.services.blocks import second_factor, workflow
from admin_app.services.operations import accounts, following, tickets
from admin_app.services.records import lookup, password_rules, text_rules
from admin_app.settings import Settings
from tests.house.test_dangerous_calls import CALLERS
from tests.support.house import ADMIN_APP, PROJECT_ROOT, python_files

TEXT = (PROJECT_ROOT / "config" / "security-inventory.toml").read_text()
INVENTORY = tomllib.loads(TEXT)
SOURCE = "\n".join(file.read_text() for file in python_files(ADMIN_APP))
SETTINGS = {name.upper() for name in Settings.model_fields}
SECRETS = {name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}


class TestData:
    def test_every_table_is_in_a_class_and_every_class_has_rules(self) -> None:
        assert set(Base.metadata.tables) == set(INVENTORY["tables"]), "A new table: whose data does it hold?"
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
        assert used <= {logger for log in INVENTORY["log"].values() for logger in log["loggers"]}
        assert all({"holds", "loggers", "goes_to", "kept", "read_by"} == set(log) for log in INVENTORY["log"].values())

    def test_who_reads_one_is_a_permission_or_a_role(self) -> None:
        known = {*map(str, permissions.Permission), *map(str, permissions.Role)}
        assert {log["read_by"] for log in INVENTORY["log"].values()} <= known


class TestSettings:
    def test_every_setting_that_it_names_exists(self) -> None:
        named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", TEXT))
        assert named <= SETTINGS

    def test_sessions_say_how_many(self) -> None:
        assert set(INVENTORY["sessions"]) == {"idle", "absolute", "at_once"}
        assert "as many as" in INVENTORY["sessions"]["at_once"], "Nothing counts them: a limit would be a new rule."

    def test_what_it_says_of_sessions_is_the_default(self) -> None:
        fields = Settings.model_fields
        assert f"{fields['session_idle_minutes'].default} unless set" in INVENTORY["sessions"]["idle"]
        assert f"{fields['session_absolute_hours'].default} unless set" in INVENTORY["sessions"]["absolute"]


class TestRules:
    @pytest.mark.parametrize(("field", "longest"), text_rules.LONGEST.items())
    def test_the_length_of_each_text_is_the_one_that_is_checked(self, field: str, longest: int) -> None:
        assert f"at most {longest:,}" in INVENTORY["takes"][field]

    def test_passwords_numbers_and_limits_too(self) -> None:
        takes, limits = INVENTORY["takes"], INVENTORY["limits"]
        assert takes["password"].startswith(f"{password_rules.SHORTEST} to {password_rules.LONGEST} ")
        assert str(lookup.LARGEST_ID) in takes["id"]
        assert f"at most {following.MOST_TAGS} on a ticket" in takes["tag"]
        assert limits["bulk"].startswith(f"{choosing.MOST_ROWS:,} ")
        tries, minutes = (
            Settings.model_fields[name].default for name in ("sign_in_attempts", "sign_in_window_minutes")
        )
        assert limits["guesses_of_passwords"].startswith(f"{tries} in {minutes} minutes ")
        assert limits["guesses_of_codes"].startswith(f"{second_factor.MOST_GUESSES} ")


class TestColumns:
    @pytest.mark.parametrize("table", INVENTORY["columns"])
    def test_every_column_has_somebody_who_writes_it(self, table: str) -> None:
        listed = [column for columns in INVENTORY["columns"][table].values() for column in columns]
        assert sorted(listed) == sorted(Base.metadata.tables[table].columns.keys())

    @pytest.mark.parametrize(
        ("table", "right", "editable"),
        [
            ("users", "by_user_edit", accounts.EDITABLE_FIELDS),
            ("tickets", "by_ticket_edit", tickets.EDITABLE_FIELDS),
        ],
    )
    def test_forms_write_the_columns_of_their_right(self, table: str, right: str, editable: tuple[str, ...]) -> None:
        assert set(editable) == set(INVENTORY["columns"][table][right])

    def test_every_right_is_a_permission(self) -> None:
        rights = {name for table in INVENTORY["columns"].values() for name in table if name.startswith("by_")}
        named = {name.removeprefix("by_").replace("_", ":", 1).replace("_", "-") for name in rights}
        assert named - {"the:desk-itself"} <= set(map(str, permissions.Permission))


class TestTogether:
    def test_every_arrow_that_needs_something_is_covered_by_a_rule(self) -> None:
        rules = INVENTORY["together"]
        assert {"status", "end", "creator", "owner", "parent", "version", "leaving", "purge"} == set(rules)
        ends = [arrow for arrow in workflow.ARROWS if arrow.target in {Status.RESOLVED, Status.CLOSED}]
        assert all(arrow.needs_resolution for arrow in ends), rules["end"]


class TestFiles:
    def test_each_upload_says_what_it_takes_how_large_and_how_it_is_made_safe(self) -> None:
        assert set(INVENTORY["file"]) == {"attachment", "import"}
        limits = {name for name in SETTINGS if re.fullmatch("MAX_(ATTACHMENT|IMPORT)_BYTES", name)}
        assert {one["largest"] for one in INVENTORY["file"].values()} == limits
        assert all({"takes", "largest", "made_safe"} == set(one) for one in INVENTORY["file"].values())


class TestCostly:
    def test_every_batch_and_every_limit_of_sizes_is_in_it(self) -> None:
        costly = INVENTORY["costly"]
        assert {"sign_in", "lists", "export", "import", "bulk", "attachments", "forms", "pool"} <= set(costly)
        words = " ".join(costly.values())
        assert {name for name in SETTINGS if name.startswith("MAX_") and name not in words} == set()
