"""The one place where all parts of the program meet; each is wired by the module named after it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from glimpser.app.alert_wiring import wire_alerts
from glimpser.app.ground import Ground, open_ground
from glimpser.app.job_wiring import wire_backup_jobs, wire_jobs
from glimpser.app.keeping import Kept
from glimpser.app.live_wiring import wire_live
from glimpser.app.parts import health_of
from glimpser.app.people import people_of
from glimpser.app.source_wiring import open_sources
from glimpser.app.view_wiring import wire_views
from glimpser.app.web_wiring import WebGround, wire_web
from glimpser.config import Config
from glimpser.observability.health import Health
from glimpser.services.accounts import Accounts
from glimpser.services.backup_rows import Kinds
from glimpser.services.job_history import JobHistory
from glimpser.services.job_runner import JobRunner
from glimpser.services.key_uses import KeyUses
from glimpser.services.live import Live
from glimpser.services.pipeline import Pipeline
from glimpser.services.schedules import Schedules
from glimpser.services.templates import Templates
from glimpser.services.view_health import ViewHealths
from glimpser.streaming.hub import Hub
from glimpser.web.server import WebServer


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
    async with AsyncExitStack() as stack:
        yield await _wire(await open_ground(config, stack))


async def _wire(ground: Ground) -> App:
    work = wire_jobs(ground)
    alerts = await wire_alerts(ground)
    sources = await open_sources(ground)
    live = wire_live(ground, alerts.alerting, sources)
    views = wire_views(ground, alerts.alerting, sources=sources, live=live, work=work)
    people = people_of(ground.config, ground.database, ground.clock, stack=ground.stack)
    health = health_of(ground.clock, ground.database, ground.disk)
    web_ground = WebGround(
        alerts=alerts,
        live=live,
        views=views,
        pictures=sources.means.pictures,
        work=work,
        people=people,
        backups=wire_backup_jobs(ground, Kinds(sources.kinds, alerts.kinds), work.jobs),
        health=health,
    )
    servers = await wire_web(ground, web_ground)
    return App(
        accounts=people.accounts,
        key_uses=people.key_uses,
        templates=views.templates,
        hub=live.hub,
        live=live.live,
        pipeline=live.pipeline,
        healths=live.healths,
        kept=work.kept,
        jobs=work.runner,
        schedules=work.schedules,
        job_history=work.history,
        health=health,
        web=servers.web,
        observability=servers.observability,
    )
