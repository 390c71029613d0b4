"""What counts as a word when somebody searches: one rule, in Python for SQLite and as a function for PostgreSQL.

Capitals, accents and vowel points make no difference (`Müller`, `MULLER` and `muller` are one word; `ß` is `ss`).
Punctuation parts words. Japanese, Chinese and Thai write no spaces, so every character of theirs stands for itself and
together with its neighbour: `東京都` becomes `東 東京 京都 都`. An emoji is a word. A word is cut after 100 characters.

The classes are lists of code points, not the library's properties, so that two versions of Unicode cannot disagree on
them. Both sides normalise by their own table: characters that only one of them knows yet may be read differently.
"""

import re
import unicodedata
from functools import lru_cache

LONGEST_WORD = 100
NOTHING = "x" * (LONGEST_WORD + 1)
"""Whoever looks for this finds nothing: no word is so long."""

CJK = (
    r"\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1780-\u17b3\u3005-\u3007\u3031-\u3035\u3041-\u3096"
    r"\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Written without spaces."""

_SYMBOLS = r"\u2190-\u2bff\U0001f000-\U0001f3fa\U0001f400-\U0001faff"
_STRIPPED = (
    r"\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640"
    r"\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U0001f3fb-\U0001f3ff"
    r"\U000e0000-\U000e0fff"
)
"""Accents, vowel points, joiners and skin tones: left out, without parting the word around them."""
_SEPARATORS = (
    r"\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7"
    r"\u02c2-\u02df\u0375\u037e\u0387\u055a-\u055f\u0589\u058a\u05be\u05c0\u05c3\u05c6\u05f3\u05f4\u0600-\u060f"
    r"\u061b-\u061f\u066a-\u066d\u06d4\u06dd\u06de\u06e9\u0700-\u070f\u0964\u0965\u0e3f\u0e4f\u0e5a\u0e5b\u1680"
    r"\u180e\u2000-\u20cf\u2e00-\u2e7f\u3000-\u3004\u3008-\u3030\u303d-\u303f\u30a0\u30fb\ufe10-\ufe1f"
    r"\ufe30-\ufe6f\ufff0-\uffff"
)

_ASCII_SEPARATORS = r"\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f"
_PLAIN = r"\u0001-\u00a9\u00ab\u00ac\u00ae-\u00b1\u00b6\u00b7\u00bb\u00bf\u00d7\u00f7\u2010-\u2027\u2030-\u205e\u20ac"
"""What most texts consist of, typographic dashes and quotes among them: PostgreSQL need not take such a text apart."""


def _folded_letters() -> dict[str, str]:
    """Single letters that stand for one another once accents are gone."""
    letters = {chr(code): chr(code).lower() for code in [*range(0x80, 0x588), *range(0x1E00, 0x2000)]}
    same = dict(zip("ςıøđðłħŧĸŋىیکە٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "σioddlhtknييكه01234567890123456789", strict=True))
    folded = {letter: same.get(small, small) for letter, small in letters.items() if len(small) == 1} | same
    return {letter: small for letter, small in folded.items() if letter != small}


LETTERS = _folded_letters()
PAIRS = {"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th"}
_TABLE = str.maketrans({**LETTERS, **PAIRS})
_strip = re.compile(f"[{_STRIPPED}]").sub
_part_symbols = re.compile(f"[{_SYMBOLS}]").sub
_part_runs = re.compile(f"[{CJK}]+").sub
_double = re.compile(f"[{CJK}]").sub
_part = re.compile(f"[{_SEPARATORS}]+").sub
_cut = re.compile(f"([^ ]{{{LONGEST_WORD}}})[^ ]+").sub
is_unspaced = re.compile(f"[{CJK}]").match


@lru_cache(maxsize=512)
def words(text: str) -> str:
    """The words of a text in order, with a space before, between and after; one space when there are none."""
    if not text.isascii():
        text = unfolded(text)
        text = _part_symbols(r" \g<0> ", text)
        text = _double(r"\g<0> \g<0>", _part_runs(r" \g<0> ", text))
    found = _cut(r"\1", _part(" ", text.lower() if text.isascii() else _ascii_lower(text))).strip(" ")
    return f" {found} " if found else " "


def unfolded(text: str) -> str:
    """The text without accents and with its foreign letters in one form."""
    plain = unicodedata.normalize("NFKC", _strip("", unicodedata.normalize("NFKD", text)))
    return plain.translate(_TABLE)


_ASCII = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})


def _ascii_lower(text: str) -> str:
    return text.translate(_ASCII)


def postgresql_function() -> str:
    """The same rule as a function that PostgreSQL's triggers can call."""
    letters, small = "".join(LETTERS), "".join(LETTERS.values())
    pairs = "words"
    for letter, two in PAIRS.items():
        pairs = f"replace({pairs}, '{letter}', '{two}')"
    return f"""
CREATE FUNCTION search_words(given text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE words text := given;
BEGIN
    IF octet_length(words) = char_length(words) THEN
        words := regexp_replace(lower(words COLLATE "C"), '[{_ASCII_SEPARATORS}]+', ' ', 'g');
    ELSE
        IF words ~ '[^{_PLAIN}]' THEN
            words := normalize(regexp_replace(normalize(words, NFKD), '[{_STRIPPED}]', '', 'g'), NFKC);
            IF words ~ '[{letters}]' THEN words := translate(words, '{letters}', '{small}'); END IF;
            IF words ~ '[{"".join(PAIRS)}]' THEN words := {pairs}; END IF;
            words := regexp_replace(words, '[{_SYMBOLS}]', ' \\& ', 'g');
            words := regexp_replace(regexp_replace(words, '[{CJK}]+', ' \\& ', 'g'), '[{CJK}]', '\\& \\&', 'g');
        END IF;
        words := regexp_replace(lower(words COLLATE "C"), '[{_SEPARATORS}]+', ' ', 'g');
    END IF;
    IF words ~ '[^ ]{{{LONGEST_WORD + 1}}}' THEN
        words := regexp_replace(words, '([^ ]{{{LONGEST_WORD}}})[^ ]+', '\\1', 'g');
    END IF;
    words := btrim(words, ' ');
    RETURN CASE WHEN words = '' THEN ' ' ELSE ' ' || words || ' ' END;
END $$
"""
