"""What the books of a run must show, and that they show it when something is amiss."""

import zoneinfo
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest

from tests.soak.kept_books import Away, Books, view_figures
from tests.soak.kept_world import View, zone_file

BEGIN = datetime(2026, 3, 1, 23, 59, 50, tzinfo=UTC)
END = BEGIN + timedelta(minutes=5)
MINUTES = [datetime(2026, 3, 2, 0, minute, tzinfo=UTC) for minute in range(5)]
PAGE = View(id="P", name="page", every=timedelta(minutes=1), jitter=timedelta(), since=BEGIN)


def _books(slots: Sequence[datetime], *, captures: int | None = None) -> Books:
    jobs = [
        {"id": f"J{number}", "template_id": "P", "status": "success", "result": {"capture_id": f"C{number}"}}
        for number in range(len(slots))
    ]
    taken: list[dict[str, Any]] = [
        {"id": f"C{number}", "template_id": "P", "status": "success", "error": None}
        for number in range(len(slots) if captures is None else captures)
    ]
    return Books(
        jobs=jobs, captures=taken, slots=[("P", slot, f"J{number}") for number, slot in enumerate(slots)]
    )


def _amiss(books: Books, away: Sequence[Away] = ()) -> list[str]:
    return [figure.name for figure in view_figures(books, PAGE, END, away) if not figure.met]


def test_a_run_that_kept_each_slot_once_is_in_order() -> None:
    assert _amiss(_books(MINUTES)) == []


def test_a_slot_that_was_left_out_is_missed() -> None:
    assert "page: slots missed" in _amiss(_books(MINUTES[:2] + MINUTES[3:]))


@pytest.mark.parametrize(("back_after_s", "is_missed"), [(20, True), (40, False)])
def test_a_slot_may_be_left_out_where_the_program_came_back_too_late(
    back_after_s: int, *, is_missed: bool
) -> None:
    away = Away(MINUTES[2] - timedelta(seconds=5), MINUTES[2] + timedelta(seconds=back_after_s))

    found = _amiss(_books(MINUTES[:2] + MINUTES[3:]), [away])

    assert ("page: slots missed" in found) is is_missed


def test_two_jobs_of_one_slot_are_seen() -> None:
    assert _amiss(_books([*MINUTES, MINUTES[3]])) == ["page: slots with two jobs"]


def test_a_job_at_a_time_that_is_no_slot_is_seen() -> None:
    assert _amiss(_books([*MINUTES, MINUTES[3] + timedelta(seconds=7)])) == ["page: slots of no schedule"]


def test_a_second_capture_for_a_slot_is_seen() -> None:
    assert _amiss(_books(MINUTES, captures=6)) == ["page: captured twice for a slot"]


def test_a_capture_that_is_gone_is_seen() -> None:
    assert _amiss(_books(MINUTES, captures=4)) == ["page: captures of jobs that are gone"]


@pytest.mark.parametrize("hour", [0, 5, 11, 12, 13, 23])
def test_midnight_comes_to_our_place_when_it_is_told_to(hour: int) -> None:
    midnight = datetime(2026, 3, 2, hour, 7, tzinfo=UTC)

    zone = zoneinfo.ZoneInfo.from_file(BytesIO(zone_file(midnight)))

    assert midnight.astimezone(zone).time().isoformat() == "00:00:00"
