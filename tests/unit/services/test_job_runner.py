"""The job runner: claims, leases, outcomes, and an end without loss."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from glimpser.core.errors import (
    Denied,
    InvalidInput,
    Misconfigured,
    NotFound,
    Rejected,
    Unavailable,
)
from glimpser.core.ids import JobId, new_id
from glimpser.core.jobs import Job
from glimpser.core.repositories import Transaction
from glimpser.services.backoff import ATTEMPTS_OF_A_DAY, delay_after
from glimpser.services.job_kinds import AfterCommit, JobKind, JobSkipped, Progress
from glimpser.services.job_runner import JobPace
from glimpser.services.notices import JobNotice
from tests.alert_world import QUICK, AlertWorld, open_alert_world

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[AlertWorld]:
    async with open_alert_world(data_dir) as opened:
        yield opened


@dataclass
class Handler:
    """Raises what it is told to, once for each entry, and notes what it is given."""

    errors: list[Exception] = field(default_factory=list)
    ran: list[Job] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None
    running: int = 0
    most_at_once: int = 0

    def lane(self, job: Job) -> str:
        return str(job.payload.get("lane", ""))

    @property
    def kind(self) -> JobKind:
        return JobKind(run=self.run, lane=self.lane, record=self.record)

    async def run(self, job: Job, _progress: Progress) -> Mapping[str, object]:
        self.ran.append(job)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            if self.gate:
                await self.gate.wait()
            if self.errors:
                raise self.errors.pop(0)
        finally:
            self.running -= 1
        return {"done": job.attempts}

    def record(self, tx: Transaction, job: Job) -> AfterCommit:
        tx.settings.put("recorded", job.status)
        return lambda: self.recorded.append(job.status)

    async def has_recorded(self) -> bool:
        """Tell whether it was told after a commit, which comes later than the row can be read."""
        return bool(self.recorded)


async def is_running(handler: Handler) -> bool:
    return handler.running == 1


def told_jobs(world: AlertWorld) -> list[JobNotice]:
    return [notice for notice in world.notices if isinstance(notice, JobNotice)]


async def add_job(world: AlertWorld, **changes: object) -> Job:
    now = world.clock.now()
    job = replace(
        Job(id=JobId(new_id()), kind="work", scheduled_for=now, created_at=now),
        **changes,  # type: ignore[arg-type] # the tests choose fitting ones
    )
    await world.database.write(lambda tx: tx.jobs.add(job))
    return job


async def stored(world: AlertWorld, job: Job) -> Job:
    return await world.database.read(lambda tx: tx.jobs.get(job.id))


async def until_status(world: AlertWorld, job: Job, status: str, *, attempts: int = 1) -> Job:
    async def is_so() -> bool:
        found = await stored(world, job)
        return found.status == status and found.attempts >= attempts

    await world.until(is_so)
    return await stored(world, job)


async def test_a_job_runs_once_and_its_result_is_kept(world: AlertWorld) -> None:
    handler = Handler()
    async with world.running(world.runner({"work": handler.kind})):
        job = await add_job(world)
        done = await until_status(world, job, "success")
        await asyncio.sleep(0.05)

    assert (done.result, done.error, done.ended_at) == ({"done": 1}, None, world.clock.now())
    assert len(handler.ran) == 1
    assert handler.recorded == ["success"]


async def test_a_job_of_the_future_waits_for_its_time(world: AlertWorld) -> None:
    handler = Handler()
    async with world.running(world.runner({"work": handler.kind})):
        job = await add_job(world, scheduled_for=world.clock.now() + timedelta(seconds=10))
        await asyncio.sleep(0.06)
        early = len(handler.ran)
        world.clock.advance(10)
        await until_status(world, job, "success")

    assert early == 0


@pytest.mark.parametrize(
    "error",
    [Rejected("no"), InvalidInput("no"), NotFound("no"), Denied("no"), Misconfigured("no")],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_that_would_only_repeat_ends_the_job(world: AlertWorld, error: Exception) -> None:
    handler = Handler([error])
    async with world.running(world.runner({"work": handler.kind})):
        failed = await until_status(world, await add_job(world), "failure")
        await world.until(handler.has_recorded)

    assert (failed.error, failed.ended_at, handler.recorded) == ("no", world.clock.now(), ["failure"])


async def test_an_error_that_may_pass_is_tried_again_ever_more_rarely(world: AlertWorld) -> None:
    handler = Handler([Unavailable("away", retry_after_s=0)] * 3)
    delays = []
    async with world.running(world.runner({"work": handler.kind})):
        job = await add_job(world)
        for attempt in (1, 2, 3):
            waiting = await until_status(world, job, "pending", attempts=attempt)
            delays.append((waiting.scheduled_for - world.clock.now()).total_seconds())
            world.clock.advance(delays[-1])
        done = await until_status(world, job, "success")

    assert delays == [5, 15, 60]
    assert done.attempts == 4
    assert world.counts.jobs == ["retry", "retry", "retry", "success"]


async def test_a_job_is_given_up_after_its_last_attempt(world: AlertWorld) -> None:
    handler = Handler([Unavailable("away")] * 5)
    async with world.running(world.runner({"work": handler.kind})):
        job = await add_job(world, max_attempts=2)
        await until_status(world, job, "pending")
        world.clock.advance(60)
        dead = await until_status(world, job, "dead")

    assert (dead.attempts, dead.error) == (2, "away")


async def test_a_job_that_kills_every_worker_is_given_up(world: AlertWorld) -> None:
    handler = Handler()
    job = await add_job(world, attempts=3, max_attempts=3)
    async with world.running(world.runner({"work": handler.kind})):
        dead = await until_status(world, job, "dead")

    assert dead.error is not None
    assert "during each of 3 attempts" in dead.error
    assert handler.ran == []


async def test_an_unexpected_failure_is_logged_and_tried_again(world: AlertWorld) -> None:
    handler = Handler([KeyError("hunter2")])
    async with world.running(world.runner({"work": handler.kind})):
        job = await add_job(world)
        with capture_logs() as logs:
            waiting = await until_status(world, job, "pending")
        world.clock.advance(10)
        await until_status(world, job, "success")

    assert waiting.error == "The program failed (KeyError): its log tells more."
    assert [entry["event"] for entry in logs] == ["job.failed_unexpectedly", "job.ended"]


async def test_each_attempt_leaves_one_line(world: AlertWorld) -> None:
    with capture_logs() as logs:
        async with world.running(world.runner({"work": Handler([Unavailable("away")]).kind})):
            job = await add_job(world)
            await until_status(world, job, "pending")

    [line] = [entry for entry in logs if entry["event"] == "job.ended"]
    assert line["duration_ms"] >= 0
    assert {name: line[name] for name in ("kind", "job_id", "attempt", "status", "error")} == {
        "kind": "work",
        "job_id": job.id,
        "attempt": 1,
        "status": "retry",
        "error": "away",
    }


async def test_so_many_run_at_a_time_and_fewer_of_one_lane(world: AlertWorld) -> None:
    handler = Handler(gate=asyncio.Event())
    for number in range(40):
        await add_job(world, payload={"lane": str(number % 20)})
    for _ in range(20):
        await add_job(world, payload={"lane": "slow"})
    async with world.running(world.runner({"work": handler.kind})):

        async def is_full() -> bool:
            return handler.running == 32

        await world.until(is_full)
        await asyncio.sleep(0.03)
        assert handler.gate is not None
        handler.gate.set()

        async def all_ran() -> bool:
            return world.counts.jobs.count("success") == 60

        await world.until(all_ran)

    assert handler.most_at_once == 32


async def test_leases_are_kept_while_a_job_runs(world: AlertWorld) -> None:
    handler = Handler(gate=asyncio.Event())
    pace = JobPace(lease_s=30, heartbeat_s=0.01, sweep_s=0.01)
    async with world.running(world.runner({"work": handler.kind}, pace=pace)):
        job = await add_job(world)
        for _ in range(5):
            before = world.clock.now()

            async def is_extended(since: object = before) -> bool:
                lease = (await stored(world, job)).lease_until
                return lease is not None and lease == since + timedelta(seconds=30)  # type: ignore[operator] # a time

            await world.until(is_extended)
            world.clock.advance(20)
        assert handler.gate is not None
        handler.gate.set()
        done = await until_status(world, job, "success")

    assert (done.attempts, len(handler.ran)) == (1, 1)


async def test_a_job_whose_claim_was_lost_is_stopped(world: AlertWorld) -> None:
    handler = Handler(gate=asyncio.Event())
    pace = JobPace(lease_s=30, heartbeat_s=0.05, sweep_s=3600)
    async with world.running(world.runner({"work": handler.kind}, pace=pace)):
        job = await add_job(world)
        world.queue.announce("work")

        async def is_running() -> bool:
            return handler.running == 1

        await world.until(is_running)
        later = world.clock.now() + timedelta(hours=1)
        await world.database.write(
            lambda tx: tx.jobs.claim(["work"], limit=1, now=later, lease_until=later + timedelta(seconds=30))
        )

        async def is_stopped() -> bool:
            return handler.running == 0

        await world.until(is_stopped)

    assert (await stored(world, job)).status == "running"
    assert handler.recorded == []


async def test_a_job_whose_lease_ran_out_here_goes_on_under_the_new_claim(world: AlertWorld) -> None:
    handler = Handler(gate=asyncio.Event())
    async with world.running(world.runner({"work": handler.kind})):
        job = await add_job(world)

        async def is_running() -> bool:
            return handler.running == 1

        await world.until(is_running)
        world.clock.advance(31)

        async def is_claimed_again() -> bool:
            return (await stored(world, job)).fence == 2

        await world.until(is_claimed_again)
        assert handler.gate is not None
        handler.gate.set()
        await until_status(world, job, "success")

    assert len(handler.ran) == 1


async def test_at_the_end_what_runs_may_end_and_what_does_not_is_given_back(world: AlertWorld) -> None:
    quick, stuck = Handler(), Handler(gate=asyncio.Event())
    runner = world.runner({"quick": quick.kind, "stuck": stuck.kind})
    async with world.running(runner):
        job = await add_job(world, kind="stuck")

        async def is_running() -> bool:
            return stuck.running == 1

        await world.until(is_running)
        await runner.drain(0.05)
        late = await add_job(world, kind="quick")
        await asyncio.sleep(0.06)

    given_back = await stored(world, job)
    assert (given_back.status, given_back.lease_until, given_back.scheduled_for) == (
        "pending",
        None,
        world.clock.now(),
    )
    assert (await stored(world, late)).status == "pending"
    assert stuck.running == 0


async def test_an_outcome_waits_for_the_database(world: AlertWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glimpser.services.job_runner._WRITE_RETRY_S", 0.01)
    handler = Handler()
    failures = [Unavailable("locked")] * 3

    class Stubborn(Handler):
        def record(self, tx: Transaction, job: Job) -> AfterCommit:
            if failures:
                raise failures.pop()
            return super().record(tx, job)

    handler = Stubborn()
    async with world.running(world.runner({"work": handler.kind}, pace=QUICK)):
        await until_status(world, await add_job(world), "success")
        await world.until(handler.has_recorded)

    assert (len(handler.ran), handler.recorded) == (1, ["success"])


# Ends that are none of the job's making ---------------------------------------------------------------


async def test_a_job_with_nothing_to_do_is_skipped(world: AlertWorld) -> None:
    async def run(_job: Job, _progress: Progress) -> Mapping[str, object]:
        raise JobSkipped("overlap")

    async with world.running(world.runner({"work": JobKind(run=run)})):
        skipped = await until_status(world, await add_job(world), "skipped")

    assert (skipped.error, skipped.ended_at) == ("overlap", world.clock.now())
    assert world.counts.jobs == ["skipped"]


async def test_a_running_job_that_is_cancelled_cleans_up_first(world: AlertWorld) -> None:
    handler = Handler(gate=asyncio.Event())
    runner = world.runner({"work": handler.kind})
    async with world.running(runner):
        job = await add_job(world)
        await world.until(partial(is_running, handler))
        runner.cancel(job.id)
        cancelled = await until_status(world, job, "cancelled")
        await world.until(handler.has_recorded)

    assert (handler.running, handler.recorded, cancelled.ended_at) == (0, ["cancelled"], world.clock.now())


async def test_a_job_cancelled_while_it_waits_for_its_turn_never_runs(world: AlertWorld) -> None:
    handler = Handler(gate=asyncio.Event())
    runner = world.runner({"work": replace(handler.kind, per_lane=1)})
    async with world.running(runner):
        await add_job(world)
        await world.until(partial(is_running, handler))
        second = await add_job(world)
        await until_status(world, second, "running")
        runner.cancel(second.id)
        await until_status(world, second, "cancelled")

    assert len(handler.ran) == 1


async def test_a_wish_to_cancel_that_only_the_row_knows_is_heard(world: AlertWorld) -> None:
    handler = Handler(gate=asyncio.Event())
    async with world.running(world.runner({"work": handler.kind})):
        job = await add_job(world)
        await world.until(partial(is_running, handler))
        await world.database.write(lambda tx: tx.jobs.request_cancel(job.id))
        await until_status(world, job, "cancelled")

    assert handler.running == 0


async def test_a_job_to_be_cancelled_whose_worker_died_ends_without_running_again(world: AlertWorld) -> None:
    handler = Handler()
    job = await add_job(world, cancel_requested=True)
    async with world.running(world.runner({"work": handler.kind})):
        await until_status(world, job, "cancelled")

    assert handler.ran == []


async def test_what_follows_from_a_cancelled_attempt_that_failed_is_its_end(world: AlertWorld) -> None:
    """A handler that turns its cancellation into an error does not bring the job back."""

    async def stubborn(_job: Job, _progress: Progress) -> Mapping[str, object]:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise Unavailable("interrupted") from None
        return {}

    runner = world.runner({"work": JobKind(run=stubborn)})
    async with world.running(runner):
        job = await add_job(world)
        await until_status(world, job, "running")
        await asyncio.sleep(0.05)
        runner.cancel(job.id)
        cancelled = await until_status(world, job, "cancelled")

    assert cancelled.attempts == 1


# Progress and budgets ---------------------------------------------------------------------------------


async def test_progress_is_written_told_and_throttled(world: AlertWorld) -> None:
    go_on = asyncio.Event()

    async def run(_job: Job, progress: Progress) -> Mapping[str, object]:
        await progress.report(-1, "opening")
        for number in range(100):
            await progress.report(number / 100, "reading")
        await go_on.wait()
        return {"size": 7}

    async with world.running(world.runner({"work": JobKind(run=run)})):
        job = await add_job(world)

        async def is_reading() -> bool:
            return (await stored(world, job)).step == "reading"

        await world.until(is_reading)
        midway = await stored(world, job)
        go_on.set()
        done = await until_status(world, job, "success")

    told = [(notice.job.status, notice.job.step, notice.job.progress) for notice in told_jobs(world)]
    assert (midway.progress, done.progress, done.step) == (0, 1, None)
    assert told == [
        ("running", None, None),
        ("running", "opening", 0),
        ("running", "reading", 0),
        ("success", None, 1),
    ]


async def test_a_quiet_kind_is_told_of_by_others(world: AlertWorld) -> None:
    async with world.running(world.runner({"work": replace(Handler().kind, is_quiet=True)})):
        await until_status(world, await add_job(world), "success")

    assert told_jobs(world) == []


async def test_no_more_begin_in_a_minute_than_the_budget_allows(world: AlertWorld) -> None:
    handler = Handler()
    async with world.running(world.runner({"work": replace(handler.kind, rate_per_minute=3)})):
        for number in range(5):
            await add_job(world, payload={"lane": str(number)})

        async def three_ran() -> bool:
            return len(handler.ran) == 3

        await world.until(three_ran)
        world.clock.advance(59)
        await asyncio.sleep(0.06)
        early = len(handler.ran)
        world.clock.advance(1)

        async def all_ran() -> bool:
            return len(handler.ran) == 5

        await world.until(all_ran)

    assert early == 3


# Back-off --------------------------------------------------------------------------------------------


@given(
    attempts=st.integers(1, 100),
    asked_s=st.floats(0, 1e6),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_a_pause_is_near_its_plan_and_never_shorter_than_asked_nor_longer_than_an_hour(
    attempts: int, asked_s: float, chance: float
) -> None:
    plan = [5, 15, 60, 300, 900, 1800][attempts - 1] if attempts <= 6 else 3600

    delay_s = delay_after(attempts, asked_s, lambda: chance).total_seconds()

    assert delay_s >= min(asked_s, 3600) - 1e-6
    assert 0.8 * plan - 1e-6 <= delay_s <= max(1.2 * plan, 3600) + 1e-6
    if asked_s <= 0.8 * plan:
        assert delay_s <= 1.2 * plan + 1e-6


def test_the_attempts_of_a_day_span_a_day() -> None:
    pauses = range(1, ATTEMPTS_OF_A_DAY)
    shortest = sum(delay_after(n, 0, lambda: 0.0).total_seconds() for n in pauses)
    plain = sum(delay_after(n, 0, lambda: 0.5).total_seconds() for n in pauses)

    assert shortest >= 19 * 3600
    assert 24 * 3600 <= plain <= 26 * 3600
