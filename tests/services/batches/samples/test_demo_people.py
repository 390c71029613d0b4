"""Who works at the demo desk, and who writes to it."""

from admin_app.permissions import DESK_ROLES
from admin_app.services.batches.samples import demo_people
from admin_app.services.records import password_rules


class TestDesk:
    def test_the_five_that_people_are_shown(self) -> None:
        shown = [(p.full_name, p.role.value, p.email, p.password) for p in demo_people.DESK if p.is_shown]
        assert shown == [
            ("Sam Rivera", "staff", "sam@desk.example", "sam-at-the-desk"),
            ("Sid Novak", "staff", "sid@desk.example", "sid-at-the-desk"),
            ("Sue Tanaka", "supervisor", "sue@desk.example", "sue-at-the-desk"),
            ("Olaf Berg", "ops", "olaf@desk.example", "olaf-at-the-desk"),
            ("Ada Mensah", "admin", "ada@desk.example", "ada-at-the-desk"),
        ]

    def test_everybody_could_sign_in(self) -> None:
        assert {person.role for person in demo_people.DESK} == DESK_ROLES
        assert len({person.email for person in demo_people.DESK}) == len(demo_people.DESK)
        for person in demo_people.DESK:
            assert len(person.password) >= password_rules.SHORTEST


class TestCustomer:
    def test_names_and_addresses_do_not_repeat(self) -> None:
        everybody = [demo_people.customer(number) for number in range(2000)]
        assert len({address for _, address in everybody}) == 2000
        assert len({name for name, _ in everybody}) == 2000

    def test_an_address_is_the_name_in_lower_case(self) -> None:
        assert demo_people.customer(0) == ("Amara Abbott", "amara.abbott@customer.example")


class TestFullName:
    def test_twenty_thousand_people_have_names_of_their_own(self) -> None:
        assert len({demo_people.full_name(number) for number in range(20_000)}) == 20_000
        assert [demo_people.full_name(number) for number in (0, 2000)] == ["Amara Abbott", "Amara A. Abbott"]
