"""When it is time: expressions, windows, jitter, and clocks that are changed."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.core.errors import InvalidInput
from glimpser.core.schedule import MACROS, Timetable, Window, jitter_of
from tests.schedule_oracle import Oracle, utc

NEW_YEAR = utc("2026-01-01T00:00:00Z")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Auckland",
    "America/Santiago",
)
CRONS = ("30 2 * * *", "*/20 * * * *", "15 1-3 * * *", "0 0 * * 0", "5 */2 1,15 * *", "*/7 0,23 * * 1-5")


def slots(cron: str, zone: str, start: str, count: int, windows: tuple[Window, ...] = ()) -> list[str]:
    found = Timetable(cron, zone, windows).upcoming(utc(start), count)
    return [f"{slot:%Y-%m-%dT%H:%M:%SZ}" for slot in found]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("*/15 * * * *", ["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]),
        ("*/10 * * * * *", ["2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z"]),
        ("0 9 * * mon-fri", ["2026-01-01T09:00:00Z", "2026-01-02T09:00:00Z"]),
        ("@daily", ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]),
        (" @HOURLY ", ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"]),
        ("0 0 29 2 *", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
        ("0 0 L * *", ["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"]),
    ],
)
def test_gives_the_slots_after_a_moment(cron: str, expected: list[str]) -> None:
    assert slots(cron, "UTC", "2026-01-01T00:00:00Z", 2) == expected


@pytest.mark.parametrize("macro", MACROS)
def test_every_word_is_an_expression(macro: str) -> None:
    assert Timetable(macro).next_after(NEW_YEAR) == Timetable(MACROS[macro]).next_after(NEW_YEAR)


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "* * * *",
        "* * * * * * *",
        "60 * * * *",
        "a b c d e",
        "0 0 30 2 *",
        "0 0 31 4 1#7",
        "@never",
        "*/0 * * * *",
        "9-1 * * * *",
        "* " * 200,
        "\N{ARABIC-INDIC DIGIT FIVE} * * * *",
        "0 0 L/2,5-L * *",
        "* * * * L",
    ],
)
def test_what_is_no_expression_is_refused_by_name(cron: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Timetable(cron)

    assert [error.pointer for error in refused.value.errors] == ["/schedule"]


@given(st.text(alphabet="0123456789*/,-#LW@adily ", max_size=40))
def test_whatever_is_written_is_read_or_refused(cron: str) -> None:
    try:
        table = Timetable(cron, "Europe/Berlin")
    except InvalidInput:
        return
    slot = table.next_after(NEW_YEAR)
    assert slot is None or slot > NEW_YEAR


def test_a_zone_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as refused:
        Timetable("@daily", "Europe/Atlantis")

    assert [error.pointer for error in refused.value.errors] == ["/timezone"]


# Clocks that are changed ------------------------------------------------------------------------------


def test_a_time_that_is_left_out_counts_once_when_the_clock_jumps() -> None:
    found = slots("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2)

    assert found == ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]


def test_several_times_that_are_left_out_count_once_together() -> None:
    found = slots("*/10 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2)

    assert found == ["2026-03-29T01:00:00Z", "2026-03-29T01:10:00Z"]


def test_a_time_that_comes_twice_counts_the_first_time() -> None:
    found = slots("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2)

    assert found == ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]


def test_between_the_two_times_the_second_does_not_count() -> None:
    assert slots("30 2 * * *", "Europe/Berlin", "2026-10-25T00:31:00Z", 1) == ["2026-10-26T01:30:00Z"]


def test_every_hour_means_every_hour_that_passes() -> None:
    found = slots("0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", 4)

    assert found == [f"2026-10-25T0{hour}:00:00Z" for hour in range(4)]


def test_a_whole_day_that_is_left_out_counts_once() -> None:
    found = slots("0 12 * * *", "Pacific/Apia", "2011-12-29T23:00:00Z", 2)

    assert found == ["2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"]


@pytest.mark.parametrize("zone", ZONES)
def test_agrees_with_a_walk_through_every_minute(zone: str) -> None:
    """The weeks around the changes of 2026, and one with none; `just soak schedules` walks 400 days."""
    for cron in CRONS:
        for day in ("2026-02-13", "2026-03-27", "2026-10-23"):
            start = utc(f"{day}T00:00:00Z")
            end = start + timedelta(days=3)
            table = Timetable(cron, zone)
            expected = list(Oracle(cron, zone).slots(start, end))

            found = [slot for slot in table.upcoming(start, len(expected) + 1) if slot <= end]

            assert found == expected, (cron, zone)


@given(seconds=st.integers(0, 400 * 86_400), zone=st.sampled_from(ZONES), cron=st.sampled_from(CRONS))
def test_the_answer_does_not_depend_on_what_was_asked_before(seconds: int, zone: str, cron: str) -> None:
    moment = NEW_YEAR + timedelta(seconds=seconds)
    used = Timetable(cron, zone)
    for step in (-1, 1, 3600, -3600):
        used.next_after(moment + timedelta(seconds=step))

    answer = used.next_after(moment)

    assert answer == Timetable(cron, zone).next_after(moment)
    assert answer is not None
    assert answer > moment


def test_slots_always_rise() -> None:
    for zone in ZONES:
        found = Timetable("*/30 1-4 * * *", zone).upcoming(NEW_YEAR, 3000)
        assert all(before < after for before, after in pairwise(found))


# Windows ----------------------------------------------------------------------------------------------


WORK = Window(days=("mon", "tue", "wed", "thu", "fri"), start=time(9), end=time(17))
NIGHT = Window(days=("sat",), start=time(23), end=time(1))


def test_only_slots_inside_a_window_count() -> None:
    found = slots("0 */8 * * *", "UTC", "2026-01-02T00:00:00Z", 3, (WORK, NIGHT))  # a Friday

    assert found == ["2026-01-02T16:00:00Z", "2026-01-04T00:00:00Z", "2026-01-05T16:00:00Z"]


def test_a_closed_window_is_passed_over_at_once() -> None:
    table = Timetable("* * * * * *", "UTC", (Window(days=("mon",), start=time(9), end=time(9, 1)),))

    found = table.upcoming(utc("2026-01-05T09:00:58Z"), 2)

    assert found == [utc("2026-01-05T09:00:59Z"), utc("2026-01-12T09:00:00Z")]


def test_a_window_that_no_slot_meets_gives_none() -> None:
    assert Timetable("0 12 * * *", "UTC", (Window(start=time(1), end=time(2)),)).next_after(NEW_YEAR) is None


def test_a_window_is_about_what_the_clock_would_have_shown() -> None:
    window = Window(start=time(2), end=time(3))

    found = slots("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 1, (window,))

    assert found == ["2026-03-29T01:00:00Z"]


# Jitter and words -------------------------------------------------------------------------------------


def test_jitter_is_the_same_for_a_slot_and_spreads_over_its_range() -> None:
    slots_of_a_day = [NEW_YEAR + timedelta(minutes=number) for number in range(1440)]

    delays = [jitter_of("door", slot, 10_000) for slot in slots_of_a_day]

    assert delays == [jitter_of("door", slot, 10_000) for slot in slots_of_a_day]
    assert delays != [jitter_of("gate", slot, 10_000) for slot in slots_of_a_day]
    assert all(timedelta() <= delay <= timedelta(seconds=10) for delay in delays)
    assert min(delays) < timedelta(seconds=0.5)
    assert max(delays) > timedelta(seconds=9.5)
    assert jitter_of("door", NEW_YEAR, 0) == timedelta()


def test_says_in_words_when_it_is_time() -> None:
    table = Timetable("0 9 * * 1-5", "Europe/Berlin", (WORK,))

    assert table.in_words() == (
        "At 09:00 on Monday through Friday, only mon, tue, wed, thu, fri 09:00–17:00 (Europe/Berlin)"
    )
    assert Timetable("*/10 * * * * *").in_words() == "Every 10th second of every minute (UTC)"


def test_times_are_utc() -> None:
    slot = Timetable("@daily", "Asia/Tokyo").next_after(datetime(2026, 1, 1, tzinfo=UTC))

    assert slot is not None
    assert slot.tzinfo is UTC
