"""Which of a view's pictures go."""

from datetime import UTC, datetime, timedelta

import pytest

from glimpser.core.ids import ArtifactId
from glimpser.core.retention import Kept, RetentionPolicy, Sieve

NOW = datetime(2025, 6, 30, 12, 30, tzinfo=UTC)
EVERY_20_MINUTES = [timedelta(minutes=20 * number) for number in range(3 * 24 * 3)]


def left(policy: RetentionPolicy, ages: list[timedelta], size_bytes: int = 10) -> list[timedelta]:
    """Give the ages of what stays."""
    sieve = Sieve(policy, NOW)
    begin = sieve.begin
    kept = []
    for age in ages:
        made = Kept(ArtifactId(""), NOW - age, size_bytes)
        is_looked_at = begin is None or made.created_at < begin
        if not (is_looked_at and sieve.goes(made)):
            kept.append(age)
    return kept


def test_without_limits_everything_stays() -> None:
    assert left(RetentionPolicy(), EVERY_20_MINUTES) == EVERY_20_MINUTES


def test_what_is_older_than_the_age_goes_and_nothing_else() -> None:
    day = timedelta(days=1)

    assert left(RetentionPolicy(max_age_days=1), [day, day + timedelta(seconds=1)]) == [day]


@pytest.mark.parametrize(
    ("policy", "stay"),
    [
        (RetentionPolicy(max_count=2), 2),
        (RetentionPolicy(max_bytes=30), 3),
        (RetentionPolicy(max_bytes=39), 3),
        (RetentionPolicy(max_count=9, max_bytes=10), 1),
        (RetentionPolicy(max_bytes=9), 0),
    ],
)
def test_of_too_many_or_too_much_the_oldest_go(policy: RetentionPolicy, stay: int) -> None:
    assert left(policy, EVERY_20_MINUTES) == EVERY_20_MINUTES[:stay]


def test_thinning_leaves_the_newest_of_each_hour_that_has_wholly_passed() -> None:
    stay = left(RetentionPolicy(thin_after_days=1, thin_to="hour"), EVERY_20_MINUTES)

    young = [age for age in stay if NOW - age >= datetime(2025, 6, 29, 12, tzinfo=UTC)]
    old = [NOW - age for age in stay[len(young) :]]
    assert len(young) == 74
    assert [moment.minute for moment in old] == [50] * len(old)
    assert len(old) == 48


def test_thinning_twice_changes_nothing_more() -> None:
    policy = RetentionPolicy(max_age_days=2, thin_after_days=1, thin_to="day")
    once = left(policy, EVERY_20_MINUTES)

    assert left(policy, once) == once


def test_what_is_thinned_out_is_not_counted() -> None:
    policy = RetentionPolicy(max_count=80, thin_after_days=1)

    assert len(left(policy, EVERY_20_MINUTES)) == 80


def test_a_view_says_only_what_differs() -> None:
    own = RetentionPolicy(max_age_days=7)
    default = RetentionPolicy(max_age_days=30, max_count=5, thin_to="day")

    assert own.over(default) == RetentionPolicy(max_age_days=7, max_count=5, thin_to="day")


def test_an_age_before_the_calendar_keeps_everything() -> None:
    policy = RetentionPolicy(max_age_days=36_500 * 21)

    assert left(policy, [timedelta(days=700_000)]) == [timedelta(days=700_000)]
