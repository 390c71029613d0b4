"""The cast at work while something breaks."""

import pytest

from admin_app.db.database import Database
from tests.services.scenes import Desk
from tests.support.cast import Cast


@pytest.fixture
def desk(database: Database, cast: Cast) -> Desk:
    """The cast on the database of this test."""
    return Desk(database, cast)
