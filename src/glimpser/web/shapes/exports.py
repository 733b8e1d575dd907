"""What exports look like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from glimpser.core.exports import ExportKind, Origin
from glimpser.core.jobs import JobStatus
from glimpser.services.exports import Found, file_name
from glimpser.web.shapes.listing import Listing


class ExportView(BaseModel):
    """An export. `status`, `progress` (0 to 1, null while nobody knows), `step` and `error` are its job's.

    `result` tells, once it is made, how many pictures are in it, and how many were `missing` or `damaged`
    and are not. `artifact_id`, `file_name`, `media_type` and `size_bytes` are the file's, null until it is
    there; `expires_at` is when all of this goes.
    """

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    id: str
    kind: ExportKind
    template_id: str | None
    group: str | None
    title: str
    timezone: str
    start: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    length_s: float | None
    fps: int | None
    width: int | None
    show_time: bool
    origin: Origin
    created_by: str
    created_at: datetime
    job_id: str
    status: JobStatus
    progress: float | None
    step: str | None
    error: str | None
    result: Mapping[str, object] | None
    artifact_id: str | None
    file_name: str | None
    media_type: str | None
    size_bytes: int | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportList(Listing[ExportView]):
    """Exports, newest first."""

    items: Sequence[ExportView]


def export_view(found: Found) -> ExportView:
    export, file = found.export, found.file
    job = found.job if found.is_undone else None
    return ExportView(
        id=export.id,
        kind=export.kind,
        template_id=export.template_id,
        group=export.group,
        title=export.title,
        timezone=export.timezone,
        start=export.start,
        end=export.end,
        length_s=export.options.length_s,
        fps=export.options.fps,
        width=export.options.width_px,
        show_time=export.options.show_time,
        origin=export.origin,
        created_by=export.created_by,
        created_at=export.created_at,
        job_id=export.job_id,
        status=job.status if job else export.status,
        progress=job.progress if job else None,
        step=job.step if job else None,
        error=job.error if job else export.error,
        result=export.result,
        artifact_id=file.id if file else None,
        file_name=file_name(export) if file else None,
        media_type=file.media_type if file else None,
        size_bytes=file.size_bytes if file else None,
        expires_at=export.expires_at,
    )
