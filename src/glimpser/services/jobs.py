"""Runs jobs: claims them from the table, keeps their leases, and writes what they came to.

The row is the record. A job is claimed under a lease and a fence; who loses the lease cannot write any more.
Whatever happens to this process, each job ends `success` or `dead`, or is claimed again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import SystemRandom
from typing import Protocol

import structlog

from glimpser.core import failpoints
from glimpser.core.clock import Clock
from glimpser.core.errors import (
    Denied,
    GlimpserError,
    InvalidInput,
    Misconfigured,
    NotFound,
    Rejected,
    Unavailable,
)
from glimpser.core.ids import JobId
from glimpser.core.jobs import Job
from glimpser.core.ports import Database, JobQueue
from glimpser.core.repositories import Transaction
from glimpser.observability.logs import log_context
from glimpser.services.backoff import delay_after
from glimpser.services.lanes import Lanes

_log = structlog.get_logger(__name__)

HOPELESS = (Rejected, InvalidInput, NotFound, Denied, Misconfigured)
"""Errors that another attempt would only repeat: somebody must act first."""
_BATCH = 64
_RANDOM = SystemRandom().random
_WRITE_RETRY_S = 1.0


class JobHandler(Protocol):
    """What one kind of job does."""

    def lane(self, job: Job) -> str:
        """Name what the job leans on: few jobs of one lane run at a time, so that it delays no other."""
        ...

    async def run(self, job: Job) -> Mapping[str, object]:
        """Do it and give its result. It may be run again after a crash, so it is idempotent.

        Raises:
            Unavailable: try again, not before its `retry_after_s`.
            Rejected, InvalidInput, NotFound, Denied, Misconfigured: it is dead.
        """
        ...

    def record(self, tx: Transaction, job: Job) -> "AfterCommit":
        """Write what follows from the outcome, in the transaction that writes the job.

        The job is `success`, `dead`, or `pending` again. Gives what to do once all is committed; neither
        raises anything but what the database does.
        """
        ...


AfterCommit = Callable[[], None]


class JobMetrics(Protocol):
    def job_ended(self, *, kind: str, status: str, duration_s: float) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """`concurrency` jobs run at a time, `per_lane` of one lane, for which `max_waiting` more may wait.

    Jobs wait for others most of the time: if few ran, a handful of lanes that hang would be all that runs.
    """

    handler: JobHandler
    concurrency: int = 32
    per_lane: int = 2
    max_waiting: int = 32


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
class _Held:
    """A claimed job; its fence is that of the newest claim."""

    job: Job
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """What one attempt came to: a result, or the error that ended it."""

    result: Mapping[str, object] | None = None
    error: GlimpserError | None = None
    duration_s: float = 0.0


_CROWDED = _Attempt(error=Unavailable("Too many others wait for the same thing."))


class JobRunner:
    """Event loop's thread. `run` owns the tasks."""

    def __init__(
        self,
        database: Database,
        queue: JobQueue,
        kinds: Mapping[str, JobKind],
        *,
        clock: Clock,
        metrics: JobMetrics,
        pace: JobPace = JobPace(),
        random: Callable[[], float] = _RANDOM,
    ) -> None:
        self._database = database
        self._queue = queue
        self._kinds = kinds
        self._clock = clock
        self._metrics = metrics
        self._pace = pace
        self._random = random
        self._lanes = {
            name: Lanes(kind.concurrency, kind.per_lane, kind.max_waiting) for name, kind in kinds.items()
        }
        self._held: dict[JobId, _Held] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Run jobs. Returns after `drain`, else never."""
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
        more = False
        for kind in self._kinds:
            held = sum(one.job.kind == kind for one in self._held.values())
            limit = min(_BATCH, self._pace.max_held - held)
            if limit > 0:
                more |= await self._claim(kind, limit, tasks) == limit
        return more

    async def _claim(self, kind: str, limit: int, tasks: asyncio.TaskGroup) -> int:
        def claim(tx: Transaction) -> Sequence[Job]:
            now = self._clock.now()
            return tx.jobs.claim([kind], limit=limit, now=now, lease_until=self._lease_end(now))

        try:
            jobs = await self._database.write(claim)
        except Unavailable as error:
            _log.warning("jobs.cannot_claim", kind=kind, reason=error.detail)
            return 0
        if self._stopping.is_set():
            await self._give_back(jobs)
            return 0
        await self._put_off([job for job in jobs if not self._take(job, tasks)])
        return len(jobs)

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
        lane = self._kinds[job.kind].handler.lane(job)
        if not self._lanes[job.kind].reserve(lane):
            return False
        self._held[job.id] = held = _Held(job)
        held.task = tasks.create_task(self._serve(held, lane))
        held.task.add_done_callback(lambda _task: self._drop(job, lane))
        return True

    def _drop(self, job: Job, lane: str) -> None:
        self._lanes[job.kind].release(lane)
        if len(self._held) >= self._pace.max_held:
            self._queue.announce(job.kind)  # there was no room to claim more, now there is
        del self._held[job.id]

    async def _put_off(self, jobs: Sequence[Job]) -> None:
        """Leave jobs of a crowded lane for later, all in one transaction: others are due behind them."""
        ended = [self._ended(job, _CROWDED) for job in jobs]
        if not ended:
            return
        try:
            written = await self._database.write(lambda tx: [self._record(job, tx) for job in ended])
        except Unavailable as error:  # their leases will end
            _log.warning("jobs.cannot_put_off", jobs=len(ended), reason=error.detail)
            return
        for job, after in zip(ended, written, strict=True):
            self._report(job, after, duration_s=0.0)

    # Running ------------------------------------------------------------------------------------------

    async def _serve(self, held: _Held, lane: str) -> None:
        """See one claim through to its end."""
        job = held.job
        with log_context(job_id=job.id, template_id=job.template_id):
            async with self._lanes[job.kind].turn(lane):
                try:
                    await self._settle(held, await self._attempt(job))
                except Exception:  # noqa: BLE001 (other jobs go on; this one is claimed again)
                    _log.exception("job.outcome_failed", kind=job.kind)

    async def _attempt(self, job: Job) -> _Attempt:
        """Run the handler; whatever it raises is an outcome."""
        began_s = self._clock.monotonic()
        try:
            outcome = _Attempt(result=await self._run_handler(job))
        except GlimpserError as error:
            outcome = _Attempt(error=error)
        except Exception as error:  # noqa: BLE001 (the job runner is where all of them end)
            _log.exception("job.failed_unexpectedly", kind=job.kind)
            failure = f"The program failed ({type(error).__name__}): its log tells more."
            outcome = _Attempt(error=Unavailable(failure))
        return replace(outcome, duration_s=self._clock.monotonic() - began_s)

    async def _run_handler(self, job: Job) -> Mapping[str, object]:
        if job.attempts > job.max_attempts:
            raise Rejected(f"Given up: the program ended during each of {job.max_attempts} attempts.")
        await asyncio.to_thread(failpoints.hit, "job.claimed")
        return await self._kinds[job.kind].handler.run(job)

    async def _settle(self, held: _Held, attempt: _Attempt) -> None:
        """Write the outcome under the fence, as soon as the database takes it."""
        while True:
            ended = self._ended(held.job, attempt)
            try:
                after = await self._database.write(partial(self._record, ended))
                break
            except Unavailable as error:
                _log.warning("job.outcome_waits", kind=ended.kind, reason=error.detail)
                await asyncio.sleep(_WRITE_RETRY_S)
        self._report(ended, after, duration_s=attempt.duration_s)

    def _record(self, job: Job, tx: Transaction) -> AfterCommit | None:
        """Write an outcome; None when another worker holds the job by now, and then nothing is written."""
        if not tx.jobs.finish(job, fence=job.fence):
            return None
        return self._kinds[job.kind].handler.record(tx, job)

    def _ended(self, job: Job, attempt: _Attempt) -> Job:
        """Say what becomes of a job after an attempt."""
        now, error = self._clock.now(), attempt.error
        if error is None:
            return replace(job, status="success", ended_at=now, result=attempt.result, error=None)
        if isinstance(error, HOPELESS) or job.attempts >= job.max_attempts:
            return replace(job, status="dead", ended_at=now, error=error.detail)
        asked_s = error.retry_after_s if isinstance(error, Unavailable) else 0
        delay = delay_after(job.attempts, asked_s, self._random)
        return replace(job, status="pending", scheduled_for=now + delay, error=error.detail)

    def _report(self, job: Job, after: AfterCommit | None, *, duration_s: float) -> None:
        """One line and one count for each attempt."""
        status = _status(job) if after else "lost"
        if after:
            after()
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

    async def _extend(self, held: Sequence[_Held]) -> Sequence[_Held]:
        """Extend claims; gives those that were lost to another worker."""
        claims = [(one, one.job) for one in held]

        def extend(tx: Transaction) -> list[tuple[_Held, Job]]:
            until = self._lease_end(self._clock.now())
            return [
                (one, job)
                for one, job in claims
                if not tx.jobs.extend(job.id, fence=job.fence, lease_until=until)
            ]

        lost = await self._database.write(extend) if claims else []
        # What has ended or been claimed anew meanwhile is not lost.
        return [one for one, job in lost if one.job is job and self._held.get(job.id) is one]

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
