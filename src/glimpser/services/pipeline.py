"""From what the live views report to what is recorded: bursts become events, live sessions captures."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Protocol, TypeVar

import structlog

from glimpser.core.clock import Clock
from glimpser.core.errors import GlimpserError, Unavailable
from glimpser.core.events import Artifact, Capture, Event, Level
from glimpser.core.frames import Frame
from glimpser.core.ids import CaptureId, EventId, TemplateId, new_id
from glimpser.core.live import BurstReported, State, StateChanged
from glimpser.core.motion import BurstClosed
from glimpser.core.ports import Database
from glimpser.core.templates import Zone
from glimpser.rules.zones import touched
from glimpser.services.alerting import Alerting
from glimpser.services.notices import EventNotice, Publish, say_nothing

_log = structlog.get_logger(__name__)

MOTION = "motion"
MAX_WAITING = 1000
_RETRY_DELAYS_S = (0.5, 1.0, 2.0, 5.0)
T = TypeVar("T")


class EventMetrics(Protocol):
    def event_recorded(self, template_id: TemplateId, kind: str) -> None: ...


class Pipeline:
    """One task records everything in order; while the database or the store is away, it waits."""

    def __init__(
        self,
        alerting: Alerting,
        database: Database,
        *,
        clock: Clock,
        metrics: EventMetrics,
        name_of: Callable[[TemplateId], str],
        zones_of: Callable[[TemplateId], Sequence[Zone]] = lambda _template_id: (),
        publish: Publish = say_nothing,
    ) -> None:
        self._alerting = alerting
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._name_of = name_of
        self._zones_of = zones_of
        self._publish = publish
        self._waiting: asyncio.Queue[StateChanged | BurstReported] = asyncio.Queue(MAX_WAITING)
        self._bursts: dict[tuple[TemplateId, datetime], Event] = {}
        self._sessions: dict[TemplateId, tuple[int, Capture]] = {}

    async def submit(self, report: StateChanged | BurstReported) -> None:
        """Have a report recorded; waits while a thousand others do."""
        await self._waiting.put(report)

    async def run(self) -> None:
        """Record what was submitted. Never returns."""
        while True:
            report = await self._waiting.get()
            try:
                await self._observe(report)
            except GlimpserError as error:
                # Its event is gone, or it can never be written: the next one may be.
                _log.error("pipeline.not_recorded", template_id=report.template_id, reason=error.detail)
            finally:
                self._waiting.task_done()

    async def drain(self, timeout_s: float) -> None:
        """Wait until all is recorded, at most so long: what is left then is found at the next start."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._waiting.join()
        except TimeoutError:
            _log.warning("pipeline.not_drained", left=self._waiting.qsize())

    async def _observe(self, report: StateChanged | BurstReported) -> None:
        if isinstance(report, BurstReported):
            await self._observe_burst(report)
        else:
            await self._observe_state(report)

    async def _observe_burst(self, report: BurstReported) -> None:
        """One burst is one event: written when it opens, then whenever there is something better to say."""
        key = (report.template_id, report.step.started_at)
        closed = isinstance(report.step, BurstClosed)
        known = self._bursts.pop(key, None) if closed else self._bursts.get(key)
        event = _described(known or self._opened(report), report, self._zones_of(report.template_id))
        picture = await self._stored(report.picture) if report.picture else None
        written = await self._again(lambda: self._alerting.record(event, picture, is_new=known is None))
        self._publish(EventNotice(written))
        if known is None:
            self._metrics.event_recorded(report.template_id, MOTION)
        if not closed:
            self._bursts[key] = written

    async def _stored(self, frame: Frame) -> Artifact:
        return await self._again(lambda: self._alerting.store_picture(frame))

    def _opened(self, report: BurstReported) -> Event:
        return Event(
            id=EventId(new_id()),
            template_id=report.template_id,
            kind=MOTION,
            level=Level.INFO,
            message=f"Motion: {self._name_of(report.template_id)}",
            started_at=report.step.started_at,
            created_at=self._clock.now(),
        )

    async def _observe_state(self, change: StateChanged) -> None:
        """A live session is one capture, from its first picture to the loss of the stream."""
        template_id, status = change.template_id, change.status
        running = self._sessions.get(template_id)
        if status.state.gives_pictures:
            if running and running[0] == status.epoch:
                return
            await self._end_session(template_id, status.since, None)
            await self._begin_session(template_id, status.epoch, status.since)
        elif status.state is not State.STALLED:
            await self._end_bursts(template_id)
            reason = status.reason if status.state in (State.BACKOFF, State.FAILED) else None
            await self._end_session(template_id, status.since, reason)

    async def _begin_session(self, template_id: TemplateId, epoch: int, since: datetime) -> None:
        capture = Capture(
            id=CaptureId(new_id()), template_id=template_id, kind="live", status="running", started_at=since
        )
        await self._again(lambda: self._database.write(lambda tx: tx.captures.add(capture)))
        self._sessions[template_id] = (epoch, capture)

    async def _end_session(self, template_id: TemplateId, at: datetime, error: str | None) -> None:
        running = self._sessions.pop(template_id, None)
        if running is None:
            return
        ended = replace(running[1], status="failure" if error else "success", ended_at=at, error=error)
        await self._again(lambda: self._database.write(lambda tx: tx.captures.finish(ended)))

    async def _end_bursts(self, template_id: TemplateId) -> None:
        """Close what a lost worker left open, at the last moment known of it."""
        for key in [key for key in self._bursts if key[0] == template_id]:
            event = self._bursts.pop(key)
            await self._finish(replace(event, ended_at=event.peak_at or event.started_at))

    async def _finish(self, event: Event) -> None:
        written = await self._again(lambda: self._alerting.record(event, None, is_new=False))
        self._publish(EventNotice(written))

    async def _again(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it until it succeeds."""
        tries = 0
        while True:
            try:
                return await work()
            except Unavailable as error:
                delay_s = _RETRY_DELAYS_S[min(tries, len(_RETRY_DELAYS_S) - 1)]
                tries += 1
                _log.warning("pipeline.waits", reason=error.detail, tries=tries, retry_in_s=delay_s)
                await asyncio.sleep(delay_s)


def _described(event: Event, report: BurstReported, zones: Sequence[Zone]) -> Event:
    step = report.step
    return replace(
        event,
        metadata={
            "score": round(step.score, 4),
            "boxes": [asdict(box) for box in step.boxes],
            "zones": touched(step.boxes, zones),
        },
        peak_at=step.peak_at,
        ended_at=step.ended_at if isinstance(step, BurstClosed) else None,
    )
