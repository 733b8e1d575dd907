"""Events: the timeline."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Label,
    Select,
    Text,
    bindparam,
    cast,
    insert,
    select,
    text,
    type_coerce,
    update,
)

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.clock import from_microseconds
from glimpser.core.errors import NotFound
from glimpser.core.events import Event, EventFilter, EventLine, Level
from glimpser.core.ids import EventId
from glimpser.core.orders import EVENT_ORDERS
from glimpser.core.pages import Page, PageRequest
from glimpser.db.queries.paging import PAGE_LIMIT, AnyRow, Statement, newest_first, read_page
from glimpser.db.queries.scoping import in_scope
from glimpser.db.tables import IS_UNFINISHED, IS_WARNING, events
from glimpser.db.wire import load_object

_ADD = insert(events)
_GET = select(events).where(events.c.id == bindparam("id"))
_UNFINISHED = (
    select(events).where(events.c.kind == bindparam("kind"), text(IS_UNFINISHED)).order_by(events.c.id)
)
_UPDATE = (
    update(events)
    .where(events.c.id == bindparam("key"))
    .values(
        {
            name: bindparam(name)
            for name in ("level", "message", "metadata", "peak_at", "ended_at", "artifact_id")
        }
    )
)


def _microseconds(name: str) -> Label[int]:
    """Select a moment as the number it is kept as."""
    return type_coerce(events.c[name], BigInteger).label(name)


_LINES = select(
    events.c.id,
    events.c.template_id,
    events.c.kind,
    events.c.level,
    events.c.message,
    cast(events.c.metadata, Text).label("metadata"),
    _microseconds("started_at"),
    _microseconds("peak_at"),
    _microseconds("ended_at"),
    events.c.artifact_id,
    _microseconds("created_at"),
)
_CONDITIONS = {
    "template_id": events.c.template_id == bindparam("template_id"),
    "kind": events.c.kind == bindparam("kind"),
    "level": events.c.level >= bindparam("level"),
    "start": events.c.started_at >= bindparam("start"),
    "end": events.c.started_at < bindparam("end"),
    "text": events.c.message.icontains(bindparam("text"), escape="/"),
}
"""What each field of a filter means."""
_ESCAPED = re.compile("[/%_]")


class SqlEvents:
    def __init__(self, connection: Connection, scope: Scope = EVERYTHING) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, event: Event) -> None:
        self._connection.execute(
            _ADD,
            {
                "id": event.id,
                "template_id": event.template_id,
                "kind": event.kind,
                "started_at": event.started_at,
                "created_at": event.created_at,
            }
            | _changing(event),
        )

    def get(self, event_id: EventId) -> Event:
        statement = _GET.where(*in_scope(events.c.template_id, self._scope))
        row = self._connection.execute(statement, {"id": event_id}).one_or_none()
        if row is None:
            raise NotFound("There is no event with this id.")
        return _event(row)

    def list(self, where: EventFilter, page: PageRequest) -> Page[Event]:
        found = self.lines(where, page)
        return Page([_of_line(line) for line in found.items], found.next_cursor)

    def lines(self, where: EventFilter, page: PageRequest) -> Page[EventLine]:
        given = _given(where)
        narrowed = _narrowed(frozenset(given), is_grave=_is_grave(where))
        if page == PageRequest(page.limit) and self._scope.groups is None:
            statement: Statement = _front(narrowed)
        else:
            statement = newest_first(
                self._connection, narrowed, events.c.started_at, page=page, scope=self._scope
            ).limit(PAGE_LIMIT)
        return read_page(self._connection, statement, page, EVENT_ORDERS, make=EventLine._make, given=given)

    def update(self, event: Event) -> None:
        if self._connection.execute(_UPDATE, {"key": event.id} | _changing(event)).rowcount == 0:
            raise NotFound("There is no event with this id.")

    def unfinished(self, kind: str) -> Sequence[Event]:
        return [_event(row) for row in self._connection.execute(_UNFINISHED, {"kind": kind})]


def _changing(event: Event) -> dict[str, object]:
    return {
        "level": event.level,
        "message": event.message,
        "metadata": event.metadata,
        "peak_at": event.peak_at,
        "ended_at": event.ended_at,
        "artifact_id": event.artifact_id,
    }


def _given(where: EventFilter) -> dict[str, object]:
    """Give the fields of a filter that narrow the list, as the statement's parameters."""
    given: dict[str, object] = {
        name: value for name in _CONDITIONS if (value := getattr(where, name)) is not None
    }
    if where.text is not None:
        given["text"] = _ESCAPED.sub(r"/\g<0>", where.text)
    return given


def _is_grave(where: EventFilter) -> bool:
    return where.level is not None and where.level >= Level.WARNING


@lru_cache(maxsize=128)
def _narrowed(names: frozenset[str], *, is_grave: bool) -> Select[Any]:
    """Make the list's statement for filters with these fields, once: that takes longer than to run it."""
    statement = _LINES.where(*(_CONDITIONS[name] for name in _CONDITIONS if name in names))
    return statement.where(text(IS_WARNING)) if is_grave else statement  # or its index would not be seen


@lru_cache(maxsize=128)
def _front(narrowed: Select[Any]) -> Select[Any]:
    """Make the statement of the page that is asked for most: the first."""
    return narrowed.order_by(events.c.started_at.desc(), events.c.id.desc()).limit(PAGE_LIMIT)


def _of_line(line: EventLine) -> Event:
    return Event(
        id=line.id,
        template_id=line.template_id,
        kind=line.kind,
        level=Level(line.level),
        message=line.message,
        metadata=load_object(line.metadata),
        started_at=from_microseconds(line.started_at),
        peak_at=_moment(line.peak_at),
        ended_at=_moment(line.ended_at),
        artifact_id=line.artifact_id,
        created_at=from_microseconds(line.created_at),
    )


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_microseconds(microseconds)


def _event(row: AnyRow) -> Event:
    return Event(
        id=row.id,
        template_id=row.template_id,
        kind=row.kind,
        level=Level(row.level),
        message=row.message,
        metadata=row.metadata,
        started_at=row.started_at,
        peak_at=row.peak_at,
        ended_at=row.ended_at,
        artifact_id=row.artifact_id,
        created_at=row.created_at,
    )
