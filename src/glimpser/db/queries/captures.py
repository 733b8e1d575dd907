"""Captures: when a view was looked at, and how that went."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, text, update

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.errors import NotFound
from glimpser.core.events import Capture
from glimpser.core.ids import CaptureId, TemplateId
from glimpser.core.orders import CAPTURE_ORDERS
from glimpser.core.pages import Page, PageRequest
from glimpser.db.queries.paging import AnyRow, fetch_page, newest_first
from glimpser.db.queries.scoping import in_scope
from glimpser.db.tables import IS_RUNNING, captures

_FINISHED = ("status", "ended_at", "artifact_id", "text_artifact_id", "details", "error")
_ADD = insert(captures)
_GET = select(captures).where(captures.c.id == bindparam("id"))
_RUNNING = select(captures).where(text(IS_RUNNING)).order_by(captures.c.id)
_SESSION_AT = (
    select(captures)
    .where(
        captures.c.template_id == bindparam("template_id"),
        captures.c.kind == "live",
        captures.c.started_at <= bindparam("moment"),
    )
    .order_by(captures.c.started_at.desc(), captures.c.id.desc())
    .limit(1)
)
_FINISH = (
    update(captures)
    .where(captures.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in _FINISHED})
)


class SqlCaptures:
    def __init__(self, connection: Connection, scope: Scope = EVERYTHING) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, capture: Capture) -> None:
        self._connection.execute(
            _ADD,
            {
                "id": capture.id,
                "template_id": capture.template_id,
                "kind": capture.kind,
                "started_at": capture.started_at,
            }
            | _outcome(capture),
        )

    def get(self, capture_id: CaptureId) -> Capture:
        statement = _GET.where(*in_scope(captures.c.template_id, self._scope))
        row = self._connection.execute(statement, {"id": capture_id}).one_or_none()
        if row is None:
            raise NotFound("There is no capture with this id.")
        return _capture(row)

    def list(self, template_id: TemplateId | None, page: PageRequest) -> Page[Capture]:
        narrowed = select(captures)
        if template_id is not None:
            narrowed = narrowed.where(captures.c.template_id == template_id)
        statement = newest_first(
            self._connection, narrowed, captures.c.started_at, page=page, scope=self._scope
        )
        return fetch_page(self._connection, statement, page, CAPTURE_ORDERS, make=_capture)

    def finish(self, capture: Capture) -> None:
        if self._connection.execute(_FINISH, {"key": capture.id} | _outcome(capture)).rowcount == 0:
            raise NotFound("There is no capture with this id.")

    def running(self) -> Sequence[Capture]:
        return [_capture(row) for row in self._connection.execute(_RUNNING)]

    def session_at(self, template_id: TemplateId, moment: datetime) -> Capture | None:
        found = self._connection.execute(_SESSION_AT, {"template_id": template_id, "moment": moment})
        row = found.one_or_none()
        return None if row is None else _capture(row)


def _outcome(capture: Capture) -> dict[str, object]:
    return {name: getattr(capture, name) for name in _FINISHED}


def _capture(row: AnyRow) -> Capture:
    return Capture(
        id=row.id,
        template_id=row.template_id,
        kind=row.kind,
        status=row.status,
        started_at=row.started_at,
        ended_at=row.ended_at,
        artifact_id=row.artifact_id,
        text_artifact_id=row.text_artifact_id,
        details=row.details,
        error=row.error,
    )
