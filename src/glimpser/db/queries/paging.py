"""Keyset pages over SQL: where a list goes on, in both orders the program has."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, select, tuple_

from glimpser.core.ids import time_of
from glimpser.core.pages import Page, PageRequest, page_of
from glimpser.db.types import Id, Instant

T = TypeVar("T")

AnyRow = Row[*tuple[Any, ...]]


def fetch_page(
    connection: Connection,
    statement: Select[Any],
    request: PageRequest,
    *,
    make: Callable[[AnyRow], T],
) -> Page[T]:
    """Read one page of a statement that is ordered and begins where the page does."""
    rows = connection.execute(statement.limit(request.limit + 1)).all()
    last_id = rows[request.limit - 1].id if len(rows) > request.limit else None
    return page_of([make(row) for row in rows], request, last_id=last_id)


def newest_first(
    connection: Connection, statement: Select[Any], moment: Column[datetime], *, after: str | None
) -> Select[Any]:
    """Order by the column `moment`, then id, descending, from behind the row `after`."""
    order = (moment, moment.table.c.id)
    statement = statement.order_by(*(column.desc() for column in order))
    return statement if after is None else statement.where(_is_before(connection, moment, after))


def _is_before(connection: Connection, moment: Column[datetime], after: str) -> ColumnElement[bool]:
    """Compare with the row's place in the order.

    If retention has removed the row since, its id still tells when it was made. What began is noted a
    little later, so the list may repeat an item there but leaves none out.
    """
    identity = moment.table.c.id
    found: datetime | None = connection.scalar(select(moment).where(identity == after))
    place = tuple_(found or time_of(after), after, types=(Instant(), Id))
    return tuple_(moment, identity) < place
