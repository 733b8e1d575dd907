"""Films that are made every night: of views whose setting says so, and of groups the configuration names.

Of each day there is one, made after its end on the view's clock; of days that passed while the program did
not run, only the last.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial

import structlog

from glimpser.core.clock import Clock
from glimpser.core.errors import Unavailable
from glimpser.core.exports import DailyTimelapse, FilmOptions, Span
from glimpser.core.local_time import zone_of
from glimpser.core.pages import MAX_LIMIT, Page, PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.templates import Template, TemplateFilter
from glimpser.services.exports import ExportAsk, Exports, Subject
from glimpser.services.jobs import Jobs

_log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 300.0
_MAKER = "system"


@dataclass(frozen=True, slots=True)
class Wish:
    """A film of a day that has ended; `key` names it, whoever wishes it however often."""

    ask: ExportAsk
    subject: Subject
    key: str


class NightlyExports:
    """Event loop's thread."""

    def __init__(
        self,
        database: Database,
        exports: Exports,
        jobs: Jobs,
        *,
        clock: Clock,
        groups: Sequence[str] = (),
        timezone: str = "UTC",
    ) -> None:
        self._database = database
        self._exports = exports
        self._jobs = jobs
        self._clock = clock
        self._groups = groups
        self._timezone = timezone

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                await self.submit()
            except Unavailable as error:
                _log.warning("exports.not_submitted", reason=error.detail)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def submit(self) -> int:
        """Add what is due and not there yet, and forget exports that are over; gives how many were added.

        Raises:
            Unavailable: the database cannot take it now.
        """
        now = self._clock.now()
        await self._database.write(lambda tx: tx.exports.purge(now))
        wishes = [_teaser(group, self._timezone, now) for group in self._groups]
        wishes += [wish async for wish in self._timelapses(now)]
        return sum([await self._add(wish, now) for wish in wishes])

    async def _timelapses(self, now: datetime) -> AsyncIterator[Wish]:
        after: str | None = None
        while True:
            page = await self._database.read(partial(_templates, request=PageRequest(MAX_LIMIT, after)))
            for template in page.items:
                for wish in _timelapse(template, now):
                    yield wish
            if page.next_cursor is None:
                return
            after = page.items[-1].id

    async def _add(self, wish: Wish, now: datetime) -> bool:
        export, job = self._exports.make(
            wish.ask, wish.subject, created_by=_MAKER, now=now, origin="daily", key=wish.key
        )

        def add(tx: Transaction) -> bool:
            if not tx.jobs.add(job):
                return False
            tx.exports.add(export)
            return True

        if await self._database.read(lambda tx: tx.jobs.by_key(wish.key)):
            return False
        is_new = await self._database.write(add)
        if is_new:
            self._jobs.added(job)
        return is_new


def last_day(now: datetime, timezone: str) -> Span:
    """Give the last day that has ended on a clock; where it is changed, a day has 23 or 25 hours."""
    zone = zone_of(timezone)
    today = now.astimezone(zone).date()
    ends = [
        datetime.combine(day, time(), tzinfo=zone).astimezone(now.tzinfo)
        for day in (today - timedelta(days=1), today)
    ]
    return Span(ends[0], ends[1])


def _timelapse(template: Template, now: datetime) -> Iterator[Wish]:
    settings = template.settings
    wanted = settings.timelapse
    if wanted is None or not wanted.daily or not settings.enabled:
        return
    day = last_day(now, settings.timezone)
    if day.end <= template.created_at:  # there was nothing of it yet
        return
    yield Wish(
        ExportAsk(
            kind="timelapse", template_id=template.id, start=day.start, end=day.end, options=_film(wanted)
        ),
        Subject(settings.name, settings.timezone, template_id=template.id),
        f"timelapse:{template.id}:{day.start.astimezone(zone_of(settings.timezone)):%Y-%m-%d}",
    )


def _teaser(group: str, timezone: str, now: datetime) -> Wish:
    day = last_day(now, timezone)
    return Wish(
        ExportAsk(kind="teaser", group=group, start=day.start, end=day.end),
        Subject(group, timezone, group=group),
        f"teaser:{day.start.astimezone(zone_of(timezone)):%Y-%m-%d}:{group}"[:200],
    )


def _film(wanted: DailyTimelapse) -> FilmOptions:
    return FilmOptions(length_s=wanted.length_s, fps=wanted.fps)


def _templates(tx: Transaction, *, request: PageRequest) -> Page[Template]:
    return tx.templates.list(TemplateFilter(enabled=True), request)
