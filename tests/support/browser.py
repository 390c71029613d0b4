"""A browser for the tests that need one. `python -m tests.support.browser` gets one when there is none."""

import os
import shutil
import sys
from pathlib import Path

from tests.support import programs

NAMES = ("chromium", "chromium-browser", "google-chrome")


class NoBrowser(RuntimeError):
    """There is none, and a test that needs one cannot pass without."""


def find_browser() -> str | None:
    """BROWSER_PATH, then what is on the PATH, then Playwright's own."""
    chosen = os.environ.get("BROWSER_PATH")
    if chosen:
        if not Path(chosen).is_file():
            raise NoBrowser(f"BROWSER_PATH is {chosen}, and there is no such file")
        return chosen
    for name in NAMES:
        on_path = shutil.which(name)
        if on_path:
            return on_path
    return _playwrights_own()


def browser_path() -> str:
    """What the browser fixture starts; an error, never a skip, when there is none."""
    found = find_browser()
    if found is None:
        raise NoBrowser("no browser found: run `make test`, which gets one, or set BROWSER_PATH")
    return found


def get_browser() -> str:
    """Find one; else install one."""
    found = find_browser()
    if found:
        return found
    if programs.is_root_on_debian():
        programs.run("apt-get", "update", "-q")
        programs.run("apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium")
    else:
        programs.run(sys.executable, "-m", "playwright", "install", "chromium")
    return browser_path()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


if __name__ == "__main__":
    sys.stdout.write(f"browser: {get_browser()}\n")
