"""Every address of the application, read from the application object, with ids that exist."""

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from admin_app.web.views.base import RecordView
from tests.services.scenes import Desk
from tests.web.scene import Scene

ASSETS = {"/admin/assets": "/desk.css"}
"""One file of the folder of assets."""


@dataclass(frozen=True)
class Address:
    """One route, or one of the views behind a route that serves several."""

    template: str
    """as in the route, with the view's name filled in"""
    path: str
    methods: frozenset[str]


def every_address(app: Starlette, desk: Desk, scene: Scene) -> list[Address]:
    """All of them, mounted ones included; a route that this cannot fill in is an error, so that none is forgotten."""
    ids = _ids(desk, scene)
    return [
        Address(template, _filled(template, ids), methods)
        for template, methods in every_template(app)
        if app.state.routes.find(template) is not None
    ]


def every_template(app: Starlette) -> list[tuple[str, frozenset[str]]]:
    """What the application object holds, whether or not it has a row in the table."""
    return list(_templates(app.routes, _identities(app)))


def post_addresses(app: Starlette, desk: Desk, scene: Scene) -> list[Address]:
    """Those that change something."""
    return [address for address in every_address(app, desk, scene) if not address.methods <= {"GET", "HEAD"}]


def _identities(app: Starlette) -> list[str]:
    """The views that the generic routes serve."""
    [mounted] = [route for route in app.routes if isinstance(route, Mount) and route.path == "/admin"]
    index = next(route for route in mounted.routes or [] if isinstance(route, Route) and route.name == "index")
    admin = index.endpoint.__self__
    return [view.identity for view in admin.views if isinstance(view, RecordView)]


def _templates(
    routes: list[BaseRoute], identities: list[str], before: str = ""
) -> Iterator[tuple[str, frozenset[str]]]:
    for route in routes:
        if isinstance(route, Mount) and f"{before}{route.path}" in ASSETS:
            yield f"{before}{route.path}{ASSETS[before + route.path]}", frozenset({"GET", "HEAD"})
        elif isinstance(route, Mount):
            yield from _templates(list(route.routes or []), identities, before + route.path)
        elif isinstance(route, Route):
            for identity in identities if "{identity}" in route.path else [""]:
                yield before + route.path.replace("{identity}", identity), frozenset(route.methods or ())
        else:
            raise AssertionError(f"nobody knows how to visit {route!r}")


def _ids(desk: Desk, scene: Scene) -> dict[str, object]:
    """What stands for {pk}, by the first two words of the address."""
    return {
        "ticket": scene.ticket.id,
        "ticket/reopen": scene.closed.id,
        "ticket/attachment": scene.attachment.id,
        "ticket/export": scene.exported.id,
        "ticket/bulk": scene.batch.batch_id,
        "trash": scene.deleted.id,
        "user": desk.cast.users["mallory"],
        "user/password": desk.cast.users["sid"],
        "user/role": desk.cast.users["olaf"],
        "user/sign-ins": desk.cast.users["sue"],
        "user/end-session": desk.cast.users["sue"],
        "user/unlink": desk.cast.users["sue"],
        "user/end-sessions": desk.cast.users["sue"],
        "user/second-factor": desk.cast.users["sid"],
        "audit-log": 1,
        "notification": scene.notification.id,
        "import": scene.imported.id,
        "comment": scene.comment.id,
        "number": scene.ticket.ticket_number,
        "fingerprint": scene.error.fingerprint,
    }


def _filled(template: str, ids: dict[str, object]) -> str:
    words = template.removeprefix("/admin/").split("/")
    record = ids.get("/".join(words[:2]), ids.get(words[0]))
    path = template.replace("{pk:path}", str(record)).replace("{pk}", str(record))
    for name in ("number", "fingerprint"):
        path = path.replace(f"{{{name}}}", str(ids[name]))
    assert not {"{", "None"} & set(path.replace("{", "/{/").split("/")), f"nobody knows what to put into {template}"
    return path
