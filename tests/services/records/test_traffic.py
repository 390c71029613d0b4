"""Requests are counted by what they asked for, how they ended, and how long they took."""

import json

from admin_app.services.records import traffic
from admin_app.services.records.traffic import BOUNDS, Traffic


class TestNote:
    def test_each_is_in_one_bucket_and_one_outcome_and_the_report_brings_them_back(self) -> None:
        told = Traffic()
        for status, seconds in ((200, 0.0), (204, BOUNDS[0]), (303, 0.011), (0, 3.0), (503, 99.0)):
            told.note("GET", "/admin/", status, seconds)
        told.note("POST", "/admin/", 422, 0.2)
        found = traffic.unpacked(json.loads(json.dumps(told.packed())))
        assert set(found) == {("GET", "/admin/"), ("POST", "/admin/")}
        one = found["GET", "/admin/"]
        assert one.outcomes == {"2xx": 2, "3xx": 1, "5xx": 1, traffic.UNANSWERED: 1}
        assert one.buckets == [2, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1]
        assert one.seconds == 102.021

    def test_other_buckets_than_ours_are_left_out(self) -> None:
        assert traffic.unpacked([["GET", "/", {"2xx": 1}, [1, 2], 0.1]]) == {}
