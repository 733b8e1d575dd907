"""`glimpser job …`: what happens later, also beside a program that runs."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

import typer

from glimpser.commands.options import AsJson, DataDir, Sort, load_quietly, whoever_types
from glimpser.core.accounts import EVERYTHING
from glimpser.core.errors import InvalidInput
from glimpser.core.ids import JobId, require_id
from glimpser.core.jobs import Job, JobFilter, JobStatus
from glimpser.core.orders import JOB_ORDERS
from glimpser.core.pages import MAX_LIMIT

if TYPE_CHECKING:
    from glimpser.app.work import Work

T = TypeVar("T")

job_commands = typer.Typer(help="What happens later, and what became of it.", no_args_is_help=True)

ThisJob = Annotated[str, typer.Argument(metavar="ID")]


@job_commands.command("list")
def list_jobs(
    kind: Annotated[str | None, typer.Option(help="Only of this kind.", show_default=False)] = None,
    status: Annotated[str | None, typer.Option(help="Only in this state.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_LIMIT, help="At most so many.")] = 50,
    sort: Sort = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    where = JobFilter(kind=kind, status=_status(status))
    request = JOB_ORDERS.page(limit, sort=sort)
    page = with_work(data_dir, lambda work: work.jobs.list(where, request, within=EVERYTHING))
    values = [_values(job) for job in page.items]
    if as_json:
        typer.echo(json.dumps(values, indent=2))
        return
    for job in page.items:
        typer.echo(_line(job))


@job_commands.command("show")
def show_job(job_id: ThisJob, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Show one job."""
    known = _id(job_id)
    _show(with_work(data_dir, lambda work: work.jobs.get(known, within=EVERYTHING)), as_json=as_json)


@job_commands.command("cancel")
def cancel_job(job_id: ThisJob, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """End a job: at once while it waits; when it runs, as soon as the program has heard of it."""
    known = _id(job_id)
    _show(with_work(data_dir, lambda work: work.jobs.cancel(known, by=whoever_types())), as_json=as_json)


@job_commands.command("retry")
def retry_job(job_id: ThisJob, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Try a job again that failed, was given up or cancelled."""
    known = _id(job_id)
    _show(with_work(data_dir, lambda work: work.jobs.retry(known, by=whoever_types())), as_json=as_json)


def with_work(data_dir: Path | None, do: Callable[["Work"], Coroutine[Any, Any, T]]) -> T:
    """Do something with the jobs and schedules of a data directory."""
    from glimpser.app.work import open_work

    async def run() -> T:
        async with open_work(load_quietly(data_dir)) as work:
            return await do(work)

    return asyncio.run(run())


def written(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None


def _id(text: str) -> JobId:
    return JobId(require_id(text, "job"))


def _status(text: str | None) -> JobStatus | None:
    known = {status: status for status in get_args(JobStatus)}
    if text is not None and text not in known:
        raise InvalidInput.field("--status", f"There is no state {text!r}; there are: {', '.join(known)}.")
    return known[text] if text else None


def _show(job: Job, *, as_json: bool) -> None:
    typer.echo(json.dumps(_values(job), indent=2) if as_json else _line(job))


def _line(job: Job) -> str:
    share = f" {job.progress:.0%}" if job.progress is not None and job.status == "running" else ""
    told = job.error or job.step or ""
    return f"{job.id}  {written(job.scheduled_for)}  {job.status:9}{share}  {job.kind}  {told}".rstrip()


def _values(job: Job) -> dict[str, object]:
    return {
        "id": job.id,
        "kind": job.kind,
        "status": job.status,
        "template_id": job.template_id,
        "scheduled_for": written(job.scheduled_for),
        "created_at": written(job.created_at),
        "started_at": written(job.started_at),
        "ended_at": written(job.ended_at),
        "progress": job.progress,
        "step": job.step,
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "result": job.result,
        "error": job.error,
        "cancel_requested": job.cancel_requested,
    }
