"""Views, wired: their settings, single captures, pictures that are sent to them, and trying them out."""

from dataclasses import dataclass

from glimpser.app.ground import Ground
from glimpser.app.job_wiring import JobPath
from glimpser.app.live_wiring import LivePath
from glimpser.app.parts import check_settings, each
from glimpser.app.source_wiring import Sources
from glimpser.core.schedule_state import CAPTURE
from glimpser.services.alerting import Alerting
from glimpser.services.capturing import CaptureTells, Capturing
from glimpser.services.guessing import Guesser
from glimpser.services.probing import PROBE, Previews, Probing
from glimpser.services.pushing import Pushing
from glimpser.services.templates import Templates


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """What people do with views."""

    templates: Templates
    pushing: Pushing
    probing: Probing


def wire_views(
    ground: Ground, alerting: Alerting, *, sources: Sources, live: LivePath, work: JobPath
) -> Views:
    ground.job_kinds[CAPTURE] = _capturing(ground, alerting, sources=sources, live=live).kind
    templates = Templates(
        ground.database,
        sources.kinds,
        clock=ground.clock,
        changed=each(live.live.changed, work.schedules.changed),
        check=check_settings,
    )
    means = sources.means
    pushing = Pushing(sources.feeds, live.live, sources.stills, read=means.pictures.read)
    probing = Probing(
        work.jobs,
        sources.kinds,
        Guesser(sources.kinds, means.sniffer),
        reaches=means.reach,
        trials=live.live,
        pictures=Previews(ground.database, alerting, clock=ground.clock),
    )
    ground.job_kinds[PROBE] = probing.kind
    return Views(templates=templates, pushing=pushing, probing=probing)


def _capturing(ground: Ground, alerting: Alerting, *, sources: Sources, live: LivePath) -> Capturing:
    return Capturing(
        ground.database,
        ground.store,
        alerting=alerting,
        feeds=sources.feeds,
        views=live.live,
        clock=ground.clock,
        tells=CaptureTells(
            show=live.hub.publish,
            judge=live.healths.judged,
            metrics=ground.metrics,
            publish=ground.notices.publish,
        ),
    )
