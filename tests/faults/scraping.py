"""Collecting the figures of all workers as Prometheus does, and looking whether a counter ever goes backwards."""

import httpx

from tests.flows.serving import Server
from tests.web.test_metrics import Labels, figures_in, total

COUNTING = ("_total", "_bucket", "_count", "_sum")


class Collector:
    """Remembers the highest that each counter has been."""

    def __init__(self) -> None:
        self.found: dict[str, dict[Labels, float]] = {}
        self.scrapes = 0
        self.backwards: list[str] = []
        self._highest: dict[tuple[str, Labels], float] = {}

    async def scrape(self, server: Server) -> None:
        """Once, over a connection of its own, so that any worker may answer."""
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            answer = await client.get("/metrics")
        assert answer.status_code == 200
        self.found = figures_in(answer.text)
        self.scrapes += 1
        for name, series in self.found.items():
            for labels, value in series.items() if name.endswith(COUNTING) else ():
                if value < self._highest.get((name, labels), 0.0):
                    self.backwards.append(f"{name} {dict(labels)}: {value} after {self._highest[name, labels]}")
                self._highest[name, labels] = value

    def requests(self, route: str) -> int:
        """How many requests to a route all workers have counted."""
        return int(total(self.found, "desk_requests_total", route=route))

    def pids(self) -> set[int]:
        """The worker processes that are told of."""
        return {int(dict(labels)["worker"].split("-")[-2]) for labels in self.found["desk_worker_info"]}
