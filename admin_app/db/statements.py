"""What a statement has in common with others of its kind; never a value that anybody searched for."""

import hashlib
import re

LONGEST_READ = 20_000

_COMMENTS = re.compile(r"/\*.*?(?:\*/|$)|--[^\n]*", re.DOTALL)
_TEXTS = re.compile(r"\$(\w*)\$.*?(?:\$\1\$|$)|[eE]'(?:[^'\\]|''|\\.)*(?:'|$)|'(?:[^']|'')*(?:'|$)", re.DOTALL)
_CAST = r"::(?:TIMESTAMP WITH(?:OUT)? TIME ZONE|DOUBLE PRECISION|[A-Za-z_]\w*)(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])?"
_PARAMETERS = re.compile(rf"\$\d+(?:{_CAST})?|(?<![:\w]):[A-Za-z_]\w*|%\(\w+\)s")
_NUMBERS = re.compile(r"(?<![\w\"])[-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w\"])")
_SAVEPOINTS = re.compile(r"\bsa_savepoint_\d+\b")
_LISTS = re.compile(r"\(\s*\?(?:\s*,\s*\?)*\s*\)")
_ROWS = re.compile(r"\(…\)(?:\s*,\s*\(…\))+")


def normalised(statement: str) -> str:
    """The statement with every literal, parameter and list of them collapsed, on one line."""
    text = _COMMENTS.sub(" ", statement[:LONGEST_READ])
    text = _TEXTS.sub("?", text)
    text = _SAVEPOINTS.sub("sa_savepoint", text)
    text = _PARAMETERS.sub("?", text)
    text = _NUMBERS.sub("?", text)
    text = _LISTS.sub("(…)", " ".join(text.split()))
    return _ROWS.sub("(…)", text)


def fingerprint_of(normalised_statement: str) -> str:
    """The name of a kind of statement."""
    return hashlib.sha256(normalised_statement.encode(errors="replace")).hexdigest()[:16]
