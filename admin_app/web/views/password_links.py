"""Making a link with which somebody sets a new password. It is on the answer to the form, and nowhere else."""

import secrets

from starlette.requests import Request
from starlette.responses import Response

from admin_app.services.blocks.sign_in_sessions import TOKEN_BYTES
from admin_app.services.operations import password_links
from admin_app.services.operations.password_links import NewLink
from admin_app.services.records import lookup, text_rules
from admin_app.web.desk import desk_of, form_of, text_in
from admin_app.web.forms import Field, Form
from admin_app.web.guard import LINK_PATH
from admin_app.web.pages import redirect, render
from admin_app.web.perform import perform, read
from admin_app.web.views.base import ActionPage, run_action

REASON = Field(
    "reason",
    "Reason",
    kind="textarea",
    required=True,
    longest=text_rules.LONGEST["reason"],
    help="How do you know that it is them who asks? It stays in the audit log.",
)
EXPLANATION = (
    "You get a link to hand to them, by a way that only they can read. With it they set a new password, once, within "
    "{minutes} minutes; an earlier link stops working. A second factor is asked for as before."
)


async def page(request: Request, user_id: int) -> Response:
    """GET asks why; POST makes the link and shows it, this once."""
    user = await read(request, lookup.user, user_id)
    lives = desk_of(request).password_link_lives
    minutes = int(lives.total_seconds() // 60)
    back = f"/admin/user/details/{user_id}"

    async def ask() -> ActionPage:
        return ActionPage(
            title=f"Reset the password of {user.full_name}",
            explanation=EXPLANATION.format(minutes=minutes),
            button="Make a reset link",
            back=back,
            form=Form([REASON]),
        )

    async def make() -> Response:
        link = NewLink(secrets.token_urlsafe(TOKEN_BYTES), lives)
        reason = text_in(form_of(request), REASON.name)
        outcome = await perform(request, password_links.make, user_id, link=link, reason=reason)
        if outcome.replayed:
            return redirect(request, back, "link_shown", user.full_name)
        address = str(request.url.replace(path=LINK_PATH, query=f"token={link.token}"))
        context = {"user": user, "address": address, "minutes": minutes, "back": back}
        return await render(request, "password_link_made.html", context)

    return await run_action(request, ask, make)
