"""People: customers and the desk."""

from typing import Any, ClassVar
from zoneinfo import available_timezones

from sqladmin import expose
from starlette.requests import Request
from starlette.responses import Response

from admin_app.errors import Conflict, Malformed, NotConfirmed, PermissionDenied, StaleEdit
from admin_app.models import User
from admin_app.permissions import Permission, Role
from admin_app.services.blocks import deactivation
from admin_app.services.operations import accounts, second_factor, sign_in
from admin_app.services.operations import off_boarding as boarding
from admin_app.services.pages import people_list
from admin_app.services.records import lookup, text_rules
from admin_app.web import parsing, step_up
from admin_app.web.desk import actor_of, form_of, text_in
from admin_app.web.forms import Field, Form, Options, merge, without_theirs
from admin_app.web.pages import in_words, redirect, render
from admin_app.web.perform import perform, read
from admin_app.web.views import my_sign_ins, off_boarding, password_links
from admin_app.web.views.base import (
    PAGE_PARAMETERS,
    SHOWN_AGAIN,
    ActionPage,
    MenuEntry,
    Paged,
    RecordView,
    page_request,
    run_action,
    saved_or_not,
    version_in,
)

ROLES: Options = [(role.value, in_words(role.value)) for role in Role]
ACTIVE = {"": None, "yes": True, "no": False}
EDITED = ("full_name", "email", "timezone")


def person_path(user_id: object) -> str:
    """The address of a person's page."""
    return f"/admin/user/details/{user_id}"


def person_form(user: User | None) -> Form:
    """The form of a person, stored or new."""
    longest = text_rules.LONGEST
    name = Field("full_name", "Full name", required=True, longest=longest["full_name"])
    email = Field("email", "E-mail address", required=True, longest=longest["email"])
    if user is None:
        return Form([name, email])
    zones = Field("timezone", "Time zone", kind="select", options=[(zone, zone) for zone in _zones(user.timezone)])
    return Form([name, email, zones]).filled({field: str(getattr(user, field)) for field in EDITED})


def _zones(current: str) -> list[str]:
    places = {zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))}
    return sorted(places | {"UTC", current})


class UserView(RecordView, model=User):
    """Never deleted, only deactivated."""

    name = "Person"
    name_plural = "People"
    menu: ClassVar[MenuEntry] = MenuEntry("People", "/admin/user/list", Permission.USER_LIST, "people")
    column_list = [User.full_name, User.email, User.role, User.is_active]
    can_create = can_edit = can_view_details = True
    list_template = "user_list.html"

    async def list_context(self, request: Request) -> dict[str, Any]:
        """The choices of the filter form."""
        return {**await super().list_context(request), "roles": ROLES}

    async def list(self, request: Request) -> Any:
        """One page of people, by name."""
        query = request.query_params
        parsing.known_parameters(query, PAGE_PARAMETERS | {"search", "role", "active"})
        if query.get("active", "") not in ACTIVE:
            raise Malformed("The filter active is yes or no.")
        wanted = people_list.PeopleFilter(
            search=query.get("search", "")[:200],
            role=parsing.choice(query.get("role", ""), Role, "role"),
            is_active=ACTIVE[query.get("active", "")],
        )
        return Paged(
            request, await read(request, people_list.page, wanted, request=page_request(request), may_lag=True)
        )

    async def details_page(self, request: Request, pk: str) -> Response:
        """A person, and what may be done about them."""
        user = await read(request, lookup.user, parsing.record_id(pk))
        actor = actor_of(request)
        context = {
            "user": user,
            "can_edit": accounts.can_edit(actor, user),
            "is_within_reach": deactivation.is_within_reach(actor, user),
            "has_second_factor": actor.can(Permission.USER_RESET_PASSWORD)
            and await read(request, second_factor.is_on, user.id),
        }
        return await render(request, "user.html", context)

    async def create_page(self, request: Request) -> Response:
        """Add a customer."""
        form, status_code = person_form(None), 200
        if request.method == "POST":
            typed = form_of(request)
            try:
                outcome = await perform(
                    request, accounts.create, email=text_in(typed, "email"), full_name=text_in(typed, "full_name")
                )
                return redirect(request, person_path(outcome.record_id), "created", text_in(typed, "full_name"))
            except SHOWN_AGAIN as error:
                form, status_code = form.typed(typed, error), error.status_code
        return await render(request, "user_form.html", {"form": form, "user": None}, status_code=status_code)

    async def edit_page(self, request: Request, pk: str) -> Response:
        """Edit a person under the optimistic lock."""
        user_id = parsing.record_id(pk)
        typed = form_of(request)
        if request.method != "POST":
            return await self._edit_form(request, user_id)
        try:
            values: dict[str, object] = {name: text_in(typed, name) for name in EDITED if name in typed}
            how = {"version": version_in(request), "is_confirmed": step_up.is_confirmed(request)}
            outcome = await perform(request, accounts.edit, user_id, without_theirs(typed, values), **how)
        except NotConfirmed:
            return await step_up.ask(request)
        except StaleEdit as stale:
            user = await read(request, lookup.user, user_id)
            context = {
                "merge": merge(person_form(user), stale, lambda name, stored: str(stored or "")),
                "label": str(user),
                "action": f"/admin/user/edit/{user_id}",
                "back": person_path(user_id),
            }
            return await render(request, "conflict.html", context, status_code=stale.status_code)
        except SHOWN_AGAIN as error:
            return await self._edit_form(request, user_id, error)
        return redirect(request, person_path(user_id), saved_or_not(request, outcome), text_in(typed, "full_name"))

    @expose("/deactivate/{pk}", methods=["GET", "POST"])
    async def deactivate(self, request: Request) -> Response:
        """Keep a person out from now on; somebody who owns open tickets goes through the page for that."""
        actor_of(request).require(Permission.USER_DEACTIVATE)
        user_id = parsing.record_id(request.path_params["pk"])
        if await read(request, boarding.owns_open_tickets, user_id):
            if request.method != "POST":
                return redirect(request, off_boarding.off_boarding_path(user_id))
            wrong = Conflict("They own open tickets. Say first what becomes of those.")
            form = off_boarding.questions().typed(form_of(request), wrong)
            return await off_boarding.ask(request, user_id, form, status_code=wrong.status_code)
        reason = Field("reason", "Reason", kind="textarea", required=True, longest=text_rules.LONGEST["reason"])
        return await self._action(
            request,
            Permission.USER_DEACTIVATE,
            ("Deactivate", "They are signed out everywhere and cannot sign in again.", "deactivated"),
            Form([reason]),
            lambda user_id: perform(request, accounts.deactivate, user_id, reason=text_in(form_of(request), "reason")),
        )

    @expose("/off-board/{pk}", methods=["GET", "POST"])
    async def off_board(self, request: Request) -> Response:
        """Keep a person out who owns open tickets, and hand those on."""
        return await off_boarding.off_board_page(request, parsing.record_id(request.path_params["pk"]))

    @expose("/reactivate/{pk}", methods=["GET", "POST"])
    async def reactivate(self, request: Request) -> Response:
        """Let a person back in."""
        return await self._action(
            request,
            Permission.USER_REACTIVATE,
            ("Reactivate", "They can sign in again, if they could before.", "reactivated"),
            Form([]),
            lambda user_id: perform(request, accounts.reactivate, user_id),
        )

    @expose("/role/{pk}", methods=["GET", "POST"])
    async def change_role(self, request: Request) -> Response:
        """Give a person another role."""
        role = Field("role", "New role", kind="select", options=ROLES, required=True)
        return await self._action(
            request,
            Permission.USER_CHANGE_ROLE,
            ("Change the role of", "It acts on their very next click.", "role_changed"),
            Form([role]),
            lambda user_id: perform(
                request,
                accounts.change_role,
                user_id,
                role=parsing.one_of(text_in(form_of(request), "role"), Role, "role"),
            ),
        )

    @expose("/password/{pk}", methods=["GET", "POST"])
    async def reset_password(self, request: Request) -> Response:
        """Make a link with which the person sets a new password."""
        actor_of(request).require(Permission.USER_RESET_PASSWORD)
        return await password_links.page(request, parsing.record_id(request.path_params["pk"]))

    @expose("/second-factor/{pk}", methods=["GET", "POST"])
    async def reset_second_factor(self, request: Request) -> Response:
        """Take away a second factor that somebody cannot use any more."""
        reason = Field("reason", "Reason", kind="textarea", required=True, longest=text_rules.LONGEST["reason"])
        return await self._action(
            request,
            Permission.USER_RESET_PASSWORD,
            (
                "Reset the second factor of",
                "Only after you have made sure that it is them who asks. Their password alone lets them in afterwards; "
                "they are signed out everywhere.",
                "second_factor_reset",
            ),
            Form([reason]),
            lambda user_id: perform(request, second_factor.reset, user_id, reason=text_in(form_of(request), "reason")),
        )

    @expose("/end-sessions/{pk}", methods=["GET", "POST"])
    async def end_sessions(self, request: Request) -> Response:
        """Sign a person out everywhere."""
        return await self._action(
            request,
            Permission.USER_END_SESSIONS,
            ("Sign out", "Every sign-in of theirs ends with their next click.", "sessions_ended"),
            Form([]),
            lambda user_id: perform(request, sign_in.end_sessions_of, user_id),
        )

    @expose("/sign-ins/{pk}", methods=["GET"])
    async def sign_ins(self, request: Request) -> Response:
        """Where a person is signed in now."""
        actor_of(request).require(Permission.USER_END_SESSIONS)
        return await my_sign_ins.page_of_person(request, parsing.record_id(request.path_params["pk"]))

    @expose("/end-session/{pk}", methods=["POST"])
    async def end_session(self, request: Request) -> Response:
        """End one of their sign-ins."""
        actor_of(request).require(Permission.USER_END_SESSIONS)
        return await my_sign_ins.end_of_person(request, parsing.record_id(request.path_params["pk"]))

    @expose("/unlink/{pk}", methods=["POST"])
    async def unlink(self, request: Request) -> Response:
        """Unlink an identity of single sign-on from an account."""
        actor_of(request).require(Permission.USER_RESET_PASSWORD)
        return await my_sign_ins.unlink_of_person(request, parsing.record_id(request.path_params["pk"]))

    async def _action(
        self, request: Request, needed: Permission, words: tuple[str, str, str], form: Form, act: Any
    ) -> Response:
        actor_of(request).require(needed)
        title, explanation, code = words
        user_id = parsing.record_id(request.path_params["pk"])

        async def ask() -> ActionPage:
            user = await read(request, lookup.user, user_id)
            return ActionPage(
                title=f"{title} {user.full_name}",
                explanation=explanation,
                button=title.split(" the ")[0],
                back=person_path(user_id),
                form=form.filled({"role": user.role.value}),
                is_dangerous=code == "deactivated",
            )

        async def do() -> Response:
            name = (await read(request, lookup.user, user_id)).full_name
            await act(user_id)
            return redirect(request, person_path(user_id), code, name)

        return await run_action(request, ask, do)

    async def _edit_form(self, request: Request, user_id: int, error: Any = None) -> Response:
        user = await read(request, lookup.user, user_id)
        if not accounts.can_edit(actor_of(request), user):
            raise PermissionDenied(f"Only an admin may edit {user.full_name}.")
        form = person_form(user)
        version: object = user.version
        if error is not None:
            form = form.typed(form_of(request), error)
            typed_version = str(form_of(request).get("version", ""))
            version = typed_version if typed_version.isdigit() else user.version
        context = {"form": form, "user": user, "version": version}
        status_code = error.status_code if error is not None else 200
        return await render(request, "user_form.html", context, status_code=status_code)
