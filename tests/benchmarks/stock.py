"""SQLAdmin as its documentation sets it up, on the desk's own models: what the desk is compared with."""

from typing import Any, ClassVar

from sqladmin import Admin, ModelView
from sqladmin.authentication import AuthenticationBackend
from sqladmin.filters import StaticValuesFilter
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from admin_app.db.engine import async_url
from admin_app.db.search_words import words
from admin_app.models import Status, Ticket, User


class Anybody(AuthenticationBackend):
    """The signed cookie of the documentation."""

    async def login(self, request: Request) -> Response | bool:
        """Whoever asks is let in."""
        request.session["token"] = "in"
        return True

    async def logout(self, request: Request) -> Response | bool:
        """Forget them."""
        request.session.clear()
        return True

    async def authenticate(self, request: Request) -> Response | bool:
        """Whether the cookie says so."""
        return "token" in request.session


class StockUsers(ModelView, model=User):
    """People, because tickets point at them."""

    identity = "user"
    column_list = [User.id, User.email, User.full_name]
    form_columns = [User.email, User.full_name]


class StockTickets(ModelView, model=Ticket):
    """The columns of the desk's own list and form, as far as SQLAdmin has fields for them (not the priority)."""

    identity = "ticket"
    page_size = 50
    page_size_options = [25, 50, 100]
    column_list = [
        Ticket.ticket_number,
        Ticket.title,
        Ticket.status,
        Ticket.priority,
        Ticket.owner,
        Ticket.creator,
        Ticket.due_at,
        Ticket.created_at,
        Ticket.updated_at,
    ]
    column_details_list = [
        *column_list,
        Ticket.description,
        Ticket.channel,
        Ticket.category,
        Ticket.resolution,
    ]
    column_searchable_list = [Ticket.ticket_number, Ticket.title, Ticket.description]
    column_sortable_list = [Ticket.created_at, Ticket.title, Ticket.status]
    column_default_sort = [(Ticket.created_at, True), (Ticket.id, True)]
    column_filters: ClassVar[Any] = [StaticValuesFilter(Ticket.status, [(s.value, s.value) for s in Status])]
    form_columns = [
        Ticket.title,
        Ticket.description,
        Ticket.status,
        Ticket.channel,
        Ticket.category,
        Ticket.resolution,
        Ticket.owner,
        Ticket.creator,
    ]
    form_ajax_refs: ClassVar[Any] = {
        "owner": {"fields": ("full_name", "email"), "order_by": "full_name"},
        "creator": {"fields": ("full_name", "email"), "order_by": "full_name"},
    }


def know_words(connection: Any, record: Any) -> None:
    """The desk's triggers keep the search in step; whoever writes to its database needs their function."""
    connection.create_function("search_words", 1, words, deterministic=True)


def create_stock_app(database_url: str) -> Starlette:
    """The application, ready to serve."""
    app = Starlette()
    engine = create_async_engine(async_url(database_url))
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", know_words)
    admin = Admin(app, engine, authentication_backend=Anybody(secret_key="benchmark"))
    admin.add_view(StockTickets)
    admin.add_view(StockUsers)
    app.state.dispose = engine.dispose
    return app
