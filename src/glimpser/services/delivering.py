"""The job `deliver`: sends one alert through one channel, at least once, under one idempotency key."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from glimpser.core import failpoints
from glimpser.core.alerts import Alert, Channel, Delivery, DeliveryStatus, Notification, Receipt
from glimpser.core.channel_kinds import ChannelKinds, channel_kind_of
from glimpser.core.errors import Conflict, DeliveryFailed, NotFound, Rejected, Unavailable
from glimpser.core.events import Event
from glimpser.core.ids import ChannelId, DeliveryId
from glimpser.core.jobs import Job, JobStatus
from glimpser.core.ports import Database
from glimpser.core.redaction import redact
from glimpser.core.repositories import Transaction
from glimpser.core.templates import Template
from glimpser.services.backoff import ATTEMPTS_OF_A_DAY
from glimpser.services.job_kinds import AfterCommit, JobKind, Progress, RetryPolicy, do_nothing
from glimpser.services.notices import AlertNotice, Publish, say_nothing
from glimpser.services.notifications import PictureLink, render

SEND_WITHIN_S = 30.0
"""The end of a channel's own patience, which is shorter."""
_STATUS: Mapping[JobStatus, DeliveryStatus] = {
    "success": "sent",
    "pending": "retrying",
    "dead": "dead",
    "failure": "dead",
    "cancelled": "dead",
}
T = TypeVar("T")


class DeliveryMetrics(Protocol):
    def delivery_ended(self, *, channel_id: ChannelId, status: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parcel:
    """All that a delivery needs, read in one transaction."""

    delivery: Delivery
    alert: Alert
    channel: Channel
    event: Event | None
    template: Template | None


class Delivering:
    """Event loop's thread. `kind` is the kind of job it runs."""

    def __init__(
        self,
        database: Database,
        kinds: ChannelKinds,
        *,
        link: PictureLink,
        metrics: DeliveryMetrics,
        publish: Publish = say_nothing,
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._link = link
        self._metrics = metrics
        self._publish = publish

    @property
    def kind(self) -> JobKind:
        """Say how deliveries run as jobs. Alerts tell of them already."""
        return JobKind(
            run=self.run,
            lane=_channel,
            record=self.record,
            replay=_resume,
            retry=RetryPolicy(max_attempts=ATTEMPTS_OF_A_DAY),
            is_quiet=True,
        )

    async def run(self, job: Job, _progress: Progress) -> Mapping[str, object]:
        """Send. What had been sent before a crash, and was recorded, is not sent again.

        Raises:
            DeliveryFailed, Unavailable: it may work later.
            Rejected, InvalidInput, NotFound: it will not.
        """
        parcel = await self._database.write(lambda tx: _begin(tx, job))
        if parcel is None:
            return {}
        notification = render(
            parcel.alert,
            parcel.event,
            parcel.template,
            key=parcel.delivery.idempotency_key,
            link=self._link,
        )
        await asyncio.to_thread(failpoints.hit, "delivery.before_send")
        receipt = await send(self._kinds, parcel.channel, notification)
        await asyncio.to_thread(failpoints.hit, "delivery.sent")
        return {"response": redact(receipt.response)}

    def record(self, tx: Transaction, job: Job) -> AfterCommit:
        """Say on the delivery what became of its job."""
        try:
            delivery = tx.deliveries.get(_delivery_id(job))
        except NotFound:  # retention took the alert meanwhile
            return do_nothing
        if delivery.status == "sent":
            return do_nothing
        tx.deliveries.update(_ended(delivery, job))
        tx.channels.set_last_result(delivery.channel_id, _in_words(job))
        return partial(
            self._recorded, delivery.channel_id, tx.alerts.get(delivery.alert_id), _STATUS[job.status]
        )

    def _recorded(self, channel_id: ChannelId, alert: Alert, status: DeliveryStatus) -> None:
        failpoints.hit("delivery.recorded")
        self._metrics.delivery_ended(channel_id=channel_id, status=status)
        self._publish(AlertNotice(alert))


async def send(kinds: ChannelKinds, channel: Channel, notification: Notification) -> Receipt:
    """Send one notification through a channel.

    Raises:
        InvalidInput: the channel's kind is not known any more.
        DeliveryFailed, Rejected: as `Notifier.send`.
    """
    notifier = channel_kind_of(kinds, channel.kind).build(channel.config)
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            return await notifier.send(notification)
    except TimeoutError:
        raise DeliveryFailed(f"The channel did not finish within {SEND_WITHIN_S:g} s.") from None


def _begin(tx: Transaction, job: Job) -> _Parcel | None:
    """Note that the delivery is on its way; None when it has arrived already."""
    if tx.jobs.get(job.id).fence != job.fence:
        raise Unavailable("Another worker has taken the job over.")
    delivery = tx.deliveries.get(_delivery_id(job))
    if delivery.status == "sent":
        return None
    alert, channel = tx.alerts.get(delivery.alert_id), _open_channel(tx, delivery.channel_id)
    sending = replace(delivery, status="sending", attempts=delivery.attempts + 1)
    tx.deliveries.update(sending)
    return _Parcel(
        delivery=sending,
        alert=alert,
        channel=channel,
        event=_if_there(tx.events.get, alert.event_id),
        template=_if_there(tx.templates.get, alert.template_id),
    )


def _open_channel(tx: Transaction, channel_id: ChannelId) -> Channel:
    channel = _if_there(tx.channels.get, channel_id)
    if channel is None:
        raise Rejected("The channel was removed.")
    if not channel.enabled:
        raise Rejected("The channel is switched off: enable it, then retry.")
    return channel


Key = TypeVar("Key", bound=str)


def _if_there(get: Callable[[Key], T], key: Key | None) -> T | None:
    if key is None:
        return None
    try:
        return get(key)
    except NotFound:
        return None


def _ended(delivery: Delivery, job: Job) -> Delivery:
    """Say on the delivery what became of its job."""
    if job.status == "success":
        response = (job.result or {}).get("response")
        return replace(
            delivery,
            status="sent",
            sent_at=job.ended_at,
            last_error=None,
            next_attempt_at=None,
            provider_response=str(response) if response is not None else None,
        )
    return replace(
        delivery,
        status=_STATUS[job.status],
        last_error=redact(job.error or ""),
        next_attempt_at=job.scheduled_for if job.status == "pending" else None,
    )


def _in_words(job: Job) -> str:
    match job.status:
        case "success":
            return f"Sent: {(job.result or {}).get('response')}"
        case "pending":
            return redact(f"Not sent yet, will be tried again: {job.error}")
        case _:
            return redact(f"Not sent: {job.error}")


def _channel(job: Job) -> str:
    return str(job.payload.get("channel_id", ""))


def _resume(tx: Transaction, job: Job) -> None:
    """Let a delivery that was given up begin anew.

    Raises:
        Conflict: it has arrived, or another job sends it.
    """
    delivery = tx.deliveries.get(_delivery_id(job))
    if delivery.status != "dead":
        raise Conflict(f"The delivery is {delivery.status}: there is nothing to try again.")
    tx.deliveries.update(replace(delivery, status="pending", next_attempt_at=None))


def _delivery_id(job: Job) -> DeliveryId:
    return DeliveryId(str(job.payload.get("delivery_id", "")))
