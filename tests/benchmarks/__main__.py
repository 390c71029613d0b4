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
from collections.abc import Iterator
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
"""So often many rows and few take turns."""


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
class Measured:
    """A database, and where its pages are."""

    url: str
    facts: data.Facts
    pages: list[Page]


def measured(url: str) -> Measured:
    """What the pages' addresses need is looked up once."""
    facts = asyncio.run(data.facts_of(url))
    wanted = chosen("BENCH_PAGES", "")
    return Measured(url, facts, [page for page in all_pages(facts) if not wanted or page.name in wanted])


async def measure_all(kind: str, ports: dict[int, Measured], effort: Effort) -> list[dict[str, Figures]]:
    """Every page that an application has, on each database in turn: so that the machine's moods meet all of them."""
    cookies = {port: await cookies_for(kind, port) for port in ports}
    found: dict[int, dict[str, Figures]] = {port: {} for port in ports}
    turns = TURNS if len(ports) > 1 else 1
    little = replace(effort, seconds=effort.seconds / turns)
    for pages in zip(*(one.pages for one in ports.values()), strict=True):
        name, taken = pages[0].name, {port: list[Figures]() for port in ports}
        for port, page in [*zip(ports, pages, strict=True)] * (turns if pages[0].path(kind) else 0):
            taken[port].append(await measure(page, kind, port, cookies[port], ports[port].facts, little))
        for port, figures in taken.items():
            if figures:
                found[port][name] = typical(figures)
                print(f"  {kind}: {name} {found[port][name].p50:.2f} ms", file=sys.stderr)
    return list(found.values())


def run(many: Measured, few: Measured | None, kinds: list[str], effort: Effort) -> list[reporting.Results]:
    """One application after the other; the desk on many rows and on few."""
    databases = [many, few] if few else [many]
    results: list[reporting.Results] = [{page.name: {} for page in one.pages} for one in databases]
    for kind in kinds:
        with ExitStack() as servers:
            chosen_ones = databases if kind == DESK else databases[:1]
            ports = {servers.enter_context(serving(kind, one.url)): one for one in chosen_ones}
            for into, found in zip(results, asyncio.run(measure_all(kind, ports, effort)), strict=False):
                for name, figures in found.items():
                    into[name][kind] = figures
    return results


def main() -> None:
    """Everything, in one run."""
    rows, small = int(os.environ.get("BENCH_ROWS", "1000000")), int(os.environ.get("BENCH_SMALL", "10000"))
    effort = Effort(seconds=float(os.environ.get("BENCH_SECONDS", "3")))
    kinds = chosen("BENCH_KINDS", f"{DESK},{STOCK},{BARE}")
    everything: dict[str, reporting.Results] = {}
    load = os.getloadavg()
    with data.postgresql_server() as server:
        for dialect in chosen("BENCH_DATABASES", "postgresql,sqlite"):
            few = measured(data.seeded(dialect, small, server)) if small else None
            many = measured(data.seeded(dialect, rows, server))
            results, *before = run(many, few, kinds, effort)
            counted = zip((rows, small), (results, *before), strict=False)
            everything |= {f"{dialect} {count}": found for count, found in counted}
            on_few = {name: found[DESK] for few in before for name, found in few.items() if DESK in found}
            print(f"\n{dialect}, {rows:,} tickets; growth since {small:,}; load of the machine {load[0]:.1f}")
            print(*reporting.lines(many.pages, results, on_few), sep="\n", flush=True)
    now = datetime.now(UTC)
    file = data.FOLDER / "results" / f"{now:%Y%m%d-%H%M%S}.json"
    reporting.save(file, {"at": now.isoformat(), "rows": rows, "small": small, "load": load}, everything)
    print(f"\nkept in {file}")
    if os.environ.get("BENCH_AGAINST"):
        print(*reporting.against(Path(os.environ["BENCH_AGAINST"]), everything), sep="\n")


if __name__ == "__main__":
    main()
