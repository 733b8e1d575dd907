"""Jobs, and how far schedules have come."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

from glimpser.core.ids import JobId, TemplateId
from glimpser.core.jobs import Job, JobFilter
from glimpser.core.pages import Page, PageRequest
from glimpser.core.schedule_state import ScheduleState


class Jobs(Protocol):
    """Who claimed a job holds it until its lease ends, and writes under the claim's fence.

    A write under an older fence, or on a job that no longer runs, changes nothing.
    """

    def add(self, job: Job) -> bool:
        """Add a job; False when its idempotency key is there already, and then nothing is added."""
        ...

    def add_all(self, jobs: Sequence[Job]) -> int:
        """Add jobs, but for those whose idempotency key is there already; gives how many were added."""
        ...

    def busy(self, kind: str) -> AbstractSet[TemplateId]:
        """Give the templates for which a job of this kind waits or runs."""
        ...

    def get(self, job_id: JobId) -> Job:
        """Raises: NotFound."""
        ...

    def by_key(self, idempotency_key: str) -> Job | None: ...
    def list(self, where: JobFilter, page: PageRequest) -> Page[Job]:
        """Newest first."""
        ...

    def claim(
        self, kinds: Sequence[str], *, limit: int, now: datetime, lease_until: datetime
    ) -> Sequence[Job]:
        """Take at most `limit` jobs: those whose lease ran out, then the due ones by priority and age.

        They are running then, with `started_at` now, fence + 1 and attempts + 1. One that kills its worker
        each time comes back with more attempts than `max_attempts`: the caller gives it up.
        """
        ...

    def extend(self, job_id: JobId, *, fence: int, lease_until: datetime) -> bool:
        """Keep a claim; False when it was lost."""
        ...

    def finish(self, job: Job, *, fence: int) -> bool:
        """End a claim: write status, scheduled_for, ended_at, progress, step, result and error.

        False when the claim was lost. The status is any but `running`; `pending` tries again.
        """
        ...

    def release(self, job_id: JobId, *, fence: int, until: datetime | None = None) -> bool:
        """Give a claim back that came to nothing: no attempt is counted.

        The job is due as before, or at `until`. False when the claim was lost.
        """
        ...

    def report(self, job_id: JobId, *, fence: int, progress: float | None, step: str | None) -> bool:
        """Note how far a claimed job has come; False when the claim was lost."""
        ...

    def cancel(self, job: Job) -> bool:
        """End a job that waits, with `ended_at` and `error`; False when it does not wait any more."""
        ...

    def request_cancel(self, job_id: JobId) -> bool:
        """Have whoever runs the job end it; False when it does not run any more."""
        ...

    def cancelling(self, kinds: Sequence[str]) -> Sequence[JobId]:
        """Give those that run and are to end."""
        ...

    def replay(self, job_id: JobId, *, now: datetime) -> bool:
        """Have a job that failed, died or was cancelled tried again, as if it had never been tried.

        False when it is none of these any more, so that of two who ask at once one succeeds.
        """
        ...

    def purge(self, *, before: datetime, limit: int) -> int:
        """Delete at most `limit` jobs that ended before then, the oldest first; gives how many."""
        ...

    def nth_end(self, number: int) -> datetime | None:
        """Tell when the job ended after which `number` others did; None if there are fewer."""
        ...

    def unfinished(self, after: JobId | None, limit: int) -> Sequence[Job]:
        """Give those that are `pending` or `running`, in id order, for walking all of them."""
        ...


class Schedules(Protocol):
    """How far schedules have come; a template that is removed takes its own with it."""

    def get(self, template_id: TemplateId) -> ScheduleState | None: ...
    def all(self) -> Sequence[ScheduleState]: ...
    def put(self, states: Sequence[ScheduleState]) -> None:
        """Write all of each, whether it is there or not. Raises: Conflict when a template is gone."""
        ...

    def settle(self, states: Sequence[ScheduleState]) -> None:
        """Write how far they have come and what ran last; of those that are gone, nothing."""
        ...

    def paused(self) -> AbstractSet[TemplateId]: ...
