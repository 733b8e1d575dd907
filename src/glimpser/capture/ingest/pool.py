"""The ingest workers together: which view lives where, and what comes of it. Implements `LivePool`."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass

import structlog

from glimpser.capture.ingest.crashes import MAX_CRASHES, CrashRecord, culprit
from glimpser.capture.ingest.inbox import Inbox
from glimpser.capture.ingest.reports import as_frame, as_live_event
from glimpser.capture.ingest.slot import WorkerSlot
from glimpser.capture.ingest.wants import EVERY_FRAME, Wants
from glimpser.capture.ingest.wire import (
    AnyReport,
    Configure,
    Snapshot,
    SnapshotReport,
    StateReport,
    Want,
)
from glimpser.core.clock import Clock
from glimpser.core.errors import Unavailable
from glimpser.core.frames import NATIVE_WIDTH, Frame
from glimpser.core.ids import TemplateId
from glimpser.core.live import LiveEvent, LiveSpec, State, StateChanged, StreamStatus

_log = structlog.get_logger(__name__)

MAX_VIEWS_PER_WORKER = 32
VIEWS_PER_WORKER = 8
"""One more worker is started for every eight views, as long as there are cores for it."""
MAX_WORKERS = 4
LINGER_S = 10.0
"""Pictures are made this long after the last viewer left, for the next one."""
_PING_INTERVAL_S = 1.0
_SNAPSHOT_TIMEOUT_S = 5.0
_RESTARTING = "The ingest worker ended; another is being started."


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """`workers` None: by the number of views, at most one a core and four. Networks and roots as text."""

    workers: int | None
    allowed_networks: tuple[str, ...]
    own_sockets: tuple[tuple[str, int], ...]
    file_roots: tuple[str, ...]
    stall_timeout_s: float


@dataclass(slots=True)
class _View:
    slot: WorkerSlot
    epoch: int = 0
    thread: int = 0


@asynccontextmanager
async def open_pool(settings: PoolSettings, clock: Clock) -> AsyncIterator["IngestPool"]:
    """Run a pool; at the end all its workers are gone."""
    pool = IngestPool(settings, clock)
    async with asyncio.TaskGroup() as tasks:
        pinging = tasks.create_task(pool.keep_pinging())
        try:
            yield pool
        finally:
            pinging.cancel()
            pool.close()


class IngestPool:
    """Event loop's thread. Workers are started when the first view needs one."""

    def __init__(self, settings: PoolSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._configure = Configure(
            allowed_networks=list(settings.allowed_networks),
            own_sockets=list(settings.own_sockets),
            file_roots=list(settings.file_roots),
            stall_timeout_s=settings.stall_timeout_s,
        )
        self._inbox = Inbox(on_room=lambda: self._listen(to_reports=True))
        self._slots: list[WorkerSlot] = []
        self._views: dict[str, _View] = {}
        self._wants = Wants()
        self._snapshots: dict[int, asyncio.Future[Frame]] = {}
        self._requests = itertools.count(1)
        self._crashes: dict[str, CrashRecord] = {}

    # LivePool

    async def start(self, spec: LiveSpec) -> None:
        """Begin to capture, or begin anew if `spec` differs from what runs."""
        template_id = str(spec.template_id)
        view = self._views.get(template_id)
        if view is None:
            view = self._views[template_id] = _View(self._slot_for_one_more())
        elif view.slot.specs.get(template_id) == spec:
            return
        view.slot.start(spec)

    async def stop(self, template_id: TemplateId) -> None:
        """End a capture; one that does not run is ignored."""
        view = self._views.pop(str(template_id), None)
        if view is None:
            return
        if str(template_id) in view.slot.specs:
            self._take_out(view.slot, str(template_id))
        self._say(template_id, State.IDLE, None, epoch=view.epoch)

    def want(self, template_id: TemplateId, *, width: int, fps: float | None) -> AbstractContextManager[None]:
        """Have pictures of this width made while the context is open."""
        return self._wanting(str(template_id), width, fps or EVERY_FRAME)

    async def snapshot(self, template_id: TemplateId, width: int | None = None) -> Frame:
        """Give the newest picture.

        Raises:
            Unavailable: the view gives none now.
        """
        view = self._views.get(str(template_id))
        if view is None or view.slot.pid is None:
            raise Unavailable("The view does not run.", retry_after_s=2)
        request = next(self._requests)
        answer: asyncio.Future[Frame] = self._loop.create_future()
        self._snapshots[request] = answer
        view.slot.tell(Snapshot(id=str(template_id), request=request, width=width or NATIVE_WIDTH))
        try:
            async with asyncio.timeout(_SNAPSHOT_TIMEOUT_S):
                return await answer
        except TimeoutError:
            raise Unavailable("The view gave no picture in time.", retry_after_s=2) from None
        finally:
            self._snapshots.pop(request, None)

    def events(self) -> AsyncIterator[LiveEvent]:
        """Give what happens, for one consumer."""
        return self._inbox.events()

    # For `open_pool` and for those who look after the program.

    def worker_pids(self) -> tuple[int, ...]:
        """Name the processes that run now."""
        return tuple(slot.pid for slot in self._slots if slot.pid is not None)

    async def keep_pinging(self) -> None:
        while True:
            await asyncio.sleep(_PING_INTERVAL_S)
            for slot in self._slots:
                slot.ping()

    def close(self) -> None:
        for slot in self._slots:
            slot.close()

    # SlotOwner

    def on_report(self, report: AnyReport, payload: memoryview) -> None:
        view = self._views.get(report.id) if hasattr(report, "id") else None
        match report:
            case SnapshotReport():
                self._answer(report, payload)
                return
            case StateReport() if view:
                view.epoch, view.thread = report.epoch, report.ident
        event = as_live_event(report, payload)
        if view is None or event is None:
            return
        self._inbox.put(event)
        if self._inbox.full:
            self._listen(to_reports=False)

    def on_death(self, slot: WorkerSlot, last_words: str) -> None:
        threads = {self._views[name].thread: name for name in slot.specs}
        guilty = culprit(last_words, threads)
        for name in list(slot.specs):
            self._say(TemplateId(name), State.BACKOFF, _RESTARTING, epoch=self._views[name].epoch)
        if guilty:
            self._judge(guilty, slot)

    def next_epoch(self, template_id: str) -> int:
        return self._views[template_id].epoch + 1

    def widths(self, template_id: str) -> Mapping[int, float]:
        return self._wants.widths(template_id)

    # Inside.

    def _slot_for_one_more(self) -> WorkerSlot:
        """Choose the emptiest worker, or begin another while views per worker and cores ask for it."""
        shared = [slot for slot in self._slots if not slot.isolated]
        views = len(self._views) + 1
        target = self._settings.workers or min(
            os.cpu_count() or 1, MAX_WORKERS, -(-views // VIEWS_PER_WORKER)
        )
        emptiest = min(shared, key=lambda slot: len(slot.specs), default=None)
        if emptiest is None or len(shared) < target or len(emptiest.specs) >= MAX_VIEWS_PER_WORKER:
            return self._new_slot(isolated=False)
        return emptiest

    def _new_slot(self, *, isolated: bool) -> WorkerSlot:
        slot = WorkerSlot(self, self._configure, loop=self._loop, isolated=isolated)
        self._slots.append(slot)
        return slot

    def _take_out(self, slot: WorkerSlot, template_id: str) -> None:
        slot.stop(template_id)
        if not slot.specs:
            self._slots.remove(slot)

    def _judge(self, template_id: str, slot: WorkerSlot) -> None:
        """Move a view that brought workers down twice to a worker of its own; give up on a hopeless one."""
        crashes = self._crashes.setdefault(template_id, CrashRecord()).add(self._loop.time())
        spec = slot.specs[template_id]
        view = self._views[template_id]
        _log.error("ingest.crashed_by", template_id=template_id, crashes=crashes)
        if crashes >= MAX_CRASHES:
            self._take_out(slot, template_id)
            reason = "Its video crashes the decoder again and again: change the camera's codec or profile."
            self._say(spec.template_id, State.FAILED, reason, epoch=view.epoch)
        elif crashes > 1 and not slot.isolated:
            self._take_out(slot, template_id)
            view.slot = self._new_slot(isolated=True)
            view.slot.start(spec)

    @contextmanager
    def _wanting(self, template_id: str, width: int, fps: float) -> Iterator[None]:
        self._wants.add(template_id, width, fps)
        self._tell_wants(template_id)
        try:
            yield
        finally:
            self._loop.call_later(LINGER_S, self._unwant, template_id, width, fps)

    def _unwant(self, template_id: str, width: int, fps: float) -> None:
        self._wants.remove(template_id, width, fps)
        self._tell_wants(template_id)

    def _tell_wants(self, template_id: str) -> None:
        view = self._views.get(template_id)
        if view:
            view.slot.tell(Want(id=template_id, widths=dict(self._wants.widths(template_id))))

    def _answer(self, report: SnapshotReport, payload: memoryview) -> None:
        answer = self._snapshots.get(report.request)
        if answer is None or answer.done():
            return
        if report.error or report.ts is None:
            answer.set_exception(Unavailable(report.error or "There is no picture.", retry_after_s=2))
        else:
            answer.set_result(as_frame(report, report.ts, payload))

    def _say(self, template_id: TemplateId, state: State, reason: str | None, *, epoch: int) -> None:
        status = StreamStatus(state=state, since=self._clock.now(), reason=reason, epoch=epoch)
        self._inbox.put(StateChanged(template_id, status))

    def _listen(self, *, to_reports: bool) -> None:
        for slot in self._slots:
            slot.listen(to_reports=to_reports)
