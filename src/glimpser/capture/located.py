"""The pool of streams whose address is looked up first; it runs those with a known address too.

Before an address expires, and when its stream fails, it is looked up again: what runs then begins a new
epoch. A recording is played once, and begins anew from what is found next.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog

from glimpser.capture.merging import merged
from glimpser.capture.pools import FeedPool
from glimpser.core.clock import Clock
from glimpser.core.errors import GlimpserError, Unavailable
from glimpser.core.frames import Frame
from glimpser.core.health import WELL, Judged, Verdict
from glimpser.core.ids import TemplateId
from glimpser.core.live import (
    Address,
    LiveEvent,
    LiveSpec,
    Located,
    MediaInput,
    State,
    StateChanged,
    StreamStatus,
)
from glimpser.core.sources import ViewFailed

_log = structlog.get_logger(__name__)

_DELAYS_S = (0.0, 5.0, 15.0, 60.0, 300.0)
"""Waits before an address is looked up, one after the other while it does no good: sites dislike haste."""
PROVEN_S = 60.0
"""A stream that ran for so long was a success: the next failure is looked into at once."""
_RENEW_BEFORE = timedelta(minutes=2)
_RENEW_PART = 0.1
"""Of a short life the last tenth, of a long one the last two minutes are not used."""
_BROKEN = "The program failed at looking this view up: its log tells more."
_RUNNING = (State.LIVE, State.DEGRADED)
_TROUBLE = (State.BACKOFF, State.FAILED)

Wait = Callable[[float], Coroutine[Any, Any, None]]
AnySpec = LiveSpec[MediaInput] | LiveSpec[Located]


@asynccontextmanager
async def open_located_pool(
    inner: FeedPool[MediaInput], clock: Clock, *, wait: Wait = asyncio.sleep
) -> AsyncIterator["LocatedPool"]:
    """Run a pool before `inner`, whose only user it is."""
    async with asyncio.TaskGroup() as tasks:
        pool = LocatedPool(inner, clock, tasks=tasks, wait=wait)
        try:
            yield pool
        finally:
            pool.close()


class LocatedPool:
    """`FeedPool[MediaInput | Located]`. Event loop's thread."""

    def __init__(
        self, inner: FeedPool[MediaInput], clock: Clock, *, tasks: asyncio.TaskGroup, wait: Wait
    ) -> None:
        """`tasks` owns a task for each view; `wait` sleeps for seconds."""
        self.inner = inner
        self.clock = clock
        self.wait = wait
        self._tasks = tasks
        self._searches: dict[TemplateId, _Search] = {}
        self._epochs: dict[TemplateId, int] = {}
        self._told: asyncio.Queue[LiveEvent] = asyncio.Queue()

    async def start(self, spec: AnySpec) -> None:
        """Begin to look it up and to capture, or begin anew if `spec` differs from what runs."""
        known = self._searches.get(spec.template_id)
        if known is not None and known.spec == spec:
            return
        if known is not None:
            await self.stop(spec.template_id)
        match spec.feed:
            case MediaInput() as media:
                await self.inner.start(spec.fed_by(media))
            case Located() as located:
                search = _Search(spec.fed_by(located), self)
                self._searches[spec.template_id] = search
                search.task = self._tasks.create_task(search.run())

    async def stop(self, template_id: TemplateId) -> None:
        """End a capture; one that does not run is ignored."""
        search = self._searches.pop(template_id, None)
        if search is not None:
            search.cancel()
            if not search.plays:
                self.say(template_id, State.IDLE)
            self._epochs.pop(template_id, None)
        await self.inner.stop(template_id)

    def want(self, template_id: TemplateId, *, width: int, fps: float | None) -> AbstractContextManager[None]:
        """Have pictures of this width made while the context is open."""
        return self.inner.want(template_id, width=width, fps=fps)

    async def snapshot(self, template_id: TemplateId, width: int | None = None) -> Frame:
        """Give the newest picture.

        Raises:
            Unavailable: the view gives none now.
        """
        search = self._searches.get(template_id)
        if search is not None and not search.plays:
            raise Unavailable(search.reason or "The view is being looked up.", retry_after_s=5)
        return await self.inner.snapshot(template_id, width)

    async def events(self) -> AsyncIterator[LiveEvent]:
        """Give what happens, for one consumer."""
        async for event in merged([self.inner.events(), self._own_events()]):
            if not isinstance(event, StateChanged) or self._notes(event):
                yield event

    def close(self) -> None:
        """End all searches; what they found runs on in the inner pool."""
        for search in self._searches.values():
            search.cancel()

    # For searches.

    def say(self, template_id: TemplateId, state: State, reason: str | None = None) -> None:
        epoch = self._epochs.get(template_id, 0)
        status = StreamStatus(state=state, since=self.clock.now(), reason=reason, epoch=epoch)
        self._told.put_nowait(_Own(template_id, status))

    def judge(self, template_id: TemplateId, verdict: Verdict) -> None:
        self._told.put_nowait(Judged(template_id, verdict, self.clock.now()))

    async def _own_events(self) -> AsyncIterator[LiveEvent]:
        while True:
            yield await self._told.get()

    def _notes(self, event: StateChanged) -> bool:
        """Take note of a state; false where it is not to be told, because ours stands."""
        search = self._searches.get(event.template_id)
        if isinstance(event, _Own):
            return True
        if search is None:
            return True
        if not search.plays:
            return False
        self._epochs[event.template_id] = event.status.epoch
        search.hear(event.status)
        return True


class _Own(StateChanged):
    """A state of ours, as opposed to one of the inner pool."""


class _Search:
    """One view that is looked up, and again, for as long as it runs."""

    def __init__(self, spec: LiveSpec[Located], pool: LocatedPool) -> None:
        self.spec = spec
        self.task: asyncio.Task[None] | None = None
        self.plays = False
        """Whether the stream that was found is the inner pool's now: then its states are the view's."""
        self.reason: str | None = None
        self._pool = pool
        self._id = spec.template_id
        self._state = State.IDLE
        self._live_since: float | None = None
        self._tries = 0
        self._trouble = asyncio.Event()
        self._unwell = False

    async def run(self) -> None:
        """Look the stream up, have it played, and again when that must be; ends when a person must act."""
        try:
            while True:
                await self._play(await self._found())
        except GlimpserError as error:
            await self._give_way(State.FAILED, error)
        except Exception:  # noqa: BLE001  # the supervisor of this task: what is left are mistakes of ours
            _log.exception("located.broken", template_id=self._id)
            await self._give_way(State.FAILED, Unavailable(_BROKEN))

    def cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()

    def hear(self, status: StreamStatus) -> None:
        """Take note of what the inner pool says."""
        self._state = status.state
        if status.state in _RUNNING:
            self._trouble.clear()
            if self._live_since is None:
                self._live_since = self._pool.clock.monotonic()
            self._recover()
        elif status.state in _TROUBLE:
            self._fail()
            self._trouble.set()

    async def _found(self) -> Address:
        """Look up until something is found; a stream that runs meanwhile runs on."""
        while True:
            if not self.plays:
                self._say(State.CONNECTING, self.reason)
            try:
                return await self.spec.feed.locate()
            except Unavailable as error:
                _log.info("located.not_found", template_id=self._id, reason=error.detail)
                if self._state not in _RUNNING:
                    await self._give_way(State.BACKOFF, error)
                await self._pool.wait(max(error.retry_after_s, self._next_delay_s()))

    async def _play(self, address: Address) -> None:
        """Have an address played until another is needed."""
        self._trouble.clear()
        if self._state is State.FAILED:
            self.plays = False
            await self._pool.inner.stop(self._id)  # it would not try the same again
        self.plays, self._state = True, State.CONNECTING
        await self._pool.inner.start(self.spec.fed_by(address.media))
        await self._until_needed_again(address)

    async def _until_needed_again(self, address: Address) -> None:
        waits = [asyncio.ensure_future(self._trouble_that_stays())]
        if address.expires_at is not None:
            waits.append(asyncio.ensure_future(self._pool.wait(self._good_for_s(address.expires_at))))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in waits:
                waiting.cancel()

    async def _trouble_that_stays(self) -> None:
        while True:
            await self._trouble.wait()
            await self._pool.wait(self._next_delay_s())
            if self._trouble.is_set():
                return

    def _good_for_s(self, expires_at: datetime) -> float:
        life = expires_at - self._pool.clock.now()
        return max(1.0, (life - min(_RENEW_BEFORE, life * _RENEW_PART)).total_seconds())

    def _next_delay_s(self) -> float:
        delay_s = _DELAYS_S[min(self._tries, len(_DELAYS_S) - 1)]
        self._tries += 1
        return delay_s

    def _fail(self) -> None:
        """Note that the stream is gone; after a long time that is a new outage."""
        if self._live_since is not None and self._pool.clock.monotonic() - self._live_since >= PROVEN_S:
            self._tries = 0
        self._live_since = None

    def _recover(self) -> None:
        self.reason = None
        if self._unwell:
            self._unwell = False
            self._pool.judge(self._id, WELL)

    async def _give_way(self, state: State, error: GlimpserError) -> None:
        """Say why there is no picture, in the place of a stream that gives none."""
        if self.plays:
            self.plays = False
            await self._pool.inner.stop(self._id)
        self._say(state, error.detail)
        if isinstance(error, ViewFailed):
            self._unwell = True
            self._pool.judge(self._id, Verdict(error.state, error.detail))

    def _say(self, state: State, reason: str | None) -> None:
        if (state, reason) != (self._state, self.reason):
            self._state, self.reason = state, reason
            self._pool.say(self._id, state, reason)
