"""What each kind of job does, how many of it run at a time, and when one that failed is tried again."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from glimpser.core.jobs import Job
from glimpser.core.repositories import Transaction
from glimpser.services.backoff import DELAYS_S, delay_after

Result = Mapping[str, object]
AfterCommit = Callable[[], None]


class JobSkipped(Exception):
    """There is nothing to do: raised by what a job runs, which ends the job `skipped`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Progress(Protocol):
    """How far a job has come, told by the job to whoever waits for it."""

    async def report(self, share: float | None, step: str | None = None) -> None:
        """Say that so much is done (0 to 1; None: nobody knows), and in a word or two what is done now.

        Call it as often as you like: it writes a few times a second at most.
        """
        ...


Run = Callable[[Job, Progress], Awaitable[Result]]
"""Does the job and gives its result, a JSON object. It may be run again after a crash, so it is idempotent.

When somebody cancels the job its task is cancelled: clean up, then let CancelledError pass.

Raises:
    Unavailable: try again, not before its `retry_after_s`.
    Rejected, InvalidInput, NotFound, Denied, Misconfigured: it failed for good.
    JobSkipped: there was nothing to do.
"""
Record = Callable[[Transaction, Job], AfterCommit]
"""Writes what follows from an outcome, in the transaction that writes the job.

The job has ended, or is `pending` again. Gives what to do once all is committed; neither raises anything but
what the database does.
"""
Replay = Callable[[Transaction, Job], None]
"""Makes ready, in one transaction with the job, what a job needs that a person has tried again.

Raises:
    Conflict: it must not be tried again, and why.
"""


def do_nothing() -> None:
    """Stand in where nothing follows from a commit."""


def _lane_of_template(job: Job) -> str:
    return job.template_id or ""


def _nothing_follows(_tx: Transaction, _job: Job) -> AfterCommit:
    return do_nothing


def _needs_nothing(_tx: Transaction, _job: Job) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a job is tried, and the pauses between; after the last of them an hour each."""

    max_attempts: int = 12
    delays_s: tuple[float, ...] = DELAYS_S

    def delay(self, attempts: int, asked_s: float, random: Callable[[], float]) -> timedelta:
        """Give the pause after so many attempts (from 1), as `backoff.delay_after`."""
        return delay_after(attempts, asked_s, random, delays_s=self.delays_s)


ONCE = RetryPolicy(max_attempts=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """What one kind of job does.

    Jobs wait for others most of the time: if few ran, a handful of lanes that hang would be all that runs.

    Attributes:
        lane: names what a job leans on; without it, its template. Few of one lane run at a time, so that
            one thing that hangs delays no other.
        concurrency: so many run at a time in all, and `per_lane` of one lane.
        max_waiting: so many more of a lane may be held for their turn; others are put off, uncounted.
        rate_per_minute: at most so many begin in a minute; None is no limit.
        is_quiet: its progress is told to nobody, because something else tells of it.
    """

    run: Run
    lane: Callable[[Job], str] = _lane_of_template
    record: Record = _nothing_follows
    replay: Replay = _needs_nothing
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    concurrency: int = 32
    per_lane: int = 2
    max_waiting: int = 32
    rate_per_minute: int | None = None
    is_quiet: bool = False


JobKinds = Mapping[str, JobKind]
