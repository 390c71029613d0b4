"""`make bench`: the desk beside stock SQLAdmin and a bare application, on one core, on both databases.

BENCH_ROWS tickets (1,000,000), BENCH_SMALL for how it grows (10,000), BENCH_SECONDS per page and way (3),
BENCH_DATABASES, BENCH_PAGES and BENCH_KINDS to choose, BENCH_AGAINST=file to compare with an earlier run.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import data, reporting
from tests.benchmarks.measuring import Effort, Figures, cookies_for, measure, typical
from tests.benchmarks.pages import BARE, DESK, STOCK, Page, all_pages
from tests.support.house import PROJECT_ROOT

STARTS_WITHIN = 60.0
TURNS = 5
SLOW = 100
"""Pages that take more milliseconds are measured in the first turn alone."""


def chosen(name: str, default: str) -> list[str]:
    """A list in the environment, separated by commas."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


@contextmanager
def serving(kind: str, url: str) -> Iterator[int]:
    """The port of an application in a process of its own, on the first core."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    core = str(min(os.sched_getaffinity(0))) if hasattr(os, "sched_setaffinity") else ""
    command = [sys.executable, "-m", "tests.benchmarks.serving", kind, url, str(port), core]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)})
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@dataclass(frozen=True)
class Served:
    """An application on a database, and where its pages are."""

    kind: str
    rows: int
    port: int
    facts: data.Facts
    pages: list[Page]
    cookies: Mapping[str, str]


@contextmanager
def serving_all(urls: Mapping[int, str], kinds: list[str]) -> Iterator[list[Served]]:
    """Every application on the most rows, and the desk on fewer as well, all at once."""
    wanted = chosen("BENCH_PAGES", "")
    with ExitStack() as servers:
        served = []
        for rows, url in urls.items():
            facts = asyncio.run(data.facts_of(url))
            pages = [page for page in all_pages(facts) if not wanted or page.name in wanted]
            for kind in kinds if rows == max(urls) else [DESK]:
                port = servers.enter_context(serving(kind, url))
                served.append(Served(kind, rows, port, facts, pages, asyncio.run(cookies_for(kind, port))))
        yield served


async def measure_all(served: list[Served], effort: Effort) -> dict[int, reporting.Results]:
    """Every page, by the number of rows; all of them in turn, so that the machine's moods meet everybody alike."""
    found: dict[int, reporting.Results] = {one.rows: {page.name: {} for page in one.pages} for one in served}
    little = replace(effort, seconds=effort.seconds / TURNS)
    for number in range(len(served[0].pages)):
        taken: dict[int, list[Figures]] = {one.port: [] for one in served if one.pages[number].path(one.kind)}
        for one in served * TURNS:
            figures = taken.get(one.port)
            if figures is not None and not (figures and figures[-1].p50 > SLOW):
                page = one.pages[number]
                figures.append(await measure(page, one.kind, one.port, one.cookies, one.facts, little))
        for one in served:
            if one.port in taken:
                name = one.pages[number].name
                found[one.rows][name][one.kind] = middle = typical(taken[one.port])
                print(f"  {one.kind}, {one.rows:,}: {name} {middle.p50:.2f} ms", file=sys.stderr)
    return found


def main() -> None:
    """Everything, in one run."""
    rows, small = int(os.environ.get("BENCH_ROWS", "1000000")), int(os.environ.get("BENCH_SMALL", "10000"))
    effort = Effort(seconds=float(os.environ.get("BENCH_SECONDS", "3")))
    kinds = chosen("BENCH_KINDS", f"{DESK},{STOCK},{BARE}")
    everything: dict[str, reporting.Results] = {}
    load = os.getloadavg()
    with data.postgresql_server() as server:
        for dialect in chosen("BENCH_DATABASES", "postgresql,sqlite"):
            urls = {count: data.seeded(dialect, count, server) for count in (rows, small) if count}
            with serving_all(urls, kinds) as served:
                found = asyncio.run(measure_all(served, effort))
            everything |= {f"{dialect} {count}": results for count, results in found.items()}
            on_few = {name: by_kind[DESK] for name, by_kind in found.get(small, {}).items() if by_kind}
            print(f"\n{dialect}, {rows:,} tickets; growth since {small:,}; load of the machine {load[0]:.1f}")
            print(*reporting.lines(served[0].pages, found[rows], on_few), sep="\n", flush=True)
    now = datetime.now(UTC)
    file = data.FOLDER / "results" / f"{now:%Y%m%d-%H%M%S}.json"
    reporting.save(file, {"at": now.isoformat(), "rows": rows, "small": small, "load": load}, everything)
    print(f"\nkept in {file}")
    if os.environ.get("BENCH_AGAINST"):
        print(*reporting.against(Path(os.environ["BENCH_AGAINST"]), everything), sep="\n")


if __name__ == "__main__":
    main()
