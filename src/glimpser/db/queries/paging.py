"""Keyset pages over SQL: where a list goes on, in both orders the program has."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Row,
    Select,
    bindparam,
    select,
    tuple_,
    union_all,
)

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.ids import time_of
from glimpser.core.pages import Page, PageRequest, page_of
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
    *,
    make: Callable[[AnyRow], T],
) -> Page[T]:
    """Read one page of a statement that is ordered and begins where the page does."""
    return read_page(connection, statement.limit(PAGE_LIMIT), request, make=make)


def read_page(
    connection: Connection,
    statement: Statement,
    request: PageRequest,
    *,
    make: Callable[[AnyRow], T],
    given: Mapping[str, object] | None = None,
) -> Page[T]:
    """Read as `fetch_page` does with a statement that ends at `PAGE_LIMIT`; `given` are its parameters."""
    rows = connection.execute(statement, {**(given or {}), "page_limit": request.limit + 1}).all()
    last_id = rows[request.limit - 1].id if len(rows) > request.limit else None
    return page_of([make(row) for row in rows], request, last_id=last_id)


def newest_first(
    connection: Connection,
    statement: Select[Any],
    moment: Column[datetime],
    *,
    after: str | None,
    scope: Scope = EVERYTHING,
) -> Statement:
    """Order by the column `moment`, then id, descending, from behind the row `after`; only what is in scope.

    Of a scope with few templates, the lists of each are merged, which their indexes give in order. To walk
    along everybody's list until a page is full would be long where nothing happens.
    """
    if after is not None:
        statement = statement.where(_is_before(connection, moment, after))
    order = [column.desc() for column in (moment, moment.table.c.id)]
    template_id = moment.table.c.get("template_id")
    if scope.groups is None or template_id is None:
        return statement.order_by(*order)
    seen = templates_of(connection, scope)
    if not 0 < len(seen) <= MERGED:
        return statement.where(*in_scope(template_id, scope)).order_by(*order)
    merged = union_all(*(statement.where(template_id == one) for one in seen))
    names = (moment.name, "id")
    return merged.order_by(*(merged.selected_columns[name].desc() for name in names))


def _is_before(connection: Connection, moment: Column[datetime], after: str) -> ColumnElement[bool]:
    """Compare with the row's place in the order.

    If retention has removed the row since, its id still tells when it was made. What began is noted a
    little later, so the list may repeat an item there but leaves none out.
    """
    identity = moment.table.c.id
    found: datetime | None = connection.scalar(select(moment).where(identity == after))
    place = tuple_(found or time_of(after), after, types=(Instant(), Id))
    return tuple_(moment, identity) < place
