"""The figures as a table that people compare, and as JSON for the next run."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import Figures
from tests.benchmarks.pages import BARE, DESK, STOCK, Page

Results = dict[str, dict[str, Figures]]
"""Page → application → figures."""

HEAD = f"{'page':20}{'':7}{'p50 ms':>9}{'p95':>9}{'req/s':>8}{'at 8':>8}{'SQL':>6}{'CPU ms':>8}{'KB':>8}  compared"


def lines(pages: Iterable[Page], results: Results, small: Mapping[str, Figures] | None = None) -> Iterable[str]:
    """The table of one database; `small` holds the desk's figures on few rows."""
    yield HEAD
    for page in pages:
        for kind, found in results.get(page.name, {}).items():
            name = page.name if kind == DESK else ""
            said = compared(page, results[page.name], (small or {}).get(page.name)) if kind == DESK else ""
            gave_up = "  gave up" if found.status == 504 else ""
            yield (
                f"{name:20}{kind:7}{found.p50:9.2f}{found.p95:9.2f}{found.per_second:8.0f}{found.per_second_at_once:8.0f}"
                f"{found.statements:6.1f}{found.cpu:8.2f}{found.size / 1024:8.1f}  {said}{gave_up}".rstrip()
            )


def compared(page: Page, found: Mapping[str, Figures], small: Figures | None) -> str:
    """How the desk stands against the others, against itself on few rows, and against what we want."""
    parts = []
    for kind, target in ((STOCK, page.of_stock), (BARE, page.of_bare)):
        if kind in found:
            ratio = found[DESK].p50 / found[kind].p50
            wanted = f" ({'ok' if ratio <= target else 'MISSED'}, ≤ {target:g})" if target is not None else ""
            parts.append(f"{ratio:.3g} × {kind}{wanted}")
    if small is not None:
        parts.append(f"grown {found[DESK].p50 / small.p50:.2f} ×")
    return ", ".join(parts)


def save(file: Path, about: Mapping[str, Any], results: Mapping[str, Results]) -> None:
    """Keep the figures; results by database."""
    plain = {
        database: {page: {kind: asdict(one) for kind, one in kinds.items()} for page, kinds in found.items()}
        for database, found in results.items()
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"about": dict(about), "results": plain}, indent=1), encoding="utf-8")


def against(file: Path, results: Mapping[str, Results]) -> Iterable[str]:
    """The desk's figures now and in an earlier run."""
    earlier = json.loads(file.read_text(encoding="utf-8"))
    yield f"against {file.name}: {earlier['about']}"
    for database, found in results.items():
        for page, kinds in found.items():
            then = earlier["results"].get(database, {}).get(page, {}).get(DESK)
            if then is not None and DESK in kinds:
                now = kinds[DESK]
                yield f"{database:24}{page:20}{then['p50']:9.2f} → {now.p50:9.2f} ms, {now.p50 / then['p50']:.2f} ×"
