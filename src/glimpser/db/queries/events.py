"""Events: the timeline."""

from collections.abc import Iterator, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    TextClause,
    bindparam,
    insert,
    select,
    text,
    update,
)

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.errors import NotFound
from glimpser.core.events import Event, EventFilter, Level
from glimpser.core.ids import EventId
from glimpser.core.pages import Page, PageRequest
from glimpser.db.queries.paging import AnyRow, fetch_page, newest_first
from glimpser.db.queries.scoping import in_scope
from glimpser.db.tables import IS_UNFINISHED, IS_WARNING, events

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
        narrowed = select(events).where(*_conditions(where))
        statement = newest_first(
            self._connection, narrowed, events.c.started_at, after=page.after, scope=self._scope
        )
        return fetch_page(self._connection, statement, page, make=_event)

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


def _conditions(where: EventFilter) -> Iterator[ColumnElement[bool] | TextClause]:
    if where.template_id is not None:
        yield events.c.template_id == where.template_id
    if where.kind is not None:
        yield events.c.kind == where.kind
    if where.level is not None:
        yield events.c.level >= where.level
    if where.level is not None and where.level >= Level.WARNING:
        yield text(IS_WARNING)  # or the planner would not see its index
    if where.start is not None:
        yield events.c.started_at >= where.start
    if where.end is not None:
        yield events.c.started_at < where.end
    if where.text is not None:
        yield events.c.message.icontains(where.text, autoescape=True)


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
