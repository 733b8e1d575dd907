"""The ingest workers together: which view lives where, and what comes of it. Implements `LivePool`."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass

import structlog

from glimpser.capture.ingest.crashes import MAX_CRASHES, CrashRecord, culprit
from glimpser.capture.ingest.inbox import Inbox
from glimpser.capture.ingest.process import MAX_UNANSWERED_PINGS, Spawn, WorkerOwner, WorkerProcess
from glimpser.capture.ingest.reports import as_frame, as_live_event
from glimpser.capture.ingest.slot import WorkerSlot
from glimpser.capture.ingest.wants import EVERY_FRAME, Wants
from glimpser.capture.ingest.wire import (
    AnyReport,
    Configure,
    Pong,
    Snapshot,
    SnapshotReport,
    Start,
    StateReport,
    Want,
)
from glimpser.core.clock import Clock
from glimpser.core.errors import Unavailable
from glimpser.core.frames import NATIVE_WIDTH, Frame
from glimpser.core.ids import TemplateId
from glimpser.core.live import LiveEvent, LiveSpec, MediaInput, State, StateChanged, StreamStatus

_log = structlog.get_logger(__name__)

MAX_VIEWS_PER_WORKER = 32
VIEWS_PER_WORKER = 8
"""One more worker is started for every eight views, as long as there are cores for it."""
MAX_WORKERS = 4
LINGER_S = 10.0
"""Pictures are made this long after the last viewer left, for the next one."""
PING_INTERVAL_S = 1.0
_SNAPSHOT_TIMEOUT_S = 5.0
_RESTARTING = "The ingest worker ended; another is being started."
_NOT_RUNNING = "The view does not run."
_HOPELESS = "Its video crashes the decoder again and again: change the camera's codec or profile."


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """`workers` None: by the number of views, at most one a core and four. Networks and roots as text."""

    workers: int | None
    allowed_networks: tuple[str, ...]
    own_sockets: tuple[tuple[str, int], ...]
    file_roots: tuple[str, ...]
    stall_timeout_s: float
    linger_s: float = LINGER_S
    ping_interval_s: float = PING_INTERVAL_S
    max_unanswered_pings: int = MAX_UNANSWERED_PINGS


@dataclass(slots=True)
class _View:
    """`run` is its latest start's; `ended`: there is no more to come, as after a file's end."""

    spec: LiveSpec[MediaInput]
    slot: WorkerSlot
    run: int = 0
    epoch: int = 0
    thread: int = 0
    ended: bool = False


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

    def __init__(self, settings: PoolSettings, clock: Clock, *, spawn: Spawn | None = None) -> None:
        """`spawn` None: workers are processes of their own."""
        self._settings = settings
        self._spawn = spawn or self._spawn_process
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
        self._snapshots: dict[int, tuple[str, asyncio.Future[Frame]]] = {}
        self._requests = itertools.count(1)
        self._runs = itertools.count(1)
        self._crashes: dict[str, CrashRecord] = {}

    # LivePool

    async def start(self, spec: LiveSpec[MediaInput]) -> None:
        """Begin to capture, or begin anew if `spec` differs from what runs."""
        template_id = str(spec.template_id)
        view = self._views.get(template_id)
        if view and view.spec == spec:
            return
        if view:
            self._crashes.pop(template_id, None)
            self._inbox.forget(template_id)
        if view and template_id in view.slot.specs:
            view.spec = spec
        else:
            view = self._views[template_id] = _View(spec, self._slot_for(template_id))
        view.slot.start(spec)

    async def stop(self, template_id: TemplateId) -> None:
        """End a capture; one that does not run is ignored."""
        view = self._views.pop(str(template_id), None)
        if view is None:
            return
        if str(template_id) in view.slot.specs:
            self._take_out(view.slot, str(template_id))
        self._inbox.forget(str(template_id))
        self._refuse_snapshots({str(template_id)}, _NOT_RUNNING)
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
            raise Unavailable(_NOT_RUNNING, retry_after_s=2)
        request = next(self._requests)
        answer: asyncio.Future[Frame] = self._loop.create_future()
        self._snapshots[request] = (str(template_id), answer)
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

    def worker_of(self, template_id: TemplateId) -> int | None:
        """Name the process a view runs in; None while it has none."""
        view = self._views.get(str(template_id))
        return view.slot.pid if view else None

    async def keep_pinging(self) -> None:
        while True:
            await asyncio.sleep(self._settings.ping_interval_s)
            for slot in self._slots:
                slot.ping()

    def close(self) -> None:
        for slot in self._slots:
            slot.close()

    # SlotOwner

    def on_report(self, report: AnyReport, payload: memoryview) -> None:
        if isinstance(report, Pong):
            return
        if isinstance(report, SnapshotReport) and report.error:
            self._answer(report, payload)
            return
        view = self._views.get(report.id)
        if view is None or report.run != view.run:
            return  # the last words of a capture that was stopped
        if isinstance(report, SnapshotReport):
            self._answer(report, payload)
            return
        if isinstance(report, StateReport):
            view.epoch, view.thread = report.epoch, report.ident
            view.ended = report.state is State.IDLE
        self._inbox.put(as_live_event(report, payload))
        if self._inbox.full:
            self._listen(to_reports=False)

    def on_death(self, slot: WorkerSlot, last_words: str) -> None:
        names = list(slot.specs)
        guilty = names[0] if slot.isolated else culprit(last_words, self._threads(names))
        self._refuse_snapshots(names, _RESTARTING)
        for name in names:
            view = self._views[name]
            if view.ended:
                self._take_out(slot, name)
            else:
                self._say(view.spec.template_id, State.BACKOFF, _RESTARTING, epoch=view.epoch)
        if guilty in slot.specs:
            self._judge(guilty, slot)

    def command_to_start(self, spec: LiveSpec[MediaInput]) -> Start:
        view = self._views[str(spec.template_id)]
        view.run, view.ended = next(self._runs), False
        return Start(spec=spec, run=view.run, first_epoch=view.epoch + 1)

    def widths(self, template_id: str) -> Mapping[int, float]:
        return self._wants.widths(template_id)

    # Inside.

    def _threads(self, names: Collection[str]) -> Mapping[int, str]:
        return {self._views[name].thread: name for name in names}

    def _slot_for(self, template_id: str) -> WorkerSlot:
        """Choose the emptiest worker, or begin another while views per worker and cores ask for it."""
        if self._is_repeat_offender(template_id):
            return self._new_slot(isolated=True)
        shared = [slot for slot in self._slots if not slot.isolated]
        views = len(self._views) + 1
        target = self._settings.workers or min(
            os.cpu_count() or 1, MAX_WORKERS, -(-views // VIEWS_PER_WORKER)
        )
        emptiest = min(shared, key=lambda slot: len(slot.specs), default=None)
        if emptiest is None or len(shared) < target or len(emptiest.specs) >= MAX_VIEWS_PER_WORKER:
            return self._new_slot(isolated=False)
        return emptiest

    def _is_repeat_offender(self, template_id: str) -> bool:
        record = self._crashes.get(template_id)
        return record is not None and record.count(self._loop.time()) > 1

    def _new_slot(self, *, isolated: bool) -> WorkerSlot:
        slot = WorkerSlot(
            self,
            self._configure,
            spawn=self._spawn,
            loop=self._loop,
            isolated=isolated,
        )
        self._slots.append(slot)
        return slot

    def _spawn_process(self, owner: WorkerOwner) -> WorkerProcess:
        pings = self._settings.max_unanswered_pings
        return WorkerProcess(owner, loop=self._loop, max_unanswered_pings=pings)

    def _take_out(self, slot: WorkerSlot, template_id: str) -> None:
        slot.stop(template_id)
        if not slot.specs:
            self._slots.remove(slot)

    def _judge(self, template_id: str, slot: WorkerSlot) -> None:
        """Move a view that brought workers down twice to a worker of its own; give up on a hopeless one."""
        crashes = self._crashes.setdefault(template_id, CrashRecord()).add(self._loop.time())
        view = self._views[template_id]
        _log.error("ingest.crashed_by", template_id=template_id, crashes=crashes)
        if crashes >= MAX_CRASHES:
            self._take_out(slot, template_id)
            self._say(view.spec.template_id, State.FAILED, _HOPELESS, epoch=view.epoch)
        elif crashes > 1 and not slot.isolated:
            self._take_out(slot, template_id)
            view.slot = self._new_slot(isolated=True)
            view.slot.start(view.spec)

    @contextmanager
    def _wanting(self, template_id: str, width: int, fps: float) -> Iterator[None]:
        self._wants.add(template_id, width, fps)
        self._tell_wants(template_id)
        try:
            yield
        finally:
            self._loop.call_later(self._settings.linger_s, self._unwant, template_id, width, fps)

    def _unwant(self, template_id: str, width: int, fps: float) -> None:
        self._wants.remove(template_id, width, fps)
        self._tell_wants(template_id)

    def _tell_wants(self, template_id: str) -> None:
        view = self._views.get(template_id)
        if view:
            view.slot.tell(Want(id=template_id, widths=dict(self._wants.widths(template_id))))

    def _answer(self, report: SnapshotReport, payload: memoryview) -> None:
        _, answer = self._snapshots.get(report.request, (None, None))
        if answer is None or answer.done():
            return
        if report.error or report.ts is None:
            answer.set_exception(Unavailable(report.error or "There is no picture.", retry_after_s=2))
        else:
            answer.set_result(as_frame(report, report.ts, payload))

    def _refuse_snapshots(self, names: Collection[str], reason: str) -> None:
        for name, answer in self._snapshots.values():
            if name in names and not answer.done():
                answer.set_exception(Unavailable(reason, retry_after_s=2))

    def _say(self, template_id: TemplateId, state: State, reason: str | None, *, epoch: int) -> None:
        status = StreamStatus(state=state, since=self._clock.now(), reason=reason, epoch=epoch)
        self._inbox.put(StateChanged(template_id, status))

    def _listen(self, *, to_reports: bool) -> None:
        for slot in self._slots:
            slot.listen(to_reports=to_reports)
