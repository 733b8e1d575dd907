"""Exports: what was asked for, and what became of it."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.errors import NotFound
from glimpser.core.exports import Export, FilmOptions
from glimpser.core.ids import ArtifactId, ExportId
from glimpser.core.jobs import JobStatus
from glimpser.core.orders import EXPORT_ORDERS
from glimpser.core.pages import Page, PageRequest
from glimpser.db.queries.paging import AnyRow, fetch_page, newest_first
from glimpser.db.queries.scoping import export_in_scope
from glimpser.db.tables import IS_PENDING, exports

_ADD = insert(exports)
_GET = select(exports).where(exports.c.id == bindparam("id"))
_COUNT_PENDING = select(func.count()).select_from(exports).where(text(IS_PENDING))
_CHANGE = update(exports).where(exports.c.id == bindparam("key"))
_SETTLE = _CHANGE.where(exports.c.artifact_id.is_(None))
_REMOVE = delete(exports).where(exports.c.id == bindparam("key"))
_PURGE = delete(exports).where(exports.c.expires_at <= bindparam("now"), exports.c.artifact_id.is_(None))


class SqlExports:
    def __init__(self, connection: Connection, scope: Scope = EVERYTHING) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, export: Export) -> None:
        self._connection.execute(_ADD, _row(export))

    def get(self, export_id: ExportId) -> Export:
        statement = _GET.where(*export_in_scope(self._scope))
        row = self._connection.execute(statement, {"id": export_id}).one_or_none()
        if row is None:
            raise _none()
        return _export(row)

    def list(self, page: PageRequest) -> Page[Export]:
        narrowed = select(exports).where(*export_in_scope(self._scope))
        statement = newest_first(self._connection, narrowed, exports.c.created_at, page=page)
        return fetch_page(self._connection, statement, page, EXPORT_ORDERS, make=_export)

    def count_pending(self) -> int:
        return self._connection.scalar(_COUNT_PENDING) or 0

    def settle(
        self, export_id: ExportId, status: JobStatus, *, error: str | None, expires_at: datetime | None
    ) -> None:
        values = {"status": status, "error": error, "expires_at": expires_at}
        self._connection.execute(_SETTLE, {"key": export_id} | values)

    def attach(
        self,
        export_id: ExportId,
        artifact_id: ArtifactId,
        *,
        result: Mapping[str, object],
        expires_at: datetime,
    ) -> bool:
        values = {
            "status": "success",
            "error": None,
            "artifact_id": artifact_id,
            "result": result,
            "expires_at": expires_at,
        }
        return self._connection.execute(_CHANGE, {"key": export_id} | values).rowcount == 1

    def remove(self, export_id: ExportId) -> None:
        if self._connection.execute(_REMOVE, {"key": export_id}).rowcount == 0:
            raise _none()

    def purge(self, now: datetime) -> int:
        return self._connection.execute(_PURGE, {"now": now}).rowcount


def _none() -> NotFound:
    return NotFound("There is no export with this id.")


def _row(export: Export) -> dict[str, object]:
    return {
        "id": export.id,
        "kind": export.kind,
        "template_id": export.template_id,
        "group_name": export.group,
        "title": export.title,
        "timezone": export.timezone,
        "start_at": export.start,
        "end_at": export.end,
        "options": export.options,
        "origin": export.origin,
        "created_by": export.created_by,
        "created_at": export.created_at,
        "job_id": export.job_id,
        "status": export.status,
        "error": export.error,
        "result": export.result,
        "artifact_id": export.artifact_id,
        "expires_at": export.expires_at,
    }


def _export(row: AnyRow) -> Export:
    return Export(
        id=ExportId(row.id),
        kind=row.kind,
        template_id=row.template_id,
        group=row.group_name,
        title=row.title,
        timezone=row.timezone,
        start=row.start_at,
        end=row.end_at,
        options=msgspec.convert(row.options, FilmOptions),
        origin=row.origin,
        created_by=row.created_by,
        created_at=row.created_at,
        job_id=row.job_id,
        status=row.status,
        error=row.error,
        result=row.result,
        artifact_id=row.artifact_id,
        expires_at=row.expires_at,
    )
