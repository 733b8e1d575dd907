from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from glimpser.core.errors import NotFound
from glimpser.core.ids import is_id, new_id, require_id, time_of

GOOD = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_new_ids_are_ids_and_differ() -> None:
    made = [new_id() for _ in range(100)]

    assert all(is_id(identifier) for identifier in made)
    assert len(set(made)) == 100


def test_an_id_tells_when_it_was_made() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)

    made_at = time_of(new_id())

    assert before <= made_at <= datetime.now(UTC)
    assert made_at.utcoffset() == timedelta(0)


def test_ids_sort_by_the_time_they_were_made() -> None:
    moments = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]

    made = [str(ULID.from_datetime(moment)) for moment in moments]

    assert made == sorted(made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD.lower(),
        GOOD[:-1],
        GOOD + "0",
        GOOD[:-1] + "I",
        GOOD[:-1] + "\n",
        GOOD[:-1] + "é",
        "../../../../../etc/passwd",
        "8" + "Z" * 25,
        "76EZ91ZQ00" + "0" * 16,
    ],
    ids=[
        "empty",
        "lower case",
        "short",
        "long",
        "letter outside the alphabet",
        "control character",
        "not ASCII",
        "path",
        "more than 128 bits",
        "made after the year 9999",
    ],
)
def test_what_new_id_cannot_make_is_no_id(text: str) -> None:
    assert not is_id(text)
    with pytest.raises(NotFound, match="no template"):
        require_id(text, "template")


@pytest.mark.parametrize("text", [GOOD, "0" * 26, "76EZ91ZPZZ" + "Z" * 16], ids=["usual", "first", "last"])
def test_an_id_at_the_edge_is_an_id_with_a_time(text: str) -> None:
    assert require_id(text, "template") == text
    assert 1970 <= time_of(text).year <= 9999


@given(st.text(max_size=30) | st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26))
def test_every_text_is_an_id_with_a_time_or_none_at_all(text: str) -> None:
    if is_id(text):
        assert time_of(text).tzinfo is UTC
    else:
        with pytest.raises(NotFound):
            require_id(text, "event")
