"""What a password must be when somebody chooses one. Signing in never asks this: older passwords go on working.

Length counts more than anything else (NIST SP 800-63B §3.1.1.2), so nothing is asked about kinds of characters. Refused
is what is tried first: common passwords and single long words, with digits around them or letters swapped for digits;
rows of keys, runs and repetitions; and what anybody who knows the person or the desk would try.
"""

import gzip
import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import cache
from importlib import resources
from itertools import pairwise

from admin_app.errors import InvalidInput

SHORTEST, LONGEST = 12, 256
"""Characters, as typed and in their usual form (NFKC) alike."""

RULE = (
    f"At least {SHORTEST} characters; a few words that do not belong together do well. "
    "No common password, and nothing like the name, the e-mail address or the name of this desk."
)
TOO_SHORT = f"A password has at least {SHORTEST} characters."
TOO_LONG = f"A password has at most {LONGEST} characters."
TOO_COMMON = "This is among the passwords that are tried first. Choose a few words that do not belong together."
TOO_CLOSE = "This is too much like the name, the e-mail address or the name of this desk. Choose something else."

DESK_WORDS = ("supportdesk", "helpdesk", "support", "ticket", "admin", "desk")
KEY_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
)
LEAST_OF_ONES_OWN = 8
"""Letters and digits that must be left when words that others know are taken out, or ends cut off."""
FEWEST_DIFFERENT = 5
LONGEST_RUN_ON_AVERAGE = 3
NEAR = 0.8
_SWAPS = [str.maketrans("0134578@$!", f"o{one}eastba{dollar}i") for one in "il" for dollar in "s"]
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def check(password: str, *, email: str = "", full_name: str = "") -> None:
    """`InvalidInput` at `password` with a sentence, unless this person may choose it."""
    usual = unicodedata.normalize("NFKC", password)
    if min(len(password), len(usual)) < SHORTEST:
        raise InvalidInput(password=TOO_SHORT)
    if max(len(password), len(usual)) > LONGEST:
        raise InvalidInput(password=TOO_LONG)
    spellings = _spellings(usual.casefold())
    if any(_is_close(spelling, email.casefold(), full_name.casefold()) for spelling in spellings):
        raise InvalidInput(password=TOO_CLOSE)
    if _is_patterned(_squeezed(usual.casefold())) or any(_is_common(spelling) for spelling in spellings):
        raise InvalidInput(password=TOO_COMMON)


@cache
def common() -> frozenset[str]:
    """Passwords that are tried first, and long words, as `_squeezed` spells them."""
    packed = resources.files("admin_app.services.records").joinpath("common-passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split("\n"))


def _spellings(text: str) -> set[str]:
    """As typed, and with the letters that digits and signs stand for inside of it."""
    core = _ENDS.sub("", text)
    return {text} | {text.replace(core, core.translate(swap)) for swap in _SWAPS if core}


def _is_common(text: str) -> bool:
    """On the list, as a whole or without a few characters at its ends."""
    whole, core = _squeezed(text), _squeezed(_ENDS.sub("", text))
    around = whole.replace(core, "", 1) if core else ""
    is_little = len(around) <= LEAST_OF_ONES_OWN or _is_patterned(around)
    return whole in common() or (core in common() and is_little)


def _is_patterned(text: str) -> bool:
    """Few different characters, a short piece again and again, or runs along the alphabet, digits and rows of keys."""
    if len(set(text)) < FEWEST_DIFFERENT:
        return True
    period = (text + text).index(text, 1)
    piece = text[:period]
    if period < len(text) and (period < LEAST_OF_ONES_OWN or piece in common()):
        return True
    runs = 1 + sum(pair not in _neighbours() and pair[0] != pair[1] for pair in pairwise(text))
    return runs * LONGEST_RUN_ON_AVERAGE <= len(text)


@cache
def _neighbours() -> frozenset[tuple[str, str]]:
    return frozenset(pair for row in KEY_ROWS for way in (row, row[::-1]) for pair in pairwise(way))


def _is_close(text: str, email: str, full_name: str) -> bool:
    """Whether too little is left without the words that others know, or it hardly differs from one of them."""
    local, _, domain = email.partition("@")
    names = [_squeezed(name) for name in (email, local, full_name)]
    parts = re.split(r"[\W_]+", f"{local} {full_name} {domain.rpartition('.')[0]}")
    whole = _squeezed(text)
    rest = _without(whole, [*names, *map(_squeezed, parts), *DESK_WORDS])
    if rest != whole and (len(_ENDS.sub("", rest)) < LEAST_OF_ONES_OWN or rest in common()):
        return True
    core = _squeezed(_ENDS.sub("", text))
    return any(SequenceMatcher(None, core, name).ratio() >= NEAR for name in names if len(name) >= 6)


def _without(text: str, words: Iterable[str]) -> str:
    for word in sorted((word for word in words if len(word) >= 3), key=len, reverse=True):
        text = text.replace(word, "")
    return text


def _squeezed(text: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFKC", text) if character.isalnum())
