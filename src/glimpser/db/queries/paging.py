"""Keyset pages over SQL: where a list goes on, in both orders the program has."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Row,
    Select,
    Tuple,
    bindparam,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.types import TypeEngine

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.ids import time_of
from glimpser.core.pages import Order, Orders, Page, PageRequest
from glimpser.db.queries.scoping import in_scope, templates_of
from glimpser.db.types import Id, Instant

T = TypeVar("T")

Statement = Select[Any] | CompoundSelect[Any]

MERGED = 64
"""Templates in a scope whose lists are merged; in more of them, what is newest is soon found."""

PAGE_LIMIT = bindparam("page_limit", type_=Integer())
"""How many rows a page is read with: one more than it has items."""

AnyRow = Row[*tuple[Any, ...]]


def fetch_page(
    connection: Connection,
    statement: Statement,
    request: PageRequest,
    orders: Orders,
    *,
    make: Callable[[AnyRow], T],
) -> Page[T]:
    """Read one page of a statement that is ordered and begins where the page does."""
    return read_page(connection, statement.limit(PAGE_LIMIT), request, orders, make=make)


def read_page(
    connection: Connection,
    statement: Statement,
    request: PageRequest,
    orders: Orders,
    *,
    make: Callable[[AnyRow], T],
    given: Mapping[str, object] | None = None,
) -> Page[T]:
    """Read as `fetch_page` does with a statement that ends at `PAGE_LIMIT`; `given` are its parameters."""
    rows = connection.execute(statement, {**(given or {}), "page_limit": request.limit + 1}).all()
    return orders.cut([make(row) for row in rows], request)


def oldest_first(
    statement: Select[Any], page: PageRequest, columns: Mapping[str, Column[Any]]
) -> Select[Any]:
    """Order as the page wants, by the column of its field, then id; else by id alone. Begin where it does.

    `columns` hold keys as they are in a `PageRequest`: numbers and texts without cases.
    """
    identity = statement.selected_columns["id"]
    order = page.order or Order("created_at")
    column = columns.get(order.field, identity)
    by = [identity] if column is identity else [column, identity]
    if page.after is not None:
        place = [page.after] if column is identity else [page.key, page.after]
        kinds = [Id] if column is identity else [_kind(column), Id]
        here, there = tuple_(*by), tuple_(*place, types=kinds)
        statement = statement.where(here < there if order.is_descending else here > there)
    return statement.order_by(*(each.desc() if order.is_descending else each for each in by))


def newest_first(
    connection: Connection,
    statement: Select[Any],
    moment: Column[datetime],
    *,
    page: PageRequest,
    scope: Scope = EVERYTHING,
) -> Statement:
    """Order by the column `moment`, then id, descending unless the page wants it the other way; begin where
    the page does; only what is in scope.

    Of a scope with few templates, the lists of each are merged, which their indexes give in order. To walk
    along everybody's list until a page is full would be long where nothing happens.
    """
    rises = page.order is not None and not page.order.is_descending
    if page.after is not None:
        place = _place(connection, moment, page)
        here = tuple_(moment, moment.table.c.id)
        statement = statement.where(here > place if rises else here < place)
    order = [column if rises else column.desc() for column in (moment, moment.table.c.id)]
    template_id = moment.table.c.get("template_id")
    if scope.groups is None or template_id is None:
        return statement.order_by(*order)
    seen = templates_of(connection, scope)
    if not 0 < len(seen) <= MERGED:
        return statement.where(*in_scope(template_id, scope)).order_by(*order)
    merged = union_all(*(statement.where(template_id == one) for one in seen))
    columns = [merged.selected_columns[name] for name in (moment.name, "id")]
    return merged.order_by(*(column if rises else column.desc() for column in columns))


def _place(connection: Connection, moment: Column[datetime], page: PageRequest) -> Tuple:
    """Give the place in the order of the row that the page comes after.

    If retention has removed the row since, its id still tells when it was made. What began is noted a
    little later, so the list may repeat an item there but leaves none out.
    """
    assert page.after is not None
    if page.key is not None:
        return tuple_(page.key, page.after, types=(BigInteger(), Id))
    found: datetime | None = connection.scalar(select(moment).where(moment.table.c.id == page.after))
    return tuple_(found or time_of(page.after), page.after, types=(Instant(), Id))


def _kind(column: ColumnElement[Any]) -> TypeEngine[Any]:
    """Moments come as the numbers they are kept as."""
    return BigInteger() if isinstance(column.type, Instant) else column.type
