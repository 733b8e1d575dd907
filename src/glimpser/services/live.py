"""The live views: which of them run, and who watches them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Protocol

import structlog

from glimpser.core.clock import Clock
from glimpser.core.errors import GlimpserError, NotFound, Unavailable
from glimpser.core.frames import NATIVE_WIDTH, Frame, shared_width
from glimpser.core.health import Judged
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.live import (
    BurstReported,
    FrameReady,
    State,
    StateChanged,
    StreamMeasured,
    StreamStatus,
)
from glimpser.core.pages import MAX_LIMIT, PageRequest, decode_cursor
from glimpser.core.ports import Database, LivePool
from glimpser.core.repositories import Transaction
from glimpser.core.templates import Template, TemplateFilter, TemplateSettings, Zone
from glimpser.services.feeds import Feeds
from glimpser.services.streams import Streams
from glimpser.streaming.subscriptions import Client, Subscription

_log = structlog.get_logger(__name__)

LINGER_S = 20.0
"""A view that runs only while it is watched goes on this long after its last viewer."""
_FRESH = timedelta(seconds=0.5)
_FIRST_PICTURE_TIMEOUT_S = 10.0
_BEGIN_WITHIN_S = 5.0
_RETRY_S = 5.0

Tell = Callable[[StateChanged | BurstReported], Awaitable[None]]


class HealthNotes(Protocol):
    """Takes note of how the views are."""

    async def load(self, templates: Collection[Template]) -> None:
        """Raises: Unavailable: try again."""
        ...

    def stream_changed(self, change: StateChanged) -> None: ...
    def pictures_judged(self, judged: Judged) -> None: ...
    def measured(self, figures: StreamMeasured) -> None: ...
    def switched_off(self, template_id: TemplateId) -> None: ...
    def forget(self, template_id: TemplateId) -> None: ...


class Live:
    """Event loop's thread. `run` owns the tasks; the other methods may be called from its beginning on.

    `tell` is given what must be recorded, in order; it may wait, and then everything waits.
    """

    def __init__(
        self,
        *,
        pool: LivePool,
        streams: Streams,
        database: Database,
        feeds: Feeds,
        clock: Clock,
        tell: Tell,
        health: HealthNotes,
        linger_s: float = LINGER_S,
    ) -> None:
        self._pool = pool
        self._hub = streams.hub
        self._streams = streams
        self._database = database
        self._feeds = feeds
        self._clock = clock
        self._tell = tell
        self._health = health
        self._linger_s = linger_s
        self._changes: asyncio.Queue[TemplateId] = asyncio.Queue()
        self._templates: dict[TemplateId, Template] = {}
        self._demand: Counter[TemplateId] = Counter()
        self._recorded: Counter[TemplateId] = Counter()
        self._trials: set[TemplateId] = set()

    async def run(self) -> None:
        """Start what is to run, then follow changes and events. Never returns."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_events())
            for template in await self._all_templates():
                await self._apply(template)
            tasks.create_task(self._follow_changes())

    def changed(self, template_id: TemplateId) -> None:
        """Have a template that was made, changed or removed take effect; only that one restarts."""
        self._changes.put_nowait(template_id)

    def name_of(self, template_id: TemplateId) -> str:
        """Give the name a person gave the view."""
        template = self._templates.get(template_id)
        return template.settings.name if template else str(template_id)

    def zones_of(self, template_id: TemplateId) -> Sequence[Zone]:
        """Give the areas a person drew into the view."""
        template = self._templates.get(template_id)
        return template.settings.zones if template else ()

    def status(self, template_id: TemplateId) -> StreamStatus:
        """Give the state of a stream; while it gives pictures, its `fps` is measured."""
        return self._streams.status(template_id)

    async def snapshot(self, template: Template, *, width: int | None, allow_stale: bool) -> Frame:
        """Give the newest picture, as wide as the next of the shared widths.

        Raises:
            Unavailable: there is none now (or, with `allow_stale`, there never was one).
        """
        shared = shared_width(width)
        latest = self._hub.latest(template.id, shared)
        if latest and self._clock.now() - latest.captured_at < _FRESH:
            return latest
        try:
            return await self._taken_now(template, shared)
        except Unavailable:
            known = [latest, self._hub.latest(template.id, NATIVE_WIDTH)]
            frames = [frame for frame in known if frame]
            if allow_stale and frames:
                return max(frames, key=lambda frame: frame.captured_at)
            raise

    async def newest_picture(self, template_id: TemplateId) -> Frame | None:
        """Give the newest picture of a view that runs, or else the last one it gave, if it is still known."""
        try:
            return await self._pool.snapshot(template_id, NATIVE_WIDTH)
        except Unavailable:
            return self._hub.latest(template_id, NATIVE_WIDTH)

    def watch(
        self,
        template: Template,
        *,
        width: int | None,
        fps: float | None,
        client: Client,
        consumer: str = "mjpeg",
    ) -> AbstractAsyncContextManager[Subscription]:
        """Have pictures come for as long as the context is open; entering it raises what `Hub` raises.

        `consumer` names the kind of viewer in metrics.

        Raises:
            Unavailable: the view is switched off.
        """
        subscription = self._hub.subscribe(
            template.id, shared_width(width), fps=fps, client=client, consumer=consumer
        )
        return self._watching(template, subscription, fps)

    @asynccontextmanager
    async def _watching(
        self, template: Template, subscription: Subscription, fps: float | None
    ) -> AsyncIterator[Subscription]:
        async with self._running(template), subscription:
            with self._pool.want(template.id, width=subscription.width, fps=fps):
                yield subscription

    async def _taken_now(self, template: Template, width: int) -> Frame:
        async with self._running(template):
            await self._wait_for_pictures(template.id)
            return await self._pool.snapshot(template.id, width)

    async def _wait_for_pictures(self, template_id: TemplateId) -> None:
        """Give a view that was only just started the time to open."""
        try:
            async with asyncio.timeout(_FIRST_PICTURE_TIMEOUT_S):
                while self.status(template_id).state in (State.IDLE, State.CONNECTING):
                    if self.status(template_id).reason:
                        break
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pass
        status = self.status(template_id)
        if not status.state.gives_pictures:
            raise Unavailable(status.reason or "The view is not live yet.")

    @asynccontextmanager
    async def running(self, template: Template) -> AsyncIterator[None]:
        """Have the view run while the context is open, and a little longer; it has begun to at its start.

        Raises:
            Unavailable: it is switched off, or did not begin in time.
        """
        async with self._running(template):
            deadline_s = self._clock.monotonic() + _BEGIN_WITHIN_S
            while self.status(template.id).state is State.IDLE:
                if self._clock.monotonic() > deadline_s:
                    raise Unavailable("The view does not run yet.", retry_after_s=2)
                await asyncio.sleep(0.02)
            yield

    @asynccontextmanager
    async def recording(self, template: Template) -> AsyncIterator[None]:
        """Have the view run while the context is open, with motion looked for.

        Raises:
            Unavailable: it is switched off.
        """
        self._recorded[template.id] += 1
        self.changed(template.id)
        try:
            async with self._running(template):
                yield
        finally:
            self._recorded[template.id] -= 1
            self._recorded += Counter()  # drops what has come to zero
            self.changed(template.id)

    @asynccontextmanager
    async def trying(self, settings: TemplateSettings) -> AsyncIterator[TemplateId]:
        """Have a view run that is not saved, under an id of its own; nothing of it is recorded.

        Raises:
            GlimpserError: it can never run.
        """
        now = self._clock.now()
        template = Template(
            id=TemplateId(new_id()), settings=settings, version=1, created_at=now, updated_at=now
        )
        self._trials.add(template.id)
        try:
            await self._pool.start(self._feeds.spec(template))
            yield template.id
        finally:
            await self._pool.stop(template.id)
            asyncio.get_running_loop().call_later(self._linger_s, self._forget_trial, template.id)

    def _forget_trial(self, template_id: TemplateId) -> None:
        """Forget it when nothing that was on its way can come any more."""
        self._trials.discard(template_id)
        self._streams.forget(template_id)

    @asynccontextmanager
    async def _running(self, template: Template) -> AsyncIterator[None]:
        """Have the view run while the context is open, and a little longer.

        Raises:
            Unavailable: it is switched off.
        """
        if not template.settings.enabled:
            raise Unavailable("This view is switched off: enable it.", retry_after_s=60)
        self._demand[template.id] += 1  # of a live view too: it may be made one that runs only while watched
        if self._demand[template.id] == 1:
            self.changed(template.id)  # what the caller holds of it may be old
        try:
            yield
        finally:
            asyncio.get_running_loop().call_later(self._linger_s, self._release, template.id)

    def _release(self, template_id: TemplateId) -> None:
        self._demand[template_id] -= 1
        if not self._demand[template_id]:
            del self._demand[template_id]
            self.changed(template_id)

    async def _follow_changes(self) -> None:
        while True:
            template_id = await self._changes.get()
            try:
                await self._apply(await self._template(template_id))
            except NotFound:
                await self._forget(template_id)
            except Unavailable as error:
                _log.warning("live.change_waits", template_id=template_id, reason=error.detail)
                asyncio.get_running_loop().call_later(_RETRY_S, self.changed, template_id)

    async def _template(self, template_id: TemplateId) -> Template:
        return await self._database.read(lambda tx: tx.templates.get(template_id))

    async def _apply(self, template: Template) -> None:
        """Make what runs agree with the template."""
        known = self._templates.get(template.id)
        self._templates[template.id] = template
        settings = template.settings
        covers_anew = known is not None and known.settings.privacy_masks != settings.privacy_masks
        try:
            await self._start_or_stop(template)
        finally:
            if covers_anew:
                self._streams.forget_pictures(template.id)

    async def _start_or_stop(self, template: Template) -> None:
        settings = template.settings
        if not settings.enabled or not (settings.live or self._demand[template.id]):
            await self._pool.stop(template.id)
            if not settings.enabled:
                self._health.switched_off(template.id)
            return
        try:
            await self._pool.start(self._feeds.spec(template, is_watched=bool(self._recorded[template.id])))
        except GlimpserError as error:
            _log.error("live.cannot_start", template_id=template.id, reason=error.detail)
            status = StreamStatus(state=State.FAILED, since=self._clock.now(), reason=error.detail)
            failed = StateChanged(template.id, status)
            self._streams.state_changed(failed)
            self._health.stream_changed(failed)

    async def _forget(self, template_id: TemplateId) -> None:
        await self._pool.stop(template_id)
        self._templates.pop(template_id, None)
        self._health.forget(template_id)
        self._streams.forget(template_id)

    async def _follow_events(self) -> None:
        async for event in self._pool.events():
            match event:
                case StateChanged() if event.template_id in self._trials:
                    self._streams.state_changed(event)
                case BurstReported() if event.template_id in self._trials:
                    pass
                case FrameReady() if event.frame.template_id in self._templates:
                    self._streams.frame_came(event)
                case StreamMeasured() if event.template_id in self._templates:
                    self._streams.measured(event)
                    self._health.measured(event)
                case Judged() if event.template_id in self._templates:
                    self._health.pictures_judged(event)
                case StateChanged():
                    if event.template_id in self._templates:
                        self._streams.state_changed(event)
                        self._health.stream_changed(event)
                    await self._tell(event)
                case BurstReported():
                    await self._tell(event)

    async def _all_templates(self) -> list[Template]:
        """Read them, and what is known of their health."""
        while True:
            try:
                templates = await self._database.read(_read_all_templates)
                self._templates.update({template.id: template for template in templates})
                await self._health.load(templates)
            except Unavailable as error:
                _log.warning("live.start_waits", reason=error.detail, retry_in_s=_RETRY_S)
                await asyncio.sleep(_RETRY_S)
            else:
                return templates


def _read_all_templates(tx: Transaction) -> list[Template]:
    found: list[Template] = []
    after: str | None = None
    while True:
        page = tx.templates.list(TemplateFilter(), PageRequest(MAX_LIMIT, after))
        found.extend(page.items)
        if page.next_cursor is None:
            return found
        after = decode_cursor(page.next_cursor)
