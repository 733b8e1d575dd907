"""Alerts with their deliveries: what somebody was, is being, or could not be told."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, bindparam, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.alerts import Alert, AlertFilter, Delivery
from glimpser.core.errors import Conflict, NotFound
from glimpser.core.events import Level
from glimpser.core.ids import AlertId, DeliveryId, EventId, RuleId, TemplateId
from glimpser.core.orders import ALERT_ORDERS
from glimpser.core.pages import Page, PageRequest
from glimpser.core.rules import RuleHistory
from glimpser.db.queries.paging import AnyRow, fetch_page, newest_first
from glimpser.db.queries.scoping import in_scope
from glimpser.db.tables import IS_UNSETTLED, alerts, deliveries

_ADD = insert(alerts)
_GET = select(alerts).where(alerts.c.id == bindparam("id"))
_SET_STATE = (
    update(alerts)
    .where(alerts.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in ("state", "acked_by", "acked_at")})
)
_ADD_DELIVERIES = insert(deliveries)
_OF_ALERTS = select(deliveries).where(deliveries.c.alert_id.in_(bindparam("alert_ids", expanding=True)))
_GET_DELIVERY = select(deliveries).where(deliveries.c.id == bindparam("id"))
_CHANGING = ("status", "attempts", "last_error", "next_attempt_at", "sent_at", "provider_response")
_UPDATE_DELIVERY = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in _CHANGING})
)
_UNSETTLED = (
    select(deliveries)
    .where(text(IS_UNSETTLED), deliveries.c.id > bindparam("after"))
    .order_by(deliveries.c.id)
    .limit(bindparam("limit"))
)


class SqlAlerts:
    def __init__(self, connection: Connection, scope: Scope = EVERYTHING) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, alert: Alert) -> None:
        try:
            self._connection.execute(_ADD, _row(alert))
        except IntegrityError as error:
            raise Conflict("There is such an alert for this event already, or the event is gone.") from error
        if alert.deliveries:
            self._connection.execute(_ADD_DELIVERIES, [_delivery_row(each) for each in alert.deliveries])

    def get(self, alert_id: AlertId) -> Alert:
        statement = _GET.where(*in_scope(alerts.c.template_id, self._scope))
        row = self._connection.execute(statement, {"id": alert_id}).one_or_none()
        if row is None:
            raise NotFound("There is no alert with this id.")
        return self._with_deliveries([_alert(row)])[0]

    def list(self, where: AlertFilter, page: PageRequest) -> Page[Alert]:
        narrowed = select(alerts).where(*_conditions(where))
        statement = newest_first(
            self._connection, narrowed, alerts.c.created_at, page=page, scope=self._scope
        )
        found = fetch_page(self._connection, statement, page, ALERT_ORDERS, make=_alert)
        return replace(found, items=self._with_deliveries(found.items))

    def set_state(self, alert: Alert) -> None:
        changes = {"state": alert.state, "acked_by": alert.acked_by, "acked_at": alert.acked_at}
        if self._connection.execute(_SET_STATE, {"key": alert.id} | changes).rowcount == 0:
            raise NotFound("There is no alert with this id.")

    def history(self, rule_id: RuleId | None, template_id: TemplateId, event_id: EventId) -> RuleHistory:
        of_rule = alerts.c.rule_id == rule_id  # None becomes IS NULL
        on_template = select(func.max(alerts.c.created_at)).where(
            of_rule, alerts.c.template_id == template_id
        )
        for_event = select(alerts.c.id).where(of_rule, alerts.c.event_id == event_id)
        return RuleHistory(
            last_fired_at=self._connection.scalar(on_template),
            fired_for_event=self._connection.scalar(for_event) is not None,
        )

    def _with_deliveries(self, found: Sequence[Alert]) -> Sequence[Alert]:
        if not found:
            return found
        rows = self._connection.execute(_OF_ALERTS, {"alert_ids": [alert.id for alert in found]})
        of_alert = defaultdict(list)
        for delivery in map(_delivery, rows):
            of_alert[delivery.alert_id].append(delivery)
        return [replace(alert, deliveries=_in_order(of_alert[alert.id])) for alert in found]


class SqlDeliveries:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, delivery_id: DeliveryId) -> Delivery:
        row = self._connection.execute(_GET_DELIVERY, {"id": delivery_id}).one_or_none()
        if row is None:
            raise NotFound("There is no delivery with this id.")
        return _delivery(row)

    def update(self, delivery: Delivery) -> None:
        changes = {"key": delivery.id} | _changing(delivery)
        if self._connection.execute(_UPDATE_DELIVERY, changes).rowcount == 0:
            raise NotFound("There is no delivery with this id.")

    def unsettled(self, after: DeliveryId | None, limit: int) -> Sequence[Delivery]:
        rows = self._connection.execute(_UNSETTLED, {"after": after or "", "limit": limit})
        return [_delivery(row) for row in rows]


def _in_order(found: Sequence[Delivery]) -> tuple[Delivery, ...]:
    return tuple(sorted(found, key=lambda delivery: delivery.channel_id))


def _conditions(where: AlertFilter) -> Iterator[ColumnElement[bool]]:
    if where.template_id is not None:
        yield alerts.c.template_id == where.template_id
    if where.state is not None:
        yield alerts.c.state == where.state
    if where.level is not None:
        yield alerts.c.level >= where.level
    if where.start is not None:
        yield alerts.c.created_at >= where.start
    if where.end is not None:
        yield alerts.c.created_at < where.end


def _row(alert: Alert) -> dict[str, object]:
    return {
        "id": alert.id,
        "template_id": alert.template_id,
        "event_id": alert.event_id,
        "rule_id": alert.rule_id,
        "kind": alert.kind,
        "level": alert.level,
        "title": alert.title,
        "body": alert.body,
        "state": alert.state,
        "acked_by": alert.acked_by,
        "acked_at": alert.acked_at,
        "created_at": alert.created_at,
    }


def _delivery_row(delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "alert_id": delivery.alert_id,
        "channel_id": delivery.channel_id,
        "channel_kind": delivery.channel_kind,
        "idempotency_key": delivery.idempotency_key,
    } | _changing(delivery)


def _changing(delivery: Delivery) -> dict[str, object]:
    return {name: getattr(delivery, name) for name in _CHANGING}


def _alert(row: AnyRow) -> Alert:
    return Alert(
        id=row.id,
        template_id=row.template_id,
        event_id=row.event_id,
        rule_id=row.rule_id,
        kind=row.kind,
        level=Level(row.level),
        title=row.title,
        body=row.body,
        state=row.state,
        acked_by=row.acked_by,
        acked_at=row.acked_at,
        created_at=row.created_at,
    )


def _delivery(row: AnyRow) -> Delivery:
    return Delivery(
        id=row.id,
        alert_id=row.alert_id,
        channel_id=row.channel_id,
        channel_kind=row.channel_kind,
        status=row.status,
        attempts=row.attempts,
        last_error=row.last_error,
        next_attempt_at=row.next_attempt_at,
        sent_at=row.sent_at,
        provider_response=row.provider_response,
        idempotency_key=row.idempotency_key,
    )
