"""How many requests are too many, and what it costs to count them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.core.errors import TooMany
from glimpser.services.rates import MAX_COUNTS, RateLimits, Rates, Windows, parse_limits
from glimpser.testing.clock import FakeClock

HERE = "203.0.113.9"


def rates(clock: FakeClock, **limits: str) -> Rates:
    return Rates(clock, RateLimits(**{name: parse_limits(text) for name, text in limits.items()}))


def served(counted: Rates, count: int, *, address: str = HERE, is_write: bool = False) -> int:
    """Make requests from an address; gives how many were let in."""
    before = count
    for _ in range(before):
        try:
            counted.count_address(address, is_write=is_write)
        except TooMany:
            count -= 1
    return count


def test_a_full_bucket_refuses_until_its_time_is_over() -> None:
    clock = FakeClock()
    counted = rates(clock, address="3/minute")
    clock.advance(5)
    assert served(counted, 3) == 3
    clock.advance(20)

    with pytest.raises(TooMany) as refused:
        counted.count_address(HERE, is_write=False)

    assert refused.value.retry_after_s == 40
    clock.advance(40)
    assert served(counted, 4) == 3


def test_the_narrower_of_two_limits_holds() -> None:
    clock = FakeClock()
    counted = rates(clock, address="2/second; 3 per minute")

    assert served(counted, 5) == 2
    clock.advance(1)
    assert served(counted, 5) == 1


def test_the_wait_is_at_least_a_second() -> None:
    clock = FakeClock()
    counted = rates(clock, address="1/second")
    served(counted, 1)
    clock.advance(0.999)

    with pytest.raises(TooMany) as refused:
        counted.count_address(HERE, is_write=False)

    assert refused.value.retry_after_s == 1


def test_writes_are_limited_more_strictly_than_reads() -> None:
    counted = rates(FakeClock(), address="10/minute", address_writes="2/minute")

    assert served(counted, 5, is_write=True) == 2
    assert served(counted, 9) == 5


@pytest.mark.parametrize("address", ["203.0.113.10", "2001:db8:0:1::1"])
def test_others_do_not_wait(address: str) -> None:
    counted = rates(FakeClock(), address="1/minute")
    served(counted, 5)
    served(counted, 5, address="2001:db8::1")

    assert served(counted, 1, address=address) == 1


def test_another_address_of_the_same_ipv6_subscriber_waits_too() -> None:
    counted = rates(FakeClock(), address="1/minute")
    served(counted, 1, address="2001:db8::1")

    assert served(counted, 1, address="2001:db8::2") == 0


def test_each_user_has_a_bucket_whatever_their_address() -> None:
    counted = rates(FakeClock(), address="1/minute", principal="2/minute")
    served(counted, 5)

    for name in ("ann", "bob"):
        counted.count_principal(name, is_write=False)
        counted.count_principal(name, is_write=False)
        with pytest.raises(TooMany):
            counted.count_principal(name, is_write=False)


def test_off_is_no_limit() -> None:
    assert served(rates(FakeClock(), address="off"), 10_000) == 10_000


def test_a_million_addresses_cost_no_more_than_those_that_are_kept() -> None:
    windows = Windows(FakeClock())

    for number in range(1_000_000):
        windows.incr(str(number), 60)

    assert len(windows) == MAX_COUNTS
    assert windows.get("999999") == 1


def test_what_was_refused_lately_is_not_what_is_forgotten_first() -> None:
    clock = FakeClock()
    windows = Windows(clock, max_counts=2)
    windows.incr("old", 60)
    clock.advance(61)
    windows.incr("new", 60)
    windows.incr("old", 60)
    windows.incr("newest", 60)

    assert [windows.get(name) for name in ("old", "new", "newest")] == [1, 0, 1]


@given(st.text(alphabet="0123456789/; perscondminuthay,off", max_size=40) | st.text(max_size=40))
def test_whatever_is_written_for_a_limit_is_read_or_refused(text: str) -> None:
    try:
        limits = parse_limits(text)
    except ValueError:
        return

    assert [limit.get_expiry() > 0 for limit in limits] == [True] * len(limits)


@given(st.lists(st.tuples(st.integers(1, 999), st.sampled_from(["second", "minute", "hour"])), min_size=1))
def test_limits_are_read_as_they_are_written(wanted: list[tuple[int, str]]) -> None:
    limits = parse_limits(";".join(f"{amount}/{unit}" for amount, unit in wanted))

    assert [(limit.amount, limit.GRANULARITY.name) for limit in limits] == wanted
