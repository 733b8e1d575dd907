"""The web, wired: what its handlers reach, and the servers of the API and of observability."""

import asyncio
from dataclasses import dataclass

from glimpser.app.alert_wiring import AlertPath
from glimpser.app.ground import Ground
from glimpser.app.job_wiring import JobPath
from glimpser.app.live_wiring import LivePath
from glimpser.app.parts import moving_of
from glimpser.app.view_wiring import Views
from glimpser.app.web_settings import connection_limits, metrics_token, rates_of, tls_of, web_settings
from glimpser.capture.pictures.reader import PictureReader
from glimpser.observability.health import Health
from glimpser.services.audit import AuditLog
from glimpser.services.backups import Backups
from glimpser.services.history import History
from glimpser.services.people import People
from glimpser.services.stream_tickets import StreamTickets
from glimpser.services.thumbnails import Thumbnails
from glimpser.streaming import fast_write
from glimpser.web.application import build
from glimpser.web.crowd import Limits
from glimpser.web.observability import build_observability
from glimpser.web.server import WebServer
from glimpser.web.wiring import Services

_WATCHERS = Limits(connections=64, per_client=64)
"""Connections to the observability port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebGround:
    """What the web shows and sets going. `health` tells whether all is ready."""

    alerts: AlertPath
    live: LivePath
    views: Views
    pictures: PictureReader
    work: JobPath
    people: People
    backups: Backups
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """They listen already, and answer once they serve."""

    web: WebServer
    observability: WebServer


async def wire_web(ground: Ground, reached: WebGround) -> Servers:
    """Wire both servers.

    Raises:
        Misconfigured: as `tls_of`.
    """
    config, ending = ground.config, asyncio.Event()
    services = await _services_of(ground, reached, ending)
    watch_over = build_observability(
        reached.health.ready, ground.metrics.expose, metrics_token=metrics_token(config)
    )
    web, observability = ground.listeners
    return Servers(
        web=WebServer(
            build(services, web_settings(config)),
            web,
            ending=ending,
            limits=connection_limits(config),
            tls=await asyncio.to_thread(tls_of, config, ground.clock),
        ),
        observability=WebServer(watch_over, observability, ending=ending, limits=_WATCHERS),
    )


async def _services_of(ground: Ground, reached: WebGround, ending: asyncio.Event) -> Services:
    alerts, live, views, work = reached.alerts, reached.live, reached.views, reached.work
    people = reached.people
    return Services(
        accounts=people.accounts,
        users=people.users,
        api_keys=people.api_keys,
        audit=AuditLog(ground.database),
        templates=views.templates,
        history=History(ground.database, ground.store),
        thumbnails=Thumbnails(ground.store, reached.pictures.narrowed),
        live=live.live,
        healths=live.healths,
        pushes=views.pushing,
        probing=views.probing,
        moving=moving_of(views.templates),
        notices=ground.notices,
        alerting=alerts.alerting,
        channels=alerts.channels,
        tickets=alerts.tickets,
        stream_tickets=StreamTickets(ground.database, alerts.tickets, ground.clock),
        rates=rates_of(ground.config, ground.clock),
        jobs=work.jobs,
        schedules=work.schedules,
        keeping=work.kept.keeping,
        backups=reached.backups,
        exports=work.exports,
        system=work.kept.system,
        ready=reached.health.ready,
        recorder=ground.metrics,
        clock=ground.clock,
        ending=ending,
        fast_streams=await fast_write.available(),
    )
