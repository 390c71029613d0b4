"""The last quarter of an hour of the pools as a drawing: the points of an SVG, so that no script is needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from admin_app.services.records.workers import Sample

WIDTH, HEIGHT, BOTTOM = 900.0, 160.0, 140.0
SPAN = timedelta(minutes=15)
WIDEST_STEP = timedelta(seconds=12)
"""Samples further apart are not joined by a line: nobody knows what was between them."""

SAMPLE_WIDTH = WIDTH * 5 / SPAN.total_seconds()


@dataclass(frozen=True)
class Mark:
    """Something that happened at one moment: time-outs, or no answer at all."""

    x: float
    width: float
    title: str


@dataclass(frozen=True)
class Tick:
    """A time below the drawing."""

    x: float
    at: datetime


@dataclass(frozen=True)
class Timeline:
    """What the template draws, in the units of its view box."""

    in_use: Sequence[str]
    """Areas, as the `points` of polygons."""
    waiting: Sequence[str]
    """Lines, as the `points` of polylines."""
    limit_y: float
    limit: int
    most_in_use: int
    most_waiting: int
    gave_up: Sequence[Mark]
    silent: Sequence[Mark]
    ticks: Sequence[Tick]
    timeouts: int


def timeline(samples: Sequence[Sample], now: datetime) -> Timeline:
    """Draw what is known between a quarter of an hour ago and now."""
    shown = [sample for sample in samples if now - SPAN <= sample.at <= now]
    heard = [sample for sample in shown if sample.in_use is not None]
    limit = max((sample.limit for sample in heard), default=0)
    top = max([limit, *(sample.waiting for sample in heard), 1])
    runs = _runs(heard)
    return Timeline(
        in_use=[_area(run, now, top) for run in runs],
        waiting=[_line([(s.at, s.waiting) for s in run], now, top) for run in runs if any(s.waiting for s in run)],
        limit_y=_y(limit, top),
        limit=limit,
        most_in_use=max((sample.in_use or 0 for sample in heard), default=0),
        most_waiting=max((sample.waiting for sample in heard), default=0),
        gave_up=[_mark(s, now, f"{s.gave_up} gave up waiting") for s in heard if s.gave_up > 0],
        silent=[_mark(s, now, "no answer from the database") for s in shown if s.in_use is None],
        ticks=[Tick(_x(now - SPAN * part / 3, now), now - SPAN * part / 3) for part in (3, 2, 1, 0)],
        timeouts=sum(max(0, sample.gave_up) for sample in heard),
    )


def _runs(heard: Sequence[Sample]) -> list[list[Sample]]:
    runs: list[list[Sample]] = []
    for sample in heard:
        if runs and sample.at - runs[-1][-1].at <= WIDEST_STEP:
            runs[-1].append(sample)
        else:
            runs.append([sample])
    return runs


def _area(run: Sequence[Sample], now: datetime, top: int) -> str:
    """As high as what was in use, down to the bottom at both ends; a lone sample is as wide as its share of time."""
    points = [(_x(sample.at, now), _y(sample.in_use or 0, top)) for sample in run]
    first, last = points[0][0] - SAMPLE_WIDTH, points[-1][0]
    return _points([(first, BOTTOM), (first, points[0][1]), *points, (last, BOTTOM)])


def _line(values: Sequence[tuple[datetime, int]], now: datetime, top: int) -> str:
    return _points([(_x(at, now), _y(value, top)) for at, value in values])


def _mark(sample: Sample, now: datetime, title: str) -> Mark:
    return Mark(round(_x(sample.at, now) - SAMPLE_WIDTH, 1), round(SAMPLE_WIDTH, 1), title)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{max(0.0, x):.1f},{y:.1f}" for x, y in points)


def _x(at: datetime, now: datetime) -> float:
    return round(WIDTH * (1 - (now - at) / SPAN), 1)


def _y(value: int, top: int) -> float:
    return round(BOTTOM * (1 - value / top), 1)
