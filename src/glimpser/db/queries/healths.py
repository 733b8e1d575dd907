"""What is known of the health of views."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from glimpser.core.health import HealthRecord, HealthState, ViewHealth
from glimpser.core.ids import TemplateId
from glimpser.db.queries.paging import AnyRow
from glimpser.db.tables import artifacts, view_health

_AFTER = (
    select(view_health)
    .where(view_health.c.template_id > bindparam("after"))
    .order_by(view_health.c.template_id)
    .limit(bindparam("limit"))
)
_KNOWN_PICTURE = select(artifacts.c.id).where(artifacts.c.id == bindparam("picture")).scalar_subquery()
"""Retention may have taken the picture since: then there is none."""
_VALUES: dict[str, Any] = {
    column.name: bindparam(column.name) for column in view_health.c if not column.primary_key
}
_VALUES["last_good_artifact_id"] = _KNOWN_PICTURE
_IS = view_health.c.template_id == bindparam("key")
_ADD = insert(view_health).values(_VALUES | {"template_id": bindparam("key")})
_UPDATE = update(view_health).where(_IS).values(_VALUES)
_REMOVE = delete(view_health).where(_IS)


class SqlHealths:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, record: HealthRecord) -> None:
        values = _values(record)
        if self._connection.execute(_UPDATE, values).rowcount == 0:
            self._connection.execute(_ADD, values)

    def remove(self, template_id: TemplateId) -> None:
        self._connection.execute(_REMOVE, {"key": template_id})

    def after(self, template_id: TemplateId | None, limit: int) -> Sequence[HealthRecord]:
        rows = self._connection.execute(_AFTER, {"after": template_id or "", "limit": limit})
        return [_record(row) for row in rows]


def _values(record: HealthRecord) -> dict[str, object]:
    health = record.health
    return {
        "key": record.template_id,
        "state": health.state.value,
        "since": health.since,
        "reason": health.reason,
        "last_good_at": health.last_good_at,
        "picture": health.last_good_artifact_id,
        "trouble_since": record.trouble_since,
        "event_id": record.event_id,
        "by_capture": record.by_capture,
    }


def _record(row: AnyRow) -> HealthRecord:
    return HealthRecord(
        template_id=row.template_id,
        health=ViewHealth(
            state=HealthState(row.state),
            since=row.since,
            reason=row.reason,
            last_good_at=row.last_good_at,
            last_good_artifact_id=row.last_good_artifact_id,
        ),
        trouble_since=row.trouble_since,
        event_id=row.event_id,
        by_capture=row.by_capture,
    )
