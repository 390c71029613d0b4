"""Passwords: hashes, and equal effort for right and wrong."""

import pytest
from argon2 import PasswordHasher

from admin_app.services.records import password_rules, passwords

GOOD = "correct horse battery"


class TestHashPassword:
    def test_gives_an_argon2id_hash_that_differs_every_time(self) -> None:
        first, second = passwords.hash_password(GOOD), passwords.hash_password(GOOD)
        assert first.startswith("$argon2id$")
        assert first != second
        assert GOOD not in first

    def test_asks_for_no_rule_so_that_old_passwords_are_hashed_anew(self) -> None:
        assert passwords.is_right("short", passwords.hash_password("short"))

    def test_a_password_of_the_longest_length_is_looked_at_whole(self) -> None:
        longest = "kettle moon " * 21 + "moon"
        assert len(longest) == passwords.LONGEST == password_rules.LONGEST
        assert passwords.is_right(longest, passwords.hash_password(longest))


class TestIsRight:
    @pytest.mark.parametrize("wrong", ["", "Correct horse battery", "correct horse battery "])
    def test_takes_the_password_itself_and_nothing_close_to_it(self, wrong: str) -> None:
        stored = passwords.hash_password(GOOD)
        assert passwords.is_right(GOOD, stored)
        assert not passwords.is_right(wrong, stored)

    def test_nobody_without_a_hash_gets_in_not_even_with_the_stand_in_password(self) -> None:
        assert not passwords.is_right("nobody has this password", None)

    def test_a_damaged_hash_lets_nobody_in(self) -> None:
        assert not passwords.is_right(GOOD, "not a hash")

    def test_somebody_unknown_costs_a_hash_computation_too(self, monkeypatch) -> None:
        seen = []

        class Watched:
            def verify(self, stored: str, password: str) -> bool:
                seen.append(stored)
                return True

        monkeypatch.setattr(passwords, "_hasher", Watched())
        assert not passwords.is_right(GOOD, None)
        assert len(seen) == 1
        assert seen[0].startswith("$argon2id$")


class TestNeedsRehash:
    def test_is_no_for_a_hash_of_today(self) -> None:
        assert not passwords.needs_rehash(passwords.hash_password(GOOD))

    def test_is_yes_for_weaker_parameters(self) -> None:
        weaker = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(GOOD)
        assert passwords.needs_rehash(weaker)
