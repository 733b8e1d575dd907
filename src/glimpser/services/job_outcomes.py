"""What an attempt at a job came to, and what becomes of the job then."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from glimpser.core.errors import (
    Denied,
    GlimpserError,
    InvalidInput,
    Misconfigured,
    NotFound,
    Rejected,
    Unavailable,
)
from glimpser.core.jobs import Job
from glimpser.services.job_kinds import Result, RetryPolicy
from glimpser.services.job_progress import Held

HOPELESS = (Rejected, InvalidInput, NotFound, Denied, Misconfigured)
"""Errors that another attempt would only repeat: somebody must act first."""
CANCELLED = "Cancelled by a person."


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one attempt came to: a result, the error that ended it, or why there was nothing to do."""

    result: Result | None = None
    error: GlimpserError | None = None
    skipped: str | None = None
    is_cancelled: bool = False
    duration_s: float = 0.0


CUT_OFF = Attempt(is_cancelled=True)
"""Somebody cancelled the job before it had come to an end."""


def ended(
    held: Held, attempt: Attempt, *, retry: RetryPolicy, now: datetime, random: Callable[[], float]
) -> Job:
    """Say what becomes of a job after an attempt."""
    error, job = attempt.error, held.job
    if attempt.is_cancelled or (held.is_cancelled and error is not None):
        return replace(job, status="cancelled", ended_at=now, error=CANCELLED)
    if attempt.skipped is not None:
        return replace(job, status="skipped", ended_at=now, error=attempt.skipped)
    if error is None:
        done = None if job.progress is None else 1.0
        return replace(
            job,
            status="success",
            ended_at=now,
            result=attempt.result,
            error=None,
            progress=done,
            step=None,
        )
    if isinstance(error, HOPELESS):
        return replace(job, status="failure", ended_at=now, error=error.detail)
    if job.attempts >= job.max_attempts:
        return replace(job, status="dead", ended_at=now, error=error.detail)
    asked_s = error.retry_after_s if isinstance(error, Unavailable) else 0
    due = now + retry.delay(job.attempts, asked_s, random)
    return replace(job, status="pending", scheduled_for=due, error=error.detail, progress=None, step=None)
