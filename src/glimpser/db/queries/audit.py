"""The audit log: who did what, when, from where."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, insert, select

from glimpser.core.accounts import AuditEntry, AuditFilter
from glimpser.core.orders import AUDIT_ORDERS
from glimpser.core.pages import Page, PageRequest
from glimpser.db.queries.paging import AnyRow, fetch_page, newest_first
from glimpser.db.tables import audit

_ADD = insert(audit)


class SqlAudit:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: AuditEntry) -> None:
        self._connection.execute(
            _ADD,
            {
                "id": entry.id,
                "at": entry.at,
                "actor": entry.actor,
                "action": entry.action,
                "subject": entry.subject,
                "client_ip": entry.client_ip,
                "detail": entry.detail,
            },
        )

    def list(self, where: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
        statement = select(audit).where(*_conditions(where))
        ordered = newest_first(self._connection, statement, audit.c.at, page=page)
        return fetch_page(self._connection, ordered, page, AUDIT_ORDERS, make=_entry)


def _conditions(where: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if where.actor is not None:
        yield audit.c.actor == where.actor
    if where.action is not None:
        yield audit.c.action == where.action
    if where.start is not None:
        yield audit.c.at >= where.start
    if where.end is not None:
        yield audit.c.at < where.end


def _entry(row: AnyRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        client_ip=row.client_ip,
        detail=row.detail,
    )
