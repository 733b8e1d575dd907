"""Ten thousand schedules due in one second: how late, at what cost, and each once; beside APScheduler.

Ours are durable when they are dispatched: their jobs and how far their schedules have come are committed with
`synchronous=FULL`. The peer's memory store keeps nothing; its SQLAlchemy store keeps the next time of a job.
"""

import asyncio
import gc
import logging
import resource
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.events import EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from glimpser.cluster.local import LocalJobQueue
from glimpser.core.clock import SystemClock
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.repositories import Transaction
from glimpser.core.schedule_state import CAPTURE
from glimpser.core.templates import Template, TemplateSettings
from glimpser.db.engine import SqlDatabase, open_database
from glimpser.db.migrate import migrate
from glimpser.db.settings import DatabaseSettings
from glimpser.services.capturing import RETRY
from glimpser.services.job_kinds import JobKind, Progress
from glimpser.services.jobs import Jobs
from glimpser.services.schedules import Schedules
from tests.bench.figures import Figure, Part

COUNT = 10_000
ROUNDS = 3
_LEAD_S = 30.0
"""So long it may take to add them all and to load them."""
_IDLE_S = 20.0


@dataclass(frozen=True, slots=True)
class Fired:
    """One moment at which all are due: how late each was dispatched, and what all cost."""

    late_s: Sequence[float]
    cpu_s: float
    exactly_once: bool = True

    @property
    def p99_s(self) -> float:
        return sorted(self.late_s)[int(len(self.late_s) * 0.99)]

    @property
    def cpu_per_fire_ms(self) -> float:
        return self.cpu_s / len(self.late_s) * 1000


class Silent:
    def job_ended(self, *, kind: str, status: str, duration_s: float) -> None: ...


def run(seconds: float = _IDLE_S) -> Part:
    """Fire alternately, three rounds each; then rest for `seconds`."""
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    ours: list[Fired] = []
    memory: list[Fired] = []
    stored: list[Fired] = []
    for _ in range(ROUNDS):
        ours.append(asyncio.run(_ours()))
        memory.append(asyncio.run(_peer(is_stored=False)))
    stored.append(asyncio.run(_peer(is_stored=True)))
    idle = asyncio.run(_idle(seconds))
    return Part(f"{COUNT} schedules due in one second", _figures(ours, memory, stored, idle), _notes(ours))


def _figures(
    ours: Sequence[Fired], memory: Sequence[Fired], stored: Sequence[Fired], idle: float
) -> list[Figure]:
    def middle(values: Sequence[float]) -> float:
        return sorted(values)[len(values) // 2]

    p99, cpu = middle([one.p99_s for one in ours]), middle([one.cpu_per_fire_ms for one in ours])
    memory_p99 = middle([one.p99_s for one in memory])
    stored_cpu = middle([one.cpu_per_fire_ms for one in stored])
    last = max(max(one.late_s) for one in ours)
    return [
        Figure(
            name="each exactly once", value=float(all(one.exactly_once for one in ours)), unit="", at_least=1
        ),
        Figure(name="claim all, durable", value=last, unit="s", at_most=2.0),
        Figure(name="dispatch p99", value=p99 * 1000, unit="ms"),
        Figure(name="APScheduler, memory: p99", value=memory_p99 * 1000, unit="ms"),
        Figure(name="dispatch p99", value=p99 / memory_p99, unit="× memory", at_most=1.0),
        Figure(name="CPU of one", value=cpu * 1000, unit="µs"),
        Figure(name="APScheduler, SQLAlchemy: CPU of one", value=stored_cpu * 1000, unit="µs"),
        Figure(name="CPU of one", value=cpu / stored_cpu, unit="× SQLAlchemy", at_most=0.1),
        Figure(name="at rest", value=idle * 100, unit="% of a core", at_most=1.0),
    ]


def _notes(ours: Sequence[Fired]) -> list[str]:
    return [f"rounds: {', '.join(f'{one.p99_s * 1000:.0f} ms p99' for one in ours)}"]


async def _ours() -> Fired:
    """Dispatched means committed: so late is each batch when its transaction has ended."""
    with tempfile.TemporaryDirectory() as folder:
        settings = DatabaseSettings(url=f"sqlite:///{folder}/glimpser.db")
        migrate(settings)
        due = _second_in(_LEAD_S)
        async with open_database(settings) as database:
            await _add_templates(database, f"{due.second} {due.minute} {due.hour} * * *")
            schedules, committed = _schedules(database)
            while datetime.now(UTC) < due - timedelta(seconds=1):
                await schedules.step()
                await asyncio.sleep(0.05)
            if datetime.now(UTC) > due:
                raise RuntimeError("the machine is too slow to prepare in time")
            gc.collect()
            before_s, seen = _cpu_s(), 0
            late_s: list[float] = []
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(schedules.run())
                while len(late_s) < COUNT:
                    await committed.wait([CAPTURE], timeout_s=30)
                    now = (datetime.now(UTC) - due).total_seconds()
                    count = _count(Path(folder))
                    late_s += [now] * (count - seen)
                    seen = count
                task.cancel()
            cpu_s = _cpu_s() - before_s
        return Fired(late_s, cpu_s, exactly_once=_once_each(Path(folder)))


def _schedules(database: SqlDatabase) -> tuple[Schedules, LocalJobQueue]:
    queue = LocalJobQueue()
    kinds = {CAPTURE: JobKind(run=_not_here, retry=RETRY)}
    jobs = Jobs(database, queue, kinds, clock=SystemClock())
    return Schedules(database, jobs, clock=SystemClock(), metrics=Silent()), queue


async def _not_here(_job: object, _progress: Progress) -> dict[str, object]:
    return {}


async def _add_templates(database: SqlDatabase, cron: str) -> None:
    now = datetime.now(UTC)
    templates = [
        Template(
            id=TemplateId(new_id()),
            settings=TemplateSettings(name=f"View {number}", kind="file", config={}, schedule=cron),
            version=1,
            created_at=now,
            updated_at=now,
        )
        for number in range(COUNT)
    ]

    def add(tx: Transaction) -> None:
        for template in templates:
            tx.templates.add(template)

    await database.write(add)


def _count(folder: Path) -> int:
    with sqlite3.connect(f"file:{folder}/glimpser.db?mode=ro", uri=True) as connection:
        found: int = connection.execute("SELECT count(*) FROM jobs").fetchone()[0]
    connection.close()
    return found


def _once_each(folder: Path) -> bool:
    with sqlite3.connect(f"file:{folder}/glimpser.db?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT count(*), count(DISTINCT template_id) FROM jobs").fetchone()
    connection.close()
    return tuple(rows) == (COUNT, COUNT)


async def _peer(*, is_stored: bool) -> Fired:
    with tempfile.TemporaryDirectory() as folder:
        stores = {"default": SQLAlchemyJobStore(f"sqlite:///{folder}/peer.db")} if is_stored else {}
        scheduler = AsyncIOScheduler(
            jobstores=stores, job_defaults={"misfire_grace_time": None, "coalesce": False}, timezone=UTC
        )
        due = _second_in(60.0 if is_stored else 20.0)  # it takes as long to add them
        trigger = CronTrigger(second=due.second, minute=due.minute, hour=due.hour, timezone=UTC)
        for number in range(COUNT):
            scheduler.add_job(_nothing, trigger, id=str(number))
        late_s: list[float] = []
        done = asyncio.Event()

        def executed(event: JobExecutionEvent) -> None:
            late_s.append((datetime.now(UTC) - event.scheduled_run_time).total_seconds())
            if len(late_s) == COUNT:
                done.set()

        scheduler.add_listener(executed, EVENT_JOB_EXECUTED)
        scheduler.start()
        if datetime.now(UTC) > due:
            raise RuntimeError("the machine is too slow to prepare the peer in time")
        await asyncio.sleep((due - datetime.now(UTC)).total_seconds() - 0.5)
        gc.collect()
        before_s = _cpu_s()
        async with asyncio.timeout(120):
            await done.wait()
        cpu_s = _cpu_s() - before_s
        scheduler.shutdown(wait=False)
        return Fired(late_s, cpu_s)


async def _nothing() -> None:
    """What the peer runs."""


async def _idle(seconds: float) -> float:
    """Give the share of a core that schedules cost which are not due."""
    with tempfile.TemporaryDirectory() as folder:
        settings = DatabaseSettings(url=f"sqlite:///{folder}/glimpser.db")
        migrate(settings)
        async with open_database(settings) as database:
            await _add_templates(database, "0 0 1 1 *")
            schedules, _ = _schedules(database)
            await schedules.step()
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(schedules.run())
                await asyncio.sleep(1)
                before_s, began_s = _cpu_s(), time.monotonic()
                await asyncio.sleep(seconds)
                share = (_cpu_s() - before_s) / (time.monotonic() - began_s)
                task.cancel()
    return share


def _second_in(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds + 1)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
