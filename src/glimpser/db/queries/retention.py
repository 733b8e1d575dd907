"""What retention may remove, found through the indexes by view and time, and how it goes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)

from glimpser.core.ids import ArtifactId, TemplateId
from glimpser.core.retention import Kept, Removed
from glimpser.db.queries.paging import AnyRow
from glimpser.db.tables import (
    IS_UNSETTLED,
    alerts,
    artifacts,
    audit,
    captures,
    deliveries,
    events,
    garbage,
    observations,
    view_health,
)
from glimpser.db.types import Id, Instant

_HOLDERS = (artifacts, captures, events, observations, alerts)

_IS_UNDELIVERED = and_(deliveries.c.alert_id == alerts.c.id, text(f"deliveries.{IS_UNSETTLED}"))
_SHOWN_IN_WHAT_IS_SENT = (
    exists()
    .where(events.c.artifact_id == artifacts.c.id, alerts.c.event_id == events.c.id, _IS_UNDELIVERED)
    .correlate(artifacts)
)
_LAST_OF_A_VIEW = exists().where(view_health.c.last_good_artifact_id == artifacts.c.id)
_MAY_GO = and_(
    artifacts.c.expires_at.is_(None), ~artifacts.c.pinned, ~_LAST_OF_A_VIEW, ~_SHOWN_IN_WHAT_IS_SENT
)
_KEPT = select(artifacts.c.id, artifacts.c.created_at, artifacts.c.size_bytes).where(_MAY_GO)
_ORDER = (artifacts.c.created_at, artifacts.c.id)
_OF_ALL = _KEPT.where(artifacts.c.id < bindparam("until")).order_by(artifacts.c.id.desc())
_CHOSEN = select(artifacts.c.id, artifacts.c.uri, artifacts.c.size_bytes).where(
    _MAY_GO, artifacts.c.id.in_(bindparam("ids", expanding=True))
)
_DISCARD = insert(garbage)
_UNLINK = (
    update(captures)
    .where(captures.c.text_artifact_id.in_(bindparam("ids", expanding=True)))
    .values(text_artifact_id=None)
)
_REMOVE = delete(artifacts).where(artifacts.c.id.in_(bindparam("ids", expanding=True)))


class SqlRetention:
    """Whatever is pinned, has an end of its own, is a view's last good picture, or belongs to an alert that
    somebody is still to be told of, is never given and never removed.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_view(self, after: TemplateId | None) -> TemplateId | None:
        """Five short searches: a list of all distinct values would read every index to its end."""
        found = [
            self._connection.scalar(
                select(table.c.template_id)
                .where(table.c.template_id > (after or ""))
                .order_by(table.c.template_id)
                .limit(1)
            )
            for table in _HOLDERS
        ]
        return min((TemplateId(one) for one in found if one is not None), default=None)

    def pictures(self, view: TemplateId | None, *, until: tuple[datetime, str], limit: int) -> Sequence[Kept]:
        statement = (
            _KEPT.where(_is_of(artifacts, view), tuple_(*_ORDER) < tuple_(*until, types=(Instant(), Id)))
            .order_by(*(column.desc() for column in _ORDER))
            .limit(limit)
        )
        return [_kept(row) for row in self._connection.execute(statement)]

    def all_pictures(self, *, until: str, limit: int) -> Sequence[Kept]:
        return [_kept(row) for row in self._connection.execute(_OF_ALL.limit(limit), {"until": until})]

    def remove_pictures(self, ids: Sequence[ArtifactId]) -> Removed:
        """Look again in this transaction: one may have been pinned since it was chosen."""
        rows = self._connection.execute(_CHOSEN, {"ids": list(ids)}).all()
        if rows:
            self._connection.execute(_DISCARD, [{"uri": row.uri} for row in rows])
            removed = {"ids": [row.id for row in rows]}
            self._connection.execute(_UNLINK, removed)
            self._connection.execute(_REMOVE, removed)
        return Removed(len(rows), sum(row.size_bytes for row in rows))

    def remove_events(self, view: TemplateId, *, before: datetime, limit: int) -> int:
        """Those that go on, and the one a view's health goes by, stay."""
        told = exists().where(alerts.c.event_id == events.c.id, _IS_UNDELIVERED).correlate(events)
        goes_on = or_(
            and_(events.c.kind == "motion", events.c.ended_at.is_(None)),
            exists().where(view_health.c.event_id == events.c.id),
        )
        chosen = (
            select(events.c.id)
            .where(_is_of(events, view), events.c.started_at < before, ~goes_on, ~told)
            .where(~_is_pinned(events))
            .order_by(events.c.started_at)
        )
        return self._delete(events, chosen, limit)

    def remove_captures(self, view: TemplateId, *, before: datetime, limit: int) -> int:
        chosen = (
            select(captures.c.id)
            .where(_is_of(captures, view), captures.c.started_at < before, captures.c.status != "running")
            .where(~_is_pinned(captures))
            .order_by(captures.c.started_at)
        )
        return self._delete(captures, chosen, limit)

    def remove_observations(self, view: TemplateId, *, before: datetime, limit: int) -> int:
        chosen = (
            select(observations.c.id)
            .where(_is_of(observations, view), observations.c.observed_at < before)
            .where(~_is_pinned(observations))
            .order_by(observations.c.observed_at)
        )
        return self._delete(observations, chosen, limit)

    def remove_alerts(self, view: TemplateId | None, *, before: datetime, limit: int) -> int:
        undelivered = exists().where(_IS_UNDELIVERED).correlate(alerts)
        chosen = (
            select(alerts.c.id)
            .where(_is_of(alerts, view), alerts.c.created_at < before, ~undelivered)
            .order_by(alerts.c.created_at)
        )
        return self._delete(alerts, chosen, limit)

    def remove_audit(self, *, before: datetime, limit: int) -> int:
        chosen = select(audit.c.id).where(audit.c.at < before).order_by(audit.c.at)
        return self._delete(audit, chosen, limit)

    def remove_refusals(self, action: str, *, keep: int, limit: int) -> int:
        chosen = (
            select(audit.c.id)
            .where(audit.c.action == action)
            .order_by(audit.c.at.desc(), audit.c.id.desc())
            .offset(keep)
        )
        return self._delete(audit, chosen, limit)

    def _delete(self, table: Table, chosen: Select[Any], limit: int) -> int:
        ids = self._connection.scalars(chosen.limit(limit)).all()
        if ids:
            self._connection.execute(delete(table).where(table.c.id.in_(ids)))
        return len(ids)


def _is_of(table: Table, view: TemplateId | None) -> ColumnElement[bool]:
    of_it: ColumnElement[bool] = table.c.template_id == view
    return of_it


def _is_pinned(table: Table) -> ColumnElement[bool]:
    """A row whose picture somebody keeps is kept with it."""
    return exists().where(artifacts.c.id == table.c.artifact_id, artifacts.c.pinned).correlate(table)


def _kept(row: AnyRow) -> Kept:
    return Kept(ArtifactId(row.id), row.created_at, row.size_bytes)
