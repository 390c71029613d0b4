"""Where in a text the words are that somebody searched for."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from admin_app.db.search_query import SearchQuery
from admin_app.db.search_words import is_unspaced, unfolded, words

Pieces = tuple[tuple[str, bool], ...]
"""A text in parts; those that were searched for are marked."""

BEFORE, LENGTH = 50, 180
"""How many characters an excerpt shows before the first match, and altogether."""

LONGEST = 20_000
"""A text is looked through so far: an excerpt is a help, not the search itself."""

Wanted = tuple[tuple[str, bool], ...]
"""What to mark: words, and whether they must end where they end."""


def wanted_in(query: SearchQuery) -> Wanted:
    """Every word of a search, on its own."""
    wholes = ((word, not is_unspaced(word)) for word in query.wholes)
    return (*wholes, *((word, False) for word in query.beginnings))


def marked(text: str, wanted: Wanted) -> Pieces:
    """The whole text, with its matches marked."""
    spans = _spans(text, wanted)
    return _pieces(text, spans, 0, len(text))


def excerpt(text: str, wanted: Wanted) -> Pieces:
    """The text around its first match on one line; nothing when it has none."""
    text = " ".join(text[:LONGEST].split())
    spans = _spans(text, wanted)
    if not spans:
        return ()
    begin = 0 if spans[0][0] <= BEFORE else text.find(" ", spans[0][0] - BEFORE, spans[0][0]) + 1 or spans[0][0]
    end = len(text) if len(text) <= begin + LENGTH else max(text.rfind(" ", begin, begin + LENGTH), spans[0][1])
    pieces = _pieces(text, [span for span in spans if span[1] <= end], begin, end)
    return ((("… ", False),) if begin else ()) + pieces + (((" …", False),) if end < len(text) else ())


def holds(texts: Iterable[str], query: SearchQuery) -> bool:
    """Whether these texts hold every word between them."""
    known = "".join(words(text[:LONGEST]) for text in texts)
    return all(needle in known for needle in query.needles)


def _spans(text: str, wanted: Wanted) -> list[tuple[int, int]]:
    """Where matches begin and end in the text as it is written; those that overlap become one."""
    folded, places = _folded(text)
    spans: list[tuple[int, int]] = []
    for begin, end in sorted(match for word, is_whole in wanted for match in _matches(folded, word, is_whole)):
        start, stop = places[begin], places[end - 1] + 1
        if spans and start < spans[-1][1]:
            start, earlier = spans.pop()
            stop = max(stop, earlier)
        spans.append((start, stop))
    return spans


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The text as searches see it, and where each of its characters comes from."""
    if text.isascii():
        return text.translate(_ascii_plain()), range(len(text))
    letters = list(map(_plain, text))
    return "".join(letters), [place for place, plain in enumerate(letters) for _ in plain]


def _matches(folded: str, word: str, is_whole: bool) -> Iterator[tuple[int, int]]:
    goes_anywhere = not _is_letter(word[0])
    begin = folded.find(word)
    while begin >= 0:
        end = begin + len(word)
        begins = goes_anywhere or begin == 0 or not _is_letter(folded[begin - 1])
        if begins and not (is_whole and end < len(folded) and _is_letter(folded[end]) and not goes_anywhere):
            yield begin, end
        begin = folded.find(word, begin + 1)


def _is_letter(sign: str) -> bool:
    """Whether it is part of a word that goes on to both sides."""
    return sign.isalnum() and not is_unspaced(sign)


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    """One character as searches see it: nothing for an accent, a blank for what parts words."""
    if not unfolded(letter):
        return ""
    found = words(letter).split()
    return found[0] if found else " "


@lru_cache(maxsize=1)
def _ascii_plain() -> dict[int, str]:
    return {code: _plain(chr(code)) for code in range(128)}


def _pieces(text: str, spans: list[tuple[int, int]], begin: int, end: int) -> Pieces:
    pieces = []
    for start, stop in spans:
        pieces += [(text[begin:start], False), (text[start:stop], True)]
        begin = stop
    return tuple((part, hit) for part, hit in [*pieces, (text[begin:end], False)] if part)
