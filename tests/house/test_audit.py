"""What `make audit` says: green only for what was looked at and has no known hole."""

import json
import subprocess

import pytest

from tests.support import audit
from tests.support.audit import UNREACHABLE, verdict

ASKED = {"starlette": "1.10.0", "typing-extensions": "4.16.0"}


def answer(*holes: dict[str, object], name: str = "starlette") -> dict[str, object]:
    return {"name": name, "version": "1", "vulns": list(holes)}


SOUND = [answer(), answer(name="typing_extensions")]


class TestVerdict:
    def test_all_answered_for_and_sound_is_green(self) -> None:
        assert verdict({"dependencies": SOUND}, ASKED) == []

    def test_no_answer_is_red(self) -> None:
        assert verdict(None, ASKED) == [UNREACHABLE]

    def test_every_package_passed_over_is_no_answer(self) -> None:
        skipped = [{"name": name, "skip_reason": "not found"} for name in ASKED]
        assert verdict({"dependencies": skipped}, ASKED) == [UNREACHABLE]

    def test_one_package_passed_over_is_red_and_named(self) -> None:
        report = {"dependencies": [SOUND[1], {"name": "starlette", "skip_reason": "not found"}]}
        assert verdict(report, ASKED) == ["NOT AUDITED: starlette 1.10.0 is unknown to the vulnerability service."]

    def test_one_package_left_out_is_red(self) -> None:
        assert verdict({"dependencies": SOUND[1:]}, ASKED) != []

    def test_a_hole_is_told_with_what_mends_it(self) -> None:
        report = {"dependencies": [SOUND[1], answer({"id": "GHSA-1", "fix_versions": ["1.10.1"]})]}
        assert verdict(report, ASKED) == ["VULNERABLE: starlette 1.10.0 has GHSA-1; mended in 1.10.1."]

    def test_a_hole_that_nobody_has_mended_is_red_too(self) -> None:
        report = {"dependencies": [SOUND[1], answer({"id": "GHSA-1", "fix_versions": []})]}
        assert verdict(report, ASKED) == ["VULNERABLE: starlette 1.10.0 has GHSA-1; mended in no version yet."]


class TestMain:
    @pytest.mark.parametrize(("holes", "status"), [([], 0), ([{"id": "GHSA-1", "fix_versions": []}], 1)])
    def test_its_status_is_the_verdict(self, monkeypatch, holes, status) -> None:
        report = {"dependencies": [answer(*holes), SOUND[1]]}
        monkeypatch.setattr(audit, "locked", lambda file: ASKED)
        monkeypatch.setattr(audit, "ask", lambda: report)
        assert audit.main() == status

    def test_a_tool_that_breaks_down_is_no_green(self, monkeypatch, capsys) -> None:
        broken = subprocess.CompletedProcess([], 1, stdout="", stderr="no route to host")
        monkeypatch.setattr(audit.subprocess, "run", lambda *given, **options: broken)
        assert audit.main() == 1
        assert "NOT AUDITED" in capsys.readouterr().err

    def test_the_answer_is_read_as_it_comes(self, monkeypatch) -> None:
        came = subprocess.CompletedProcess([], 1, stdout=json.dumps({"dependencies": SOUND, "fixes": []}), stderr="")
        monkeypatch.setattr(audit.subprocess, "run", lambda *given, **options: came)
        assert verdict(audit.ask(), ASKED) == []
