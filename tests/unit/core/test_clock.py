from datetime import UTC, datetime, timedelta

from glimpser.core.clock import Clock, SystemClock, from_timestamp


def test_the_wall_clock_is_aware_utc() -> None:
    clock: Clock = SystemClock()

    now = clock.now()

    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_other_clock_never_runs_backwards() -> None:
    clock = SystemClock()

    readings = [clock.monotonic() for _ in range(1000)]

    assert readings == sorted(readings)


def test_a_timestamp_becomes_aware_utc_whatever_the_time_zone_of_the_machine() -> None:
    assert from_timestamp(0.25) == datetime(1970, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)
    assert from_timestamp(0).tzinfo is UTC
