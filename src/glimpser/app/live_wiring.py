"""The live path, wired: from the pools of feeds to viewers, events and health."""

from dataclasses import dataclass

from glimpser.app.ground import Ground
from glimpser.app.parts import paint
from glimpser.app.source_wiring import Sources
from glimpser.app.web_settings import hub_limits
from glimpser.services.alerting import Alerting
from glimpser.services.live import Live
from glimpser.services.pipeline import Pipeline
from glimpser.services.streams import Streams
from glimpser.services.view_health import ViewHealths
from glimpser.streaming.hub import Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePath:
    """From a camera to viewers and events."""

    hub: Hub
    live: Live
    pipeline: Pipeline
    healths: ViewHealths


def wire_live(ground: Ground, alerting: Alerting, sources: Sources) -> LivePath:
    database, clock, publish = ground.database, ground.clock, ground.notices.publish
    hub = Hub(clock=clock, metrics=ground.metrics, limits=hub_limits(ground.config), paint=paint)
    pipeline = Pipeline(
        alerting,
        database,
        clock=clock,
        metrics=ground.metrics,
        name_of=lambda template_id: live.name_of(template_id),  # noqa: PLW0108 (`live` comes later)
        zones_of=lambda template_id: live.zones_of(template_id),  # noqa: PLW0108
        publish=publish,
    )
    healths = ViewHealths(
        alerting,
        database,
        clock=clock,
        metrics=ground.metrics,
        name_of=lambda template_id: live.name_of(template_id),  # noqa: PLW0108
        picture_of=lambda template_id: live.newest_picture(template_id),  # noqa: PLW0108
        grace_s=ground.config.alerts.health_grace_s,
        publish=publish,
    )
    live = Live(
        pool=sources.pool,
        streams=Streams(hub=hub, clock=clock, metrics=ground.metrics, publish=publish),
        database=database,
        feeds=sources.feeds,
        clock=clock,
        tell=pipeline.submit,
        health=healths,
    )
    return LivePath(hub=hub, live=live, pipeline=pipeline, healths=healths)
