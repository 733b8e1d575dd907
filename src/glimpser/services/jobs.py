"""The verbs on jobs: add, look at, cancel, try again. Their rows are the record; `job_runner` runs them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from glimpser.core.accounts import Scope
from glimpser.core.clock import Clock
from glimpser.core.errors import Conflict
from glimpser.core.ids import JobId, TemplateId, new_id
from glimpser.core.jobs import REPLAYABLE, UNDONE, Job, JobFilter
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database, JobQueue
from glimpser.core.repositories import Transaction
from glimpser.services.audit import Actor, entry
from glimpser.services.job_kinds import AfterCommit, JobKind, JobKinds, do_nothing
from glimpser.services.job_outcomes import CANCELLED
from glimpser.services.notices import JobNotice, Publish, say_nothing


class Jobs:
    """Event loop's thread. `stop` ends a job that runs in this process, if it does."""

    def __init__(
        self,
        database: Database,
        queue: JobQueue,
        kinds: JobKinds,
        *,
        clock: Clock,
        stop: Callable[[JobId], None] = lambda _job_id: None,
        publish: Publish = say_nothing,
    ) -> None:
        self._database = database
        self._queue = queue
        self._kinds = kinds
        self._clock = clock
        self._stop = stop
        self._publish = publish

    async def submit(
        self,
        kind: str,
        payload: Mapping[str, object],
        *,
        template_id: TemplateId | None = None,
        priority: int = 0,
        key: str | None = None,
        at: datetime | None = None,
    ) -> JobId:
        """Add a job, due now or `at`; durable when this returns.

        Of jobs with one `key` there is only ever one: its id is given then. The highest `priority` goes
        first, of one kind.

        Raises:
            Unavailable: the database cannot take it now.
        """
        job = self.make(kind, payload, template_id=template_id, priority=priority, key=key, at=at)

        def add(tx: Transaction) -> JobId:
            if tx.jobs.add(job):
                return job.id
            before = tx.jobs.by_key(str(key))
            return before.id if before else job.id

        job_id = await self._database.write(add)
        if job_id == job.id:
            self.added(job)
        return job_id

    def make(
        self,
        kind: str,
        payload: Mapping[str, object],
        *,
        template_id: TemplateId | None = None,
        priority: int = 0,
        key: str | None = None,
        at: datetime | None = None,
    ) -> Job:
        """Make a job for a caller that adds it in its own transaction, and calls `added` after that."""
        now = self._clock.now()
        return Job(
            id=JobId(new_id()),
            kind=kind,
            priority=priority,
            template_id=template_id,
            payload=payload,
            idempotency_key=key,
            scheduled_for=at or now,
            created_at=now,
            max_attempts=self.max_attempts(kind),
        )

    def added(self, job: Job) -> None:
        """Have a job that was just committed begin, and tell of it."""
        self.announce(job.kind)
        self._tell(job)

    def announce(self, kind: str) -> None:
        """Have jobs of a kind that were just committed begin."""
        self._queue.announce(kind)

    def max_attempts(self, kind: str) -> int:
        """Say how often jobs of a kind are tried."""
        return self._kind(kind).retry.max_attempts

    async def get(self, job_id: JobId, *, within: Scope) -> Job:
        """Raises: NotFound."""
        return await self._database.read(lambda tx: tx.within(within).jobs.get(job_id))

    async def list(self, where: JobFilter, page: PageRequest, *, within: Scope) -> Page[Job]:
        """Newest first."""
        return await self._database.read(lambda tx: tx.within(within).jobs.list(where, page))

    async def cancel(self, job_id: JobId, *, by: Actor) -> Job:
        """End a job: at once while it waits; when it runs, as soon as it has cleaned up.

        Cancelling twice changes nothing more.

        Raises:
            NotFound: there is no such job.
            Conflict: it has ended another way.
        """
        now = self._clock.now()
        made = entry(by, "job.cancelled", job_id, clock=self._clock)

        def cancel(tx: Transaction) -> tuple[Job, AfterCommit]:
            job = tx.within(by.scope).jobs.get(job_id)
            if job.status == "cancelled" or job.cancel_requested:
                return job, do_nothing
            if job.status not in UNDONE:
                raise Conflict(f"The job has ended already: {job.status}.")
            tx.audit.add(made)
            if job.status == "running":
                tx.jobs.request_cancel(job_id)
                return tx.jobs.get(job_id), do_nothing
            ended = replace(job, status="cancelled", ended_at=now, error=CANCELLED)
            tx.jobs.cancel(ended)
            return ended, self._kind(job.kind).record(tx, ended)

        job, after = await self._database.write(cancel)
        after()
        if job.status == "running":
            self._stop(job_id)
        self._tell(job)
        return job

    async def retry(self, job_id: JobId, *, by: Actor) -> Job:
        """Try a job again that failed, was given up or cancelled, as if it had never been tried.

        Doing it twice, or at once, tries it once.

        Raises:
            NotFound: there is no such job.
            Conflict: it succeeded or was skipped, or what it is about has moved on.
        """
        now = self._clock.now()
        made = entry(by, "job.retried", job_id, clock=self._clock)

        def retry(tx: Transaction) -> tuple[Job, bool]:
            job = tx.within(by.scope).jobs.get(job_id)
            if job.status in UNDONE:
                return job, False
            if job.status not in REPLAYABLE:
                raise Conflict(f"The job has ended as {job.status}: there is nothing to try again.")
            self._kind(job.kind).replay(tx, job)
            tx.jobs.replay(job_id, now=now)
            tx.audit.add(made)
            return tx.jobs.get(job_id), True

        job, has_changed = await self._database.write(retry)
        if has_changed:
            self.added(job)
        return job

    def _kind(self, name: str) -> JobKind:
        """Look a kind up; one of an earlier version that is known no more needs nothing."""
        return self._kinds.get(name) or JobKind(run=_unknown)

    def _tell(self, job: Job) -> None:
        if not self._kind(job.kind).is_quiet:
            self._publish(JobNotice(job))


async def _unknown(job: Job, _progress: object) -> Mapping[str, object]:
    raise NotImplementedError(f"Nothing runs jobs of kind {job.kind}.")
