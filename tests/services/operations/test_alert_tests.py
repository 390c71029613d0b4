"""Trying out the alerts is written down."""

from admin_app.errors import PermissionDenied
from admin_app.services.operations import alert_tests
from tests.services.scenes import Desk


class TestRecord:
    async def test_leaves_one_entry_and_is_for_ops_and_admins(self, desk: Desk) -> None:
        async with desk.recorded() as recorded:
            await desk.run(alert_tests.record, desk.cast.olaf)
        assert (recorded.entry.action, recorded.entry.actor_name) == ("TEST_ALERT", "Olaf Ops")
        await desk.refusal(PermissionDenied, alert_tests.record, desk.cast.sue)
