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
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import data, reporting
from tests.benchmarks.measuring import Effort, Figures, cookies_for, measure
from tests.benchmarks.pages import BARE, DESK, STOCK, Page, all_pages
from tests.support.house import PROJECT_ROOT

STARTS_WITHIN = 60.0


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


async def measure_all(kind: str, port: int, pages: list[Page], facts: data.Facts, effort: Effort) -> dict[str, Figures]:
    """Every page that an application has."""
    cookies = await cookies_for(kind, port)
    found = {}
    for page in pages:
        if page.path(kind):
            found[page.name] = await measure(page, kind, port, cookies, facts, effort)
            print(f"  {kind}: {page.name} {found[page.name].p50:.2f} ms", file=sys.stderr)
    return found


def run(url: str, kinds: list[str], effort: Effort) -> tuple[list[Page], reporting.Results]:
    """One database, one application after the other."""
    facts = asyncio.run(data.facts_of(url))
    wanted = chosen("BENCH_PAGES", "")
    pages = [page for page in all_pages(facts) if not wanted or page.name in wanted]
    results: reporting.Results = {page.name: {} for page in pages}
    for kind in kinds:
        with serving(kind, url) as port:
            for name, figures in asyncio.run(measure_all(kind, port, pages, facts, effort)).items():
                results[name][kind] = figures
    return pages, results


def main() -> None:
    """Everything, in one run."""
    rows, small = int(os.environ.get("BENCH_ROWS", "1000000")), int(os.environ.get("BENCH_SMALL", "10000"))
    effort = Effort(seconds=float(os.environ.get("BENCH_SECONDS", "3")))
    kinds = chosen("BENCH_KINDS", f"{DESK},{STOCK},{BARE}")
    everything: dict[str, reporting.Results] = {}
    load = os.getloadavg()
    with data.postgresql_server() as server:
        for dialect in chosen("BENCH_DATABASES", "postgresql,sqlite"):
            few = run(data.seeded(dialect, small, server), [DESK], effort)[1] if small else {}
            pages, results = run(data.seeded(dialect, rows, server), kinds, effort)
            everything[f"{dialect} {rows}"], everything[f"{dialect} {small}"] = results, few
            before = {name: found[DESK] for name, found in few.items()}
            print(f"\n{dialect}, {rows:,} tickets; growth since {small:,}; load of the machine {load[0]:.1f}")
            print(*reporting.lines(pages, results, before), sep="\n", flush=True)
    now = datetime.now(UTC)
    file = data.FOLDER / "results" / f"{now:%Y%m%d-%H%M%S}.json"
    reporting.save(file, {"at": now.isoformat(), "rows": rows, "small": small, "load": load}, everything)
    print(f"\nkept in {file}")
    if os.environ.get("BENCH_AGAINST"):
        print(*reporting.against(Path(os.environ["BENCH_AGAINST"]), everything), sep="\n")


if __name__ == "__main__":
    main()
