"""The job `capture`: one picture of a template now, or the view live for a while.

What it gives is stored first, then told: picture, page text, the capture's row and its event are committed
together. A view that gives no picture is a capture that failed, never an attempt to be made again: its next
slot is.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from glimpser.core.clock import Clock
from glimpser.core.errors import GlimpserError, NotFound, Rejected, Unavailable
from glimpser.core.events import Artifact, Capture, Event, Level
from glimpser.core.frames import Frame
from glimpser.core.health import HealthState, Verdict
from glimpser.core.ids import ArtifactId, CaptureId, EventId, TemplateId, new_id
from glimpser.core.jobs import Job
from glimpser.core.keys import artifact_key
from glimpser.core.live import Polled
from glimpser.core.ports import Database, ObjectStore
from glimpser.core.repositories import Transaction
from glimpser.core.sources import Shot, Source, ViewFailed
from glimpser.core.templates import Template, TemplateSettings
from glimpser.services.alerting import Alerting
from glimpser.services.feeds import Feeds
from glimpser.services.job_kinds import JobKind, JobSkipped, Progress, Result, RetryPolicy
from glimpser.services.notices import EventNotice, Publish, say_nothing

_log = structlog.get_logger(__name__)

FINISHED, FAILED = "capture.finished", "capture.failed"
RETRY = RetryPolicy(max_attempts=3)
"""Of crashes and a store that is away; a view that fails is not asked again."""
TAKE_WITHIN_S = 90.0
"""The end of a source's own patience, which is shorter."""
_TICK_S = 1.0
_PLAIN_TEXT = "text/plain"

Show = Callable[[Frame], None]


class Judge(Protocol):
    def __call__(
        self, template_id: TemplateId, verdict: Verdict, *, artifact_id: ArtifactId | None = None
    ) -> None:
        """Take what a capture says of its view, and the picture it stored. Neither waits nor fails."""
        ...


def judge_nothing(
    template_id: TemplateId, verdict: Verdict, *, artifact_id: ArtifactId | None = None
) -> None:
    """Stand in where nobody keeps the health of views."""


class RunningViews(Protocol):
    async def snapshot(self, template: Template, *, width: int | None, allow_stale: bool) -> Frame:
        """Give the newest picture of a view, which is started if it does not run. Raises: Unavailable."""
        ...

    def recording(self, template: Template) -> AbstractAsyncContextManager[None]:
        """Have the view run, with motion looked for. Entering raises: Unavailable."""
        ...


class CaptureMetrics(Protocol):
    def event_recorded(self, template_id: TemplateId, kind: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureTells:
    """Whom a capture tells: the wall of its picture, view health of its verdict, people of failures."""

    show: Show
    judge: Judge = judge_nothing
    metrics: CaptureMetrics
    publish: Publish = say_nothing


class Capturing:
    """Event loop's thread."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        *,
        alerting: Alerting,
        feeds: Feeds,
        views: RunningViews,
        clock: Clock,
        tells: CaptureTells,
    ) -> None:
        self._database = database
        self._store = store
        self._alerting = alerting
        self._feeds = feeds
        self._views = views
        self._clock = clock
        self._tells = tells
        self._unwritten: dict[CaptureId, Capture] = {}

    @property
    def kind(self) -> JobKind:
        """Say how captures run as jobs: of one template one at a time, again only after a crash."""
        return JobKind(
            run=self.run,
            retry=RETRY,
            concurrency=16,
            per_lane=1,
            max_waiting=1,
        )

    async def run(self, job: Job, progress: Progress) -> Result:
        """Capture.

        Raises:
            Rejected: the view gave no picture; the capture's row and an event say why.
            Unavailable: what it gave cannot be kept now.
            JobSkipped: there is nothing to capture any more.
        """
        template = await self._template(job)
        capture = await self._begin(template, job)
        try:
            return await self._capture(template, capture, job, progress)
        except Rejected:
            raise
        except BaseException as error:  # cancelled, or the store is away: say so on the row, then pass it on
            detail = error.detail if isinstance(error, GlimpserError) else "It was broken off."
            await self._close(capture, detail)
            raise

    async def _capture(self, template: Template, capture: Capture, job: Job, progress: Progress) -> Result:
        try:
            shot = await self._take(template, job, progress)
            return await self._finish(template, capture, shot)
        except ViewFailed as failure:
            await self._fail(template, capture, failure)
            raise Rejected(failure.detail) from failure

    async def _template(self, job: Job) -> Template:
        try:
            template = await self._database.read(
                lambda tx: tx.templates.get(job.template_id or TemplateId(""))
            )
        except NotFound:
            raise JobSkipped("The template was removed.") from None
        if not template.settings.enabled:
            raise JobSkipped("The view is switched off.")
        return template

    async def _begin(self, template: Template, job: Job) -> Capture:
        capture = Capture(
            id=CaptureId(new_id()),
            template_id=template.id,
            kind="record" if job.payload.get("action") == "record" else "snapshot",
            status="running",
            started_at=self._clock.now(),
        )
        unwritten = tuple(self._unwritten.values())

        def begin(tx: Transaction) -> None:
            for ended in unwritten:
                with suppress(NotFound):  # it was removed meanwhile
                    tx.captures.finish(ended)
            tx.captures.add(capture)

        await self._database.write(begin)
        for ended in unwritten:
            self._unwritten.pop(ended.id, None)
        return capture

    # Taking -------------------------------------------------------------------------------------------

    async def _take(self, template: Template, job: Job, progress: Progress) -> Shot:
        """Take the picture, that of the end for a recording. Raises: ViewFailed."""
        duration_s = job.payload.get("duration_s")
        try:
            if job.payload.get("action") == "record" and isinstance(duration_s, int | float):
                return await self._record(template, float(duration_s), progress)
            feed = self._feeds.of(template.settings)
            if isinstance(feed, Polled):
                return await self._ask(template, feed.source)
            return await self._newest(template)
        except ViewFailed:
            raise
        except GlimpserError as error:
            raise ViewFailed(error.detail) from error

    async def _ask(self, template: Template, source: Source) -> Shot:
        try:
            async with asyncio.timeout(TAKE_WITHIN_S):
                shot = await source.snapshot()
        except TimeoutError:
            raise ViewFailed(f"There was no picture within {TAKE_WITHIN_S:g} s.") from None
        except ViewFailed:
            raise
        except Unavailable as error:  # a reason of our own, such as no browser: it says nothing of the view
            raise ViewFailed(error.detail, error.retry_after_s, state=HealthState.UNKNOWN) from error
        now = self._clock.now()
        self._tells.show(Frame(template.id, 0, now, shot.jpeg, shot.width, shot.height))
        return shot

    async def _newest(self, template: Template) -> Shot:
        frame = await self._views.snapshot(template, width=None, allow_stale=False)
        return Shot(jpeg=frame.jpeg, width=frame.width, height=frame.height)

    async def _record(self, template: Template, duration_s: float, progress: Progress) -> Shot:
        """Have the view run for so long; its last picture stands for it."""
        async with self._views.recording(template):
            began_s = self._clock.monotonic()
            while (passed_s := self._clock.monotonic() - began_s) < duration_s:
                await progress.report(passed_s / duration_s, "recording")
                await asyncio.sleep(min(_TICK_S, duration_s - passed_s))
            return await self._newest(template)

    # Keeping ------------------------------------------------------------------------------------------

    async def _finish(self, template: Template, capture: Capture, shot: Shot) -> Result:
        picture, text = await self._stored(template, shot), await self._stored_text(template, shot)
        ended = replace(
            capture,
            status="success",
            ended_at=self._clock.now(),
            artifact_id=picture.id,
            text_artifact_id=text.id if text else None,
            details=shot.details,
        )
        event = self._event(template, ended, FINISHED, Level.DEBUG)
        await self._write(event, picture, ended, text)
        self._tells.judge(template.id, shot.verdict, artifact_id=picture.id)
        return {"capture_id": ended.id, "artifact_id": picture.id}

    async def _fail(self, template: Template, capture: Capture, failure: ViewFailed) -> None:
        """Record the failure, with what was to be seen instead of the view."""
        shot, picture = failure.shot, None
        if shot:
            with suppress(Unavailable):  # that the view failed is told also while the store is away
                picture = await self._stored(template, shot)
        ended = replace(
            capture,
            status="failure",
            ended_at=self._clock.now(),
            error=failure.detail,
            artifact_id=picture.id if picture else None,
            details=shot.details if shot else {},
        )
        event = self._event(template, ended, FAILED, Level.WARNING)
        written = await self._write(event, picture, ended, None)
        self._tells.publish(EventNotice(written))
        verdict = Verdict(failure.state, failure.detail)
        self._tells.judge(template.id, verdict, artifact_id=picture.id if picture else None)

    async def _write(
        self, event: Event, picture: Artifact | None, ended: Capture, text: Artifact | None
    ) -> Event:
        def along(tx: Transaction) -> None:
            if text:
                tx.artifacts.add(text)
            tx.captures.finish(ended)

        written = await self._alerting.record(event, picture, is_new=True, along=along)
        self._tells.metrics.event_recorded(event.template_id, event.kind)
        return written

    async def _close(self, capture: Capture, detail: str) -> None:
        """End a capture that came to nothing; if it cannot now, the next capture or start does."""
        ended = replace(capture, status="failure", ended_at=self._clock.now(), error=detail)
        try:
            await self._database.write(lambda tx: tx.captures.finish(ended))
        except Unavailable:
            self._unwritten[ended.id] = ended

    def _event(self, template: Template, ended: Capture, kind: str, level: Level) -> Event:
        name = " ".join(template.settings.name.split())
        what = f"{name}: {ended.error}" if ended.error else f"Captured: {name}"
        return Event(
            id=EventId(new_id()),
            template_id=template.id,
            kind=kind,
            level=level,
            message=what,
            metadata={"capture_id": ended.id, "action": ended.kind},
            started_at=ended.started_at,
            ended_at=ended.ended_at,
            created_at=self._clock.now(),
        )

    async def _stored(self, template: Template, shot: Shot) -> Artifact:
        now = self._clock.now()
        return await self._alerting.store_picture(
            Frame(template.id, 0, now, shot.jpeg, shot.width, shot.height)
        )

    async def _stored_text(self, template: Template, shot: Shot) -> Artifact | None:
        if not shot.text:
            return None
        now, artifact_id = self._clock.now(), ArtifactId(new_id())
        key = artifact_key(artifact_id, "txt", now)
        stored = await self._store.put(key, _once(shot.text.encode()), content_type=_PLAIN_TEXT)
        return Artifact(
            id=artifact_id,
            uri=stored.uri,
            media_type=_PLAIN_TEXT,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            width=None,
            height=None,
            created_at=now,
            template_id=template.id,
        )


def capture_payload(settings: TemplateSettings) -> Mapping[str, object]:
    """Say what a capture of a template does."""
    payload: dict[str, object] = {"action": settings.action}
    return payload | ({"duration_s": settings.duration_s} if settings.action == "record" else {})


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
