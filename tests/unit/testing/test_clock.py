from datetime import UTC, datetime, timedelta, timezone

import pytest

from glimpser.core.clock import Clock
from glimpser.testing.clock import START, FakeClock


def test_time_stands_still_until_it_is_advanced() -> None:
    clock: Clock = FakeClock()

    assert clock.now() == clock.now() == START
    assert clock.monotonic() == clock.monotonic()


def test_advancing_moves_both_clocks() -> None:
    clock = FakeClock()
    before_s = clock.monotonic()

    clock.advance(90.5)

    assert clock.now() == START + timedelta(seconds=90.5)
    assert clock.monotonic() - before_s == 90.5


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
def test_a_jump_moves_the_wall_clock_alone(seconds: float) -> None:
    clock = FakeClock()

    clock.jump(seconds)

    assert clock.now() == START + timedelta(seconds=seconds)
    assert clock.monotonic() == 0.0


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="jump"):
        FakeClock().advance(-1)


def test_the_wall_clock_is_utc_whatever_zone_the_test_speaks_in() -> None:
    clock = FakeClock(datetime(2026, 7, 1, 14, 0, tzinfo=timezone(timedelta(hours=2))))

    assert clock.now() == datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="UTC"):
        FakeClock(datetime(2026, 1, 1))  # noqa: DTZ001 (the point of the test)
