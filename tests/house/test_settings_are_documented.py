"""Every setting stands in config/production.example.toml, with a word on what it is for."""

import tomllib

import pytest

from admin_app.settings import Settings
from tests.support.house import PROJECT_ROOT

EXAMPLE = PROJECT_ROOT / "config" / "production.example.toml"
DOCUMENTED = tomllib.loads(EXAMPLE.read_text())


def blocks() -> list[str]:
    """Paragraphs: a comment and the settings it explains."""
    return EXAMPLE.read_text().split("\n\n")


class TestProductionExample:
    @pytest.mark.parametrize("name", Settings.model_fields)
    def test_every_setting_is_there(self, name: str) -> None:
        assert name in DOCUMENTED, "A setting that nobody can read about is a setting that nobody can use."

    def test_nothing_else_is_there(self) -> None:
        unknown = set(DOCUMENTED) - set(Settings.model_fields)
        assert unknown == set(), (
            "The desk refuses to start with a key it does not know, so a copy of this would be stuck."
        )

    @pytest.mark.parametrize("name", Settings.model_fields)
    def test_every_setting_is_explained(self, name: str) -> None:
        (paragraph,) = [block for block in blocks() if f"\n{name} =" in f"\n{block}"]
        assert paragraph.lstrip().startswith("#"), "Say what it is for, in the line above."

    def test_every_value_could_be_used(self) -> None:
        """All but the secret key, which production refuses."""
        values = {**DOCUMENTED, "secret_key": "5f" * 32}
        assert Settings(**values).environment == "production"
