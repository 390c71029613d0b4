"""The commands of the house."""

import re

from tests.support.house import PROJECT_ROOT

MAKEFILE = (PROJECT_ROOT / "Makefile").read_text()
PROMISED = {"help", "demo", "test", "check", "format", "lint", "migrate", "clean", "lock", "audit", "sbom"}


class TestTargets:
    def test_every_promised_target_is_there_and_says_what_it_does(self) -> None:
        documented = set(re.findall(r"^([a-z0-9-]+):.*?## \S", MAKEFILE, re.MULTILINE))
        assert documented >= PROMISED, "`make help` lists what has a ## comment: a target without one is not found."

    def test_every_target_that_people_type_is_documented(self) -> None:
        phony = set(" ".join(re.findall(r"^\.PHONY:(.*)$", MAKEFILE, re.MULTILINE)).split())
        documented = set(re.findall(r"^([a-z0-9-]+):.*?## \S", MAKEFILE, re.MULTILINE))
        assert phony == documented, "Every command is listed by `make help`, and nothing else is."
