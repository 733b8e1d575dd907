"""Which alerts an event makes: asked inside the transaction that writes the event."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from glimpser.core.alerts import DELIVER, Alert, Channel, Delivery
from glimpser.core.errors import NotFound
from glimpser.core.events import Event, Level
from glimpser.core.ids import AlertId, DeliveryId, JobId, TemplateId, new_id
from glimpser.core.jobs import Job
from glimpser.core.local_time import zone_of
from glimpser.core.pages import MAX_LIMIT, PageRequest, decode_cursor
from glimpser.core.repositories import Transaction
from glimpser.core.rules import Rule
from glimpser.core.templates import Template
from glimpser.rules.evaluate import evaluate
from glimpser.services.backoff import ATTEMPTS_OF_A_DAY

MAX_TITLE_CHARS = 200


@dataclass(frozen=True, slots=True)
class Decided:
    """The alerts an event makes now, and whether it had made one before."""

    alerts: Sequence[Alert]
    was_told: bool


def decide(tx: Transaction, event: Event, *, min_level: Level, now: datetime) -> Decided:
    """Ask every rule of the event's template, and the event's level.

    A template that is gone has no rules. What has fired for the event already does not fire again.
    """
    template = _template(tx, event.template_id)
    firing: list[Rule | None] = []
    was_told = False
    for rule in template.settings.rules if template else ():
        history = tx.alerts.history(rule.id, event.template_id, event.id)
        was_told |= history.fired_for_event
        if evaluate(rule, event, now, history).decision == "fire":
            firing.append(rule)
    if event.level >= min_level:
        by_level = tx.alerts.history(None, event.template_id, event.id).fired_for_event
        was_told |= by_level
        firing += [] if by_level else [None]
    channels = enabled_channels(tx) if firing else []
    alerts = [_alert(event, rule, _name(template), channels=channels, now=now) for rule in firing]
    return Decided(alerts, was_told)


def delivery_job(
    delivery: Delivery, template_id: TemplateId | None, now: datetime, *, key: str | None
) -> Job:
    """Make the job that sends a delivery; `key` keeps a second one from being added."""
    return Job(
        id=JobId(new_id()),
        kind=DELIVER,
        template_id=template_id,
        payload={"delivery_id": delivery.id, "channel_id": delivery.channel_id},
        idempotency_key=key,
        scheduled_for=now,
        created_at=now,
        max_attempts=ATTEMPTS_OF_A_DAY,
    )


def enabled_channels(tx: Transaction) -> list[Channel]:
    """Read all channels that are switched on."""
    found: list[Channel] = []
    after: str | None = None
    while True:
        page = tx.channels.list(PageRequest(MAX_LIMIT, after))
        found.extend(channel for channel in page.items if channel.enabled)
        if page.next_cursor is None:
            return found
        after = decode_cursor(page.next_cursor)


def _template(tx: Transaction, template_id: TemplateId) -> Template | None:
    try:
        return tx.templates.get(template_id)
    except NotFound:
        return None


def _name(template: Template | None) -> str:
    return " ".join(template.settings.name.split()) if template else "A removed view"


def _alert(
    event: Event, rule: Rule | None, name: str, *, channels: Sequence[Channel], now: datetime
) -> Alert:
    """Make an alert of a rule, or of the event's level alone."""
    alert = Alert(
        id=AlertId(new_id()),
        template_id=event.template_id,
        event_id=event.id,
        rule_id=rule.id if rule else None,
        kind=event.kind,
        level=rule.level if rule else event.level,
        title=f"{name}: {event.kind}"[:MAX_TITLE_CHARS],
        body="\n".join(_sentences(event, rule)),
        created_at=now,
    )
    wanted = [channel for channel in channels if not rule or not rule.channels or channel.id in rule.channels]
    return replace(alert, deliveries=tuple(_delivery(alert, channel) for channel in wanted))


def _sentences(event: Event, rule: Rule | None) -> Iterator[str]:
    zone = rule.timezone if rule else "UTC"
    moment = (event.peak_at or event.started_at).astimezone(zone_of(zone))
    score = event.metadata.get("score")
    strength = f"Score {score:.2f}" if isinstance(score, int | float) else f"Level {event.level.label}"
    yield event.message
    yield f"{strength}, {moment:%A %d %B %Y at %H:%M:%S} ({zone})."
    if rule:
        yield f"Rule: {rule.name}."


def _delivery(alert: Alert, channel: Channel) -> Delivery:
    return Delivery(
        id=DeliveryId(new_id()),
        alert_id=alert.id,
        channel_id=channel.id,
        channel_kind=channel.kind,
        next_attempt_at=alert.created_at,
        idempotency_key=f"{alert.id}.{channel.id}",
    )
