import base64
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.core.errors import InvalidInput
from glimpser.core.ids import is_id, new_id
from glimpser.core.pages import (
    BY_ID,
    Order,
    Orders,
    PageRequest,
    by_moment,
    by_words,
    decode_cursor,
    encode_cursor,
)


def test_a_cursor_comes_back_as_the_id_it_was_made_of() -> None:
    identifier = new_id()

    assert decode_cursor(encode_cursor(identifier)) == identifier


def test_a_cursor_needs_no_escaping_in_an_address() -> None:
    cursor = encode_cursor(new_id())

    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert cursor.isascii()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "=",
        "a",
        "%00",
        "é",
        "x" * 100_000,
        new_id(),
        base64.urlsafe_b64encode(b"1 OR 1=1").decode(),
        base64.urlsafe_b64encode(b"\xff" * 26).decode(),
    ],
    ids=["empty", "padding", "short", "percent", "not ASCII", "long", "bare id", "SQL", "no UTF-8"],
)
def test_a_cursor_nobody_gave_out_is_refused_with_a_remedy(cursor: str) -> None:
    with pytest.raises(InvalidInput, match="leave it out") as refused:
        decode_cursor(cursor)

    assert refused.value.errors[0].pointer == "/cursor"


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        assert is_id(decode_cursor(text))


@dataclass(frozen=True)
class Item:
    id: str
    name: str
    made_at: datetime = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)


ORDERS = Orders(
    Order("created_at"), {"created_at": BY_ID, "name": by_words("name"), "made_at": by_moment("made_at")}
)


def some(count: int) -> list[Item]:
    return [Item(new_id(), f"Name {number}") for number in range(count)]


@pytest.mark.parametrize("sort", [None, *ORDERS.names])
def test_a_page_that_is_followed_by_another_names_where_it_ended(sort: str | None) -> None:
    items = some(3)

    page = ORDERS.cut(items, ORDERS.page(2, sort=sort))

    assert page.items == items[:2]
    assert page.next_cursor is not None
    following = ORDERS.page(2, sort=sort, cursor=page.next_cursor)
    assert following.after == items[1].id
    if sort not in (None, "created_at"):
        assert following.key == ORDERS.fields[sort.removeprefix("-")].key_of(items[1])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_last_page_has_no_cursor(count: int) -> None:
    items = some(count)

    page = ORDERS.cut(items, PageRequest(limit=2))

    assert page.items == items
    assert page.next_cursor is None


def test_the_own_order_may_be_named() -> None:
    assert ORDERS.page(5, sort="created_at") == PageRequest(5)


def test_an_order_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="created_at, -created_at, name, -name") as refused:
        ORDERS.page(5, sort="password")

    assert refused.value.errors[0].pointer == "/sort"


@pytest.mark.parametrize("sort", ORDERS.names)
@pytest.mark.parametrize("other", ORDERS.names)
def test_a_cursor_is_good_for_its_own_order_alone(sort: str, other: str) -> None:
    cursor = ORDERS.cursor(some(1)[0], ORDERS.page(1, sort=sort))

    if sort == other:
        assert ORDERS.page(1, sort=sort, cursor=cursor).after
    else:
        with pytest.raises(InvalidInput, match="in this order") as refused:
            ORDERS.page(1, sort=other, cursor=cursor)
        assert refused.value.errors[0].pointer == "/cursor"


def written(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "content",
    [
        ["name", "a"],
        ["name", "a", "b"],
        ["name", 7, new_id()],
        ["name", None, new_id()],
        ["name", "a\0", new_id()],
        ["name", "\ud800", new_id()],
        ["made_at", "yesterday", new_id()],
        ["made_at", True, new_id()],
        ["made_at", 1.5, new_id()],
        ["made_at", 1 << 63, new_id()],
        {"name": "a"},
        "name",
        [[["a"] * 9] * 9] * 9,
    ],
    ids=[
        "no id",
        "no such id",
        "a number for a name",
        "nothing for a name",
        "a null character",
        "half a character",
        "a text for a time",
        "a truth for a time",
        "a fraction",
        "too large",
        "an object",
        "a text",
        "many",
    ],
)
@pytest.mark.parametrize("sort", ["name", "made_at"])
def test_a_cursor_that_was_made_up_is_refused(content: object, sort: str) -> None:
    with pytest.raises(InvalidInput, match="leave it out"):
        ORDERS.page(1, sort=sort, cursor=written(content))


def test_one_that_was_made_up_well_is_as_good_as_any() -> None:
    item = some(1)[0]

    assert ORDERS.page(1, sort="name", cursor=written(["name", "a", item.id])).key == "a"


@given(st.text())
def test_any_text_is_a_cursor_of_an_order_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        assert ORDERS.page(1, sort="-name", cursor=text or "x").after


@pytest.mark.parametrize("sort", ORDERS.names)
def test_items_at_hand_are_read_as_those_of_a_database_are(sort: str) -> None:
    items = some(5)

    first = ORDERS.read(items, ORDERS.page(3, sort=sort))
    rest = ORDERS.read(items, ORDERS.page(3, sort=sort, cursor=first.next_cursor))

    key_of = ORDERS.fields[sort.removeprefix("-")].key_of
    wanted = sorted(items, key=lambda item: (key_of(item), item.id), reverse=sort.startswith("-"))
    assert [*first.items, *rest.items] == wanted
    assert rest.next_cursor is None
