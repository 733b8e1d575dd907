"""What the program says of itself to people: how long it runs, how full its disk is, how much it keeps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from glimpser.core.clock import Clock
from glimpser.core.ports import Database
from glimpser.services.disk import DiskGuard, DiskReport

_KEPT_FOR_S = 30.0
"""Counting reads whole indexes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemReport:
    """`counts` by the names of what is kept; `waiting` objects are still to be sent to the store."""

    uptime_s: float
    counts: Mapping[str, int]
    disk: DiskReport | None
    waiting: int


class System:
    """Event loop's thread."""

    def __init__(
        self, database: Database, disk: DiskGuard, *, clock: Clock, waiting: Callable[[], int] = lambda: 0
    ) -> None:
        self._database = database
        self._disk = disk
        self._clock = clock
        self._waiting = waiting
        self._began_s = clock.monotonic()
        self._counts: Mapping[str, int] = {}
        self._counted_s = float("-inf")

    async def report(self) -> SystemReport:
        """Raises: Unavailable: the database cannot be read now."""
        now_s = self._clock.monotonic()
        if now_s - self._counted_s >= _KEPT_FOR_S:
            self._counts = await self._database.read(lambda tx: tx.counts.all())
            self._counted_s = now_s
        return SystemReport(
            uptime_s=round(now_s - self._began_s, 1),
            counts=self._counts,
            disk=await self._disk.report(),
            waiting=self._waiting(),
        )
