"""What jobs look like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from glimpser.core.jobs import Job, JobStatus
from glimpser.web.shapes.listing import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A piece of work; `progress` is a share from 0 to 1, null while nobody knows."""

    id: str
    kind: str
    status: JobStatus
    scheduled_for: datetime
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    progress: float | None
    step: str | None
    error: str | None
    attempts: int
    max_attempts: int
    result: Mapping[str, object] | None
    template_id: str | None
    cancel_requested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobList(Listing[JobView]):
    """Jobs, newest first."""

    items: Sequence[JobView]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """What was asked for goes on as this job."""

    job_id: str


def job_view(job: Job) -> JobView:
    return JobView(
        id=job.id,
        kind=job.kind,
        status=job.status,
        scheduled_for=job.scheduled_for,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        progress=job.progress,
        step=job.step,
        error=job.error,
        attempts=job.attempts,
        max_attempts=job.max_attempts,
        result=job.result,
        template_id=job.template_id,
        cancel_requested=job.cancel_requested,
    )
