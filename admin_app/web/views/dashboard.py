"""The first page: my tickets, ownerless, overdue, recently changed."""

from starlette.requests import Request
from starlette.responses import Response

from admin_app.models.ticket import ACTIVE_STATUSES
from admin_app.services.pages import dashboard
from admin_app.web.pages import render
from admin_app.web.perform import look_up


async def dashboard_page(request: Request) -> Response:
    """What this person should look at."""
    summary = await look_up(request, dashboard.summary, may_lag=True)
    sections = [
        ("My tickets", summary.mine, summary.counts["mine"], "owner=me&state=active", "Nothing waits for you."),
        (
            "Without an owner",
            summary.ownerless,
            summary.counts["ownerless"],
            "owner=nobody&state=active",
            "Every open ticket has an owner.",
        ),
        ("Overdue", summary.overdue, summary.counts["overdue"], "overdue=yes", "Nothing is late."),
        ("Recently changed", summary.recent, None, "sortBy=updated_at&sort=desc", "No tickets yet."),
    ]
    context: dict[str, object] = {"sections": sections, "by_status": summary.by_status, "counted": dashboard.COUNTED}
    context["active"] = ACTIVE_STATUSES
    return await render(request, "dashboard.html", context)
