"""No route without a row in the table of routes: it would not answer."""

from pathlib import Path

from admin_app.app import create_app
from admin_app.settings import Settings
from tests.web.test_routes import unlisted


def test_every_route_has_a_row(tmp_path: Path) -> None:
    """A new page belongs into the table at once, so that it is decided who may come in."""
    app = create_app(
        Settings(environment="test", database_url=f"sqlite+aiosqlite:///{tmp_path}/desk.sqlite3", secret_key="k" * 40)
    )
    assert unlisted(app) == set(), "add a row in admin_app/web/routes.py; its docstring says how"
