"""What alerts look like."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from glimpser.core.alerts import Alert, AlertState, Delivery, DeliveryStatus
from glimpser.web.shapes.channels import ChannelTestView
from glimpser.web.shapes.events import LEVEL_NAMES, LevelName
from glimpser.web.shapes.listing import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """One alert through one channel."""

    id: str
    channel_id: str
    channel_kind: str
    status: DeliveryStatus
    attempts: int
    last_error: str | None
    next_attempt_at: datetime | None
    sent_at: datetime | None
    provider_response: str | None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    id: str
    template_id: str | None
    event_id: str | None
    rule_id: str | None
    kind: str
    level: LevelName
    title: str
    body: str
    state: AlertState
    acked_by: str | None
    acked_at: datetime | None
    created_at: datetime
    deliveries: Sequence[DeliveryView]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertList(Listing[AlertView]):
    """Alerts, newest first."""

    items: Sequence[AlertView]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTestView:
    results: Sequence[ChannelTestView]


def alert_view(alert: Alert) -> AlertView:
    return AlertView(
        id=alert.id,
        template_id=alert.template_id,
        event_id=alert.event_id,
        rule_id=alert.rule_id,
        kind=alert.kind,
        level=LEVEL_NAMES[alert.level],
        title=alert.title,
        body=alert.body,
        state=alert.state,
        acked_by=alert.acked_by,
        acked_at=alert.acked_at,
        created_at=alert.created_at,
        deliveries=[_delivery_view(delivery) for delivery in alert.deliveries],
    )


def _delivery_view(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        id=delivery.id,
        channel_id=delivery.channel_id,
        channel_kind=delivery.channel_kind,
        status=delivery.status,
        attempts=delivery.attempts,
        last_error=delivery.last_error,
        next_attempt_at=delivery.next_attempt_at,
        sent_at=delivery.sent_at,
        provider_response=delivery.provider_response,
        idempotency_key=delivery.idempotency_key,
    )
