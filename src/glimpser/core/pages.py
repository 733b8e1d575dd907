"""Keyset pages: a list goes on after the last item seen, at the same cost however deep it is."""

import base64
import binascii
import json
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from glimpser.core.clock import to_microseconds
from glimpser.core.errors import InvalidInput
from glimpser.core.ids import is_id

T = TypeVar("T")

MAX_LIMIT = 200
DEFAULT_LIMIT = 50


MAX_MICROSECONDS = (1 << 63) - 1
"""The largest number that a database keeps."""

Key = int | str
"""What an item is ordered by: microseconds since 1970, or a text without its cases."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is ordered by. Items of the same key follow each other by id, in the same direction."""

    field: str
    is_descending: bool = False

    def __str__(self) -> str:
        return f"-{self.field}" if self.is_descending else self.field


@dataclass(frozen=True, slots=True)
class PageRequest:
    """At most `limit` items (1–200) after the item with id `after` in the list's order.

    `order` None is the list's own. In another, `key` is what the item `after` was ordered by when it was
    read: it may have changed since, or be gone.
    """

    limit: int = DEFAULT_LIMIT
    after: str | None = None
    order: Order | None = None
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page; `next_cursor` is None on the last."""

    items: Sequence[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that items can be ordered by: the type of its keys, and how to read one off an item."""

    kind: type[Key]
    key_of: Callable[[Any], Key]


def by_moment(path: str) -> Field:
    """Order by a time, that of an item's attribute; it may be microseconds already."""
    read = operator.attrgetter(path)

    def key_of(item: object) -> Key:
        moment = read(item)
        return moment if isinstance(moment, int) else to_microseconds(moment)

    return Field(int, key_of)


def by_words(path: str) -> Field:
    """Order by a text, that of an item's attribute, whatever its cases."""
    read = operator.attrgetter(path)
    return Field(str, lambda item: str(read(item)).casefold())


BY_ID = Field(str, operator.attrgetter("id"))
"""The order in which things were made, to the millisecond."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders a list can be read in, by each field rising or falling; `own` is the one nobody names."""

    own: Order
    fields: Mapping[str, Field]

    @property
    def names(self) -> Sequence[str]:
        """What can be asked for: `name` rises, `-name` falls."""
        return [f"{sign}{field}" for field in self.fields for sign in ("", "-")]

    def page(self, limit: int, *, sort: str | None = None, cursor: str | None = None) -> PageRequest:
        """Read what somebody asks for.

        Raises:
            InvalidInput: there is no such order, or the cursor is not one of this list in this order.
        """
        if sort is not None and sort not in self.names:
            raise InvalidInput.field("/sort", f"This list can be sorted by {', '.join(self.names)}.")
        request = PageRequest(limit)
        if sort is not None and sort != str(self.own):
            request = replace(request, order=Order(sort.removeprefix("-"), sort.startswith("-")))
        return self.following(request, cursor) if cursor else request

    def following(self, request: PageRequest, cursor: str) -> PageRequest:
        """Ask for the page after another, whose `next_cursor` this is. Raises as `page`."""
        if request.order is None:
            return replace(request, after=decode_cursor(cursor))
        match _decoded(cursor):
            case [str(sort), key, str(last_id)] if sort == str(request.order) and is_id(last_id):
                if type(key) is self.fields[request.order.field].kind and _is_kept(key):
                    return replace(request, after=last_id, key=key)
        raise _no_cursor()

    def cursor(self, item: Any, request: PageRequest) -> str:
        """Say where the page after `item` begins, which has an `id`."""
        if request.order is None:
            return encode_cursor(item.id)
        key = self.fields[request.order.field].key_of(item)
        return _encoded(json.dumps([str(request.order), key, item.id], ensure_ascii=False))

    def read(self, items: Iterable[T], request: PageRequest) -> Page[T]:
        """Read a page of items that are all at hand; the list's own order is by id."""
        order = request.order or self.own

        def place(item: Any) -> tuple[Key, str]:
            return self.fields[order.field].key_of(item), item.id

        found = sorted(items, key=place, reverse=order.is_descending)
        if request.after is not None:
            here = (request.after if request.key is None else request.key, request.after)
            is_behind = operator.lt if order.is_descending else operator.gt
            found = [one for one in found if is_behind(place(one), here)]
        return self.cut(found, request)

    def cut(self, items: Sequence[T], request: PageRequest) -> Page[T]:
        """Make a page of `items`, which are one more than asked for if the list goes on."""
        more = len(items) > request.limit
        cursor = self.cursor(items[request.limit - 1], request) if more else None
        return Page(items[: request.limit], cursor)


BY_CREATION = Orders(Order("created_at"), {"created_at": BY_ID})
"""Of lists of what is made one by one."""


def encode_cursor(last_id: str) -> str:
    """Wrap the id of a page's last item, so that clients do not lean on its form."""
    return _encoded(last_id)


def decode_cursor(cursor: str) -> str:
    """Take the id out of a cursor of a list in its own order.

    Raises:
        InvalidInput: it was not made by `encode_cursor`.
    """
    last_id = _text(cursor)
    if not is_id(last_id):
        raise _no_cursor()
    return last_id


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogateescape")).decode().rstrip("=")


def _decoded(cursor: str) -> object:
    try:
        return json.loads(_text(cursor))
    except (ValueError, RecursionError):
        return None


def _text(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def _is_kept(key: Key) -> bool:
    """Tell whether a database could keep such a key."""
    if isinstance(key, int):
        return abs(key) <= MAX_MICROSECONDS
    return "\0" not in key and not any("\ud800" <= character <= "\udfff" for character in key)


def _no_cursor() -> InvalidInput:
    return InvalidInput.field(
        "/cursor", "This is not a cursor of this list in this order: leave it out to start anew."
    )
