"""People: found, added, edited by two at once, and every action on them with its mistakes."""

from collections.abc import Awaitable, Callable

import pytest

from admin_app.models import AuditLog, User
from admin_app.permissions import Role
from admin_app.services.operations import accounts
from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import Visitor, form_on, links_on, names_of_links, text_of
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]


class TestList:
    @in_one(
        ("query", "expected"),
        [
            ("", ["Ada Admin", "Kim Customer", "Mallory Customer", "Olaf Ops", "Sam Staff", "Sid Staff"]),
            ("?role=customer", ["Kim Customer", "Mallory Customer"]),
            ("?search=STAFF", ["Sam Staff", "Sid Staff"]),
            ("?search=olaf@", ["Olaf Ops"]),
            ("?search=%25", []),
            ("?search=_", []),
            ("?active=no", ["Sue Supervisor"]),
            ("?active=yes&role=ops", ["Olaf Ops"]),
        ],
    )
    async def test_it_shows_whom_the_address_asks_for(
        self, desk: Desk, visit: Visit, query: str, expected: list[str]
    ) -> None:
        await desk.set(User, desk.cast.users["sue"], is_active=False)
        page = await (await visit("sam")).get(f"/admin/user/list{query}")
        everybody = expected if query else [*expected, "Sue Supervisor"]
        assert [name for name in names_of_links(page, "/admin/user/details/") if name] == everybody

    async def test_no_hash_is_ever_on_a_page(self, desk: Desk, visit: Visit, password_hash: str) -> None:
        ada, sam = await visit("ada"), desk.cast.users["sam"]
        for path in ("list", f"details/{sam}", f"edit/{sam}", f"password/{sam}"):
            answer = await ada.get(f"/admin/user/{path}")
            assert answer.status_code == 200
            assert "argon2" not in answer.text


class TestDetails:
    BUTTONS = {
        ("sam", "kim"): {"edit"},
        ("sam", "sid"): set(),
        ("ada", "sid"): {"edit", "role", "password", "end-sessions"},
        ("ada", "ada"): {"edit", "password", "end-sessions"},
    }

    @pytest.mark.parametrize(("viewer", "whom"), BUTTONS)
    async def test_buttons_follow_the_role(self, desk: Desk, visit: Visit, viewer: str, whom: str) -> None:
        page = await (await visit(viewer)).get(f"/admin/user/details/{desk.cast.users[whom]}")
        verbs = ("edit", "role", "password", "end-sessions")
        shown = {verb for verb in verbs if f"/admin/user/{verb}/{desk.cast.users[whom]}" in links_on(page)}
        assert shown == self.BUTTONS[viewer, whom]


class TestCreate:
    async def test_a_customer_is_added(self, desk: Desk, visit: Visit) -> None:
        sam = await visit("sam")
        answer = await sam.fill_in("/admin/user/create", full_name=" Nora New ", email="Nora@Desk.example")
        assert answer.status_code == 303
        stored = (await desk.rows(User))[-1]
        assert (stored.full_name, stored.email, stored.role) == ("Nora New", "nora@desk.example", Role.CUSTOMER)
        assert stored.password_hash is None
        assert "Nora New is added." in text_of(await sam.get(answer.headers["location"])).replace("  ", " ")

    async def test_no_field_of_the_form_makes_somebody_more(self, desk: Desk, visit: Visit) -> None:
        await (await visit("sam")).fill_in(
            "/admin/user/create",
            full_name="Nora",
            email="nora@desk.example",
            role="admin",
            password_hash="x",
            is_active="",
        )
        stored = (await desk.rows(User))[-1]
        assert (stored.email, stored.role, stored.password_hash) == ("nora@desk.example", Role.CUSTOMER, None)

    @pytest.mark.parametrize(
        ("email", "status", "sentence"),
        [
            ("KIM@desk.example", 409, "kim@desk.example is taken already."),
            ("", 422, "This is required."),
            ("nora", 422, "Enter an e-mail address such as"),
            ("nora@x y.example", 422, "Enter an e-mail address such as"),
            ("a\x00@desk.example", 422, "cannot be stored"),
            (f"{'x' * 250}@desk.example", 422, "At most 254 characters"),
        ],
        ids=["taken", "empty", "no address", "blank", "nul", "long"],
    )
    async def test_a_mistake_is_named_at_the_field(
        self, desk: Desk, visit: Visit, email: str, status: int, sentence: str
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at("/admin/user/create")
        async with desk.nothing_written():
            answer = await sam.submit(form, full_name="Nora kept", email=email)
        assert (answer.status_code, sentence in text_of(answer)) == (status, True)
        assert 'id="f-email-error"' in answer.text
        assert form_on(answer).fields.items() >= {"full_name": "Nora kept", "email": email}.items()


class TestEdit:
    async def test_a_stale_save_gets_the_conflict_page_and_that_can_be_saved(self, desk: Desk, visit: Visit) -> None:
        sam, kim = await visit("sam"), desk.cast.users["kim"]
        form = await sam.form_at(f"/admin/user/edit/{kim}")
        changes = {"full_name": "Kim of Sue", "timezone": "Asia/Tokyo"}
        await desk.run(accounts.edit, desk.cast.sue, kim, changes, version=1)
        async with desk.nothing_written():
            answer = await sam.submit(form, full_name="Kim of Sam", email="kim2@desk.example")
        assert answer.status_code == 409
        page = text_of(answer)
        for expected in ("At start Kim Customer", "Theirs Kim of Sue", "Yours Kim of Sam", "Sue Supervisor"):
            assert expected in page
        assert (await sam.submit(form_on(answer), **{"choice-full_name": "theirs"})).status_code == 303
        stored = await desk.stored(User, kim)
        assert (stored.full_name, stored.email, stored.timezone, stored.version) == (
            "Kim of Sue",
            "kim2@desk.example",
            "Asia/Tokyo",
            3,
        )

    @pytest.mark.parametrize("version", ["", "abc", "0", "-1", "999"])
    async def test_a_forged_version_writes_nothing_and_keeps_the_text(
        self, desk: Desk, visit: Visit, version: str
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(f"/admin/user/edit/{desk.cast.users['kim']}")
        async with desk.nothing_written():
            answer = await sam.submit(form, version=version, full_name="Kept name")
        assert answer.status_code == (409 if version == "999" else 400)
        assert form_on(answer).fields["full_name"] == "Kept name"

    @pytest.mark.parametrize(
        ("typed", "status", "sentence"),
        [
            ({"email": "sam@desk.example"}, 409, "sam@desk.example is taken already."),
            ({"full_name": " "}, 422, "This is required."),
            ({"timezone": "Mars/Olympus"}, 422, "This is not a time zone"),
        ],
        ids=["taken", "nameless", "zone"],
    )
    async def test_a_mistake_keeps_what_was_typed(
        self, desk: Desk, visit: Visit, typed: dict[str, str], status: int, sentence: str
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(f"/admin/user/edit/{desk.cast.users['kim']}")
        async with desk.nothing_written():
            answer = await sam.submit(form, **typed)
        assert (answer.status_code, sentence in text_of(answer)) == (status, True)

    async def test_an_unchanged_save_writes_nothing(self, desk: Desk, visit: Visit) -> None:
        sam, kim = await visit("sam"), desk.cast.users["kim"]
        answer = await sam.fill_in(f"/admin/user/edit/{kim}")
        assert "Nothing was changed." in text_of(await sam.get(answer.headers["location"]))
        assert (await desk.stored(User, kim)).version == 1
        assert await desk.rows(AuditLog) == []


class TestRole:
    async def test_it_is_changed_and_the_page_offers_the_present_one(self, desk: Desk, visit: Visit) -> None:
        ada, olaf = await visit("ada"), desk.cast.users["olaf"]
        form = await ada.form_at(f"/admin/user/role/{olaf}")
        assert form.fields["role"] == "ops"
        assert (await ada.submit(form, role="supervisor")).status_code == 303
        assert (await desk.stored(User, olaf)).role is Role.SUPERVISOR

    @pytest.mark.parametrize(
        ("whom", "role", "status", "sentence"),
        [
            ("olaf", "king", 422, "Choose one of the list."),
            ("olaf", "", 422, "Choose one of the list."),
            ("olaf", "ops", 422, "has this role already"),
            ("ada", "staff", 409, "Nobody changes their own role"),
            ("sam", "ops", 409, "still owns"),
        ],
    )
    async def test_a_mistake_changes_nothing(
        self, desk: Desk, scene: Scene, visit: Visit, whom: str, role: str, status: int, sentence: str
    ) -> None:
        ada = await visit("ada")
        form = await ada.form_at(f"/admin/user/role/{desk.cast.users[whom]}")
        async with desk.nothing_written():
            answer = await ada.submit(form, role=role)
        assert (answer.status_code, sentence in text_of(answer)) == (status, True), text_of(answer)[:300]


class TestDeactivateAndReactivate:
    async def test_out_and_in_again(self, desk: Desk, visit: Visit) -> None:
        sue, kim = await visit("sue"), desk.cast.users["kim"]
        assert (await sue.post(f"/admin/user/deactivate/{kim}", {"reason": "Left us."})).status_code == 303
        assert not (await desk.stored(User, kim)).is_active
        again = await sue.post(f"/admin/user/deactivate/{kim}", {"reason": "kept reason"})
        assert (again.status_code, "kept reason" in again.text) == (409, True)
        assert (await sue.fill_in(f"/admin/user/reactivate/{kim}")).status_code == 303
        assert (await desk.stored(User, kim)).is_active
        assert (await sue.fill_in(f"/admin/user/reactivate/{kim}")).status_code == 409

    async def test_somebody_with_open_work_stays(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sue = await visit("sue")
        await sue.token()
        async with desk.nothing_written():
            answer = await sue.post(f"/admin/user/deactivate/{desk.cast.users['sam']}", {"reason": "kept reason"})
        assert answer.status_code == 409
        assert "kept reason" in answer.text


class TestEndSessions:
    async def test_they_are_out_with_their_next_click(self, desk: Desk, visit: Visit) -> None:
        ada, sid = await visit("ada"), await visit("sid")
        page, link = (f"/admin/user/{verb}/{desk.cast.users['sid']}" for verb in ("details", "end-sessions"))
        assert link in links_on(await ada.get(page))
        assert (await ada.fill_in(link)).status_code == 303
        assert (await sid.get("/admin/")).status_code == 302
        await desk.set(User, desk.cast.users["sid"], is_active=False)
        assert link not in links_on(await ada.get(page))
