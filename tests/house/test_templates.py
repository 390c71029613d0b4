"""Templates must work under a content security policy without `unsafe-inline`."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from admin_app.models import User
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


class TestPasswordFields:
    FIELD = re.compile(r"<input[^>]*\bautocomplete=\"(?:current|new)-password\"[^>]*>", re.DOTALL)

    def test_they_are_masked_and_welcome_password_managers(self) -> None:
        found = [field for template in TEMPLATES for field in self.FIELD.findall(template.read_text())]
        assert len(found) >= 3, "sign-in, asking again, and every form"
        assert [field for field in found if 'type="password"' not in field and "types[field.kind]" not in field] == []
        typed = [
            line for template in TEMPLATES for line in template.read_text().splitlines() if 'type="password"' in line
        ]
        assert [line for line in typed if "-password" not in line] == []

    def test_nothing_keeps_anybody_from_pasting(self) -> None:
        scripts = (ADMIN_APP / "web" / "static").glob("*.js")
        assert [name_of(script) for script in scripts if re.search("paste|clipboard", script.read_text())] == []

    def test_nothing_asks_for_a_hint_or_a_secret_question(self) -> None:
        asked = re.compile(r"(?i)maiden|first pet|(password|secret)[ _-]+(hint|question)")
        assert [name_of(template) for template in TEMPLATES if asked.search(template.read_text())] == []
        assert [c.name for c in User.__table__.columns if re.search("hint|question|answer", c.name)] == []
