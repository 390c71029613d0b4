"""The person's own second factor: set up, confirm, new recovery codes, turn off."""

from typing import Any, ClassVar

import segno
from sqladmin import BaseView, expose
from starlette.requests import Request
from starlette.responses import Response

from admin_app.errors import InvalidInput
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.operations import second_factor
from admin_app.services.operations.second_factor import Proof
from admin_app.services.records import one_time_codes
from admin_app.web.desk import desk_of, form_of, session_id_of, signed_in, text_in
from admin_app.web.forms import Field, Form
from admin_app.web.pages import redirect, render
from admin_app.web.perform import perform, read
from admin_app.web.step_up import SENTENCES
from admin_app.web.views.base import SHOWN_AGAIN

PATH = "/admin/second-factor"
CODE = Field("code", "Code", kind="code", required=True, longest=40)


class SecondFactorView(BaseView):
    """Reached from the person's own corner of the menu."""

    name = "Second factor"
    identity = "second-factor"
    menu: ClassVar[None] = None

    def is_accessible(self, request: Request) -> bool:
        """Everybody who is signed in has a page of their own here."""
        return signed_in(request) is not None

    @expose("/second-factor", methods=["GET"], identity="second-factor")
    async def show(self, request: Request) -> Response:
        """How far it is; the secret as a picture and as text while it is being set up, never afterwards."""
        return await _page(request)

    @expose("/second-factor/begin", methods=["POST"], identity="second-factor-begin")
    async def begin(self, request: Request) -> Response:
        """Make a secret."""
        await perform(request, second_factor.begin, box=desk_of(request).second_factor.box)
        return redirect(request, PATH)

    @expose("/second-factor/confirm", methods=["POST"], identity="second-factor-confirm")
    async def confirm(self, request: Request) -> Response:
        """Let it count, after one right code; the recovery codes are on the answer and nowhere else."""
        codes = one_time_codes.new_recovery_codes()
        try:
            outcome = await perform(request, second_factor.confirm, proof=_proof(request), recovery_codes=codes)
        except SHOWN_AGAIN as error:
            return await _page(request, code=Form([CODE]).wrong(error), status_code=error.status_code)
        if outcome.replayed:
            return redirect(request, PATH)
        return await render(request, "recovery_codes.html", {"codes": codes, "is_new": True})

    @expose("/second-factor/recovery-codes", methods=["POST"], identity="second-factor-recovery-codes")
    async def renew(self, request: Request) -> Response:
        """Ten new recovery codes in the place of the old ones."""
        codes = one_time_codes.new_recovery_codes()
        refused: list[Verdict] = []
        outcome = await perform(
            request, _noting(second_factor.renew_recovery_codes, refused), proof=_proof(request), recovery_codes=codes
        )
        if outcome.record_id is None:
            return await _refused(request, "renew", refused)
        if outcome.replayed:
            return redirect(request, PATH)
        return await render(request, "recovery_codes.html", {"codes": codes, "is_new": False})

    @expose("/second-factor/off", methods=["POST"], identity="second-factor-off")
    async def turn_off(self, request: Request) -> Response:
        """Back to the password alone."""
        refused: list[Verdict] = []
        outcome = await perform(request, _noting(second_factor.turn_off, refused), proof=_proof(request))
        if outcome.record_id is None:
            return await _refused(request, "off", refused)
        return redirect(request, PATH, "second_factor_off")


def qr_code(address: str) -> str:
    """A picture as a data address: no address of ours ever holds the secret."""
    return segno.make(address, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff")


def _proof(request: Request) -> Proof:
    typed = text_in(form_of(request), CODE.name)
    return Proof(typed, desk_of(request).second_factor.box, session_id_of(request))


def _noting(service: Any, refused: list[Verdict]) -> Any:
    """The service, with the reason of a refusal kept: a refusal is committed, so it cannot be an exception."""

    async def noting(*args: Any, **options: Any) -> Any:
        result = await service(*args, **options)
        if isinstance(result, Verdict):
            refused.append(result)
            return None
        return result

    return noting


async def _refused(request: Request, form: str, refused: list[Verdict]) -> Response:
    """The page again; a form that had been refused before, and was sent once more, is refused once more."""
    verdict = refused[-1] if refused else Verdict.WRONG
    wrong = Form([CODE]).wrong(InvalidInput(code=SENTENCES[verdict]))
    return await _page(request, **{form: wrong}, status_code=429 if verdict is Verdict.TOO_MANY else 422)


async def _page(request: Request, *, status_code: int = 200, **forms: Form) -> Response:
    state = await read(request, second_factor.state, box=desk_of(request).second_factor.box)
    context = {
        "state": state,
        "picture": qr_code(state.address) if state.address else "",
        "key": " ".join(state.secret[i : i + 4] for i in range(0, len(state.secret), 4)) if state.secret else "",
        **{name: forms.get(name, Form([CODE])) for name in ("code", "renew", "off")},
    }
    return await render(request, "second_factor.html", context, status_code=status_code)
