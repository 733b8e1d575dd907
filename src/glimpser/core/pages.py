"""Keyset pages: a list goes on after the last item seen, at the same cost however deep it is."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from glimpser.core.errors import InvalidInput
from glimpser.core.ids import is_id

T = TypeVar("T")

MAX_LIMIT = 200
DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class PageRequest:
    """At most `limit` items (1–200) after the item with id `after` in the list's order."""

    limit: int = DEFAULT_LIMIT
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page; `next_cursor` is None on the last."""

    items: Sequence[T]
    next_cursor: str | None


def encode_cursor(last_id: str) -> str:
    """Wrap the id of a page's last item, so that clients do not lean on its form."""
    return base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """Take the id out of a cursor.

    Raises:
        InvalidInput: it was not made by `encode_cursor`.
    """
    try:
        last_id = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        last_id = ""
    if not is_id(last_id):
        raise InvalidInput.field("/cursor", "This is not a cursor of this list: leave it out to start anew.")
    return last_id


def page_of(rows: Sequence[T], request: PageRequest, *, last_id: str | None) -> Page[T]:
    """Make a page of `rows`, which hold one more than asked for if the list goes on.

    `last_id` is the id of the page's last item, that is of row number `request.limit`.
    """
    more = len(rows) > request.limit
    return Page(rows[: request.limit], encode_cursor(last_id) if more and last_id else None)
