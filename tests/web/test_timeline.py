"""The last quarter of an hour as a drawing."""

from datetime import UTC, datetime, timedelta

from admin_app.services.records.workers import Sample
from admin_app.web.timeline import HEIGHT, WIDTH, timeline

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    """So many seconds before now."""
    return NOW - timedelta(seconds=seconds)


class TestTimeline:
    def test_nothing_known_draws_nothing(self) -> None:
        drawn = timeline([], NOW)
        assert (list(drawn.in_use), list(drawn.waiting), drawn.limit, drawn.timeouts) == ([], [], 0, 0)
        assert [tick.at for tick in drawn.ticks] == [ago(900), ago(600), ago(300), NOW]

    def test_silence_parts_the_line_and_is_marked_and_all_stays_inside(self) -> None:
        samples = [
            Sample(ago(2000), 9, 10, 0, 9),
            Sample(ago(900), 1, 10, 0, 0),
            Sample(ago(895), 10, 10, 40, 2),
            Sample(ago(890)),
            Sample(ago(5), 3, 10, 0, 0),
            Sample(NOW, 4, 10, 0, -3),
        ]
        drawn = timeline(samples, NOW)
        assert len(drawn.in_use) == 2
        assert len(drawn.waiting) == 1
        assert (drawn.limit, drawn.most_in_use, drawn.most_waiting, drawn.timeouts) == (10, 10, 40, 2)
        assert [mark.title for mark in drawn.gave_up] == ["2 gave up waiting"]
        assert len(drawn.silent) == 1
        for shape in (*drawn.in_use, *drawn.waiting):
            for point in shape.split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= WIDTH
                assert 0 <= y <= HEIGHT
