"""Schedules: how far each has come."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict

from sqlalchemy import Connection, bindparam, select, text, update
from sqlalchemy.dialects.sqlite import insert

from glimpser.core.ids import TemplateId
from glimpser.core.schedule_state import ScheduleState
from glimpser.db.queries.paging import AnyRow
from glimpser.db.tables import IS_PAUSED, schedules

_GET = select(schedules).where(schedules.c.template_id == bindparam("id"))
_PROGRESS = ("settled_until", "last_run_at", "last_job_id")
_OF = schedules.c.template_id == bindparam("of")
_SETTLE = update(schedules).where(_OF).values({name: bindparam(name) for name in _PROGRESS})
_PUT = insert(schedules)
_PUT = _PUT.on_conflict_do_update(
    index_elements=["template_id"],
    set_={name: _PUT.excluded[name] for name in (*_PROGRESS, "plan", "paused")},
)
_PAUSED = select(schedules.c.template_id).where(text(IS_PAUSED))


class SqlSchedules:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, template_id: TemplateId) -> ScheduleState | None:
        row = self._connection.execute(_GET, {"id": template_id}).one_or_none()
        return None if row is None else _state(row)

    def all(self) -> Sequence[ScheduleState]:
        return [_state(row) for row in self._connection.execute(select(schedules))]

    def put(self, states: Sequence[ScheduleState]) -> None:
        if states:
            self._connection.execute(_PUT, [asdict(state) for state in states])

    def settle(self, states: Sequence[ScheduleState]) -> None:
        rows = [
            {name: getattr(state, name) for name in _PROGRESS} | {"of": state.template_id} for state in states
        ]
        if rows:
            self._connection.execute(_SETTLE, rows)

    def paused(self) -> AbstractSet[TemplateId]:
        return frozenset(self._connection.scalars(_PAUSED))


def _state(row: AnyRow) -> ScheduleState:
    return ScheduleState(
        template_id=row.template_id,
        plan=row.plan,
        settled_until=row.settled_until,
        paused=row.paused,
        last_run_at=row.last_run_at,
        last_job_id=row.last_job_id,
    )
