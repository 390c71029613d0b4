"""How large a file may be, depending on where it is sent and by whom."""

from starlette.requests import Request

from admin_app.permissions import Permission
from admin_app.web.desk import desk_of, signed_in
from admin_app.web.sign_in import DeskAuthentication

IMPORT_PATH = "/admin/import"


async def file_limit(request: Request) -> int:
    """In bytes. A file to import may be far larger than an attachment, yet only from somebody who may import it."""
    desk = desk_of(request)
    if request.url.path != IMPORT_PATH:
        return desk.store.limit
    await DeskAuthentication().authenticate(request)
    found = signed_in(request)
    may_import = found is not None and found.actor.can(Permission.TICKET_IMPORT)
    return desk.imports.limit if may_import else desk.store.limit
