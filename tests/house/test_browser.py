"""Where the tests find a browser."""

from pathlib import Path

import pytest

from tests.support import browser, programs
from tests.support.browser import NoBrowser, browser_path, find_browser, get_browser


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser, "_playwrights_own", lambda: None)


def program(folder: Path, name: str) -> str:
    file = folder / name
    file.touch(mode=0o755)
    return str(file)


class TestFindBrowser:
    def test_the_one_that_was_chosen_comes_first(self, monkeypatch, tmp_path) -> None:
        program(tmp_path, "chromium")
        chosen = program(tmp_path, "mine")
        monkeypatch.setenv("BROWSER_PATH", chosen)
        assert find_browser() == chosen

    def test_a_choice_that_is_not_there_is_an_error(self, monkeypatch) -> None:
        monkeypatch.setenv("BROWSER_PATH", "/nowhere/chromium")
        with pytest.raises(NoBrowser, match="/nowhere/chromium"):
            find_browser()

    def test_then_the_path_in_order(self, tmp_path) -> None:
        chrome = program(tmp_path, "google-chrome")
        assert find_browser() == chrome
        chromium = program(tmp_path, "chromium")
        assert find_browser() == chromium

    def test_then_playwrights_own(self, monkeypatch) -> None:
        monkeypatch.setattr(browser, "_playwrights_own", lambda: "/its/own/chrome")
        assert find_browser() == "/its/own/chrome"


class TestBrowserPath:
    def test_without_any_it_is_an_error_that_says_what_to_do(self) -> None:
        with pytest.raises(NoBrowser, match="make test"):
            browser_path()


class TestGetBrowser:
    @pytest.mark.parametrize(
        ("root_on_debian", "installer"), [(True, "apt-get"), (False, "playwright")], ids=["Debian", "elsewhere"]
    )
    def test_without_any_one_is_installed(self, monkeypatch, tmp_path, root_on_debian, installer) -> None:
        ran: list[str] = []

        def run(*command: str) -> None:
            ran.append(" ".join(command))
            program(tmp_path, "chromium")

        monkeypatch.setattr(programs, "run", run)
        monkeypatch.setattr(programs, "is_root_on_debian", lambda: root_on_debian)
        assert get_browser() == str(tmp_path / "chromium")
        assert all(installer in command for command in ran)
        assert ran

    def test_with_one_nothing_is_installed(self, monkeypatch, tmp_path) -> None:
        found = program(tmp_path, "chromium")
        monkeypatch.setattr(programs, "run", lambda *command: pytest.fail("installed a second one"))
        assert get_browser() == found
