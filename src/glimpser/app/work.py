"""Jobs and schedules, opened for commands beside the program that does the work."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from glimpser import __version__
from glimpser.app.exporting import outcomes_of
from glimpser.app.settings import database_settings, store_settings
from glimpser.cluster.local import LocalJobQueue
from glimpser.config import Config
from glimpser.core.alerts import DELIVER
from glimpser.core.clock import SystemClock
from glimpser.core.exports import EXPORT
from glimpser.core.jobs import Job
from glimpser.core.schedule_state import CAPTURE
from glimpser.db.engine import open_database
from glimpser.db.migrate import migrate
from glimpser.observability.metrics import Metrics
from glimpser.services.capturing import RETRY
from glimpser.services.delivering import Delivering
from glimpser.services.exports import Exports
from glimpser.services.job_kinds import JobKind, Progress
from glimpser.services.jobs import Jobs
from glimpser.services.schedules import Schedules
from glimpser.storage.objects import open_store


@dataclass(frozen=True, slots=True)
class Work:
    jobs: Jobs
    schedules: Schedules


@asynccontextmanager
async def open_work(config: Config) -> AsyncIterator[Work]:
    """Open them: nothing is run here. A program that runs sees within seconds what a command wrote."""
    settings = database_settings(config)
    await asyncio.to_thread(migrate, settings)
    clock, metrics = SystemClock(), Metrics(__version__)
    async with open_database(settings) as database:
        delivering = Delivering(database, {}, link=lambda _artifact_id: "", metrics=metrics)
        kinds = {
            DELIVER: delivering.kind,
            CAPTURE: JobKind(run=_not_here, retry=RETRY),
            EXPORT: outcomes_of(config, clock).kind(_not_here),
        }
        jobs = Jobs(database, LocalJobQueue(), kinds, clock=clock)
        yield Work(jobs, Schedules(database, jobs, clock=clock, metrics=metrics))


@asynccontextmanager
async def open_export_work(config: Config) -> AsyncIterator[Exports]:
    """Open exports for commands: a program that runs makes the files, here they are asked for and read."""
    settings = database_settings(config)
    await asyncio.to_thread(migrate, settings)
    clock = SystemClock()
    async with (
        open_database(settings) as database,
        open_store(store_settings(config), is_sending=False) as opened,
    ):
        kinds = {EXPORT: outcomes_of(config, clock).kind(_not_here)}
        jobs = Jobs(database, LocalJobQueue(), kinds, clock=clock)
        yield Exports(database, opened.store, jobs, clock=clock, timezone=config.exports.timezone)


async def _not_here(_job: Job, _progress: Progress) -> Mapping[str, object]:
    raise NotImplementedError("Commands run no jobs.")
