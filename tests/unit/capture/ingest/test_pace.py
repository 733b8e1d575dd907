import pytest

from glimpser.capture.ingest.pace import Backoff, Due, LagMeter, RateMeter


def steady(low: float, high: float) -> float:
    return (low + high) / 2


def test_waits_double_to_five_seconds_and_after_a_minute_are_thirty() -> None:
    backoff = Backoff(vary=steady)
    now, waits = 0.0, []

    while now < 120:
        waits.append(backoff.next_delay_s(now))
        now += waits[-1]

    assert waits[:6] == [0.5, 1, 2, 4, 5, 5]
    assert waits[-1] == 30
    assert sum(wait for wait in waits if wait < 30) < 66


def test_after_a_success_the_waits_begin_anew() -> None:
    backoff = Backoff(vary=steady)
    for now in range(0, 100, 10):
        backoff.next_delay_s(now)

    backoff.succeeded()

    assert backoff.next_delay_s(200) == 0.5


def test_where_haste_does_harm_even_the_first_wait_is_long() -> None:
    assert Backoff(vary=steady).next_delay_s(0, slow=True) == 30


def test_every_wait_is_varied_by_a_fifth() -> None:
    asked: list[tuple[float, float]] = []

    def vary(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    assert Backoff(vary).next_delay_s(0) == pytest.approx(0.6)
    [span] = asked
    assert span == pytest.approx((0.8, 1.2))
    waits = [Backoff().next_delay_s(0) for _ in range(200)]
    assert all(0.4 <= wait <= 0.6 for wait in waits)
    assert len(set(waits)) > 100


@pytest.mark.parametrize(
    ("source_fps", "wanted_fps"), [(25, 5), (15, 10), (30, 7), (24, 23), (2, 5), (25, 25)]
)
def test_a_rate_is_kept_on_average_whatever_the_source_has(source_fps: float, wanted_fps: float) -> None:
    due = Due(wanted_fps)

    taken = sum(due.is_due(number / source_fps) for number in range(int(20 * source_fps)))

    assert taken == pytest.approx(20 * min(source_fps, wanted_fps), abs=2)


def test_a_rate_of_zero_takes_every_frame() -> None:
    assert all(Due(0).is_due(number / 100) for number in range(50))


def test_a_pause_of_the_source_is_not_made_up_for() -> None:
    due = Due(5)
    assert due.is_due(0.0)

    taken = [due.is_due(8 + number / 25) for number in range(25)]

    assert sum(taken) <= 6 + 1


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
def test_a_jump_of_the_time_does_not_stop_the_picking(jump_s: float) -> None:
    due = Due(5)
    assert due.is_due(100.0)

    assert due.is_due(100.0 + jump_s)
    assert not due.is_due(100.0 + jump_s + 0.05)


def test_a_reader_that_waits_for_packets_is_never_behind() -> None:
    meter = LagMeter()

    lags = [meter.lag_s(number * 0.04 * 1.1, number * 0.04, waited_s=0.03) for number in range(500)]

    assert max(lags) == 0


def test_what_it_takes_longer_than_the_media_lasts_is_lag() -> None:
    meter = LagMeter()

    lags = [meter.lag_s(number * 0.06, number * 0.04, waited_s=0.0) for number in range(101)]

    assert lags[100] == pytest.approx(2.0)


def test_lag_is_gone_when_the_reader_waits_again() -> None:
    meter = LagMeter()
    meter.lag_s(0, 0, waited_s=1)
    assert meter.lag_s(5, 1, waited_s=0) == 4

    assert meter.lag_s(6, 2, waited_s=0.05) == 0


def test_a_rate_is_that_since_the_last_reading() -> None:
    meter = RateMeter(10.0)
    for _ in range(50):
        meter.count()

    assert meter.read(12.0) == 25
    assert meter.read(13.0) == 0
    assert meter.read(13.0) == 0
