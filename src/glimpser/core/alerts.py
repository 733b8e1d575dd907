"""The decision to tell somebody, the ways to tell, and each attempt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from glimpser.core.events import Level
from glimpser.core.ids import AlertId, ChannelId, DeliveryId, EventId, RuleId, TemplateId

AlertState = Literal["open", "acknowledged", "resolved"]
DeliveryStatus = Literal["pending", "sending", "retrying", "sent", "dead"]
DELIVER = "deliver"
"""The kind of the job that sends one delivery; its payload is `{"delivery_id": …}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A configured way to tell. `config` has been validated by the channel's kind; it may hold secrets.

    `last_result` is what the newest delivery or test came to, in plain words.
    """

    id: ChannelId
    name: str
    kind: str
    config: Mapping[str, object] = field(repr=False)
    enabled: bool = True
    version: int = 1
    last_result: str | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One alert through one channel. `idempotency_key` is the same at every attempt."""

    id: DeliveryId
    alert_id: AlertId
    channel_id: ChannelId
    channel_kind: str
    status: DeliveryStatus = "pending"
    attempts: int = 0
    last_error: str | None = None
    next_attempt_at: datetime | None = None
    sent_at: datetime | None = None
    provider_response: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """`rule_id` is None where the event's level alone made it."""

    id: AlertId
    template_id: TemplateId | None
    event_id: EventId | None
    rule_id: RuleId | None
    kind: str
    level: Level
    title: str
    body: str
    state: AlertState = "open"
    acked_by: str | None = None
    acked_at: datetime | None = None
    created_at: datetime
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Each given field narrows a list; `start` is inclusive, `end` exclusive, on `created_at`."""

    template_id: TemplateId | None = None
    state: AlertState | None = None
    level: Level | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What a channel sends: ready values, so that it reads nothing itself.

    `document` is the body of the webhook contract: alert, event, template, picture_url.
    """

    idempotency_key: str
    title: str
    body: str
    level: Level
    picture_url: str | None
    document: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side answered, shortened and without secrets."""

    response: str
