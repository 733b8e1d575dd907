"""The pool of views that give a picture at a time: `FeedPool[Polled | Pushed]`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass

from glimpser.capture.polled.desk import Desk, PolledSettings
from glimpser.capture.polled.view import PolledView, PushedView, View
from glimpser.core.clock import Clock
from glimpser.core.errors import Conflict, Unavailable
from glimpser.core.frames import NATIVE_WIDTH, Frame
from glimpser.core.ids import TemplateId
from glimpser.core.live import LiveEvent, LiveSpec, Polled, Pushed
from glimpser.core.sources import Shot

_NOT_RUNNING = "The view does not run."
_THREADS = 2
"""Scaling and masking take milliseconds; the rest is waiting."""
_MEASURE_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class _Running:
    spec: LiveSpec[Polled] | LiveSpec[Pushed]
    view: View
    task: asyncio.Task[None]


@asynccontextmanager
async def open_polled_pool(
    clock: Clock, settings: PolledSettings | None = None
) -> AsyncIterator["PolledPool"]:
    """Run a pool; at the end nothing of it runs any more."""
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="scale")
    try:
        async with asyncio.TaskGroup() as tasks:
            pool = PolledPool(Desk(settings or PolledSettings(), clock, threads), tasks)
            measuring = tasks.create_task(pool.keep_measuring())
            try:
                yield pool
            finally:
                measuring.cancel()
                pool.close()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


class PolledPool:
    """Event loop's thread. `tasks` owns a task for each view."""

    def __init__(self, desk: Desk, tasks: asyncio.TaskGroup) -> None:
        self._desk = desk
        self._tasks = tasks
        self._running: dict[TemplateId, _Running] = {}

    async def start(self, spec: LiveSpec[Polled] | LiveSpec[Pushed]) -> None:
        """Begin to ask, or begin anew if `spec` differs from what runs."""
        known = self._running.get(spec.template_id)
        if known and known.spec == spec:
            return
        if known:
            known.task.cancel()
            self._desk.forget(spec.template_id)
        view = self._view_of(spec, epoch=known.view.status.epoch if known else 0)
        self._running[spec.template_id] = _Running(spec, view, self._tasks.create_task(view.run()))

    async def stop(self, template_id: TemplateId) -> None:
        """End a view; one that does not run is ignored."""
        running = self._running.pop(template_id, None)
        if running is None:
            return
        running.task.cancel()
        running.view.end()
        self._desk.forget(template_id)

    def want(
        self,
        template_id: TemplateId,
        *,
        width: int,
        fps: float | None,  # noqa: ARG002 - these views are slower than anybody asks
    ) -> AbstractContextManager[None]:
        """Have pictures of this width made while the context is open; the newest there is comes at once."""
        return self._wanting(template_id, width)

    async def snapshot(self, template_id: TemplateId, width: int | None = None) -> Frame:
        """Give the newest picture; the source is asked if that is older than the interval.

        Raises:
            Unavailable: the view gives none now.
        """
        view = self._view(template_id)
        return await view.frame(await view.current(), width or NATIVE_WIDTH)

    async def offer(self, template_id: TemplateId, shot: Shot) -> None:
        """Show a picture that was sent to a view.

        Raises:
            Unavailable: the view does not run, or the picture cannot be decoded.
            Conflict: pictures are not sent to it, it fetches them.
        """
        view = self._view(template_id)
        if not isinstance(view, PushedView):
            raise Conflict("This view fetches its pictures itself: send them to one of kind push.")
        await view.offer(shot)

    def events(self) -> AsyncIterator[LiveEvent]:
        """Give what happens, for one consumer."""
        return self._desk.events()

    # For `open_polled_pool`.

    async def keep_measuring(self) -> None:
        """Tell the figures of views whose pictures are far apart. Never returns."""
        while True:
            await self._desk.wait(_MEASURE_EVERY_S)
            for running in self._running.values():
                running.view.measure()

    def close(self) -> None:
        for running in self._running.values():
            running.task.cancel()

    # Inside.

    def _view_of(self, spec: LiveSpec[Polled] | LiveSpec[Pushed], *, epoch: int) -> View:
        match spec.feed:
            case Polled() as feed:
                return PolledView(spec.fed_by(feed), self._desk, epoch=epoch)
            case Pushed() as feed:
                return PushedView(spec.fed_by(feed), self._desk, epoch=epoch)

    def _view(self, template_id: TemplateId) -> View:
        running = self._running.get(template_id)
        if running is None:
            raise Unavailable(_NOT_RUNNING, retry_after_s=2)
        return running.view

    @contextmanager
    def _wanting(self, template_id: TemplateId, width: int) -> Iterator[None]:
        wants = self._desk.wants
        wants.add(template_id, width, 0.0)
        running = self._running.get(template_id)
        if running:
            self._tasks.create_task(running.view.show(width))
        try:
            yield
        finally:
            wants.remove(template_id, width, 0.0)
