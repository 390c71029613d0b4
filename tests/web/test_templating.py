"""Templates are rendered in one go."""

import jinja2
import pytest
from starlette.requests import Request

from admin_app.web.admin import HERE
from admin_app.web.templating import Templates


class TestTemplates:
    async def test_a_page_needs_no_await_inside(self) -> None:
        templates = Templates(HERE / "templates")
        assert not templates.env.is_async
        templates.env.loader = jinja2.DictLoader({"page.html": "{{ request.method }} {{ name }}"})
        request = Request({"type": "http", "method": "GET", "headers": []})
        page = await templates.TemplateResponse(request, "page.html", {"name": "<b>"}, status_code=404)
        assert (page.status_code, page.body) == (404, b"GET &lt;b&gt;")

    def test_every_template_compiles(self) -> None:
        environment = Templates(HERE / "templates").env
        names = environment.list_templates()
        assert len(names) > 30
        for name in names:
            environment.get_template(name)

    def test_a_file_that_no_page_has_is_noticed(self) -> None:
        environment = Templates(HERE / "templates").env
        with pytest.raises(KeyError):
            environment.from_string("{{ asset('nothing.css') }}").render()
