"""Jobs: everything that happens later, and what became of it."""

from typing import Annotated

from fastapi import Query, Response

from glimpser.core.ids import TemplateId
from glimpser.core.jobs import JobFilter, JobStatus
from glimpser.web.routes.paging import JobPage
from glimpser.web.routes.parameters import OfTemplate, ThisJob
from glimpser.web.shapes import Listing, Reply, job_view
from glimpser.web.wiring import By, Seen, Wired


async def listing(
    services: Wired,
    page: JobPage,
    seen: Seen,
    *,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    status: JobStatus | None = None,
    template_id: OfTemplate | None = None,
) -> Response:
    """List jobs, newest first."""
    where = JobFilter(kind=kind, status=status, template_id=TemplateId(template_id) if template_id else None)
    found = await services.jobs.list(where, page, within=seen)
    return Reply(Listing(items=[job_view(job) for job in found.items], next_cursor=found.next_cursor))


async def read(job_id: ThisJob, services: Wired, seen: Seen) -> Response:
    """Read one job."""
    return Reply(job_view(await services.jobs.get(job_id, within=seen)))


async def cancel(job_id: ThisJob, services: Wired, by: By) -> Response:
    """End a job: at once while it waits; when it runs, as soon as it has cleaned up."""
    return Reply(job_view(await services.jobs.cancel(job_id, by=by)))


async def retry(job_id: ThisJob, services: Wired, by: By) -> Response:
    """Try a job again that failed, was given up or cancelled. One that waits or runs is left alone."""
    return Reply(job_view(await services.jobs.retry(job_id, by=by)))
