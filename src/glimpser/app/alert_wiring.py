"""Alerts, wired: from an event to whoever is to be told."""

from dataclasses import dataclass

from glimpser.app.capture_settings import egress_policy
from glimpser.app.channels import channel_kinds
from glimpser.app.ground import Ground
from glimpser.app.web_settings import link_base
from glimpser.core.alerts import DELIVER
from glimpser.core.channel_kinds import ChannelKinds
from glimpser.core.events import Level
from glimpser.egress.gate import Gate
from glimpser.notify.posting import open_poster
from glimpser.services.alerting import Alerting
from glimpser.services.channels import Channels
from glimpser.services.delivering import Delivering
from glimpser.services.notifications import picture_link
from glimpser.services.tickets import Tickets


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPath:
    """From an event to whoever is to be told; `tickets` let them see its picture."""

    alerting: Alerting
    channels: Channels
    tickets: Tickets
    kinds: ChannelKinds


async def wire_alerts(ground: Ground) -> AlertPath:
    config, database, clock = ground.config, ground.database, ground.clock
    poster = await ground.stack.enter_async_context(open_poster(Gate(egress_policy(config, ground.own))))
    kinds = channel_kinds(poster, clock)
    tickets = Tickets(config.security.jwt_secret.get_secret_value(), clock)
    link = picture_link(link_base(config, ground.listeners[0]), tickets)
    publish = ground.notices.publish
    delivering = Delivering(database, kinds, link=link, metrics=ground.metrics, publish=publish)
    ground.job_kinds[DELIVER] = delivering.kind
    alerting = Alerting(
        database,
        ground.store,
        ground.queue,
        clock=clock,
        min_level=Level[config.alerts.min_level.upper()],
        publish=publish,
    )
    channels = Channels(database, kinds, clock=clock)
    return AlertPath(alerting=alerting, channels=channels, tickets=tickets, kinds=kinds)
