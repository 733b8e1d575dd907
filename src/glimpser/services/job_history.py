"""Jobs that have ended are kept for a while and then deleted, so that their table stays small.

What they came to is not lost with them: deliveries, captures and exports have rows of their own.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from glimpser.core.clock import Clock
from glimpser.core.errors import Unavailable
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction

_log = structlog.get_logger(__name__)

_BATCH = 500
"""Rows of one transaction: others write between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLimits:
    """Ended jobs are kept for `days`, at most `count` of them."""

    days: int = 30
    count: int = 100_000


class JobHistory:
    """Event loop's thread. `run` owns the task."""

    def __init__(
        self, database: Database, limits: HistoryLimits, *, clock: Clock, every_s: float = 600.0
    ) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock
        self._every_s = every_s

    async def run(self) -> None:
        """Sweep now and then. Never returns."""
        while True:
            try:
                await self.sweep()
            except Unavailable as error:
                _log.warning("job_history.sweep_waits", reason=error.detail)
            await asyncio.sleep(self._every_s)

    async def sweep(self) -> int:
        """Delete what is too old or too much; gives how many.

        Raises:
            Unavailable: the database cannot take it now; what was deleted stays so.
        """
        before = await self._database.read(self._limit)
        deleted = 0
        while count := await self._database.write(lambda tx: tx.jobs.purge(before=before, limit=_BATCH)):
            deleted += count
        if deleted:
            _log.info("job_history.swept", deleted=deleted)
        return deleted

    def _limit(self, tx: Transaction) -> datetime:
        """Give the end before which jobs are deleted. Those that ended at one moment stay together."""
        by_age = self._clock.now() - timedelta(days=self._limits.days)
        by_count = tx.jobs.nth_end(self._limits.count - 1)
        return max(by_age, by_count) if by_count else by_age
