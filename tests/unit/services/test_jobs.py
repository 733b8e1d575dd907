"""The verbs on jobs: added once, cancelled, tried again, and forgotten when they are old."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from glimpser.core.accounts import EVERYTHING, AuditFilter
from glimpser.core.errors import Conflict, NotFound
from glimpser.core.ids import JobId, new_id
from glimpser.core.jobs import Job, JobFilter
from glimpser.core.pages import PageRequest
from glimpser.services.audit import Actor
from glimpser.services.job_history import HistoryLimits, JobHistory
from glimpser.services.job_kinds import ONCE, JobKind, Progress
from glimpser.services.jobs import Jobs
from glimpser.services.notices import JobNotice
from tests.alert_world import AlertWorld, open_alert_world

pytestmark = pytest.mark.anyio

ADA = Actor("ada@example.org")


async def run(_job: Job, _progress: Progress) -> Mapping[str, object]:
    return {}


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[AlertWorld]:
    async with open_alert_world(data_dir) as opened:
        yield opened


@pytest.fixture
def stopped() -> list[JobId]:
    return []


@pytest.fixture
def jobs(world: AlertWorld, stopped: list[JobId]) -> Jobs:
    kinds = {"deliver": world.delivering.kind, "work": JobKind(run=run, retry=ONCE)}
    return Jobs(
        world.database,
        world.queue,
        kinds,
        clock=world.clock,
        stop=stopped.append,
        publish=world.notices.append,
    )


async def end(world: AlertWorld, job_id: JobId, status: str) -> None:
    """Bring a job to an end as a worker would."""
    now = world.clock.now()

    def work(tx: object) -> None:
        repository = tx.jobs  # type: ignore[attr-defined] # a transaction
        [held] = repository.claim(["work"], limit=1, now=now, lease_until=now + timedelta(seconds=30))
        assert held.id == job_id
        if status != "running":
            repository.finish(replace(held, status=status, ended_at=now, error="no"), fence=held.fence)

    await world.database.write(work)


async def audited(world: AlertWorld) -> list[str]:
    page = await world.database.read(lambda tx: tx.audit.list(AuditFilter(), PageRequest()))
    return [entry.action for entry in page.items]


async def test_a_job_is_added_with_what_its_kind_says_and_told_of(world: AlertWorld, jobs: Jobs) -> None:
    job_id = await jobs.submit("work", {"url": "x"}, template_id=world.template_id, priority=3)

    added = await jobs.get(job_id, within=EVERYTHING)
    assert (added.status, added.payload, added.priority, added.max_attempts) == (
        "pending",
        {"url": "x"},
        3,
        1,
    )
    assert (added.template_id, added.scheduled_for) == (world.template_id, world.clock.now())
    assert world.notices == [JobNotice(added)]


async def test_of_jobs_with_one_key_there_is_one(world: AlertWorld, jobs: Jobs) -> None:
    first, again = await asyncio.gather(*(jobs.submit("work", {}, key="nightly") for _ in range(2)))

    assert first == again
    assert len(await world.jobs()) == 1


async def test_a_job_that_waits_is_cancelled_at_once(world: AlertWorld, jobs: Jobs) -> None:
    job_id = await jobs.submit("work", {})

    cancelled = await jobs.cancel(job_id, by=ADA)
    again = await jobs.cancel(job_id, by=ADA)

    assert cancelled == again == await jobs.get(job_id, within=EVERYTHING)
    assert (cancelled.status, cancelled.ended_at) == ("cancelled", world.clock.now())
    assert await audited(world) == ["job.cancelled"]


async def test_a_job_that_runs_is_asked_to_end(world: AlertWorld, jobs: Jobs, stopped: list[JobId]) -> None:
    job_id = await jobs.submit("work", {})
    await end(world, job_id, "running")

    asked = await jobs.cancel(job_id, by=ADA)

    assert (asked.status, asked.cancel_requested, stopped) == ("running", True, [job_id])


@pytest.mark.parametrize("status", ["success", "failure", "dead", "skipped"])
async def test_a_job_that_has_ended_is_not_cancelled(world: AlertWorld, jobs: Jobs, status: str) -> None:
    job_id = await jobs.submit("work", {})
    await end(world, job_id, status)

    with pytest.raises(Conflict, match=status):
        await jobs.cancel(job_id, by=ADA)

    assert await audited(world) == []


@pytest.mark.parametrize("status", ["failure", "dead", "cancelled"])
async def test_a_job_that_came_to_nothing_is_tried_again_once(
    world: AlertWorld, jobs: Jobs, status: str
) -> None:
    job_id = await jobs.submit("work", {})
    await end(world, job_id, status)

    both = await asyncio.gather(*(jobs.retry(job_id, by=ADA) for _ in range(2)))

    assert [job.status for job in both] == ["pending", "pending"]
    assert (both[0].attempts, both[0].error) == (0, None)
    assert await audited(world) == ["job.retried"]


@pytest.mark.parametrize("status", ["success", "skipped"])
async def test_a_job_that_is_done_is_not_tried_again(world: AlertWorld, jobs: Jobs, status: str) -> None:
    job_id = await jobs.submit("work", {})
    await end(world, job_id, status)

    with pytest.raises(Conflict, match=status):
        await jobs.retry(job_id, by=ADA)


async def test_what_is_not_there_is_not_found(jobs: Jobs) -> None:
    for verb in (jobs.cancel, jobs.retry):
        with pytest.raises(NotFound):
            await verb(JobId(new_id()), by=ADA)


async def test_a_cancelled_delivery_is_given_up_and_can_be_tried_again(world: AlertWorld, jobs: Jobs) -> None:
    await world.add_channel()
    await world.record(world.event(level=40))
    [job] = await world.jobs()

    await jobs.cancel(job.id, by=ADA)
    given_up = await world.delivery()
    await jobs.retry(job.id, by=ADA)
    async with world.running():
        sent = await world.until_delivered("sent")

    assert (given_up.status, given_up.last_error) == ("dead", "Cancelled by a person.")
    assert sent.attempts == 1


async def test_a_delivery_that_another_job_sends_is_not_tried_again(world: AlertWorld, jobs: Jobs) -> None:
    await world.add_channel()
    await world.record(world.event(level=40))
    [job] = await world.jobs()
    await jobs.cancel(job.id, by=ADA)
    [alert] = await world.alerts()
    await world.alerting.retry(alert.id, by=ADA)

    with pytest.raises(Conflict, match="pending"):
        await jobs.retry(job.id, by=ADA)

    assert len(await world.jobs()) == 1


@pytest.mark.parametrize(
    ("limits", "left"),
    [(HistoryLimits(days=3), 4), (HistoryLimits(count=2), 3), (HistoryLimits(), 6)],
    ids=str,
)
async def test_old_jobs_are_deleted_and_those_that_wait_are_not(
    world: AlertWorld, jobs: Jobs, limits: HistoryLimits, left: int
) -> None:
    for _ in range(5):
        await end(world, await jobs.submit("work", {}), "success")
        world.clock.advance(86_400)
    await jobs.submit("work", {})

    deleted = await JobHistory(world.database, limits, clock=world.clock).sweep()

    page = await jobs.list(JobFilter(), PageRequest(), within=EVERYTHING)
    assert (len(page.items), deleted) == (left, 6 - left)
    assert page.items[0].status == "pending"
