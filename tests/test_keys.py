"""The newest key makes, all are accepted, and no two purposes share one."""

from admin_app import keys


class TestDerived:
    def test_there_is_one_for_each_secret_key_in_their_order(self) -> None:
        both = keys.derived(["new", "old"], "second factor")
        assert both == [*keys.derived(["new"], "second factor"), *keys.derived(["old"], "second factor")]

    def test_each_is_as_long_as_a_cipher_wants_it(self) -> None:
        assert [len(key) for key in keys.derived(["new", "öld"], "x")] == [32, 32]

    def test_no_two_purposes_share_one(self) -> None:
        assert keys.derived(["new"], "device") != keys.derived(["new"], "second factor")

    def test_it_is_the_same_every_time(self) -> None:
        assert keys.derived(["new"], "device") == keys.derived(["new"], "device")
