"""A real Prometheus reads the alert rules, tries them on figures, and collects those of a desk that runs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.serving import serving
from tests.house.test_alert_rules import RULES as EXPECTED
from tests.support import prometheus as support
from tests.support.clusters import free_port
from tests.support.programs import needed
from tests.support.prometheus import HOW_TO_GET_IT, RULES, Programs, Prometheus, find_prometheus, prometheus
from tests.support.waiting import until

FIGURES = RULES.with_name("prometheus-alerts-test.yml")
NAMES = {rule["alert"] for rule in EXPECTED}
EXPRESSIONS = re.compile(r'expr: ".*"$', re.MULTILINE)


@pytest.fixture(scope="module")
def programs() -> Programs:
    """Both, or a skip."""
    return needed(find_prometheus(), HOW_TO_GET_IT)


@pytest.fixture(scope="module")
def port() -> int:
    """Where the desk will be."""
    return free_port()


@pytest.fixture(scope="module")
def server(programs: Programs, port: int) -> Iterator[Prometheus]:
    """One that waits for the desk; for its first five seconds it looks at nothing."""
    with prometheus(programs, f"127.0.0.1:{port}") as server:
        yield server


@pytest.mark.usefixtures("server")
class TestRules:
    def test_prometheus_understands_them_and_they_tell_a_healthy_desk_from_one_in_trouble(
        self, programs: Programs, tmp_path: Path
    ) -> None:
        is_right, said = programs.tool("check", "rules", str(RULES))
        assert is_right, said
        assert f"{len(NAMES)} rules found" in said
        is_right, said = programs.tool("test", "rules", str(FIGURES))
        assert is_right, said
        rules = tmp_path / RULES.name
        (tmp_path / FIGURES.name).write_text(FIGURES.read_text())
        for broken in ("vector(0) > 1", "vector(1)"):
            rules.write_text(EXPRESSIONS.sub(f'expr: "{broken}"', RULES.read_text()))
            is_right, said = programs.tool("test", "rules", str(tmp_path / FIGURES.name))
            assert not is_right, f"rules that all say {broken} pass"
            assert {name for name in NAMES if name in said} == NAMES, "each alert is expected somewhere"
        rules.write_text(
            RULES.read_text().replace("sum by (pool) (desk_pool_waiting)", "sum by pool (desk_pool_waiting)")
        )
        assert not programs.tool("check", "rules", str(rules))[0]


class TestServer:
    async def test_it_collects_a_desk_that_runs_and_notices_when_that_one_is_gone(
        self, server: Prometheus, port: int, sqlite_url: str, tmp_path: Path
    ) -> None:
        with serving(sqlite_url, tmp_path, at=port, pool_size=3, pool_max_overflow=1) as desk:
            await self.collects(server)
            desk.process.kill()
            await until(lambda: self.alerts(server) == {"DeskDown": "pending"}, "the first alert is under way")

    async def collects(self, server: Prometheus) -> None:
        """What it has is what the desk tells, and every rule finds its figures."""
        await until(lambda: server.value("count(desk_worker_info)") == 1, "it has collected the worker")
        assert server.value('sum(desk_pool_limit{pool="readers"})') == 4
        assert server.value("desk_workers_reachable") == 1
        assert server.value("sum(desk_open_incidents)") == 0
        [target] = server.ask("targets")["activeTargets"]
        assert (target["health"], target["lastError"]) == ("up", ""), server.log.read_text()

        def evaluated() -> list[dict]:
            rules = [rule for group in server.ask("rules")["groups"] for rule in group["rules"]]
            return rules if all(rule["health"] != "unknown" for rule in rules) else []

        rules = await until(evaluated, "every rule was evaluated")
        assert {rule["name"]: rule["health"] for rule in rules} == dict.fromkeys(NAMES, "ok")

    @staticmethod
    def alerts(server: Prometheus) -> dict[str, str]:
        """What is under way, or told already."""
        return {alert["labels"]["alertname"]: alert["state"] for alert in server.ask("alerts")["alerts"]}


class TestGetting:
    def test_a_choice_that_is_not_there_is_an_error(self, monkeypatch) -> None:
        monkeypatch.setenv("PROMETHEUS_PATH", "/nowhere")
        with pytest.raises(support.NoPrometheus, match="/nowhere"):
            find_prometheus()
