"""The health of every view: the verdict that stands, and the events that tell when it is bad and well again.

A verdict stands at once; it becomes an event when a view was unwell for the grace time, and the event ends
when the view has been well for as long. So a view that comes and goes makes one event.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from glimpser.core.clock import Clock
from glimpser.core.errors import GlimpserError, NotFound, Unavailable
from glimpser.core.events import Artifact, Event
from glimpser.core.frames import Frame
from glimpser.core.health import HealthRecord, HealthState, Judged, Verdict, ViewHealth
from glimpser.core.ids import ArtifactId, EventId, TemplateId, new_id
from glimpser.core.live import StateChanged, StreamMeasured
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.templates import Template
from glimpser.services.alerting import Alerting
from glimpser.services.health_events import HEALTH, event_of
from glimpser.services.notices import EventNotice, HealthNotice, Publish, say_nothing
from glimpser.services.verdicts import Opinions

_log = structlog.get_logger(__name__)

GRACE_S = 30.0
_RETRY_S = 2.0
_BATCH = 500
_GIVES_NOTHING = frozenset({HealthState.DOWN, HealthState.STALLED})

PictureOf = Callable[[TemplateId], Awaitable[Frame | None]]
"""Gives the newest picture of a view, whatever it shows; None: there is none."""


class HealthMetrics(Protocol):
    def health_changed(self, template_id: TemplateId, state: HealthState) -> None: ...
    def event_recorded(self, template_id: TemplateId, kind: str) -> None: ...


@dataclass(slots=True)
class _View:
    """`written`: the event as it stands in the database, None while it does not."""

    record: HealthRecord
    opinions: Opinions = field(default_factory=Opinions)
    written: Event | None = None
    is_saved: bool = False
    is_gone: bool = False


class ViewHealths:
    """Event loop's thread. `run` records what the other methods note; these neither wait nor fail."""

    def __init__(
        self,
        alerting: Alerting,
        database: Database,
        *,
        clock: Clock,
        metrics: HealthMetrics,
        name_of: Callable[[TemplateId], str],
        picture_of: PictureOf,
        grace_s: float = GRACE_S,
        publish: Publish = say_nothing,
    ) -> None:
        self._alerting = alerting
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._name_of = name_of
        self._picture_of = picture_of
        self._grace = timedelta(seconds=grace_s)
        self._publish = publish
        self._began_at = clock.now()
        self._views: dict[TemplateId, _View] = {}
        self._noted = asyncio.Event()

    async def load(self, templates: Collection[Template]) -> None:
        """Take up what was known at the last stop, before anything is noted. `templates` are all there are.

        What was said of a view that does not run now is over, unless a scheduled capture said it.

        Raises:
            Unavailable: the database is locked.
        """
        known = {template.id: template.settings for template in templates}
        for record, event in await self._database.read(_records):
            settings = known.get(record.template_id)
            keeps = settings is not None and settings.enabled and (settings.live or record.by_capture)
            self._restore(record, event, keeps=keeps)
            self._views[record.template_id].is_gone = settings is None
        self._noted.set()

    def of(self, template_id: TemplateId) -> ViewHealth:
        """Give the verdict that stands."""
        view = self._views.get(template_id)
        if view is None:
            return ViewHealth(state=HealthState.UNKNOWN, since=self._began_at)
        return view.record.health

    def stream_changed(self, change: StateChanged) -> None:
        view = self._view(change.template_id)
        view.opinions.stream_says(change.status)
        self._weigh(change.template_id, view)

    def pictures_judged(self, judged: Judged) -> None:
        """Take what was seen in the pictures of a view that runs."""
        view = self._view(judged.template_id)
        view.opinions.pictures_say(judged.verdict)
        self._weigh(judged.template_id, view)

    def measured(self, figures: StreamMeasured) -> None:
        """Note when a view that is well gave its last picture."""
        view = self._views.get(figures.template_id)
        if view and view.record.health.state is HealthState.OK:
            self._was_good(view, self._clock.now() - timedelta(seconds=figures.last_packet_age_s))

    def judged(
        self, template_id: TemplateId, verdict: Verdict, *, artifact_id: ArtifactId | None = None
    ) -> None:
        """Take what a scheduled capture found, and the picture it stored. A view that runs knows better."""
        view = self._view(template_id)
        if not view.opinions.capture_says(verdict):
            return
        self._weigh(template_id, view)
        if verdict.state is HealthState.OK:
            self._was_good(view, self._clock.now(), artifact_id)

    def switched_off(self, template_id: TemplateId) -> None:
        """Nobody looks at this view any more: what was said of it is over."""
        view = self._views.get(template_id)
        if view:
            view.opinions = Opinions()
            self._weigh(template_id, view)

    def forget(self, template_id: TemplateId) -> None:
        """The view was removed."""
        self.switched_off(template_id)
        view = self._views.get(template_id)
        if view:
            view.is_gone = True
            self._noted.set()

    async def drain(self, timeout_s: float) -> None:
        """Write what is due, at most so long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.settle()
        except TimeoutError:
            _log.warning("health.not_drained")

    # The task.

    async def run(self) -> None:
        """Write what was noted, and events when they are due. Never returns."""
        while True:
            wait_s = await self.settle()
            try:
                async with asyncio.timeout(wait_s):
                    await self._noted.wait()
            except TimeoutError:
                pass

    async def settle(self) -> float | None:
        """Write all that is due now; gives the seconds until more may be, None: not before more is noted."""
        self._noted.clear()
        for template_id, view in tuple(self._views.items()):
            try:
                await self._settle(template_id, view)
            except Unavailable as error:
                _log.warning("health.waits", template_id=template_id, reason=error.detail)
                return _RETRY_S
            except GlimpserError as error:  # its event is gone, or can never be written
                _log.error("health.not_recorded", template_id=template_id, reason=error.detail)
                view.record = replace(view.record, event_id=None, trouble_since=None)
                view.written = None
        dues = [due for view in self._views.values() if (due := self._due_at(view)) is not None]
        return max(0.0, (min(dues) - self._clock.now()).total_seconds()) + 0.01 if dues else None

    async def _settle(self, template_id: TemplateId, view: _View) -> None:
        due = self._due_at(view)
        if due is not None and due <= self._clock.now():
            if view.record.health.state.is_trouble:
                await self._begin(view)
            else:
                await self._end(view)
        elif view.written is not None and view.record.health.state.is_trouble:
            await self._follow(view)
        await self._save(template_id, view)

    def _due_at(self, view: _View) -> datetime | None:
        """Say when the view is due to be told of; None: it is not."""
        record = view.record
        if record.health.state.is_trouble:
            told = view.written is not None or record.trouble_since is None
            return None if told else (record.trouble_since or record.health.since) + self._grace
        if record.trouble_since is None:
            return None
        patience = self._grace if record.health.state is HealthState.OK else timedelta(0)
        return record.health.since + patience

    async def _begin(self, view: _View) -> None:
        """Tell of it. The id of the event is kept first: after a restart it is not told again."""
        picture = await self._picture(view)
        event_id = view.record.event_id or EventId(new_id())
        record = view.record = replace(view.record, event_id=event_id)
        view.is_saved = False
        await self._save(record.template_id, view)
        event = event_of(record, event_id, name=self._name_of(record.template_id), now=self._clock.now())
        view.written = await self._alerting.record(event, picture, is_new=True)
        self._metrics.event_recorded(record.template_id, HEALTH)
        self._publish(EventNotice(view.written))
        if picture and record.health.state in _GIVES_NOTHING:
            health = replace(view.record.health, last_good_artifact_id=picture.id)
            view.record, view.is_saved = replace(view.record, health=health), False

    async def _follow(self, view: _View) -> None:
        """Write what is wrong now, if it is something else than what was told."""
        written = view.written
        assert written is not None
        name = self._name_of(written.template_id)
        now = event_of(view.record, written.id, name=name, now=written.created_at)
        if now.metadata["state"] == written.metadata.get("state"):
            return
        changed = replace(written, level=now.level, message=now.message, metadata=now.metadata)
        view.written = await self._alerting.record(changed, None, is_new=False)
        self._publish(EventNotice(view.written))

    async def _end(self, view: _View) -> None:
        """Write when it was well again, or no longer looked at."""
        if view.written is not None:
            ended_at = max(view.record.health.since, view.written.started_at)
            over = await self._alerting.record(replace(view.written, ended_at=ended_at), None, is_new=False)
            self._publish(EventNotice(over))
        view.written = None
        health = view.record.health  # which may have changed meanwhile
        trouble_since = health.since if health.state.is_trouble else None
        view.record = replace(view.record, event_id=None, trouble_since=trouble_since)
        view.is_saved = False

    async def _picture(self, view: _View) -> Artifact | None:
        """Store the picture to be shown with the event: the last one, good or not."""
        frame = await self._picture_of(view.record.template_id)
        return await self._alerting.store_picture(frame) if frame else None

    async def _save(self, template_id: TemplateId, view: _View) -> None:
        if view.is_gone:
            await self._database.write(lambda tx: tx.healths.remove(template_id))
            self._views.pop(template_id, None)
        elif not view.is_saved:
            record = view.record
            await self._database.write(lambda tx: tx.healths.put(record))
            view.is_saved = view.record is record

    # Inside.

    def _restore(self, record: HealthRecord, event: Event | None, *, keeps: bool) -> None:
        verdict = Verdict(record.health.state, record.health.reason) if keeps else None
        if event is not None and event.ended_at is not None:  # it ended, and then so did the program
            trouble_since = record.health.since if record.health.state.is_trouble else None
            event, record = None, replace(record, event_id=None, trouble_since=trouble_since)
        view = _View(record, Opinions(pictures=verdict, by_capture=record.by_capture), event, is_saved=True)
        self._views[record.template_id] = view
        self._metrics.health_changed(record.template_id, record.health.state)
        if not keeps:
            self._weigh(record.template_id, view)

    def _view(self, template_id: TemplateId) -> _View:
        view = self._views.get(template_id)
        if view is None:
            health = ViewHealth(state=HealthState.UNKNOWN, since=self._clock.now())
            view = self._views[template_id] = _View(HealthRecord(template_id=template_id, health=health))
        return view

    def _weigh(self, template_id: TemplateId, view: _View) -> None:
        """Find the verdict anew, and tell of it if it is another one."""
        verdict, opinions = view.opinions.verdict(), view.opinions
        record, health = view.record, view.record.health
        is_asked = opinions.stream or opinions.pictures
        if verdict.state is HealthState.UNKNOWN and view.written and is_asked:
            return  # a reason of our own says nothing about the view: what was told still holds
        if verdict == Verdict(health.state, health.reason) and record.by_capture == opinions.by_capture:
            return
        now = self._clock.now()
        changed = verdict.state is not health.state
        health = replace(
            health, state=verdict.state, reason=verdict.reason, since=now if changed else health.since
        )
        trouble_since = record.trouble_since or (now if verdict.state.is_trouble else None)
        view.record = replace(
            record, health=health, trouble_since=trouble_since, by_capture=opinions.by_capture
        )
        view.is_saved = False
        self._noted.set()
        self._metrics.health_changed(template_id, verdict.state)
        self._publish(HealthNotice(template_id, health))

    def _was_good(self, view: _View, at: datetime, artifact_id: ArtifactId | None = None) -> None:
        """Note it; it is written when something else is."""
        health = view.record.health
        artifact_id = artifact_id or health.last_good_artifact_id
        good = replace(health, last_good_at=at, last_good_artifact_id=artifact_id)
        view.record = replace(view.record, health=good)


def _records(tx: Transaction) -> list[tuple[HealthRecord, Event | None]]:
    """Read all, each with its event."""
    found: list[tuple[HealthRecord, Event | None]] = []
    last: TemplateId | None = None
    while batch := tx.healths.after(last, _BATCH):
        found += [(record, _event(tx, record.event_id)) for record in batch]
        last = batch[-1].template_id
    return found


def _event(tx: Transaction, event_id: EventId | None) -> Event | None:
    if event_id is None:
        return None
    try:
        return tx.events.get(event_id)
    except NotFound:
        return None
