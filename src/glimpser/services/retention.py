"""Removes what has been kept long enough: pictures first, then what tells of them.

Rows go in small transactions; their objects are garbage from then on and are swept after that, so a kill at
any moment leaves neither a row without an object nor an object that nobody knows of.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from glimpser.core import failpoints
from glimpser.core.clock import Clock
from glimpser.core.errors import Unavailable
from glimpser.core.ids import JobId, TemplateId
from glimpser.core.jobs import Job
from glimpser.core.pages import MAX_LIMIT, Page, PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.retention import Kept, Removed, RetentionPolicy, Sieve, days_before
from glimpser.core.templates import Template, TemplateFilter
from glimpser.services.audit import REFUSALS
from glimpser.services.job_kinds import JobKind, Progress, Result, RetryPolicy
from glimpser.services.jobs import Jobs

_log = structlog.get_logger(__name__)

RETENTION = "retention"
"""The kind of the job."""
PRIORITY = -10

_BATCH = 200
"""Rows of one transaction: others write between."""
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_BEHIND_ALL_IDS = "8"
_LOOK_EVERY_S = 600.0
_EVERYTHING = RetentionPolicy()

_RemoveRows = Callable[[Transaction, datetime], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLimits:
    """`views` holds for each view that says nothing else, `total` for all of them together.

    Of the audit log, entries of `audit_days`, but of each of its `REFUSALS` no more than so many: whoever
    guesses passwords fills no disk, and pushes nothing else out.
    """

    views: RetentionPolicy = field(default_factory=lambda: RetentionPolicy(max_age_days=30))
    total: RetentionPolicy = _EVERYTHING
    history_days: int = 90
    deleted_view_days: int = 7
    audit_days: int = 365
    refusals: int = 10_000


class Retention:
    """Event loop's thread. Two runs at a time do no harm."""

    def __init__(self, database: Database, limits: RetentionLimits, *, clock: Clock) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock

    @property
    def kind(self) -> JobKind:
        """What a job of kind `RETENTION` does: one at a time."""
        return JobKind(
            run=self._run_job,
            lane=lambda _job: RETENTION,
            retry=RetryPolicy(max_attempts=5),
            concurrency=1,
            per_lane=1,
        )

    async def _run_job(self, _job: Job, progress: Progress) -> Result:
        return await self.run(progress)

    async def run(self, progress: Progress) -> Mapping[str, int]:
        """Remove what may go; gives how many of each kind, and the bytes of the artifacts.

        Raises:
            Unavailable: the database cannot take it now; what was removed stays so.
        """
        now = self._clock.now()
        own = await self._policies()
        views = [None, *await self._views()]
        removed: Counter[str] = Counter()
        for number, view in enumerate(views):
            await progress.report(number / len(views), f"view {number} of {len(views) - 1}")
            removed += await self._thin_out(view, own, now)
        await progress.report(None, "all views together")
        removed += _counted(await self._limit_total(now))
        removed["audit"] = await self._limit_audit(now)
        _log.info("retention.done", **removed)
        return dict(removed)

    async def _policies(self) -> Mapping[TemplateId, RetentionPolicy]:
        """Give what each view that exists wants."""
        policies: dict[TemplateId, RetentionPolicy] = {}
        after: str | None = None
        while True:
            request = PageRequest(MAX_LIMIT, after)
            page = await self._database.read(partial(_templates, request=request))
            policies |= {one.id: one.settings.retention or _EVERYTHING for one in page.items}
            if page.next_cursor is None:
                return policies
            after = page.items[-1].id

    async def _views(self) -> Sequence[TemplateId]:
        views: list[TemplateId] = []
        view: TemplateId | None = None
        while (view := await self._database.read(partial(_next_view, after=view))) is not None:
            views.append(view)
        return views

    async def _thin_out(
        self, view: TemplateId | None, own: Mapping[TemplateId, RetentionPolicy], now: datetime
    ) -> Counter[str]:
        days, policy = self._limits.history_days, self._limits.views
        if view is not None and view in own:
            policy = own[view].over(policy)
        elif view is not None:
            days = self._limits.deleted_view_days
            policy = RetentionPolicy(max_age_days=days)
        removed = _counted(await self._sift(view, policy, now))
        for name, remove in _rows_of(view).items():
            removed[name] += await self._remove_rows(remove, days_before(now, days))
        return removed

    async def _sift(self, view: TemplateId | None, policy: RetentionPolicy, now: datetime) -> Removed:
        """Walk along one view's pictures from the newest on."""
        sieve = Sieve(policy, now)
        until = (sieve.begin or _END_OF_TIME, "")
        removed = Removed()
        while kept := await self._database.read(partial(_pictures, view=view, until=until)):
            removed += await self._remove([one for one in kept if sieve.goes(one)])
            until = (kept[-1].created_at, kept[-1].id)
        return removed

    async def _limit_total(self, now: datetime) -> Removed:
        sieve = Sieve(self._limits.total, now)
        until, removed = _BEHIND_ALL_IDS, Removed()
        if self._limits.total == _EVERYTHING:
            return removed
        while kept := await self._database.read(partial(_all_pictures, until=until)):
            removed += await self._remove([one for one in kept if sieve.goes(one)])
            until = kept[-1].id
        return removed

    async def _limit_audit(self, now: datetime) -> int:
        before, keep = days_before(now, self._limits.audit_days), self._limits.refusals
        removed = await self._remove_rows(_remove_audit, before)
        for action in REFUSALS:
            removed += await self._until_none(partial(_remove_refusals, action=action, keep=keep))
        return removed

    async def _remove(self, kept: Sequence[Kept]) -> Removed:
        if not kept:
            return Removed()

        def remove(tx: Transaction) -> Removed:
            removed = tx.retention.remove_pictures([one.id for one in kept])
            failpoints.hit("retention.before_commit")
            return removed

        removed = await self._database.write(remove)
        await asyncio.to_thread(failpoints.hit, "retention.committed")
        return removed

    async def _remove_rows(self, remove: _RemoveRows, before: datetime) -> int:
        return await self._until_none(lambda tx: remove(tx, before))

    async def _until_none(self, remove: Callable[[Transaction], int]) -> int:
        """Remove batch by batch; gives how many went."""
        removed = 0
        while count := await self._database.write(remove):
            removed += count
        return removed


class Nightly:
    """Submits the job once a day, or as soon as the program runs again. Event loop's thread."""

    def __init__(self, jobs: Jobs, *, clock: Clock, hour: int) -> None:
        """Submit it after `hour`, 0 to 23, in UTC."""
        self._jobs = jobs
        self._clock = clock
        self._hour = hour

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                await self.submit()
            except Unavailable as error:
                _log.warning("retention.not_submitted", reason=error.detail)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def submit(self) -> JobId:
        """Add the job of the last night, unless it has been added.

        Raises:
            Unavailable: the database cannot take it now.
        """
        night = (self._clock.now() - timedelta(hours=self._hour)).date()
        return await self._jobs.submit(RETENTION, {}, priority=PRIORITY, key=f"{RETENTION}:{night}")


class SilentProgress:
    """The `Progress` of a run that nobody watches."""

    async def report(self, share: float | None, step: str | None = None) -> None:
        """Tell nobody."""


def _templates(tx: Transaction, *, request: PageRequest) -> Page[Template]:
    return tx.templates.list(TemplateFilter(), request)


def _next_view(tx: Transaction, *, after: TemplateId | None) -> TemplateId | None:
    return tx.retention.next_view(after)


def _pictures(tx: Transaction, *, view: TemplateId | None, until: tuple[datetime, str]) -> Sequence[Kept]:
    return tx.retention.pictures(view, until=until, limit=_BATCH)


def _all_pictures(tx: Transaction, *, until: str) -> Sequence[Kept]:
    return tx.retention.all_pictures(until=until, limit=_BATCH)


def _remove_audit(tx: Transaction, before: datetime) -> int:
    return tx.retention.remove_audit(before=before, limit=_BATCH)


def _remove_refusals(tx: Transaction, *, action: str, keep: int) -> int:
    return tx.retention.remove_refusals(action, keep=keep, limit=_BATCH)


def _rows_of(view: TemplateId | None) -> Mapping[str, _RemoveRows]:
    """Give what removes a batch of each kind of row; alerts go before the events they tell of."""
    removers: dict[str, _RemoveRows] = {
        "alerts": lambda tx, before: tx.retention.remove_alerts(view, before=before, limit=_BATCH)
    }
    if view is None:  # all others name a view
        return removers
    return removers | {
        "events": lambda tx, before: tx.retention.remove_events(view, before=before, limit=_BATCH),
        "captures": lambda tx, before: tx.retention.remove_captures(view, before=before, limit=_BATCH),
        "observations": lambda tx, before: tx.retention.remove_observations(
            view, before=before, limit=_BATCH
        ),
    }


def _counted(removed: Removed) -> Counter[str]:
    return Counter(artifacts=removed.count, bytes=removed.size_bytes)
