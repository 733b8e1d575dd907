"""How far the schedule of a template has come. The row is the record; the times ahead follow from it."""

from dataclasses import dataclass
from datetime import datetime

from glimpser.core.ids import JobId, TemplateId

CAPTURE = "capture"
"""The kind of the job that takes one picture of a template, or records it for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState:
    """`plan` is what the times were reckoned from; slots up to `settled_until` are done, or never will be."""

    template_id: TemplateId
    plan: str
    settled_until: datetime
    paused: bool = False
    last_run_at: datetime | None = None
    last_job_id: JobId | None = None
