"""What a dry run has pretended so far."""

from pathlib import Path

from admin_app.services.batches.csv_import.rehearsal import CUSTOMER, KEY, Rehearsal


class TestRehearsal:
    def test_it_knows_what_was_added_and_nothing_else(self) -> None:
        with Rehearsal() as rehearsal:
            rehearsal.add(KEY, ["a", "b"])
            assert rehearsal.seen(KEY, ["a", "c"]) == {"a"}
            assert rehearsal.seen(CUSTOMER, ["a"]) == set()

    def test_only_new_words_are_counted(self) -> None:
        with Rehearsal() as rehearsal:
            assert rehearsal.add(KEY, ["a", "b"]) == 2
            assert rehearsal.add(KEY, ["b", "c"]) == 1
            assert rehearsal.add(KEY, []) == 0

    def test_nothing_stays_on_disk(self) -> None:
        with Rehearsal() as rehearsal:
            folder = Path(rehearsal._folder.name)
            assert list(folder.iterdir())
        assert not folder.exists()
