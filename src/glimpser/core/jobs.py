"""One durable unit of work. The row is the record; announcements only save waiting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from glimpser.core.ids import JobId, TemplateId

JobStatus = Literal["pending", "running", "success", "failure", "cancelled", "skipped", "dead"]
"""pending → running → one of the others, which are ends.

failure: it may not be tried again before somebody acts; dead: all its attempts failed; cancelled: a person
ended it; skipped: there was nothing to do, `error` says why.
"""
UNDONE: frozenset[JobStatus] = frozenset({"pending", "running"})
REPLAYABLE: frozenset[JobStatus] = frozenset({"failure", "dead", "cancelled"})
"""What a person may have tried again."""
MAX_STEP_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`fence` rises with every claim; a write under an older one comes too late and is refused.

    A retried job is `pending` again, with `scheduled_for` in the future and `error` saying why. Of a running
    job `cancel_requested` says that somebody wants it to end; `progress` is a share from 0 to 1.
    """

    id: JobId
    kind: str
    status: JobStatus = "pending"
    priority: int = 0
    template_id: TemplateId | None = None
    payload: Mapping[str, object] = field(default_factory=dict)
    idempotency_key: str | None = None
    scheduled_for: datetime
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempts: int = 0
    max_attempts: int = 12
    lease_until: datetime | None = None
    fence: int = 0
    progress: float | None = None
    step: str | None = None
    result: Mapping[str, object] | None = None
    error: str | None = None
    cancel_requested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Each given field narrows a list."""

    kind: str | None = None
    status: JobStatus | None = None
    template_id: TemplateId | None = None
