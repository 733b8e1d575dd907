import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.core.errors import InvalidInput
from glimpser.core.ids import is_id, new_id
from glimpser.core.pages import PageRequest, decode_cursor, encode_cursor, page_of


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


def test_a_page_that_is_followed_by_another_names_where_it_ended() -> None:
    identifiers = [new_id() for _ in range(3)]

    page = page_of(identifiers, PageRequest(limit=2), last_id=identifiers[1])

    assert list(page.items) == identifiers[:2]
    assert page.next_cursor is not None
    assert decode_cursor(page.next_cursor) == identifiers[1]


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_the_last_page_has_no_cursor(rows: int) -> None:
    identifiers = [new_id() for _ in range(rows)]

    page = page_of(identifiers, PageRequest(limit=2), last_id=identifiers[-1] if identifiers else None)

    assert list(page.items) == identifiers
    assert page.next_cursor is None
