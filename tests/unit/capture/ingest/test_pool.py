"""The pool's decisions, with workers that do what a test says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from glimpser.capture.ingest.crashes import MAX_CRASHES, CrashRecord
from glimpser.capture.ingest.inbox import MAX_WAITING
from glimpser.capture.ingest.pool import MAX_VIEWS_PER_WORKER, IngestPool, PoolSettings
from glimpser.capture.ingest.process import WorkerOwner
from glimpser.capture.ingest.wire import (
    AnyReport,
    BurstReport,
    Command,
    Configure,
    FrameReport,
    Snapshot,
    SnapshotReport,
    Start,
    StateReport,
    Stop,
    Want,
)
from glimpser.core.errors import Unavailable
from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId
from glimpser.core.live import (
    BurstReported,
    FrameReady,
    LiveSpec,
    MediaInput,
    State,
    StateChanged,
)
from glimpser.core.motion import MotionSettings
from glimpser.testing.clock import FakeClock
from glimpser.testing.live import LiveLog, following

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 1, 1, tzinfo=UTC)
A, B = TemplateId("A"), TemplateId("B")


class FakeWorker:
    pids = 1000

    def __init__(self, owner: WorkerOwner) -> None:
        FakeWorker.pids += 1
        self.pid = FakeWorker.pids
        self.owner = owner
        self.told: list[Command] = []
        self.listening = True
        self.closed = False

    def tell(self, command: Command) -> None:
        self.told.append(command)

    def ping(self) -> None:
        pass

    def listen(self, *, to_reports: bool) -> None:
        self.listening = to_reports

    def close(self) -> None:
        self.closed = True

    def report(self, report: AnyReport, payload: bytes = b"") -> None:
        self.owner.on_report(self, report, memoryview(payload))

    def die(self, last_words: str = "") -> None:
        self.owner.on_death(self, last_words)

    def start_of(self, template_id: TemplateId) -> Start:
        return [c for c in self.told if isinstance(c, Start) and c.spec.template_id == template_id][-1]


class World:
    def __init__(self, pool: IngestPool, workers: list[FakeWorker], log: LiveLog) -> None:
        self.pool = pool
        self.workers = workers
        self.log = log

    @property
    def newest(self) -> FakeWorker:
        return self.workers[-1]

    def live(self, template_id: TemplateId, worker: FakeWorker | None = None, *, thread: int = 0) -> None:
        """Report what a worker reports of a view that has just gone live."""
        worker = worker or self.newest
        start = worker.start_of(template_id)
        worker.report(state_report(start, State.LIVE, epoch=start.first_epoch, thread=thread))

    async def worker_after(self, dead: FakeWorker) -> FakeWorker:
        count = self.workers.index(dead) + 1
        async with asyncio.timeout(30):
            while len(self.workers) <= count:  # noqa: ASYNC110 - a timer starts it
                await asyncio.sleep(0.01)
        return self.workers[count]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    workers: list[FakeWorker] = []

    def spawn(owner: WorkerOwner) -> FakeWorker:
        workers.append(FakeWorker(owner))
        return workers[-1]

    settings = PoolSettings(
        workers=1,
        allowed_networks=("10.0.0.0/8",),
        own_sockets=(),
        file_roots=(),
        stall_timeout_s=8,
        linger_s=0.01,
    )
    pool = IngestPool(settings, FakeClock(), spawn=spawn)
    async with following(pool) as log:
        yield World(pool, workers, log)
    pool.close()


def spec(template_id: TemplateId, address: str = "rtsp://10.0.0.9/") -> LiveSpec[MediaInput]:
    return LiveSpec(template_id=template_id, feed=MediaInput(address=address), motion=MotionSettings())


def state_report(start: Start, state: State, *, epoch: int = 1, thread: int = 0) -> StateReport:
    return StateReport(
        id=str(start.spec.template_id), run=start.run, state=state, since=NOW, epoch=epoch, ident=thread
    )


def frame_report(start: Start, seq: int = 1, *, wanted: int = 0) -> FrameReport:
    template_id = str(start.spec.template_id)
    return FrameReport(id=template_id, run=start.run, seq=seq, ts=NOW, w=2, h=2, wanted=wanted)


def crash_of(thread: int) -> str:
    return f"Fatal Python error: Aborted\n\nCurrent thread 0x{thread:016x} (most recent call first):\n"


# Starting and stopping


async def test_no_worker_runs_before_a_view_needs_one(world: World) -> None:
    assert world.pool.worker_pids() == ()

    await world.pool.start(spec(A))

    assert world.pool.worker_pids() == (world.newest.pid,)
    configure, start = world.newest.told
    assert isinstance(configure, Configure)
    assert configure.allowed_networks == ["10.0.0.0/8"]
    assert start == Start(spec=spec(A), run=1, first_epoch=1)


async def test_starting_what_runs_changes_nothing_and_another_spec_begins_the_next_epoch(
    world: World,
) -> None:
    await world.pool.start(spec(A))
    world.live(A)

    await world.pool.start(spec(A))
    assert len(world.newest.told) == 2
    await world.pool.start(spec(A, "rtsp://10.0.0.10/"))

    start = world.newest.told[-1]
    assert isinstance(start, Start)
    assert (start.spec.feed.address, start.run, start.first_epoch) == ("rtsp://10.0.0.10/", 2, 2)


async def test_stopping_says_idle_and_the_last_view_takes_its_worker_along(world: World) -> None:
    await world.pool.start(spec(A))
    await world.pool.start(spec(B))

    await world.pool.stop(A)
    await world.log.state(A, State.IDLE)
    told, pids = world.newest.told[-1], world.pool.worker_pids()
    await world.pool.stop(B)
    await world.pool.stop(B)
    await world.log.state(B, State.IDLE)

    assert told == Stop(id="A")
    assert pids == (world.newest.pid,)
    assert world.newest.closed
    assert world.pool.worker_pids() == ()


async def test_what_a_stopped_capture_says_last_is_not_taken_for_its_successors(world: World) -> None:
    await world.pool.start(spec(B))
    await world.pool.start(spec(A))
    world.live(A)
    old = world.newest.start_of(A)
    world.newest.report(frame_report(old, wanted=320))

    await world.pool.stop(A)
    await world.pool.start(spec(A))
    world.newest.report(state_report(old, State.DEGRADED, epoch=9))
    world.newest.report(frame_report(old, seq=2), b"old")
    world.newest.report(
        BurstReport(id="A", run=old.run, step="opened", started_at=NOW, peak_at=NOW, score=1, boxes=[])
    )
    world.live(A)
    world.newest.report(frame_report(world.newest.start_of(A), seq=3), b"new")

    frame = await world.log.frame(A, 0)
    assert frame.jpeg == b"new"
    seen = [e for e in world.log.events if not isinstance(e, StateChanged)]
    assert [e.frame.sequence for e in seen if isinstance(e, FrameReady)] == [3]
    assert not [e for e in seen if isinstance(e, BurstReported)]
    states = [e.status for e in world.log.events if isinstance(e, StateChanged)]
    assert [s.state for s in states] == [State.LIVE, State.IDLE, State.LIVE]
    assert states[-1].epoch == 1


async def test_views_are_spread_until_workers_are_full(world: World) -> None:
    for number in range(MAX_VIEWS_PER_WORKER + 1):
        await world.pool.start(spec(TemplateId(f"V{number}")))

    starts = [[c for c in worker.told if isinstance(c, Start)] for worker in world.workers]
    assert [len(started) for started in starts] == [MAX_VIEWS_PER_WORKER, 1]


# Wanting


async def test_wants_are_told_at_once_and_to_every_successor_and_linger(world: World) -> None:
    await world.pool.start(spec(A))
    with world.pool.want(A, width=320, fps=5):
        assert world.newest.told[-1] == Want(id="A", widths={320: 5.0})
        dead = world.newest
        dead.die()
        successor = await world.worker_after(dead)
        assert successor.told[-1] == Want(id="A", widths={320: 5.0})
    assert successor.told[-1] == Want(id="A", widths={320: 5.0})

    async with asyncio.timeout(30):
        while successor.told[-1] != Want(id="A", widths={}):  # noqa: ASYNC110 - a timer tells it
            await asyncio.sleep(0.005)


async def test_wants_of_a_view_that_does_not_run_yet_wait_for_it(world: World) -> None:
    with world.pool.want(A, width=0, fps=None):
        await world.pool.start(spec(A))

        assert world.newest.told[-1] == Want(id="A", widths={0: 0.0})


# Snapshots


async def asked(world: World) -> tuple["asyncio.Task[Frame]", Snapshot]:
    task = asyncio.get_running_loop().create_task(world.pool.snapshot(A, 320))
    await asyncio.sleep(0)
    command = world.newest.told[-1]
    assert isinstance(command, Snapshot)
    return task, command


async def test_a_snapshot_is_the_workers_answer(world: World) -> None:
    await world.pool.start(spec(A))
    task, command = await asked(world)
    run = world.newest.start_of(A).run

    world.newest.report(
        SnapshotReport(id="A", run=run, request=command.request, seq=5, ts=NOW, w=320, h=180), b"jpeg"
    )

    frame = await task
    assert (frame.jpeg, frame.sequence, frame.width, frame.captured_at) == (b"jpeg", 5, 320, NOW)


@pytest.mark.parametrize("how", ["stop", "death", "error"])
async def test_who_waits_for_a_snapshot_is_told_as_soon_as_there_will_be_none(world: World, how: str) -> None:
    await world.pool.start(spec(A))
    task, command = await asked(world)

    if how == "stop":
        await world.pool.stop(A)
    elif how == "death":
        world.newest.die()
    else:
        world.newest.report(SnapshotReport(id="A", request=command.request, error="It is night."))

    with pytest.raises(Unavailable) as refused:
        async with asyncio.timeout(2):
            await task
    assert refused.value.detail


# Deaths


async def test_a_dead_worker_is_replaced_and_its_views_begin_their_next_epoch(world: World) -> None:
    for template_id in (A, B):
        await world.pool.start(spec(template_id))
        world.live(template_id)
    dead = world.newest

    dead.die()
    for template_id in (A, B):
        status = await world.log.state(template_id, State.BACKOFF)
        assert status.reason
    successor = await world.worker_after(dead)

    assert [(c.run, c.first_epoch) for c in successor.told if isinstance(c, Start)] == [(3, 2), (4, 2)]
    dead.report(frame_report(dead.start_of(A)))
    assert not [e for e in world.log.events if isinstance(e, FrameReady)]


async def test_a_file_that_has_ended_is_not_played_again_by_a_new_worker(world: World) -> None:
    for template_id in (A, B):
        await world.pool.start(spec(template_id))
        world.live(template_id)
    dead = world.newest
    dead.report(state_report(dead.start_of(A), State.IDLE))

    dead.die()
    successor = await world.worker_after(dead)

    assert [c.spec.template_id for c in successor.told if isinstance(c, Start)] == [B]
    await world.pool.start(spec(A))
    assert len([c for c in successor.told if isinstance(c, Start)]) == 1
    await world.pool.start(spec(A, "again"))
    assert successor.start_of(A).spec.feed.address == "again"


async def crash(world: World, worker: FakeWorker, template_id: TemplateId) -> FakeWorker:
    """Have a view bring its worker down, and wait for the worker it runs in then."""
    world.live(template_id, worker, thread=0xABC)
    count = len(world.workers)
    worker.die(crash_of(0xABC))
    async with asyncio.timeout(30):
        while True:
            for candidate in world.workers[count:]:
                if any(isinstance(c, Start) and c.spec.template_id == template_id for c in candidate.told):
                    return candidate
            await asyncio.sleep(0.01)


async def test_a_view_that_brings_workers_down_twice_gets_one_of_its_own(world: World) -> None:
    await world.pool.start(spec(A))
    await world.pool.start(spec(B))

    second = await crash(world, world.newest, A)
    assert world.pool.worker_of(A) == world.pool.worker_of(B) == second.pid
    own = await crash(world, second, A)
    shared = await world.worker_after(second) if world.workers[-1] is own else world.workers[-1]
    async with asyncio.timeout(30):
        while world.pool.worker_of(B) is None:  # noqa: ASYNC110 - a timer starts it
            await asyncio.sleep(0.01)

    assert world.pool.worker_of(A) == own.pid
    assert world.pool.worker_of(B) != own.pid
    assert shared.pid in world.pool.worker_pids()
    await world.pool.stop(A)
    await world.pool.start(spec(A))
    assert world.pool.worker_of(A) not in (own.pid, world.pool.worker_of(B))


async def test_a_hopeless_view_is_given_up_until_its_spec_changes(world: World) -> None:
    record = world.pool._crashes[str(A)] = CrashRecord()
    for _ in range(MAX_CRASHES - 1):
        record.add(asyncio.get_running_loop().time())
    await world.pool.start(spec(A))
    world.live(A, thread=7)
    worker = world.newest

    worker.die(crash_of(7))
    failed = await world.log.state(A, State.FAILED)

    assert "codec" in (failed.reason or "")
    assert world.pool.worker_pids() == ()
    await world.pool.start(spec(A))
    assert world.workers[-1] is worker
    await world.pool.start(replace(spec(A), feed=MediaInput(address="rtsp://10.0.0.77/")))
    assert world.pool.worker_of(A) == world.newest.pid
    assert world.newest is not worker


# Too much to tell


async def test_when_nobody_takes_the_reports_the_workers_are_not_listened_to(world: World) -> None:
    pool = IngestPool(world.pool._settings, FakeClock(), spawn=lambda owner: _kept(world, owner))
    await pool.start(spec(A))
    worker = world.newest
    start = worker.start_of(A)

    for number in range(MAX_WAITING):
        worker.report(state_report(start, State.DEGRADED if number % 2 else State.LIVE))
    listened = worker.listening
    await anext(pool.events())

    assert (listened, worker.listening) == (False, True)
    pool.close()


def _kept(world: World, owner: WorkerOwner) -> FakeWorker:
    world.workers.append(FakeWorker(owner))
    return world.workers[-1]
