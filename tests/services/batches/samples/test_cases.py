"""What customers of the demo desk write in about."""

import pytest

from admin_app.services.batches.samples import cases
from admin_app.services.records import text_rules

WORDS = {"product": max(cases.PRODUCTS, key=len), "order": "HP-12345"}


class TestCases:
    @pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.title)
    def test_every_text_fits_its_field(self, case: cases.Case) -> None:
        texts = {"title": case.title.format(**WORDS), "description": case.description.format(**WORDS)}
        text_rules.check({**texts, "category": case.category, "resolution": case.resolution}, required=tuple(texts))
        text_rules.check({"body": case.reply}, required=("body",))
        text_rules.check({"body": case.note.format(**WORDS)}, required=("body",))
        for tag in case.tags:
            text_rules.check({"tag": tag}, required=("tag",))
            assert tag == tag.lower()

    def test_no_two_are_alike(self) -> None:
        for part in ("title", "description", "reply", "note", "resolution"):
            texts = [getattr(case, part) for case in cases.CASES]
            assert len(texts) == len(set(texts)), part

    def test_there_is_something_of_everything(self) -> None:
        assert len(cases.CASES) >= 30
        assert len({case.category for case in cases.CASES}) >= 6
        assert any("urgent" in case.tags for case in cases.CASES)
