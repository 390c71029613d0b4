"""The part of YAML that our own files keep to: indented mappings and lists, plain words, text in double quotes.

Everything else is refused, so that what is read here is what any reader of YAML makes of it.
"""

import json
import re
from typing import Any

LINE = re.compile(r'( *)((?:- )?)(?:([A-Za-z_]\w*):)?(?: ?("(?:[^"\\]|\\["\\])*"|[A-Za-z_]\w*|\d+[smh]))?')

Line = tuple[int, str, str | None]


def load(text: str) -> Any:
    """The document; `ValueError` names the line that is written in another way."""
    lines = [found for number, line in enumerate(text.splitlines(), 1) for found in _split(number, line)]
    value, rest = _block(lines, lines[0][0])
    if rest:
        raise ValueError(f"not below anything: {rest[0]}")
    return value


def _split(number: int, line: str) -> list[Line]:
    """Indentation, key and value; the dash of a list is a line of its own."""
    if not line.strip() or line.lstrip().startswith("#"):
        return []
    found = LINE.fullmatch(line)
    if found is None or not (found[3] or found[4]):
        raise ValueError(f"line {number}: {line}")
    indent, key, value = len(found[1]), found[3] or "", found[4]
    if not found[2]:
        return [(indent, key, value)]
    return [(indent, "-", None), (indent + 2, key, value)]


def _block(lines: list[Line], indent: int) -> tuple[Any, list[Line]]:
    if lines[0][1] == "":
        return _scalar(lines[0][2]), lines[1:]
    found: list[tuple[str, Any]] = []
    while lines and lines[0][0] == indent:
        _, key, value = lines.pop(0)
        if value is None and lines and lines[0][0] > indent:
            below, lines = _block(lines, lines[0][0])
            found.append((key, below))
        else:
            found.append((key, _scalar(value)))
    keys = [key for key, _ in found]
    if set(keys) == {"-"}:
        return [value for _, value in found], lines
    if len(set(keys)) < len(keys) or "-" in keys:
        raise ValueError(f"neither a list nor a mapping: {keys}")
    return dict(found), lines


def _scalar(value: str | None) -> Any:
    return json.loads(value) if value and value.startswith('"') else value
