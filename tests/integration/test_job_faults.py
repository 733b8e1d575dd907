"""Slots and jobs when their worker is killed or put to sleep: each has one outcome, and none is lost."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from glimpser.core.clock import SystemClock
from glimpser.core.ids import JobId, TemplateId, new_id
from glimpser.core.jobs import Job, JobFilter
from glimpser.core.pages import PageRequest
from glimpser.core.schedule_state import CAPTURE, ScheduleState
from glimpser.core.templates import Template, TemplateSettings
from glimpser.db.engine import open_database
from glimpser.db.settings import DatabaseSettings
from glimpser.services.schedule_plans import plan_of
from tests.web_world import fresh_database

VIEWS = 4
PLACES = (
    "schedule.before_commit",
    "schedule.claimed",
    "job.claimed",
    "job.ran",
    "job.before_commit",
    "job.settled",
)


async def prepare(directory: Path) -> None:
    """Leave a database with views, each of which has one slot a year, seconds ago."""
    now = SystemClock().now()
    slot = now.replace(microsecond=0)
    cron = f"{slot.second} {slot.minute} {slot.hour} {slot.day} {slot.month} *"
    async with fresh_database(directory) as database:
        for _ in range(VIEWS):
            settings = TemplateSettings(name="Door", kind="camera", config={}, schedule=cron)
            template = Template(
                id=TemplateId(new_id()), settings=settings, version=1, created_at=now, updated_at=now
            )
            state = ScheduleState(
                template_id=template.id, plan=plan_of(settings), settled_until=slot - timedelta(seconds=1)
            )
            await database.write(lambda tx, t=template: tx.templates.add(t))  # type: ignore[misc]
            await database.write(lambda tx, s=state: tx.schedules.put([s]))  # type: ignore[misc]


async def jobs_in(directory: Path) -> list[Job]:
    settings = DatabaseSettings(url=f"sqlite:///{directory / 'glimpser.db'}", pool_size=1)
    async with open_database(settings) as database:
        page = await database.read(lambda tx: tx.jobs.list(JobFilter(), PageRequest(limit=200)))
    return list(page.items)


@contextmanager
def worker(directory: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.job_worker", str(directory), *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def until(is_so: Callable[[], bool], *, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def ran(directory: Path) -> list[tuple[str, int]]:
    path = directory / "ran"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(line.split()[0], int(line.split()[1])) for line in lines]


@pytest.mark.parametrize("place", PLACES)
def test_a_kill_anywhere_costs_no_slot_and_repeats_none(data_dir: Path, place: str) -> None:
    data_dir.mkdir(parents=True, exist_ok=True)
    asyncio.run(prepare(data_dir))

    with worker(data_dir, "--failpoint", f"{place}:kill:1") as first:
        assert first.wait(30) == -signal.SIGKILL
    with worker(data_dir):
        until(lambda: [job.status for job in asyncio.run(jobs_in(data_dir))] == ["success"] * VIEWS)
        time.sleep(0.3)

    jobs = asyncio.run(jobs_in(data_dir))
    times = Counter(job_id for job_id, _ in ran(data_dir))
    assert len({job.template_id for job in jobs}) == len(jobs) == VIEWS
    assert set(times) == {job.id for job in jobs}
    assert max(times.values()) <= 2  # what was being done at the kill is done again
    assert all(times[job.id] <= job.attempts for job in jobs)


def test_a_worker_that_slept_past_its_lease_writes_nothing(data_dir: Path) -> None:
    data_dir.mkdir(parents=True, exist_ok=True)
    job = asyncio.run(_one_job(data_dir))

    with worker(data_dir, "--run-s", "0.5") as sleeper:
        until(lambda: len(ran(data_dir)) == 1)
        os.kill(sleeper.pid, signal.SIGSTOP)
        with worker(data_dir) as awake:
            until(lambda: asyncio.run(jobs_in(data_dir))[0].status == "success")
        os.kill(sleeper.pid, signal.SIGCONT)
        time.sleep(1.0)

    [found] = asyncio.run(jobs_in(data_dir))
    assert [pid for _, pid in ran(data_dir)] == [sleeper.pid, awake.pid]
    assert (found.id, found.result, found.attempts, found.fence) == (job.id, {"by": awake.pid}, 2, 2)


async def _one_job(directory: Path) -> Job:
    now: datetime = SystemClock().now()
    job = Job(
        id=JobId(new_id()), kind=CAPTURE, scheduled_for=now, created_at=now, payload={"action": "snapshot"}
    )
    async with fresh_database(directory) as database:
        await database.write(lambda tx: tx.jobs.add(replace(job, max_attempts=5)))
    return job
