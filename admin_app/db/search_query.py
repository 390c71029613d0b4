"""What somebody typed into the search box: words, beginnings of words, phrases in quotes, and no operators."""

import re
from dataclasses import dataclass, replace

from admin_app.db.search_words import is_unspaced, words

LONGEST = 200
"""What is typed beyond this is left out."""

SHORTEST_BEGINNING = 3
"""Shorter words are looked for as a whole: half of all words begin with any letter."""

_piece = re.compile(r'["“”„«»]([^"“”„«»]*)["“”„«»]|([^\s"“”„«»]+)')
_number = re.compile(r"(?:#|t-?)?0*(\d{1,9})", re.IGNORECASE)
_address = re.compile(r"[^\s@]+@[^\s@]+")
_whole_address = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]{2,}")


@dataclass(frozen=True)
class SearchQuery:
    """All of it must be in a ticket. `phrases` are compared with stored words: spaces are ends of words."""

    wholes: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    typed: str = " "
    """Every word, as a phrase."""
    number: str = ""
    """Set when a ticket number was typed and nothing else."""
    address: str = ""
    """Set when an e-mail address was typed and nothing else; as words."""

    @property
    def is_empty(self) -> bool:
        """There is no word to look for."""
        return not self.wholes and not self.beginnings

    @property
    def needles(self) -> tuple[str, ...]:
        """What each stored text is looked through for: whole words end with a space, beginnings do not."""
        return (*(f" {word} " for word in self.wholes), *(f" {word}" for word in self.beginnings))

    @property
    def exactly(self) -> "SearchQuery":
        """The same with every beginning as a whole word."""
        phrases = tuple(f"{phrase.rstrip()} " for phrase in self.phrases)
        return replace(self, wholes=(*self.wholes, *self.beginnings), beginnings=(), phrases=phrases)

    @property
    def tsquery(self) -> str:
        """For PostgreSQL. Words hold nothing that would need quoting, and are quoted all the same."""
        whole = [f"'{word}'" for word in self.wholes]
        return " & ".join([*whole, *(f"'{word}':*" for word in self.beginnings)])

    @property
    def fts5(self) -> str:
        """For SQLite."""
        whole = [f'"{word}"' for word in self.wholes]
        return " AND ".join([*whole, *(f'"{word}"*' for word in self.beginnings)])


def ticket_number(text: str) -> str:
    """The ticket number that was typed in short (`90`, `#90`, `T-90`), in full; nothing when it is none."""
    number = _number.fullmatch(text.replace("\x00", "").strip())
    return f"T-{int(number[1]):06}" if number else ""


def parse(text: str) -> SearchQuery:
    """Read what was typed; wildcards, operators and lone quotes are punctuation, and punctuation parts words.

    Numbers and addresses are typed to their end: nothing longer is meant.
    """
    text = text.replace("\x00", "")[:LONGEST].strip()
    wholes: dict[str, None] = {}
    beginnings: dict[str, None] = {}
    phrases: dict[str, None] = {}
    number, address = ticket_number(text), _address.fullmatch(text)
    is_at_its_end = bool(number or _whole_address.fullmatch(text))
    for quoted, plain in _piece.findall(text):
        found = sequence(quoted or plain)
        if not found:
            continue
        *before, last = found
        may_go_on = is_unspaced(last) is not None or (
            not quoted and len(last) >= SHORTEST_BEGINNING and not is_at_its_end
        )
        wholes.update(dict.fromkeys(before))
        (beginnings if may_go_on and len(last) != 2 else wholes)[last] = None
        if before:
            phrases[f" {' '.join(found)}{'' if may_go_on else ' '}"] = None
    return SearchQuery(
        wholes=tuple(wholes),
        beginnings=tuple(beginnings),
        phrases=tuple(phrases),
        typed=words(text),
        number=number,
        address=words(text) if address else "",
    )


def sequence(text: str) -> list[str]:
    """The words of one piece; a character at its edge that is there with its neighbour is not wanted alone as well."""
    found = words(text).split()
    if len(found) > 1 and len(found[0]) == 1 and is_unspaced(found[0]) and found[1][0] == found[0]:
        del found[0]
    if len(found) > 1 and len(found[-1]) == 1 and is_unspaced(found[-1]) and found[-2][-1] == found[-1]:
        del found[-1]
    return found
