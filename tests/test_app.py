"""The composition root: what it refuses to start with."""

from pathlib import Path

import pytest

from admin_app.app import create_app
from admin_app.settings import Settings

SECRET = "a-secret-key-of-more-than-32-characters"


def settings(database_url: str, folder: Path) -> Settings:
    """Production settings on this database."""
    return Settings(
        environment="production",
        database_url=database_url,
        secret_key=SECRET,
        attachments_folder=folder,
    )


class TestCreateApp:
    async def test_production_does_not_start_on_a_database_without_a_schema(
        self, empty_database_url: str, tmp_path: Path
    ) -> None:
        app = create_app(settings(empty_database_url, tmp_path))
        with pytest.raises(RuntimeError, match="python -m admin_app migrate"):
            async with app.router.lifespan_context(app):
                pass
        await app.state.database.dispose()

    async def test_production_starts_on_a_migrated_database(self, database_url: str, tmp_path: Path) -> None:
        app = create_app(settings(database_url, tmp_path))
        async with app.router.lifespan_context(app):
            assert await app.state.database.is_ready()
