"""The rows that were turned away, as a CSV file."""

import csv
import io

from admin_app.services.batches.csv_import.drafting import Rejection
from admin_app.services.batches.csv_import.reading import Row
from admin_app.services.batches.csv_import.rejected_rows import RejectedRows


def written(header: list[str], *rejections: Rejection) -> list[list[str]]:
    file = io.StringIO(newline="")
    report = RejectedRows(file, header)
    for rejection in rejections:
        report.write(rejection)
    file.seek(0)
    return list(csv.reader(file))


class TestRejectedRows:
    def test_the_original_columns_come_first_and_then_line_column_and_reason(self) -> None:
        rejection = Rejection(Row(4, ["1", "Frozen"]), "State", "No such status.")
        assert written(["Id", "State"], rejection) == [
            ["Id", "State", "line", "column", "reason"],
            ["1", "Frozen", "4", "State", "No such status."],
        ]

    def test_a_short_or_long_line_keeps_every_cell(self) -> None:
        short, long = Rejection(Row(2, ["1"]), "", "Short."), Rejection(Row(3, ["1", "a", "b"]), "", "Long.")
        assert written(["Id", "State"], short, long)[1:] == [
            ["1", "", "2", "", "Short."],
            ["1", "a,b", "3", "", "Long."],
        ]

    def test_no_cell_runs_as_a_formula(self) -> None:
        rejection = Rejection(Row(2, ["=1+1", "'@x"]), "=A", "-")
        assert written(["Id", "State"], rejection)[1] == ["'=1+1", "''@x", "2", "'=A", "'-"]

    def test_a_report_that_is_imported_again_keeps_its_names_apart(self) -> None:
        assert written(["Id", "line", "column", "reason"])[0] == [
            "Id",
            "line",
            "column",
            "reason",
            "line again",
            "column again",
            "reason again",
        ]
