"""What a password must be when somebody chooses one."""

import random
import string

from admin_app.errors import InvalidInput
from admin_app.services.records import password_rules as rules

COMMON = (
    "password1234, Password2026!!, p@ssw0rd1234!, pa55w0rd!!!!, ＰＡＳＳＷＯＲＤ1234, qwertyuiop12, qwertzuiop123, "
    "1qaz2wsx3edc, zaq12wsxcde3, 123456789012, 987654321098, 112233445566, aaaaaaaaaaaa, abcabcabcabc, "
    "passwordpassword, abcdefghijkl, iloveyou12345, letmein!!!!!!, Welcome-2026!, monkey1234567, football2026!, "
    "congratulations, counterstrike, 2026password2026, chr1st0pher1"
)
CLOSE = (
    "sam.staff@desk.example, SAM.STAFF@DESK.EXAMPLE1, SamStaff2026!, s4mst4ff!!!!, staffsam2026, Staff, Sam 2026, "
    "my-sam-staff, samm.staff@desk.example, support-desk-1, SupportDesk123, sam-at-the-desk, desk-password, "
    "staff@desk.example"
)
GOOD = (
    "correct horse battery staple",
    "a kettle and a cup",
    "three desk lamps",
    "the same horse runs",
    "a-long-enough-password-1",
    "7f93jx0q2m1z",
    "kT9#vLq2!mZx",
    "Ωμέγα και άλφα λέξεις",
    "東京都渋谷区神南一丁目十九番",
    "kettle moon " * 21 + "moon",
)
TYPED = {"email": "Sam.Staff@Desk.example", "full_name": "Sam Staff"}


def answer_to(password: str, **whose: str) -> str | None:
    try:
        rules.check(password, **(whose or TYPED))
    except InvalidInput as error:
        return error.fields["password"]
    return None


class TestCheck:
    def test_length_counts_as_typed_and_in_its_usual_form(self) -> None:
        short = (
            "",
            "kT9#vLq2!mZ",
            "a\N{COMBINING ACUTE ACCENT}xü9#" * 2,
            "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}",
        )
        assert {typed: answer_to(typed) for typed in short} == dict.fromkeys(short, rules.TOO_SHORT)
        long = ("kettle moon " * 21 + "moons", "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 15)
        assert {answer_to(typed) for typed in long} == {rules.TOO_LONG}

    def test_what_is_tried_first_is_refused(self) -> None:
        let_in = {typed: found for typed in COMMON.split(", ") if (found := answer_to(typed)) != rules.TOO_COMMON}
        assert let_in == {}

    def test_what_is_like_the_person_or_the_desk_is_refused(self) -> None:
        typed = CLOSE.replace("Staff, Sam", "Staff;Sam").split(", ")
        assert {one: found for one in typed if (found := answer_to(one)) != rules.TOO_CLOSE} == {}

    def test_others_may_choose_what_is_like_somebody_else(self) -> None:
        assert answer_to("samm.staff@firm.example", email="mia@firm.test", full_name="Mia Moon") is None

    def test_words_that_do_not_belong_together_and_what_a_machine_makes_are_taken(self) -> None:
        assert {typed: found for typed in GOOD if (found := answer_to(typed))} == {}
        made_by, letters = random.Random(7), string.ascii_letters + string.digits
        made = ["".join(made_by.choices(letters, k=16)) for _ in range(2_000)]
        assert [typed for typed in made if answer_to(typed)] == []


class TestCommon:
    def test_more_than_three_thousand_of_them_are_long_enough_to_be_chosen(self) -> None:
        long = [one for one in rules.common() if len(one) >= rules.SHORTEST]
        assert len(long) > 3_000
        assert {typed for typed in long if answer_to(typed) is None} == set()
        assert min(map(len, rules.common())) >= 4, "A shorter one would be found in everything."
