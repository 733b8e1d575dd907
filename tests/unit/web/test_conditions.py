"""Preconditions and ranges, by the letter of RFC 9110."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.core.errors import InvalidInput, Precondition
from glimpser.web.conditions import ByteRange, Unsatisfiable, none_match, requested_range, version_match


@pytest.mark.parametrize(
    ("header", "matching"),
    [
        ('"3"', {3}),
        ('  "3"  ', {3}),
        ('"2", "3"', {2, 3}),
        ('"2" ,"3"', {2, 3}),
        ("*", {1, 2, 3, 4}),
        ('W/"3"', set()),
        ('W/"3", "4"', {4}),
        ('"03"', set()),
        ('"abc"', set()),
        ('""', set()),
    ],
)
def test_if_match_names_versions(header: str, matching: set[int]) -> None:
    matches = version_match(header)

    assert {version for version in (1, 2, 3, 4) if matches(version)} == matching


@pytest.mark.parametrize("header", ["3", '"3', "", "*,*", '"3" "4"', '"a"b"', "w/3", '"3",', '"\x00"'])
def test_if_match_that_is_no_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(InvalidInput):
        version_match(header)


def test_a_write_without_if_match_is_refused() -> None:
    with pytest.raises(Precondition):
        version_match(None)


@pytest.mark.parametrize(
    ("header", "same"),
    [
        ('"3"', True),
        ('W/"3"', True),
        ('"1", "3"', True),
        ("*", True),
        ('"4"', False),
        ("3", False),
        (None, False),
        ("", False),
    ],
)
def test_if_none_match_compares_weakly(header: str | None, *, same: bool) -> None:
    assert none_match(header, '"3"') is same


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=0-99", ByteRange(0, 100)),
        ("bytes=10-", ByteRange(10, 100)),
        ("bytes=10-500", ByteRange(10, 100)),
        ("bytes=-1", ByteRange(99, 100)),
        ("bytes=-500", ByteRange(0, 100)),
        ("Bytes=99-99", ByteRange(99, 100)),
        (None, None),
        ("", None),
        ("bytes=5-1", None),
        ("bytes=0-1,3-4", None),
        ("bytes=a-b", None),
        ("bytes=-", None),
        ("items=0-1", None),
        ("bytes=" + "9" * 5000 + "-", None),
    ],
    ids=lambda value: str(value)[:14],
)
def test_one_range_of_bytes_is_served_and_all_else_is_the_whole(
    header: str | None, found: ByteRange | None
) -> None:
    assert requested_range(header, 100) == found


@pytest.mark.parametrize(("header", "size_bytes"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0)])
def test_a_range_behind_the_end_cannot_be_served(header: str, size_bytes: int) -> None:
    with pytest.raises(Unsatisfiable):
        requested_range(header, size_bytes)


@given(st.text(max_size=40), st.integers(0, 1000))
def test_whatever_is_asked_the_range_lies_inside(header: str, size_bytes: int) -> None:
    try:
        found = requested_range(f"bytes={header}", size_bytes)
    except Unsatisfiable:
        return
    assert found is None or 0 <= found.start < found.end <= size_bytes


LISTS_OF_TAGS = st.text(alphabet='W/"*, \t13é', max_size=30) | st.text(max_size=30)


def matching_of(header: str) -> list[int]:
    """Tell which versions below forty a list names, read another way: by looking for each."""
    strong = [part.strip() for part in header.split(",")]
    return [version for version in range(40) if header.strip() == "*" or f'"{version}"' in strong]


@given(st.lists(st.sampled_from(['"3"', 'W/"3"', '"13"', '"x"', '" "', "3", "*", ""])).map(", ".join))
def test_whatever_if_match_holds_it_is_read_or_refused(header: str) -> None:
    try:
        matches = version_match(header)
    except InvalidInput:
        return

    assert [version for version in range(40) if matches(version)] == matching_of(header)


@given(st.lists(st.integers(1, 99), min_size=1, max_size=5), st.integers(1, 99))
def test_a_list_of_versions_matches_those_it_names(named: list[int], version: int) -> None:
    header = ", ".join(f'"{number}"' for number in named)

    assert version_match(header)(version) == (version in named)


@given(LISTS_OF_TAGS)
def test_whatever_if_none_match_holds_only_the_tag_it_names_is_known(header: str) -> None:
    assert not none_match(header, '"of no list"') or header.strip() == "*"
