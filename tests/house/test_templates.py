"""Templates must work under a content security policy without `unsafe-inline`."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.house import ADMIN_APP, name_of

TEMPLATES = sorted((ADMIN_APP / "web" / "templates").rglob("*.html"))
JINJA = re.compile(r"{%.*?%}|{#.*?#}", re.DOTALL)
WHY = "the policy of this desk forbids inline code, so it would silently not run; use a file in web/static"


class InlineCode(HTMLParser):
    """Collects what a strict policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        names = [name for name, _ in attrs]
        kinds = dict(attrs).get("type") or ""
        if tag == "script" and "src" not in names and kinds != "application/json":
            self.found.append(f"line {self.getpos()[0]}: <script> without src")
        if tag == "style":
            self.found.append(f"line {self.getpos()[0]}: <style>")
        blocked = [name for name in names if name.startswith("on") or name == "style"]
        self.found += [f"line {self.getpos()[0]}: {name}=" for name in blocked]


def inline_code_in(text: str) -> list[str]:
    """What a strict policy would block in this template."""
    parser = InlineCode()
    parser.feed(JINJA.sub(" ", text))
    parser.close()
    return parser.found


class TestInlineCode:
    def test_there_are_templates_to_look_at(self) -> None:
        assert TEMPLATES, "The folder moved: this rule would pass for want of anything to check."

    @pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
    def test_a_template_has_no_inline_code(self, template: Path) -> None:
        assert inline_code_in(template.read_text()) == [], WHY

    @pytest.mark.parametrize(
        "text",
        [
            "<script>alert(1)</script>",
            '<a href="/" onclick="go()">go</a>',
            '<p style="color: red">red</p>',
            "<style>p { color: red }</style>",
            '<button {% if on %}disabled{% endif %} ONCLICK="go()">',
        ],
    )
    def test_inline_code_would_be_noticed(self, text: str) -> None:
        assert len(inline_code_in(text)) == 1

    def test_scripts_and_styles_from_files_are_welcome(self) -> None:
        assert inline_code_in('<script src="/desk.js" defer></script><link rel="stylesheet" href="/desk.css">') == []
