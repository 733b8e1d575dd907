"""Alerts, the channels they go to, and their deliveries."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from glimpser.core.alerts import Alert, AlertFilter, Channel, Delivery
from glimpser.core.ids import AlertId, ChannelId, DeliveryId, EventId, RuleId, TemplateId
from glimpser.core.pages import Page, PageRequest
from glimpser.core.rules import RuleHistory


class Channels(Protocol):
    def add(self, channel: Channel) -> None: ...
    def get(self, channel_id: ChannelId) -> Channel:
        """Raises: NotFound."""
        ...

    def list(self, page: PageRequest) -> Page[Channel]:
        """Oldest first."""
        ...

    def replace(self, channel: Channel, *, expected: int) -> Channel:
        """Write name, kind, config, enabled and updated_at; the version rises.

        Raises: NotFound; Stale when the version is not `expected`.
        """
        ...

    def set_config(self, channel_id: ChannelId, config: Mapping[str, object]) -> None:
        """Write a config as it is, where none edits it: the version stays."""
        ...

    def remove(self, channel_id: ChannelId, *, expected: int) -> None:
        """Raises: NotFound; Stale. Its deliveries stay; those that wait will end `dead`."""
        ...

    def set_last_result(self, channel_id: ChannelId, result: str) -> None:
        """Note what a delivery or test came to. This is no edit: the version stays.

        A channel that is gone is ignored.
        """
        ...


class Alerts(Protocol):
    """Alerts come with their deliveries, in the order of their channels' ids.

    Lists are ordered by `created_at`, then id.
    """

    def add(self, alert: Alert) -> None:
        """Write the alert and its deliveries.

        Raises: Conflict when there is an alert of this rule (or of the level alone) for this event, or the
        event is gone; nothing was written then, and the transaction may go on.
        """
        ...

    def get(self, alert_id: AlertId) -> Alert:
        """Raises: NotFound."""
        ...

    def list(self, where: AlertFilter, page: PageRequest) -> Page[Alert]:
        """Newest first."""
        ...

    def set_state(self, alert: Alert) -> None:
        """Write state, acked_by and acked_at. Raises: NotFound."""
        ...

    def history(self, rule_id: RuleId | None, template_id: TemplateId, event_id: EventId) -> RuleHistory:
        """Tell when the rule last fired on the template, and whether it did for this event.

        None asks for what the level alone made.
        """
        ...


class Deliveries(Protocol):
    """They are added with their alert."""

    def get(self, delivery_id: DeliveryId) -> Delivery:
        """Raises: NotFound."""
        ...

    def update(self, delivery: Delivery) -> None:
        """Write status, attempts, last_error, next_attempt_at, sent_at and provider_response.

        Raises: NotFound.
        """
        ...

    def unsettled(self, after: DeliveryId | None, limit: int) -> Sequence[Delivery]:
        """Give those neither `sent` nor `dead`, in id order, for walking all of them."""
        ...
