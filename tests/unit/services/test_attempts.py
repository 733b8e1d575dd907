"""How often somebody may be wrong, and who has to wait."""

from contextlib import ExitStack
from typing import NoReturn

import pytest

from glimpser.core.errors import TooMany, Unauthenticated, Unavailable
from glimpser.services.attempts import MAX_KEYS, Attempts
from glimpser.testing.clock import FakeClock


def fail(attempts: Attempts, account: str = "ada", address: str | None = "203.0.113.9") -> None:
    with pytest.raises(Unauthenticated), attempts.one(account, address):
        raise Unauthenticated("wrong")


def is_let_try(attempts: Attempts, account: str = "ada", address: str | None = "203.0.113.9") -> bool:
    """Tell without leaving a trace: an attempt that ends for another reason does not count."""
    try:
        with attempts.one(account, address):
            be_busy()
    except TooMany:
        return False
    except Unavailable:
        return True


def be_busy() -> NoReturn:
    raise Unavailable("busy")


def test_the_sixth_failure_within_a_minute_has_to_wait_for_the_first_to_pass() -> None:
    clock = FakeClock()
    attempts = Attempts(clock)
    for _ in range(5):
        fail(attempts)
        clock.advance(10)

    with pytest.raises(TooMany) as refused, attempts.one("ada", "203.0.113.9"):
        pass

    assert refused.value.retry_after_s == 10
    clock.advance(10)
    assert is_let_try(attempts)


def test_twenty_failures_within_an_hour_are_enough() -> None:
    clock = FakeClock()
    attempts = Attempts(clock)
    for _ in range(20):
        fail(attempts)
        clock.advance(60)

    assert not is_let_try(attempts)
    clock.advance(3600 - 20 * 60)
    assert is_let_try(attempts)


def test_many_attempts_at_once_gain_nothing() -> None:
    attempts = Attempts(FakeClock())
    with ExitStack() as under_way:
        for _ in range(5):
            under_way.enter_context(attempts.one("ada", None))

        assert not is_let_try(attempts, address=None)

    assert is_let_try(attempts, address=None)


def test_a_success_wipes_the_slate() -> None:
    attempts = Attempts(FakeClock())
    for _ in range(4):
        fail(attempts)
    with attempts.one("ada", "203.0.113.9"):
        pass
    for _ in range(4):
        fail(attempts)

    assert is_let_try(attempts)


def test_a_busy_server_is_nobodys_failure() -> None:
    attempts = Attempts(FakeClock())

    assert all(is_let_try(attempts) for _ in range(30))


@pytest.mark.parametrize(
    ("account", "address"),
    [("bob", "2001:db8::1"), ("ada", "2001:db8:0:1::1"), ("ada", "203.0.113.9"), ("ada", "unknown")],
)
def test_others_do_not_wait(account: str, address: str) -> None:
    attempts = Attempts(FakeClock())
    for _ in range(5):
        fail(attempts, address="2001:db8::1")

    assert is_let_try(attempts, account, address)


def test_another_address_of_the_same_ipv6_subscriber_waits_too() -> None:
    attempts = Attempts(FakeClock())
    for last in range(5):
        fail(attempts, address=f"2001:db8::{last}")

    assert not is_let_try(attempts, address="2001:db8::ffff")


def test_memory_is_bounded_whatever_names_are_tried() -> None:
    attempts = Attempts(FakeClock())
    for number in range(MAX_KEYS + 10):
        fail(attempts, f"nobody{number}")

    assert len(attempts._failed) == MAX_KEYS
    assert not attempts._under_way
