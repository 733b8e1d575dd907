"""The one place where every adapter is opened and every service gets what it needs."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from glimpser import __version__
from glimpser.app.backups import BackupGround, wire_backups
from glimpser.app.capture_settings import camera_policy, egress_policy, pool_settings
from glimpser.app.channels import channel_kinds
from glimpser.app.exporting import ExportGround, wire_exports
from glimpser.app.keeping import Kept, KeptGround, disk_guard, wire_keeping
from glimpser.app.means import Ways, open_means
from glimpser.app.parts import check_settings, each, health_of, moving_of, paint
from glimpser.app.people import people_of
from glimpser.app.proxies import Proxies, enter_proxies
from glimpser.app.registry import registry_of
from glimpser.app.settings import database_settings, history_limits, store_settings
from glimpser.app.web_settings import (
    connection_limits,
    hub_limits,
    link_base,
    metrics_token,
    rates_of,
    tls_of,
    web_settings,
)
from glimpser.capture.ingest.pool import open_pool
from glimpser.capture.located import open_located_pool
from glimpser.capture.pictures.reader import PictureReader
from glimpser.capture.polled.pool import open_polled_pool
from glimpser.capture.pools import Pools
from glimpser.cluster.local import LocalJobQueue
from glimpser.config import Config
from glimpser.core.alerts import DELIVER
from glimpser.core.backups import BACKUP
from glimpser.core.channel_kinds import ChannelKinds
from glimpser.core.clock import Clock, SystemClock
from glimpser.core.events import Level
from glimpser.core.kinds import Registry
from glimpser.core.live import Located, MediaInput, Polled, Pushed
from glimpser.core.ports import ObjectStore
from glimpser.core.schedule_state import CAPTURE
from glimpser.db.engine import SqlDatabase, open_database
from glimpser.db.migrate import migrate
from glimpser.egress.gate import Gate
from glimpser.notify.posting import open_poster
from glimpser.observability.health import Health
from glimpser.observability.metrics import Metrics
from glimpser.process.runner import Runner, open_runner
from glimpser.services.accounts import Accounts
from glimpser.services.alerting import Alerting
from glimpser.services.audit import AuditLog
from glimpser.services.backup_rows import Kinds
from glimpser.services.backups import Backups
from glimpser.services.capturing import CaptureTells, Capturing
from glimpser.services.channels import Channels
from glimpser.services.delivering import Delivering
from glimpser.services.disk import DiskGuard
from glimpser.services.exports import Exports
from glimpser.services.feeds import Feeds
from glimpser.services.guessing import Guesser
from glimpser.services.history import History
from glimpser.services.job_history import JobHistory
from glimpser.services.job_kinds import JobKind
from glimpser.services.job_runner import JobRunner
from glimpser.services.jobs import Jobs
from glimpser.services.key_uses import KeyUses
from glimpser.services.live import Live
from glimpser.services.notices import Notices
from glimpser.services.notifications import picture_link
from glimpser.services.people import People
from glimpser.services.pipeline import Pipeline
from glimpser.services.probing import PROBE, Previews, Probing
from glimpser.services.pushing import Pushing
from glimpser.services.recovery import recover
from glimpser.services.schedules import Schedules
from glimpser.services.stream_tickets import StreamTickets
from glimpser.services.streams import Streams
from glimpser.services.templates import Templates
from glimpser.services.thumbnails import Thumbnails
from glimpser.services.tickets import Tickets
from glimpser.services.view_health import ViewHealths
from glimpser.storage.disk import GuardedStore
from glimpser.storage.objects import OpenStore, open_store
from glimpser.streaming import fast_write
from glimpser.streaming.hub import Hub
from glimpser.web.application import build
from glimpser.web.crowd import Limits
from glimpser.web.observability import build_observability
from glimpser.web.server import WebServer, listen
from glimpser.web.wiring import Services

_WATCHERS = Limits(connections=64, per_client=64)
"""Connections to the observability port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The whole program, opened and wired; `serve` sets it going."""

    accounts: Accounts
    key_uses: KeyUses
    templates: Templates
    hub: Hub
    live: Live
    pipeline: Pipeline
    healths: ViewHealths
    jobs: JobRunner
    kept: Kept
    job_history: JobHistory
    schedules: Schedules
    health: Health
    web: WebServer
    observability: WebServer


@asynccontextmanager
async def compose(config: Config) -> AsyncIterator[App]:
    """Open every adapter and wire the services; at the end all is closed in reverse."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        settings = database_settings(config)
        await asyncio.to_thread(migrate, settings)
        database = await stack.enter_async_context(open_database(settings))
        opened = await stack.enter_async_context(open_store(store_settings(config)))
        await recover(database, opened.store, clock)
        listeners = [
            listen(config.server.host, config.server.port),
            listen(config.observability.host, config.observability.port, setting="observability"),
        ]
        for listener in listeners:
            stack.callback(listener.close)
        metrics = Metrics(__version__)
        runner = await stack.enter_async_context(open_runner(_scratch(config), clock=clock, recorder=metrics))
        own, proxies = await enter_proxies(config, stack, listeners, clock=clock)
        notices = Notices()
        disk = disk_guard(config, database, clock=clock, publish=notices.publish)
        ground = _Ground(
            config=config,
            stack=stack,
            listeners=listeners,
            own=own,
            proxies=proxies,
            database=database,
            opened=opened,
            store=GuardedStore(opened.store, disk.check_room),
            disk=disk,
            notices=notices,
            clock=clock,
            metrics=metrics,
            runner=runner,
        )
        yield await _wire(ground)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What all parts stand on. What they open is closed by `stack`.

    `listeners` are those of the web and of observability; `own` are all our sockets, which nothing of ours
    may connect to.
    Each part adds the kinds of jobs it runs to `job_kinds`.
    """

    config: Config
    stack: AsyncExitStack
    listeners: Sequence[socket.socket]
    own: Sequence[socket.socket]
    proxies: Proxies
    database: SqlDatabase
    opened: OpenStore
    store: ObjectStore
    disk: DiskGuard
    notices: Notices
    clock: Clock
    metrics: Metrics
    runner: Runner
    queue: LocalJobQueue = field(default_factory=LocalJobQueue)
    job_kinds: dict[str, JobKind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _AlertPath:
    """From an event to whoever is to be told."""

    alerting: Alerting
    channels: Channels
    tickets: Tickets
    kinds: ChannelKinds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """Everything that happens later."""

    jobs: Jobs
    runner: JobRunner
    history: JobHistory
    schedules: Schedules
    kept: Kept
    exports: Exports


@dataclass(frozen=True, slots=True, kw_only=True)
class _LivePath:
    """From a camera to viewers and events."""

    hub: Hub
    live: Live
    pipeline: Pipeline
    healths: ViewHealths
    templates: Templates
    pushing: Pushing
    probing: Probing
    kinds: Registry
    pictures: PictureReader


async def _wire(ground: _Ground) -> App:
    work = _wire_jobs(ground)
    alerts = await _wire_alerts(ground)
    views = await _wire_live(ground, alerts.alerting, work)
    config = ground.config
    people = people_of(config, ground.database, ground.clock, stack=ground.stack)
    health = health_of(ground.clock, ground.database, ground.disk)
    backups = _wire_backups(ground, Kinds(views.kinds, alerts.kinds), work.jobs)
    web, observability = await _wire_web(
        ground, alerts, views, work=work, people=people, health=health, backups=backups
    )
    return App(
        accounts=people.accounts,
        key_uses=people.key_uses,
        templates=views.templates,
        hub=views.hub,
        live=views.live,
        pipeline=views.pipeline,
        healths=views.healths,
        kept=work.kept,
        jobs=work.runner,
        schedules=work.schedules,
        job_history=work.history,
        health=health,
        web=web,
        observability=observability,
    )


def _wire_backups(ground: _Ground, kinds: Kinds, jobs: Jobs) -> Backups:
    backups = wire_backups(
        BackupGround(
            config=ground.config,
            database=ground.database,
            opened=ground.opened,
            store=ground.store,
            kinds=kinds,
            clock=ground.clock,
        ),
        jobs,
    )
    ground.job_kinds[BACKUP] = backups.kind
    return backups


def _wire_jobs(ground: _Ground) -> _Work:
    database, clock, publish = ground.database, ground.clock, ground.notices.publish
    runner = JobRunner(
        database, ground.queue, ground.job_kinds, clock=clock, metrics=ground.metrics, publish=publish
    )
    jobs = Jobs(database, ground.queue, ground.job_kinds, clock=clock, stop=runner.cancel, publish=publish)
    history = JobHistory(database, history_limits(ground.config), clock=clock)
    schedules = Schedules(database, jobs, clock=clock, metrics=ground.metrics)
    kept = wire_keeping(
        KeptGround(
            config=ground.config,
            database=database,
            opened=ground.opened,
            disk=ground.disk,
            jobs=jobs,
            job_kinds=ground.job_kinds,
            clock=clock,
        )
    )
    exports, nightly = wire_exports(
        ExportGround(
            config=ground.config,
            database=database,
            store=ground.store,
            disk=ground.disk,
            jobs=jobs,
            job_kinds=ground.job_kinds,
            runner=ground.runner,
            scratch=_scratch(ground.config),
            clock=clock,
        )
    )
    kept = replace(kept, parts=(*kept.parts, nightly))
    return _Work(jobs=jobs, runner=runner, history=history, schedules=schedules, kept=kept, exports=exports)


def _scratch(config: Config) -> Path:
    """Where programs that are run have their homes: emptied at the start and at the end."""
    return config.data_dir / "run"


async def _wire_live(ground: _Ground, alerting: Alerting, work: _Work) -> _LivePath:
    database, clock, publish = ground.database, ground.clock, ground.notices.publish
    hub = Hub(clock=clock, metrics=ground.metrics, limits=hub_limits(ground.config), paint=paint)
    streams = Streams(hub=hub, clock=clock, metrics=ground.metrics, publish=publish)
    settings = pool_settings(ground.config, ground.own)
    stills = await ground.stack.enter_async_context(open_polled_pool(clock))
    cameras = await ground.stack.enter_async_context(open_pool(settings, clock))
    located = await ground.stack.enter_async_context(open_located_pool(cameras, clock))
    pool = Pools(
        {
            MediaInput: located,
            Located: located,
            Polled: stills,
            Pushed: stills,
        }
    )
    ways = Ways(
        gate=Gate(egress_policy(ground.config, ground.own)),
        camera_gate=Gate(camera_policy(ground.config, ground.own)),
        proxy_url=ground.proxies.general.url,
        camera_proxy_url=ground.proxies.camera.url,
        runner=ground.runner,
        clock=clock,
    )
    means = await ground.stack.enter_async_context(open_means(ground.config, ways))
    registry = registry_of(ground.config, means)
    feeds = Feeds(registry, clock=clock, timezone=ground.config.capture.timezone)
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
        pool=pool,
        streams=streams,
        database=database,
        feeds=feeds,
        clock=clock,
        tell=pipeline.submit,
        health=healths,
    )
    capturing = Capturing(
        database,
        ground.store,
        alerting=alerting,
        feeds=feeds,
        views=live,
        clock=clock,
        tells=CaptureTells(show=hub.publish, judge=healths.judged, metrics=ground.metrics, publish=publish),
    )
    ground.job_kinds[CAPTURE] = capturing.kind
    templates = Templates(
        database,
        registry,
        clock=clock,
        changed=each(live.changed, work.schedules.changed),
        check=check_settings,
    )
    pushing = Pushing(feeds, live, stills, read=means.pictures.read)
    probing = Probing(
        work.jobs,
        registry,
        Guesser(registry, means.sniffer),
        reaches=means.reach,
        trials=live,
        pictures=Previews(database, alerting, clock=clock),
    )
    ground.job_kinds[PROBE] = probing.kind
    return _LivePath(
        hub=hub,
        live=live,
        pipeline=pipeline,
        healths=healths,
        templates=templates,
        pushing=pushing,
        probing=probing,
        kinds=registry,
        pictures=means.pictures,
    )


async def _wire_alerts(ground: _Ground) -> _AlertPath:
    config, database, clock = ground.config, ground.database, ground.clock
    poster = await ground.stack.enter_async_context(open_poster(Gate(egress_policy(config, ground.own))))
    kinds = channel_kinds(poster, clock)
    tickets = Tickets(config.security.jwt_secret.get_secret_value(), clock)
    link = picture_link(link_base(config, ground.listeners[0]), tickets)
    publish = ground.notices.publish
    delivering = Delivering(database, kinds, link=link, metrics=ground.metrics, publish=publish)
    alerting = Alerting(
        database,
        ground.store,
        ground.queue,
        clock=clock,
        min_level=Level[config.alerts.min_level.upper()],
        publish=publish,
    )
    ground.job_kinds[DELIVER] = delivering.kind
    channels = Channels(database, kinds, clock=clock)
    return _AlertPath(alerting=alerting, channels=channels, tickets=tickets, kinds=kinds)


async def _wire_web(
    ground: _Ground,
    alerts: _AlertPath,
    views: _LivePath,
    *,
    work: _Work,
    people: People,
    health: Health,
    backups: Backups,
) -> tuple[WebServer, WebServer]:
    config, metrics = ground.config, ground.metrics
    ending = asyncio.Event()
    services = Services(
        accounts=people.accounts,
        users=people.users,
        api_keys=people.api_keys,
        audit=AuditLog(ground.database),
        templates=views.templates,
        history=History(ground.database, ground.store),
        thumbnails=Thumbnails(ground.store, views.pictures.narrowed),
        live=views.live,
        healths=views.healths,
        pushes=views.pushing,
        probing=views.probing,
        moving=moving_of(views.templates),
        notices=ground.notices,
        alerting=alerts.alerting,
        channels=alerts.channels,
        tickets=alerts.tickets,
        stream_tickets=StreamTickets(ground.database, alerts.tickets, ground.clock),
        rates=rates_of(config, ground.clock),
        jobs=work.jobs,
        schedules=work.schedules,
        keeping=work.kept.keeping,
        backups=backups,
        exports=work.exports,
        system=work.kept.system,
        ready=health.ready,
        recorder=metrics,
        clock=ground.clock,
        ending=ending,
        fast_streams=await fast_write.available(),
    )
    watch_over = build_observability(health.ready, metrics.expose, metrics_token=metrics_token(config))
    web, observability = ground.listeners
    return (
        WebServer(
            build(services, web_settings(config)),
            web,
            ending=ending,
            limits=connection_limits(config),
            tls=await asyncio.to_thread(tls_of, config, ground.clock),
        ),
        WebServer(watch_over, observability, ending=ending, limits=_WATCHERS),
    )
