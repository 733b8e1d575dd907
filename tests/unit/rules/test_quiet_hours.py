"""Quiet hours against an oracle that walks through them minute by minute, around changes of the clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.core.errors import InvalidInput
from glimpser.core.local_time import DAYS, is_within, zone_of
from glimpser.core.rules import QuietHours

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/Santiago",
    "Asia/Tehran",
    "Antarctica/Troll",
)
CHANGES = (
    datetime(2025, 3, 30, 1, tzinfo=UTC),  # Europe goes forward
    datetime(2025, 10, 26, 1, tzinfo=UTC),  # … and back
    datetime(2025, 3, 9, 7, tzinfo=UTC),  # New York
    datetime(2025, 11, 2, 6, tzinfo=UTC),
    datetime(2025, 4, 5, 15, tzinfo=UTC),  # Lord Howe, by half an hour
    datetime(2011, 12, 30, 10, tzinfo=UTC),  # Apia left out a day
    datetime(2025, 12, 31, 23, tzinfo=UTC),
)
QUIET = st.builds(
    QuietHours,
    days=st.sets(st.sampled_from(DAYS), min_size=1).map(tuple),
    start=st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    end=st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
)


def quiet_minutes(hours: QuietHours, around: datetime) -> set[datetime]:
    """Walk from each beginning near a local time to the end that follows, and note what a clock shows."""
    found: set[datetime] = set()
    midnight = around.replace(hour=0, minute=0, second=0, microsecond=0)
    for offset in range(-2, 2):
        day = midnight + offset * DAY
        if day.strftime("%a").lower() not in hours.days:
            continue
        shown = day + timedelta(hours=hours.start.hour, minutes=hours.start.minute)
        while True:
            found.add(shown)
            shown += MINUTE
            if (shown.hour, shown.minute) == (hours.end.hour, hours.end.minute):
                break
    return found


@given(
    hours=QUIET,
    zone=st.sampled_from(ZONES),
    change=st.sampled_from(CHANGES),
    offset_min=st.integers(-1500, 1500),
    second=st.integers(0, 59),
)
def test_quiet_is_what_lies_between_beginning_and_end(
    hours: QuietHours, zone: str, change: datetime, offset_min: int, second: int
) -> None:
    local = (change + offset_min * MINUTE).astimezone(zone_of(zone)).replace(second=second)
    shown = local.replace(tzinfo=None, second=0, microsecond=0, fold=0)

    assert is_within(hours, local) == (shown in quiet_minutes(hours, shown))


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("2026-01-02T20:59:59Z", False),  # Friday 21:59:59
        ("2026-01-02T21:00:00Z", True),
        ("2026-01-03T04:59:59Z", True),  # Saturday morning belongs to Friday
        ("2026-01-03T05:00:00Z", False),
        ("2026-01-03T22:00:00Z", False),  # Saturday evening is not in it
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment: str, *, quiet: bool) -> None:
    hours = QuietHours(days=("fri",), start=time(22), end=time(6))

    assert is_within(hours, berlin(moment)) == quiet


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    hours = QuietHours(start=time(2, 30), end=time(2, 45))

    moments = [f"2025-10-26T{hour}:{minute}:00Z" for hour in ("00", "01") for minute in (29, 30, 44, 45)]

    assert [is_within(hours, berlin(moment)) for moment in moments] == [False, True, True, False] * 2


def test_a_beginning_that_the_clock_leaves_out_is_not_missed() -> None:
    hours = QuietHours(start=time(2, 30), end=time(3, 30))

    assert is_within(hours, berlin("2025-03-30T01:00:00Z"))  # the clock goes from 02:00 to 03:00
    assert not is_within(hours, berlin("2025-03-30T00:59:59Z"))
    assert not is_within(hours, berlin("2025-03-30T01:30:00Z"))


def test_equal_times_are_a_whole_day() -> None:
    hours = QuietHours(days=("mon",), start=time(8), end=time(8))

    assert is_within(hours, berlin("2026-01-05T07:00:00Z"))
    assert is_within(hours, berlin("2026-01-06T06:59:59Z"))
    assert not is_within(hours, berlin("2026-01-06T07:00:00Z"))


@pytest.mark.parametrize("name", [*ZONES, "Etc/GMT+5", "America/Argentina/Buenos_Aires", "EST5EDT"])
def test_every_zone_of_the_database_is_known(name: str) -> None:
    assert datetime(2026, 1, 1, tzinfo=zone_of(name)).utcoffset() is not None


@pytest.mark.parametrize(
    "name",
    [
        *("", "Mars/Olympus", "Europe", "../../etc/passwd", "/etc/localtime", "localtime", "right/UTC"),
        *("posix/Europe/Berlin", "Europe/../Europe/Berlin", "Europe//Berlin", "UTC\0", "tzdata.zi", "Ü"),
        "A/" * 100 + "B",
    ],
)
def test_nothing_else_is(name: str) -> None:
    with pytest.raises(InvalidInput, match="IANA"):
        zone_of(name)
