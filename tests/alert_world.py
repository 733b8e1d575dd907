"""The alert path over a real database: a view with rules, and channels that a test holds in its hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from glimpser.cluster.local import LocalJobQueue
from glimpser.core.alerts import Alert, AlertFilter, Channel, Delivery
from glimpser.core.events import Event, Level
from glimpser.core.ids import ArtifactId, ChannelId, EventId, RuleId, TemplateId, new_id
from glimpser.core.jobs import Job
from glimpser.core.pages import PageRequest
from glimpser.core.ports import Database
from glimpser.core.rules import Rule
from glimpser.core.templates import Template, TemplateSettings
from glimpser.services.alerting import Alerting
from glimpser.services.channels import Channels
from glimpser.services.delivering import Delivering
from glimpser.services.job_kinds import JobKind
from glimpser.services.job_runner import JobPace, JobRunner
from glimpser.services.notices import Notice
from glimpser.testing.clock import FakeClock
from glimpser.testing.storage import MemoryStore
from tests.fake_post import FakePost
from tests.web_world import fresh_database

QUICK = JobPace(lease_s=30, heartbeat_s=3600, sweep_s=0.02)
"""Leases by the test's clock; the table is looked at all the time."""


@dataclass
class Counts:
    """What metrics were told."""

    jobs: list[str] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)

    def job_ended(self, *, kind: str, status: str, duration_s: float) -> None:
        assert duration_s >= 0
        self.jobs.append(status)

    def delivery_ended(self, *, channel_id: ChannelId, status: str) -> None:
        self.deliveries.append(status)


@dataclass
class AlertWorld:
    database: Database
    clock: FakeClock
    store: MemoryStore
    queue: LocalJobQueue
    post: FakePost
    counts: Counts
    notices: list[Notice]
    alerting: Alerting
    channels: Channels
    delivering: Delivering
    template_id: TemplateId

    def runner(self, kinds: Mapping[str, JobKind] | None = None, *, pace: JobPace = QUICK) -> JobRunner:
        return JobRunner(
            self.database,
            self.queue,
            kinds or {"deliver": self.delivering.kind},
            clock=self.clock,
            metrics=self.counts,
            pace=pace,
            publish=self.notices.append,
            random=lambda: 0.5,
        )

    @asynccontextmanager
    async def running(self, runner: JobRunner | None = None) -> AsyncIterator[JobRunner]:
        runner = runner or self.runner()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(runner.run())
            try:
                yield runner
            finally:
                task.cancel()

    async def add_channel(self, to: str = "ann", *, enabled: bool = True) -> Channel:
        now = self.clock.now()
        channel = Channel(
            id=ChannelId(new_id()),
            name=to.title(),
            kind="fake",
            config={"to": to},
            enabled=enabled,
            created_at=now,
            updated_at=now,
        )
        await self.database.write(lambda tx: tx.channels.add(channel))
        return channel

    async def set_rules(self, *rules: Rule) -> None:
        def put(tx: object) -> None:
            templates = tx.templates  # type: ignore[attr-defined] # a transaction
            template = templates.get(self.template_id)
            settings = replace(template.settings, rules=rules)
            templates.replace(self.template_id, settings, expected=template.version, now=self.clock.now())

        await self.database.write(put)

    def event(self, **changes: object) -> Event:
        now = self.clock.now()
        plain = Event(
            id=EventId(new_id()),
            template_id=self.template_id,
            kind="motion",
            level=Level.INFO,
            message="Motion: Door",
            metadata={"score": 0.5, "boxes": [], "zones": []},
            started_at=now,
            created_at=now,
        )
        return replace(plain, **changes)  # type: ignore[arg-type] # the tests choose fitting ones

    async def record(self, event: Event) -> Event:
        return await self.alerting.record(event, None, is_new=True)

    async def alerts(self) -> list[Alert]:
        page = await self.database.read(lambda tx: tx.alerts.list(AlertFilter(), PageRequest()))
        return list(page.items)

    async def delivery(self) -> Delivery:
        """Give the one delivery of the one alert."""
        [alert] = await self.alerts()
        [delivery] = alert.deliveries
        return delivery

    async def jobs(self) -> list[Job]:
        found = await self.database.read(lambda tx: tx.jobs.unfinished(None, 500))
        return list(found)

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Ask the database until it says yes."""
        async with asyncio.timeout(10):
            while not await condition():  # noqa: ASYNC110 (a row, which no event tells of)
                await asyncio.sleep(0.005)

    async def until_delivered(self, status: str) -> Delivery:
        async def is_so() -> bool:
            return (await self.delivery()).status == status

        await self.until(is_so)
        return await self.delivery()

    async def claim(self) -> Job:
        """Take the one due job as another worker would."""
        now = self.clock.now()
        [job] = await self.database.write(
            lambda tx: tx.jobs.claim(["deliver"], limit=10, now=now, lease_until=now + timedelta(seconds=30))
        )
        return job


def any_motion(**changes: object) -> Rule:
    return replace(Rule(id=RuleId(new_id()), name="Any motion"), **changes)  # type: ignore[arg-type] # fitting


def link_of(artifact_id: ArtifactId) -> str:
    return f"https://glimpser.test/api/artifacts/{artifact_id}?ticket=t"


@asynccontextmanager
async def open_alert_world(directory: Path) -> AsyncIterator[AlertWorld]:
    clock, store, queue = FakeClock(), MemoryStore(), LocalJobQueue()
    post, counts, notices = FakePost(), Counts(), list[Notice]()
    kinds = {"fake": post.kind()}
    async with fresh_database(directory) as database:
        template = Template(
            id=TemplateId(new_id()),
            settings=TemplateSettings(name="Door", kind="camera", config={"url": "rtsp://u:hunter2@cam/"}),
            version=1,
            created_at=clock.now(),
            updated_at=clock.now(),
        )
        await database.write(lambda tx: tx.templates.add(template))
        yield AlertWorld(
            database=database,
            clock=clock,
            store=store,
            queue=queue,
            post=post,
            counts=counts,
            notices=notices,
            alerting=Alerting(database, store, queue, clock=clock, publish=notices.append),
            channels=Channels(database, kinds, clock=clock),
            delivering=Delivering(database, kinds, link=link_of, metrics=counts, publish=notices.append),
            template_id=template.id,
        )
