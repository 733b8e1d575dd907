"""Runs jobs: claims them from the table, keeps their leases, and writes what they came to.

The row is the record. A job is claimed under a lease and a fence; who loses the lease cannot write any more.
Whatever happens to this process, each job comes to an end or is claimed again.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import SystemRandom
from typing import Protocol

import structlog

from glimpser.core import failpoints
from glimpser.core.clock import Clock
from glimpser.core.errors import GlimpserError, Unavailable
from glimpser.core.ids import JobId
from glimpser.core.jobs import Job
from glimpser.core.ports import Database, JobQueue
from glimpser.core.repositories import Transaction
from glimpser.observability.logs import log_context
from glimpser.services.job_kinds import AfterCommit, JobKinds, JobSkipped, Result
from glimpser.services.job_outcomes import CUT_OFF, Attempt, ended
from glimpser.services.job_progress import Held, ThrottledProgress
from glimpser.services.lanes import Budget, Lanes
from glimpser.services.notices import JobNotice, Publish, say_nothing

_log = structlog.get_logger(__name__)

_BATCH = 64
_RANDOM = SystemRandom().random
_WRITE_RETRY_S = 1.0
_SHORT, _LONG = timedelta(seconds=5), timedelta(seconds=60)
"""The pauses of jobs that find no room: the longer they have waited, the longer."""


class JobMetrics(Protocol):
    def job_ended(self, *, kind: str, status: str, duration_s: float) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPace:
    """Times in seconds. A claim is extended at every heartbeat.

    `sweep_s` is how often the table is looked at without an announcement: what a lost one costs. At most
    `max_held` jobs of a kind are claimed at a time, running or waiting for their turn.
    """

    lease_s: float = 30.0
    heartbeat_s: float = 10.0
    sweep_s: float = 2.0
    max_held: int = 256


@dataclass(slots=True)
class _Running(Held):
    """A job held here. Only while `may_cancel` may its task be cut off; then its outcome is written."""

    task: asyncio.Task[None] | None = None
    may_cancel: bool = False

    def is_unwanted(self) -> bool:
        return self.is_cancelled or self.job.cancel_requested


class JobRunner:
    """Event loop's thread. `run` owns the tasks."""

    def __init__(
        self,
        database: Database,
        queue: JobQueue,
        kinds: JobKinds,
        *,
        clock: Clock,
        metrics: JobMetrics,
        pace: JobPace = JobPace(),
        publish: Publish = say_nothing,
        random: Callable[[], float] = _RANDOM,
    ) -> None:
        """Kinds may be added to the mapping `kinds` until `run`."""
        self._database = database
        self._queue = queue
        self._kinds = kinds
        self._clock = clock
        self._metrics = metrics
        self._pace = pace
        self._publish = publish
        self._random = random
        self._lanes: dict[str, Lanes] = {}
        self._budgets: dict[str, Budget] = {}
        self._held: dict[JobId, _Running] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Run jobs. Returns after `drain`, else never."""
        for name, kind in self._kinds.items():
            self._lanes[name] = Lanes(kind.concurrency, kind.per_lane, kind.max_waiting)
            self._budgets[name] = Budget(kind.rate_per_minute, self._clock)
        async with asyncio.TaskGroup() as tasks:
            heartbeat = tasks.create_task(self._keep_leases())
            while not self._stopping.is_set():
                if not await self._claim_all(tasks):
                    await self._queue.wait(tuple(self._kinds), timeout_s=self._pace.sweep_s)
            heartbeat.cancel()

    async def drain(self, timeout_s: float) -> None:
        """Claim no more, wait for what runs, give back what does not end in time."""
        self._stopping.set()
        self._wake()
        tasks = [held.task for held in self._held.values() if held.task]
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)
        left = [held.job for held in self._held.values()]
        for held in list(self._held.values()):
            if held.task:
                held.task.cancel()
        await self._give_back(left)

    def _wake(self) -> None:
        for kind in self._kinds:
            self._queue.announce(kind)

    # Claiming -----------------------------------------------------------------------------------------

    async def _claim_all(self, tasks: asyncio.TaskGroup) -> bool:
        """Claim a batch of each kind that has room; tells whether there may be more to claim."""
        room = {kind: limit for kind in self._kinds if (limit := self._room(kind)) > 0}

        def claim(tx: Transaction) -> tuple[list[Job], Sequence[JobId]]:
            now = self._clock.now()
            until = self._lease_end(now)
            jobs = [
                job
                for kind, limit in room.items()
                for job in tx.jobs.claim([kind], limit=limit, now=now, lease_until=until)
            ]
            return jobs, tx.jobs.cancelling(tuple(self._kinds))

        try:
            jobs, cancelling = await self._database.write(claim)
        except Unavailable as error:
            _log.warning("jobs.cannot_claim", reason=error.detail)
            return False
        for job_id in cancelling:
            self.cancel(job_id)
        return await self._begin(jobs, room, tasks)

    def _room(self, kind: str) -> int:
        held = sum(one.job.kind == kind for one in self._held.values())
        return min(_BATCH, self._pace.max_held - held, self._budgets[kind].left())

    async def _begin(self, jobs: Sequence[Job], room: Mapping[str, int], tasks: asyncio.TaskGroup) -> bool:
        """Begin what was claimed; tells whether some kind took all it had room for."""
        if self._stopping.is_set():
            await self._give_back(jobs)
            return False
        await self._put_off([job for job in jobs if not self._take(job, tasks)])
        taken = Counter(job.kind for job in jobs)
        for kind, count in taken.items():
            self._budgets[kind].spend(count)
        return any(taken[kind] == limit for kind, limit in room.items())

    def _lease_end(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._pace.lease_s)

    def _take(self, job: Job, tasks: asyncio.TaskGroup) -> bool:
        """Begin a claimed job; False when its lane has no place.

        One that still runs here although its lease ran out goes on under the new claim.
        """
        held = self._held.get(job.id)
        if held is not None:
            held.job = job
            return True
        lane = self._kinds[job.kind].lane(job)
        if not self._lanes[job.kind].reserve(lane):
            return False
        self._held[job.id] = held = _Running(job)
        held.task = tasks.create_task(self._serve(held, lane))
        held.task.add_done_callback(lambda _task: self._drop(job, lane))
        return True

    def _drop(self, job: Job, lane: str) -> None:
        self._lanes[job.kind].release(lane)
        if len(self._held) >= self._pace.max_held:
            self._queue.announce(job.kind)  # there was no room to claim more, now there is
        del self._held[job.id]

    async def _put_off(self, jobs: Sequence[Job]) -> None:
        """Leave jobs of a crowded lane for later: others are due behind them. They have not been tried."""
        if not jobs:
            return
        now = self._clock.now()

        def put_off(tx: Transaction) -> None:
            for job in jobs:
                pause = min(max(_SHORT, (now - job.created_at) / 4), _LONG)
                tx.jobs.release(job.id, fence=job.fence, until=now + pause)

        try:
            await self._database.write(put_off)
        except Unavailable as error:  # their leases will end
            _log.warning("jobs.cannot_put_off", jobs=len(jobs), reason=error.detail)

    # Running ------------------------------------------------------------------------------------------

    def cancel(self, job_id: JobId) -> None:
        """End a job a person wants no more, if it is held here and has not come to its end already."""
        held = self._held.get(job_id)
        if held is None or held.is_cancelled:
            return
        held.is_cancelled = True
        if held.task and held.may_cancel:
            held.task.cancel()

    async def _serve(self, held: _Running, lane: str) -> None:
        """See one claim through to its end."""
        job = held.job
        with log_context(job_id=job.id, template_id=job.template_id):
            try:
                await self._settle(held, await self._outcome(held, lane))
            except Exception:  # noqa: BLE001 (other jobs go on; this one is claimed again)
                _log.exception("job.outcome_failed", kind=job.kind)

    async def _outcome(self, held: _Running, lane: str) -> Attempt:
        """Wait for a turn and make an attempt, unless somebody cancels it."""
        if held.is_unwanted():
            return CUT_OFF
        held.may_cancel = True
        try:
            async with self._lanes[held.job.kind].turn(lane):
                return await self._attempt(held)
        except asyncio.CancelledError:
            if not held.is_unwanted() or held.task is None:
                raise
            held.task.uncancel()
            return CUT_OFF
        finally:
            held.may_cancel = False

    async def _attempt(self, held: _Running) -> Attempt:
        """Run the job; whatever it raises is an outcome."""
        began_s, job = self._clock.monotonic(), held.job
        try:
            outcome = Attempt(result=await self._run_kind(held))
        except JobSkipped as skipped:
            outcome = Attempt(skipped=skipped.reason)
        except GlimpserError as error:
            outcome = Attempt(error=error)
        except Exception as error:  # noqa: BLE001 (the job runner is where all of them end)
            _log.exception("job.failed_unexpectedly", kind=job.kind)
            failure = f"The program failed ({type(error).__name__}): its log tells more."
            outcome = Attempt(error=Unavailable(failure))
        return replace(outcome, duration_s=self._clock.monotonic() - began_s)

    async def _run_kind(self, held: _Running) -> Result:
        job = held.job
        if job.attempts > job.max_attempts:
            raise Unavailable(f"Given up: the program ended during each of {job.max_attempts} attempts.")
        self._tell(job)
        await asyncio.to_thread(failpoints.hit, "job.claimed")
        progress = ThrottledProgress(held, self._database, clock=self._clock, tell=self._tell)
        result = await self._kinds[job.kind].run(job, progress)
        await asyncio.to_thread(failpoints.hit, "job.ran")
        return result

    async def _settle(self, held: _Running, attempt: Attempt) -> None:
        """Write the outcome under the fence, as soon as the database takes it."""
        while True:
            job = self._ended(held, attempt)
            try:
                after = await self._database.write(partial(self._record, job))
                break
            except Unavailable as error:
                _log.warning("job.outcome_waits", kind=job.kind, reason=error.detail)
                await asyncio.sleep(_WRITE_RETRY_S)
        await asyncio.to_thread(failpoints.hit, "job.settled")
        self._report(job, after, duration_s=attempt.duration_s)

    def _record(self, job: Job, tx: Transaction) -> AfterCommit | None:
        """Write an outcome; None when another worker holds the job by now, and then nothing is written."""
        if not tx.jobs.finish(job, fence=job.fence):
            return None
        after = self._kinds[job.kind].record(tx, job)
        failpoints.hit("job.before_commit")
        return after

    def _ended(self, held: _Running, attempt: Attempt) -> Job:
        retry = self._kinds[held.job.kind].retry
        return ended(held, attempt, retry=retry, now=self._clock.now(), random=self._random)

    def _report(self, job: Job, after: AfterCommit | None, *, duration_s: float) -> None:
        """One line and one count for each attempt."""
        status = _status(job) if after else "lost"
        if after:
            after()
            self._tell(job)
        self._metrics.job_ended(kind=job.kind, status=status, duration_s=duration_s)
        _log.info(
            "job.ended",
            kind=job.kind,
            job_id=job.id,
            attempt=job.attempts,
            status=status,
            duration_ms=round(duration_s * 1000, 1),
            error=job.error if status != "success" else None,
        )

    def _tell(self, job: Job) -> None:
        if not self._kinds[job.kind].is_quiet:
            self._publish(JobNotice(job))

    # Leases -------------------------------------------------------------------------------------------

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._pace.heartbeat_s)
            try:
                lost = await self._extend(list(self._held.values()))
            except Unavailable as error:  # the next beat comes before the lease ends
                _log.warning("jobs.cannot_extend", reason=error.detail)
                continue
            for held in lost:
                _log.warning("job.lease_lost", kind=held.job.kind, job_id=held.job.id)
                if held.task:
                    held.task.cancel()

    async def _extend(self, held: Sequence[_Running]) -> Sequence[_Running]:
        """Extend claims; gives those that were lost to another worker."""
        claims = [(one, one.job) for one in held]

        def extend(tx: Transaction) -> list[tuple[_Running, Job]]:
            until = self._lease_end(self._clock.now())
            return [
                (one, job)
                for one, job in claims
                if not tx.jobs.extend(job.id, fence=job.fence, lease_until=until)
            ]

        lost = await self._database.write(extend) if claims else []
        # What has ended or been claimed anew meanwhile is not lost.
        return [one for one, job in lost if one.job.fence == job.fence and self._held.get(job.id) is one]

    async def _give_back(self, jobs: Sequence[Job]) -> None:
        """Have jobs claimed at the next start, without waiting for their leases to end."""
        if not jobs:
            return
        try:
            await self._database.write(lambda tx: [tx.jobs.release(job.id, fence=job.fence) for job in jobs])
        except Unavailable as error:
            _log.warning("jobs.not_given_back", jobs=len(jobs), reason=error.detail)


def _status(job: Job) -> str:
    return "retry" if job.status == "pending" else job.status
