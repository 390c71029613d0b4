"""Where somebody is signed in: each sign-in can be ended, by its owner or by an admin. And one's own password."""

import secrets
from collections.abc import Sequence
from typing import Any, ClassVar

from sqladmin import BaseView, expose
from starlette.requests import Request
from starlette.responses import Response

from admin_app.errors import AppError, InvalidInput
from admin_app.permissions import Permission
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.blocks.sign_in_sessions import TOKEN_BYTES
from admin_app.services.operations import identities, own_password, own_sign_ins
from admin_app.services.records import lookup, password_rules, passwords
from admin_app.web import parsing
from admin_app.web.desk import actor_of, desk_of, form_of, session_id_of, signed_in, text_in
from admin_app.web.devices import device_words
from admin_app.web.forms import Field, Form
from admin_app.web.hashing import slowly
from admin_app.web.pages import redirect, render
from admin_app.web.perform import perform, read
from admin_app.web.sign_in import with_session

PATH = "/admin/my-sign-ins"
PASSWORD_PATH = "/admin/my-password"  # noqa: S105 - an address
PRESENT = Field("present_password", "Present password", kind="password", required=True)
NEW = Field(
    "password", "New password", kind="password", required=True, help=password_rules.RULE, longest=password_rules.LONGEST
)
SENTENCES = {
    Verdict.WRONG: "This is not your present password.",
    Verdict.TOO_MANY: "Too many wrong tries. Wait five minutes, then try again.",
}


class MySignInsView(BaseView):
    """Reached from the person's own corner of the menu."""

    name = "My sign-ins"
    identity = "my-sign-ins"
    menu: ClassVar[None] = None

    def is_accessible(self, request: Request) -> bool:
        """Everybody who is signed in has a page of their own here."""
        return signed_in(request) is not None

    @expose("/my-sign-ins", methods=["GET"], identity="my-sign-ins")
    async def show(self, request: Request) -> Response:
        """The own ones."""
        found = await read(request, own_sign_ins.own, idle=desk_of(request).lifetime.idle)
        linked = await read(request, identities.own)
        paths = {"end_path": f"{PATH}/end", "unlink_path": f"{PATH}/unlink"}
        return await _page(request, found, title="My sign-ins", identities=linked, is_own=True, **paths)

    @expose("/my-sign-ins/end", methods=["POST"], identity="my-sign-ins-end")
    async def end(self, request: Request) -> Response:
        """End one of them."""
        await perform(request, own_sign_ins.end_own, parsing.record_id(text_in(form_of(request), "session_id")))
        return redirect(request, PATH, "sign_in_ended")

    @expose("/my-sign-ins/end-others", methods=["POST"], identity="my-sign-ins-end-others")
    async def end_others(self, request: Request) -> Response:
        """End all but the one that asks."""
        await perform(request, own_sign_ins.end_others, kept_id=session_id_of(request))
        return redirect(request, PATH, "others_ended")

    @expose("/my-sign-ins/unlink", methods=["POST"], identity="my-sign-ins-unlink")
    async def unlink(self, request: Request) -> Response:
        """Unlink an identity of single sign-on."""
        await perform(request, identities.unlink_own, _identity_id(request), kept_id=session_id_of(request))
        return redirect(request, PATH, "identity_unlinked")

    @expose("/my-password", methods=["GET", "POST"], identity="my-password")
    async def password(self, request: Request) -> Response:
        """Change the own password; the present one is asked for."""
        if request.method != "POST":
            return await _ask_password(request)
        return await _change_password(request)


async def page_of_person(request: Request, user_id: int) -> Response:
    """Somebody's sign-ins, for those who may end them."""
    user = await read(request, lookup.user, user_id)
    found = await read(request, own_sign_ins.of_person, user_id, idle=desk_of(request).lifetime.idle)
    may_unlink = actor_of(request).can(Permission.USER_RESET_PASSWORD)
    linked = await read(request, identities.of_person, user_id) if may_unlink else []
    paths = {"end_path": f"/admin/user/end-session/{user_id}", "unlink_path": f"/admin/user/unlink/{user_id}"}
    title = f"Sign-ins of {user.full_name}"
    return await _page(request, found, title=title, identities=linked, is_own=False, **paths)


async def end_of_person(request: Request, user_id: int) -> Response:
    """End one sign-in of somebody."""
    session_id = parsing.record_id(text_in(form_of(request), "session_id"))
    await perform(request, own_sign_ins.end_one_of, session_id, user_id=user_id)
    return redirect(request, f"/admin/user/sign-ins/{user_id}", "sign_in_ended")


async def unlink_of_person(request: Request, user_id: int) -> Response:
    """Unlink an identity of somebody."""
    await perform(request, identities.unlink_of, _identity_id(request), user_id=user_id)
    return redirect(request, f"/admin/user/sign-ins/{user_id}", "identity_unlinked")


def _identity_id(request: Request) -> int:
    return parsing.record_id(text_in(form_of(request), "identity_id"))


async def _page(request: Request, found: Sequence[Any], **context: Any) -> Response:
    this_one = session_id_of(request)
    ordered = sorted(found, key=lambda row: row.id != this_one)
    rows = [(row, device_words(row.user_agent)) for row in ordered]
    full = {"rows": rows, "this_one": this_one, **context}
    return await render(request, "sign_ins.html", full)


async def _ask_password(request: Request, error: AppError | None = None, status_code: int = 200) -> Response:
    form = Form([PRESENT, NEW])
    return await render(
        request, "my_password.html", {"form": form.wrong(error) if error else form}, status_code=status_code
    )


async def _change_password(request: Request) -> Response:
    typed, actor, desk = form_of(request), actor_of(request), desk_of(request)
    present, wanted = text_in(typed, PRESENT.name), text_in(typed, NEW.name)
    me = await desk.database.read(lambda session: own_password.of_actor(session, actor))
    try:
        password_rules.check(wanted, email=me.email, full_name=me.full_name)
    except InvalidInput as error:
        return await _ask_password(request, error, error.status_code)
    stored, new_hash = me.password_hash, await slowly(request, passwords.hash_password, wanted)
    is_right = await slowly(request, passwords.is_right, present[: passwords.LONGEST + 1], stored)
    this_one = own_password.ThisOne(session_id_of(request), secrets.token_urlsafe(TOKEN_BYTES))
    refused: list[Verdict] = []

    async def change(session: Any, actor: Any) -> Any:
        proven = stored if is_right else None
        result = await own_password.change(session, actor, proven_hash=proven, new_hash=new_hash, this_one=this_one)
        if isinstance(result, Verdict):
            refused.append(result)
            return None
        return result

    outcome = await perform(request, change)
    if outcome.record_id is None:
        verdict = refused[-1] if refused else Verdict.WRONG
        wrong = InvalidInput(**{PRESENT.name: SENTENCES[verdict]})
        return await _ask_password(request, wrong, 429 if verdict is Verdict.TOO_MANY else wrong.status_code)
    response = redirect(request, PATH, "own_password_set")
    return response if outcome.replayed else with_session(request, response, this_one.new_token)
