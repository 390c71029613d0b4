"""What counts as a word: the same in Python and in PostgreSQL."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admin_app.db.search_words import LONGEST_WORD, words

TEXTS = {
    "Müller & Söhne, Straße": "muller sohne strasse",
    "MU\u0308LLER": "muller",
    "foo-bar@example.com": "foo bar example com",
    "東京都": "東 東京 京都 都",
    "iPhoneを買う": "iphone を を買 買う う",
    "ﾌﾟﾘﾝﾀ": "プ プリ リン ンタ タ",
    "がぎ": "が がぎ ぎ",
    "مُدَرِّس أحمد ٣": "مدرس احمد 3",
    "👍🏽🎉 ok": "👍 🎉 ok",
    "👨‍👩‍👧": "👨 👩 👧",
    "한국어 프린터": "한국어 프린터",
    "ПРИВЕТ Ёлка ΣΊΣΥΦΟΣ": "привет елка σισυφοσ",
    "½ ² ﬁ Ⅷ": "1 2 2 fi viii",
    "x" * 300 + " y": "x" * LONGEST_WORD + " y",
    "«%_\\*'\"»": "",
    "": "",
}
LETTERS = st.characters(exclude_categories=("Cs", "Cn", "Co"), exclude_characters="\x00")
SOME = st.sampled_from(sorted(set("".join(TEXTS)) | set("ÀéİıſẞßÆøŁđþΆςЙйҐ・。、ー゙が٠ىٱﷺ\u200d\ufe0f\u3000①㍿")))


class TestWords:
    def test_each_text_has_its_words(self) -> None:
        assert {text: words(text).strip() for text in TEXTS} == TEXTS

    def test_words_stand_between_spaces(self) -> None:
        assert (words("a b"), words("?")) == (" a b ", " ")


@pytest.fixture(scope="module")
def in_postgresql(postgresql, migrated_postgresql):
    """The function of the database, for many texts at once."""
    connection = postgresql.connect(migrated_postgresql)

    def ask(texts: list[str]) -> list[str]:
        query = "SELECT search_words(t) FROM unnest($1::text[]) WITH ORDINALITY AS given(t, n) ORDER BY n"
        rows = postgresql._portal.call(connection.fetch, query, texts)
        return [row[0] for row in rows]

    yield ask
    postgresql.disconnect(connection)


class TestPostgresqlFunction:
    def test_it_agrees_on_every_text(self, in_postgresql) -> None:
        assert dict(zip(TEXTS, in_postgresql(list(TEXTS)), strict=True)) == {text: words(text) for text in TEXTS}

    def test_it_agrees_on_every_letter(self, in_postgresql) -> None:
        """Without code points that belong to later versions of Unicode."""
        codes = [*range(1, 0xD800), *range(0xE000, 0x10000), *range(0x1F000, 0x1FB00), *range(0x20000, 0x20100)]
        texts = [f"a{chr(code)}b" for code in codes if unicodedata.category(chr(code)) != "Cn"]
        pairs = zip(texts, in_postgresql(texts), strict=True)
        assert [text for text, found in pairs if found != words(text)] == []

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.text(SOME | LETTERS, max_size=30), min_size=20, max_size=20))
    def test_it_agrees_on_mixtures(self, in_postgresql, texts: list[str]) -> None:
        pairs = zip(texts, in_postgresql(texts), strict=True)
        assert [text for text, found in pairs if found != words(text)] == []
