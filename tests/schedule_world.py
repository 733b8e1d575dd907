"""Schedules over a real database, on a clock that a test holds in its hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from glimpser.cluster.local import LocalJobQueue
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.jobs import Job, JobFilter
from glimpser.core.pages import PageRequest
from glimpser.core.ports import Database
from glimpser.core.schedule_state import CAPTURE, ScheduleState
from glimpser.core.templates import Template, TemplateSettings
from glimpser.services.jobs import Jobs
from glimpser.services.schedules import Schedules
from glimpser.testing.clock import FakeClock
from tests.web_world import fresh_database


@dataclass
class JobCounts:
    ended: list[str] = field(default_factory=list)

    def job_ended(self, *, kind: str, status: str, duration_s: float) -> None:
        assert (kind, duration_s) == (CAPTURE, 0.0)
        self.ended.append(status)


@dataclass
class ScheduleWorld:
    database: Database
    clock: FakeClock
    jobs: Jobs
    counts: JobCounts
    schedules: Schedules

    def restarted(self) -> Schedules:
        """Have another program take over what the database holds."""
        self.schedules = Schedules(self.database, self.jobs, clock=self.clock, metrics=self.counts)
        return self.schedules

    async def add(self, cron: str | None = "* * * * *", **changes: object) -> TemplateId:
        now = self.clock.now()
        settings = TemplateSettings(
            name="Door",
            kind="camera",
            config={},
            schedule=cron,
            **changes,  # type: ignore[arg-type] # the tests choose fitting ones
        )
        template = Template(
            id=TemplateId(new_id()), settings=settings, version=1, created_at=now, updated_at=now
        )
        await self.database.write(lambda tx: tx.templates.add(template))
        self.schedules.changed(template.id)
        await self.settle()
        return template.id

    async def change(self, template_id: TemplateId, **changes: object) -> None:
        def put(tx: object) -> None:
            templates = tx.templates  # type: ignore[attr-defined] # a transaction
            found = templates.get(template_id)
            settings = replace(found.settings, **changes)
            templates.replace(template_id, settings, expected=found.version, now=self.clock.now())

        await self.database.write(put)
        self.schedules.changed(template_id)
        await self.settle()

    async def settle(self) -> None:
        """Have done what is due now."""
        while await self.schedules.step() == 0.0:
            pass

    async def after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.settle()

    async def runs(self) -> list[Job]:
        """Give all jobs, the oldest first."""
        page = await self.database.read(lambda tx: tx.jobs.list(JobFilter(), PageRequest(limit=200)))
        return sorted(page.items, key=lambda job: str(job.idempotency_key))

    async def slots(self) -> list[str]:
        return [str(job.payload["slot"]) for job in await self.runs()]

    async def state(self, template_id: TemplateId) -> ScheduleState:
        found = await self.database.read(lambda tx: tx.schedules.get(template_id))
        assert found is not None
        return found

    async def finish_all(self) -> None:
        """End every capture that waits, as workers would."""
        now = self.clock.now()

        def work(tx: object) -> None:
            repository = tx.jobs  # type: ignore[attr-defined] # a transaction
            until = now + timedelta(seconds=30)
            for job in repository.claim([CAPTURE], limit=10_000, now=now, lease_until=until):
                repository.finish(replace(job, status="success", ended_at=now), fence=job.fence)

        await self.database.write(work)


@asynccontextmanager
async def open_schedule_world(directory: Path) -> AsyncIterator[ScheduleWorld]:
    clock, counts = FakeClock(), JobCounts()
    async with fresh_database(directory) as database:
        jobs = Jobs(database, LocalJobQueue(), {}, clock=clock)
        schedules = Schedules(database, jobs, clock=clock, metrics=counts)
        yield ScheduleWorld(database=database, clock=clock, jobs=jobs, counts=counts, schedules=schedules)
