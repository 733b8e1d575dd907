from collections.abc import Mapping, Sequence
from typing import Any

from structlog.testing import capture_logs

from glimpser.process.complaints import MAX_LINES_PER_S, Complaints
from glimpser.testing.clock import FakeClock


def logged(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    return [entry["line"] for entry in entries if entry["event"] == "process.stderr"]


def test_lines_are_logged_as_they_end_however_they_are_cut() -> None:
    with capture_logs() as entries:
        complaints = Complaints("x", monotonic=FakeClock().monotonic)
        for piece in (b"fir", b"st\nsec", b"ond\n\nthird"):
            complaints.write(piece)
        complaints.close()

    assert logged(entries) == ["first", "second", "third"]


def test_a_flood_costs_a_bounded_number_of_lines_and_is_counted() -> None:
    clock = FakeClock()
    with capture_logs() as entries:
        complaints = Complaints("x", monotonic=clock.monotonic)
        complaints.write(b"again\n" * 5000)
        clock.advance(1)
        complaints.write(b"calm\n")

    assert logged(entries) == ["again"] * MAX_LINES_PER_S + ["calm"]
    assert [entry["lines"] for entry in entries if "lines" in entry] == [5000 - MAX_LINES_PER_S]


def test_a_line_without_end_is_cut() -> None:
    with capture_logs() as entries:
        complaints = Complaints("x", monotonic=FakeClock().monotonic)
        for _ in range(1000):
            complaints.write(b"x" * 1000)
        complaints.close()

    assert [len(line) for line in logged(entries)] == [2048]
    assert len(complaints.text) == 8192


def test_credentials_reach_neither_the_log_nor_those_who_ask() -> None:
    with capture_logs() as entries:
        complaints = Complaints("x", monotonic=FakeClock().monotonic)
        complaints.write(b"cannot open rtsp://me:hush@cam/ now\n")

    assert logged(entries) == ["cannot open rtsp://me:***@cam/ now"]
    assert "hush" not in complaints.text
