"""Observations: the series behind graphs, backtests and "unusual for this hour"."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.errors import InvalidInput
from glimpser.core.events import Observation
from glimpser.core.ids import TemplateId
from glimpser.db.queries.paging import AnyRow
from glimpser.db.queries.scoping import in_scope
from glimpser.db.tables import observations

_ADD = insert(observations)
MOST = 10_000


class SqlObservations:
    def __init__(self, connection: Connection, scope: Scope = EVERYTHING) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, observation: Observation) -> None:
        """Raises: InvalidInput: the value is no finite number, which SQLite would store as none at all."""
        if observation.value is not None and not math.isfinite(observation.value):
            raise InvalidInput.field("/value", "An observed value is a finite number.")
        self._connection.execute(
            _ADD,
            {
                "id": observation.id,
                "template_id": observation.template_id,
                "name": observation.name,
                "observed_at": observation.observed_at,
                "value": observation.value,
                "data": observation.data,
                "event_id": observation.event_id,
                "capture_id": observation.capture_id,
                "artifact_id": observation.artifact_id,
            },
        )

    def list(
        self, template_id: TemplateId, name: str | None, start: datetime | None, end: datetime | None
    ) -> Sequence[Observation]:
        statement = (
            select(observations)
            .where(
                observations.c.template_id == template_id,
                *_conditions(name, start, end),
                *in_scope(observations.c.template_id, self._scope),
            )
            .order_by(observations.c.observed_at, observations.c.id)
            .limit(MOST)
        )
        return [_observation(row) for row in self._connection.execute(statement)]


def _conditions(
    name: str | None, start: datetime | None, end: datetime | None
) -> Iterator[ColumnElement[bool]]:
    if name is not None:
        yield observations.c.name == name
    if start is not None:
        yield observations.c.observed_at >= start
    if end is not None:
        yield observations.c.observed_at < end


def _observation(row: AnyRow) -> Observation:
    return Observation(
        id=row.id,
        template_id=row.template_id,
        name=row.name,
        observed_at=row.observed_at,
        value=row.value,
        data=row.data,
        event_id=row.event_id,
        capture_id=row.capture_id,
        artifact_id=row.artifact_id,
    )
