"""The commands of the house."""

import re

from tests.support.house import PROJECT_ROOT

MAKEFILE = (PROJECT_ROOT / "Makefile").read_text()
PROMISED = {"help", "demo", "test", "check", "format", "lint", "migrate", "clean"}


class TestTargets:
    def test_every_promised_target_is_there_and_says_what_it_does(self) -> None:
        documented = set(re.findall(r"^([a-z0-9-]+):.*?## \S", MAKEFILE, re.MULTILINE))
        assert documented >= PROMISED, "`make help` lists what has a ## comment: a target without one is not found."

    def test_every_target_that_people_type_is_documented(self) -> None:
        phony = set(" ".join(re.findall(r"^\.PHONY:(.*)$", MAKEFILE, re.MULTILINE)).split())
        documented = set(re.findall(r"^([a-z0-9-]+):.*?## \S", MAKEFILE, re.MULTILINE))
        assert phony == documented, "Every command is listed by `make help`, and nothing else is."


class TestConstraints:
    def test_every_package_is_pinned_exactly_and_nothing_else_is_said(self) -> None:
        lines = (PROJECT_ROOT / "config" / "constraints.txt").read_text().splitlines()
        pins = [line for line in lines if line and not line.startswith("#")]
        loose = [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)]
        assert loose == [], "Two machines must install the same thing, wherever they install it from."
        assert len(pins) > 50
