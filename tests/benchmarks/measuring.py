"""How long, how many, how much: one page at a time, alone and eight at once."""

import asyncio
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from statistics import median

from tests.benchmarks.client import Answer, Client
from tests.benchmarks.data import Facts
from tests.benchmarks.pages import SAVE, Page, Step, sign_in, step_of
from tests.benchmarks.serving import FIGURES

AT_ONCE = 8


@dataclass(frozen=True)
class Effort:
    """How much a run may take."""

    seconds: float = 3.0
    least: int = 5
    at_once: int = AT_ONCE
    warm_up: int = 3


@dataclass(frozen=True)
class Figures:
    """Of one page in one application; times in milliseconds, bytes as they went over the wire."""

    status: int
    requests: int
    p50: float
    p95: float
    per_second: float
    per_second_at_once: float
    statements: float
    cpu: float
    size: int


async def measure(
    page: Page, kind: str, port: int, cookies: Mapping[str, str], facts: Facts, effort: Effort
) -> Figures:
    """One page in one application that is running."""
    clients = [Client(port, dict(cookies)) for _ in range(effort.at_once)]
    try:
        steps = [await step_of(page, kind, client, facts, number) for number, client in enumerate(clients)]
        for _ in range(effort.warm_up):
            await steps[0]()
        before = await _used(clients[-1])
        alone, seconds = await _repeat(steps[0], effort)
        after = await _used(clients[-1])
        started = time.perf_counter()
        together = await asyncio.gather(*(_repeat(step, effort) for step in steps))
        elapsed = time.perf_counter() - started
    finally:
        for client in clients:
            await client.close()
    _check(page, kind, [*alone, *(answer for answers, _ in together for answer in answers)])
    times = sorted(answer.seconds * 1000 for answer in alone)
    return Figures(
        status=alone[-1].status,
        requests=len(alone),
        p50=_percentile(times, 0.5),
        p95=_percentile(times, 0.95),
        per_second=len(alone) / seconds,
        per_second_at_once=sum(len(answers) for answers, _ in together) / elapsed,
        statements=(after["statements"] - before["statements"]) / len(alone),
        cpu=(after["cpu"] - before["cpu"]) * 1000 / len(alone),
        size=len(alone[-1].body),
    )


def typical(turns: list[Figures]) -> Figures:
    """The middle of several turns, figure by figure."""
    middle = {field.name: median(getattr(figures, field.name) for figures in turns) for field in fields(Figures)}
    return Figures(**middle)


async def cookies_for(kind: str, port: int) -> Mapping[str, str]:
    """Of somebody who is signed in."""
    client = Client(port)
    await sign_in(kind, client)
    await client.close()
    return client.cookies


def _check(page: Page, kind: str, answers: list[Answer]) -> None:
    """A page that fails quickly is no quick page. One that the database gives up on is measured as what it is."""
    fine = {302, 303} if page.name == SAVE else {200, 504}
    wrong = {answer.status for answer in answers} - fine
    assert not wrong, f"{kind}, {page.name} ({page.path(kind)}): {wrong}"


async def _repeat(step: Step, effort: Effort) -> tuple[list[Answer], float]:
    answers, started = [], time.perf_counter()
    while len(answers) < effort.least or time.perf_counter() - started < effort.seconds:
        answers.append(await step())
        if time.perf_counter() - started > 10 * effort.seconds + 10:
            break
    return answers, time.perf_counter() - started


async def _used(client: Client) -> dict[str, float]:
    used: dict[str, float] = json.loads((await client.get(FIGURES)).body)
    return used


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * share) - 1)]
