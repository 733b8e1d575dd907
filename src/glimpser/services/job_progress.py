"""How far running jobs have come: written to their rows and told to whoever watches, not too often."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from glimpser.core.clock import Clock
from glimpser.core.errors import Unavailable
from glimpser.core.jobs import MAX_STEP_CHARS, Job
from glimpser.core.ports import Database

_log = structlog.get_logger(__name__)

PAUSE_S = 0.5
"""Time between two writes of one job, unless it begins another step."""


@dataclass(slots=True)
class Held:
    """A claimed job; its fence is that of the newest claim."""

    job: Job
    is_cancelled: bool = False


class ThrottledProgress:
    """The `Progress` of one attempt. Event loop's thread."""

    def __init__(self, held: Held, database: Database, *, clock: Clock, tell: Callable[[Job], None]) -> None:
        self._held = held
        self._database = database
        self._clock = clock
        self._tell = tell
        self._step: str | None = None
        self._written_s = float("-inf")

    async def report(self, share: float | None, step: str | None = None) -> None:
        """Note it; a database that is away costs the report, not the job."""
        share = None if share is None else min(max(share, 0.0), 1.0)
        step = step if step is None else step[:MAX_STEP_CHARS]
        self._held.job = job = replace(self._held.job, progress=share, step=step)
        now_s = self._clock.monotonic()
        if step == self._step and now_s - self._written_s < PAUSE_S:
            return
        self._step, self._written_s = step, now_s
        try:
            is_written = await self._database.write(
                lambda tx: tx.jobs.report(job.id, fence=job.fence, progress=share, step=step)
            )
        except Unavailable as error:
            _log.info("job.progress_lost", kind=job.kind, reason=error.detail)
            return
        if is_written:
            self._tell(job)
