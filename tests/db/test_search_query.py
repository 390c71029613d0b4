"""What is read out of the search box."""

from admin_app.db.search_query import LONGEST, SearchQuery, parse

READ = {
    "": SearchQuery(),
    '" % *': SearchQuery(),
    "Fire on Printer": SearchQuery(wholes=("on",), beginnings=("fire", "printer"), typed=" fire on printer "),
    '"on fire" now': SearchQuery(
        wholes=("on", "fire"), beginnings=("now",), phrases=(" on fire ",), typed=" on fire now "
    ),
    "„on fire“": SearchQuery(wholes=("on", "fire"), phrases=(" on fire ",), typed=" on fire "),
    'half "quoted': SearchQuery(beginnings=("half", "quoted"), typed=" half quoted "),
    "foo-bar": SearchQuery(wholes=("foo",), beginnings=("bar",), phrases=(" foo bar",), typed=" foo bar "),
    "a OR b": SearchQuery(wholes=("a", "or", "b"), typed=" a or b "),
    "東京都": SearchQuery(wholes=("東京", "京都"), phrases=(" 東京 京都",), typed=" 東 東京 京都 都 "),
    "東京": SearchQuery(wholes=("東京",), typed=" 東 東京 京 "),
    "京": SearchQuery(beginnings=("京",), typed=" 京 京 "),
    "T-12": SearchQuery(wholes=("t", "12"), phrases=(" t 12 ",), typed=" t 12 ", number="T-000012"),
    "000012": SearchQuery(wholes=("000012",), typed=" 000012 ", number="T-000012"),
    "Kim@ex.org": SearchQuery(
        wholes=("kim", "ex", "org"), phrases=(" kim ex org ",), typed=" kim ex org ", address=" kim ex org "
    ),
    "kim@exam": SearchQuery(
        wholes=("kim",), beginnings=("exam",), phrases=(" kim exam",), typed=" kim exam ", address=" kim exam "
    ),
}


class TestParse:
    def test_each_is_read_as_people_mean_it(self) -> None:
        assert {typed: parse(typed) for typed in READ} == READ

    def test_what_is_too_long_is_cut(self) -> None:
        assert parse("x " * LONGEST) == parse("x " * (LONGEST // 2))

    def test_the_same_question_in_both_languages(self) -> None:
        query = parse("on fire")
        assert query.tsquery == "'on' & 'fire':*"
        assert query.fts5 == '"on" AND "fire"*'
        assert query.needles == (" on ", " fire")

    def test_exactly_knows_no_beginnings(self) -> None:
        exact = parse('fire on-deck "at sea"').exactly
        assert exact.tsquery == "'on' & 'at' & 'sea' & 'fire' & 'deck'"
        assert exact.phrases == (" on deck ", " at sea ")
