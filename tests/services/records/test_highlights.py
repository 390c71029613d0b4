"""Marks in what was found."""

from admin_app.db.search_query import parse
from admin_app.services.records import highlights


def shown(pieces: highlights.Pieces) -> str:
    return "".join(f"[{text}]" if hit else text for text, hit in pieces)


class TestMarked:
    def test_marks_words_as_the_search_understands_them(self) -> None:
        expected = {
            ("fire", "Printer on fire, FIRED up, misfire"): "Printer on [fire], [FIRE]D up, misfire",
            ("on", "on only upon ON"): "[on] only upon [ON]",
            ("muller", "Herr Müller, Mu\u0308ller"): "Herr [Müller], [Mu\u0308ller]",
            ("strasse", "Große Straße 5"): "Große [Straße] 5",
            ("東京都", "ここは東京都です"): "ここは[東京都]です",
            ("京", "東京都"): "東[京]都",
            ("iphone", "iPhoneを買う"): "[iPhone]を買う",
            ("👍", "fine 👍🏽!"): "fine [👍]🏽!",
            ("kim@ex.org", "Kim <kim@ex.org>"): "[Kim] <[kim]@[ex].[org]>",
            ("<b>", "a <b> & c"): "a <[b]> & c",
            ("zzz", "nothing"): "nothing",
            ("zzz", ""): "",
        }
        found = {
            (typed, text): shown(highlights.marked(text, highlights.wanted_in(parse(typed))))
            for typed, text in expected
        }
        assert found == expected
        for (_, text), pieces in zip(expected, found.values(), strict=True):
            assert pieces.replace("[", "").replace("]", "") == text


class TestExcerpt:
    def test_shows_the_first_match_with_what_is_around_it(self) -> None:
        wanted = highlights.wanted_in(parse("fire"))
        words = " ".join(f"word{number:02}" for number in range(60))
        assert highlights.excerpt("nothing here", wanted) == ()
        assert shown(highlights.excerpt("a\n\n fire  b", wanted)) == "a [fire] b"
        long = shown(highlights.excerpt(f"{words} fire {words}", wanted))
        assert long.startswith("… word53 ")
        assert "word59 [fire] word00" in long
        assert long.endswith(" …")
        assert len(long) < highlights.LENGTH + 10
        unbroken = shown(highlights.excerpt("東" * 300 + "fire" + "東" * 300, wanted))
        assert unbroken == "… [fire] …"
        assert shown(highlights.excerpt("fire " * 100, wanted)).count("[fire]") == 36


class TestHolds:
    def test_all_words_must_be_in_one_of_the_texts(self) -> None:
        query = parse("fire Müller")
        assert highlights.holds(["on fire", "muller"], query)
        assert not highlights.holds(["on fire", ""], query)
