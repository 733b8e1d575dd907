"""Watches the disk: warns when it is nearly full, and keeps the last of it for the database."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from glimpser.core.clock import Clock
from glimpser.core.disk import WARN_FROM, DiskSample, DiskState, DiskUsage, days_until_full, state_of
from glimpser.core.errors import Unavailable
from glimpser.core.ports import Database
from glimpser.services.notices import Publish, SystemNotice, say_nothing

_log = structlog.get_logger(__name__)

LOOK_EVERY_S = 10.0
_KEPT_FOR_S = 1.0
"""Pictures that come at once ask the disk once."""
_TREND = "disk_trend"
_SAMPLE_EVERY = timedelta(hours=1)
_SAMPLES = 14 * 24


@dataclass(frozen=True, slots=True)
class DiskReport:
    """`days_until_full` by the trend of the last two weeks; None: it does not fill, or nobody knows yet."""

    state: DiskState
    usage: DiskUsage
    days_until_full: float | None


class DiskGuard:
    """Event loop's thread. `measure` blocks and may raise OSError; it is called in a thread."""

    def __init__(
        self,
        measure: Callable[[], DiskUsage],
        database: Database,
        *,
        clock: Clock,
        publish: Publish = say_nothing,
    ) -> None:
        self._measure = measure
        self._database = database
        self._clock = clock
        self._publish = publish
        self._usage: DiskUsage | None = None
        self._state: DiskState = "ok"
        self._looked_s = float("-inf")
        self._samples: Sequence[DiskSample] | None = None

    async def run(self) -> None:
        """Look again and again, so that it recovers although nobody writes; never returns."""
        while True:
            try:
                await self.look()
                await self.note()
            except Unavailable as error:
                _log.warning("disk.trend_not_noted", reason=error.detail)
            await asyncio.sleep(LOOK_EVERY_S)

    async def check_room(self) -> None:
        """Call it before a picture is written.

        Raises:
            Unavailable: the disk is so full that the rest is for the database.
        """
        if self._clock.monotonic() - self._looked_s >= _KEPT_FOR_S:
            await self.look()
        if self._state == "full":
            raise Unavailable(self.detail(), retry_after_s=int(LOOK_EVERY_S))

    async def look(self) -> None:
        """Measure now, and tell if that changes anything. A disk that cannot be asked changes nothing."""
        self._looked_s = self._clock.monotonic()
        try:
            self._usage = await asyncio.to_thread(self._measure)
        except OSError as error:
            _log.warning("disk.not_measured", reason=error.strerror)
            return
        before, self._state = self._state, state_of(self._usage, self._state)
        if before != self._state:
            _log.warning("disk.state", state=self._state, before=before, used=f"{self._usage.share:.1%}")
            self._publish(SystemNotice("disk", self._state, self.detail()))

    async def note(self) -> None:
        """Keep a sample every hour, across restarts.

        Raises:
            Unavailable: the database cannot take it now.
        """
        now = self._clock.now()
        samples = list(await self._trend())
        if self._usage is None or (samples and now - samples[-1].at < _SAMPLE_EVERY):
            return
        samples = [*samples, DiskSample(now, self._usage.used_bytes)][-_SAMPLES:]
        written = json.dumps([[one.at.isoformat(), one.used_bytes] for one in samples])
        await self._database.write(lambda tx: tx.settings.put(_TREND, written))
        self._samples = samples

    async def report(self) -> DiskReport | None:
        """Tell how it is; None: the disk could not be asked yet.

        Raises:
            Unavailable: the database cannot be read now.
        """
        if self._usage is None:
            await self.look()
        if self._usage is None:
            return None
        return DiskReport(self._state, self._usage, days_until_full(await self._trend(), self._usage))

    @property
    def has_room(self) -> bool:
        return self._state != "full"

    def detail(self) -> str:
        """Say it to a person, with the remedy where there is something to do."""
        if self._usage is None:
            return "not measured yet"
        used = f"{self._usage.share:.0%} of the disk is used"
        if self._state == "ok":
            return used
        remedy = f"free some space on the disk of {self._usage.path}, or keep less (retention)"
        if self._state == "warning":
            return f"{used}, which is more than {WARN_FROM:.0%}: {remedy}."
        return f"{used}: no pictures are written until there is room; {remedy}."

    async def _trend(self) -> Sequence[DiskSample]:
        if self._samples is None:
            written = await self._database.read(lambda tx: tx.settings.get(_TREND))
            pairs = json.loads(written) if written else []
            self._samples = [DiskSample(datetime.fromisoformat(at), used) for at, used in pairs]
        return self._samples
