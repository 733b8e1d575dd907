import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from glimpser.core.errors import Unavailable
from glimpser.core.events import Capture, Event, EventFilter
from glimpser.core.frames import Frame
from glimpser.core.ids import EventId, TemplateId, new_id
from glimpser.core.live import BurstReported, State, StateChanged, StreamStatus
from glimpser.core.motion import Box, BurstClosed, BurstOpened, BurstPeak
from glimpser.core.pages import PageRequest
from glimpser.core.repositories import Transaction
from glimpser.db import SqlDatabase, open_database
from glimpser.services.alerting import Alerting
from glimpser.services.pipeline import MAX_WAITING, Pipeline
from glimpser.testing.clock import FakeClock
from glimpser.testing.live import fake_jpeg
from glimpser.testing.storage import MemoryStore
from tests.contract.samples import at
from tests.unit.services.viewing import NoQueue, Recorder, new_database

pytestmark = pytest.mark.anyio
T = TypeVar("T")
A, B = TemplateId(new_id()), TemplateId(new_id())
BOXES = (Box(0.1, 0.2, 0.3, 0.4),)
ALL = PageRequest(limit=200)


class Database:
    """The real one; while `away` it can take nothing."""

    def __init__(self, real: SqlDatabase) -> None:
        self._real = real
        self.away = False
        self.refused = 0

    async def write(self, work: Callable[[Transaction], T]) -> T:
        if self.away:
            self.refused += 1
            raise Unavailable("The database is locked by somebody else.")
        return await self._real.write(work)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


class World:
    def __init__(self, real: SqlDatabase) -> None:
        self.real = real
        self.database = Database(real)
        self.store = MemoryStore()
        self.metrics = Recorder()
        clock = FakeClock(at(0))
        alerting = Alerting(self.database, self.store, NoQueue(), clock=clock)  # type: ignore[arg-type]  # the rest is the real one's
        self.pipeline = Pipeline(
            alerting,
            self.database,  # type: ignore[arg-type]  # as above
            clock=clock,
            metrics=self.metrics,
            name_of={A: "Door", B: "Gate"}.__getitem__,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.pipeline.run())
            yield
            task.cancel()

    async def record(self, *reports: StateChanged | BurstReported) -> None:
        """Have all recorded, by a task that then ends."""
        async with self.running():
            for report in reports:
                await self.pipeline.submit(report)
            await self.pipeline.drain(30)

    async def events(self) -> list[Event]:
        """Oldest first."""
        page = await self.real.read(lambda tx: tx.events.list(EventFilter(), ALL))
        return list(page.items)[::-1]

    async def captures(self) -> list[Capture]:
        page = await self.real.read(lambda tx: tx.captures.list(None, ALL))
        return sorted(page.items, key=lambda capture: capture.started_at)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_database(new_database(tmp_path)) as database:
        yield World(database)


def picture(second: float, brightness: int) -> Frame:
    return Frame(A, 1, at(second), fake_jpeg(64, 36, brightness=brightness), 64, 36)


def opened(second: float, *, of: TemplateId = A, shown: Frame | None = None) -> BurstReported:
    step = BurstOpened(started_at=at(second), peak_at=at(second), score=0.1, boxes=BOXES)
    return BurstReported(of, step, shown)


def peak(second: float, at_s: float, *, shown: Frame | None = None) -> BurstReported:
    step = BurstPeak(started_at=at(second), peak_at=at(at_s), score=0.5, boxes=BOXES)
    return BurstReported(A, step, shown)


def closed(second: float, end_s: float, *, of: TemplateId = A, shown: Frame | None = None) -> BurstReported:
    step = BurstClosed(
        started_at=at(second), peak_at=at(second + 1), ended_at=at(end_s), score=0.7, boxes=BOXES
    )
    return BurstReported(of, step, shown)


def state(
    second: float, state: State, *, epoch: int = 1, reason: str | None = None, of: TemplateId = A
) -> StateChanged:
    return StateChanged(of, StreamStatus(state=state, since=at(second), epoch=epoch, reason=reason))


# Bursts


async def test_a_burst_is_one_event_from_its_start_to_its_end(world: World) -> None:
    await world.record(opened(1), peak(1, 3), closed(1, 9))

    [event] = await world.events()
    assert (event.template_id, event.kind, event.message) == (A, "motion", "Motion: Door")
    assert (event.started_at, event.ended_at) == (at(1), at(9))
    assert event.metadata["score"] == 0.7
    assert event.metadata["boxes"] == [{"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}]
    assert world.metrics.events == [(A, "motion")]


async def test_an_event_is_there_while_its_burst_goes_on(world: World) -> None:
    await world.record(opened(1), peak(1, 3))

    [event] = await world.events()
    assert (event.peak_at, event.ended_at) == (at(3), None)


async def test_the_best_picture_is_kept_and_no_other(world: World) -> None:
    best = picture(3, 200)

    await world.record(opened(1, shown=picture(1, 40)), peak(1, 3, shown=best), closed(1, 9))

    [event] = await world.events()
    assert event.artifact_id is not None
    kept = await world.real.read(lambda tx: tx.artifacts.after(None, 9))
    assert [one.id for one in kept if one.expires_at is None] == [event.artifact_id]
    assert best.jpeg in world.store.objects.values()


async def test_bursts_of_several_views_at_once_do_not_mix(world: World) -> None:
    await world.record(opened(1), opened(1, of=B), closed(1, 5, of=B), opened(6, of=B), closed(1, 9))

    events = [(event.template_id, event.started_at, event.ended_at) for event in await world.events()]

    assert sorted(events, key=lambda e: (e[1], e[0] != A)) == [
        (A, at(1), at(9)),
        (B, at(1), at(5)),
        (B, at(6), None),
    ]


async def test_a_burst_whose_beginning_was_missed_is_an_event_all_the_same(world: World) -> None:
    await world.record(peak(1, 3), closed(1, 9))

    [event] = await world.events()
    assert (event.started_at, event.ended_at) == (at(1), at(9))


async def test_the_end_of_a_stream_ends_its_bursts_at_the_last_that_is_known(world: World) -> None:
    await world.record(opened(1), peak(1, 3), opened(2, of=B), state(20, State.BACKOFF, reason="gone"))

    ends = {event.template_id: event.ended_at for event in await world.events()}

    assert ends == {A: at(3), B: None}


async def test_a_burst_that_ends_with_its_stream_is_one_event(world: World) -> None:
    await world.record(
        state(0, State.LIVE), opened(1), closed(1, 9), state(10, State.BACKOFF, reason="gone"), opened(30)
    )

    spans = [(event.started_at, event.ended_at) for event in await world.events()]

    assert spans == [(at(1), at(9)), (at(30), None)]


async def test_a_stalled_stream_keeps_its_burst_open(world: World) -> None:
    await world.record(opened(1), state(5, State.STALLED, reason="silent"), closed(1, 9))

    [event] = await world.events()
    assert event.ended_at == at(9)


# Sessions


async def test_a_live_session_is_one_capture_until_the_stream_is_lost(world: World) -> None:
    await world.record(
        state(0, State.CONNECTING),
        state(1, State.LIVE),
        state(2, State.DEGRADED),
        state(3, State.STALLED, reason="silent"),
        state(4, State.LIVE),
        state(9, State.BACKOFF, reason="The camera does not answer."),
        state(10, State.CONNECTING),
    )

    [capture] = await world.captures()
    assert (capture.kind, capture.status, capture.started_at, capture.ended_at) == (
        "live",
        "failure",
        at(1),
        at(9),
    )
    assert capture.error == "The camera does not answer."


@pytest.mark.parametrize("reason", [None, "The file has ended."])
async def test_a_session_that_was_meant_to_end_is_a_success(world: World, reason: str | None) -> None:
    await world.record(state(1, State.LIVE), state(9, State.IDLE, reason=reason))

    [capture] = await world.captures()
    assert (capture.status, capture.ended_at, capture.error) == ("success", at(9), None)


async def test_each_epoch_is_a_session_of_its_own(world: World) -> None:
    await world.record(state(1, State.LIVE, epoch=1), state(5, State.LIVE, epoch=2))

    spans = [(c.started_at, c.ended_at, c.status) for c in await world.captures()]
    assert spans == [(at(1), at(5), "success"), (at(5), None, "running")]


async def test_tries_that_fail_are_no_sessions(world: World) -> None:
    await world.record(
        state(1, State.CONNECTING), state(2, State.BACKOFF, reason="x"), state(3, State.FAILED, reason="y")
    )

    assert await world.captures() == []


# When the database or the store is away


async def test_while_the_database_is_away_all_waits_and_nothing_is_lost_or_doubled(world: World) -> None:
    world.database.away = True
    async with world.running():
        for report in (state(0, State.LIVE), opened(1, shown=picture(1, 40)), closed(1, 9)):
            await world.pipeline.submit(report)
        async with asyncio.timeout(30):
            while not world.database.refused:  # noqa: ASYNC110 - the fake sets no event
                await asyncio.sleep(0.005)
        world.database.away = False
        await world.pipeline.drain(30)

    [event] = await world.events()
    assert (event.started_at, event.ended_at) == (at(1), at(9))
    assert len(await world.captures()) == 1
    assert len(world.store.objects) == 1


async def test_while_the_store_is_away_pictures_wait(world: World) -> None:
    world.store.failure = Unavailable("The disk is full.")
    async with world.running():
        await world.pipeline.submit(opened(1, shown=picture(1, 40)))
        await world.pipeline.drain(0.05)
        assert await world.events() == []
        world.store.failure = None
        await world.pipeline.drain(30)

    [event] = await world.events()
    assert event.artifact_id is not None


async def test_an_event_that_was_removed_meanwhile_stops_nothing(world: World) -> None:
    await world.record(opened(1, shown=picture(1, 40)))
    for key, event in world.pipeline._bursts.items():
        world.pipeline._bursts[key] = replace(event, id=EventId(new_id()))

    await world.record(closed(1, 9), opened(20))

    spans = [(event.started_at, event.ended_at) for event in await world.events()]
    assert spans == [(at(1), None), (at(20), None)]


async def test_who_reports_too_much_waits(world: World) -> None:
    for number in range(MAX_WAITING):
        await world.pipeline.submit(opened(number))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await world.pipeline.submit(opened(0))


async def test_draining_takes_no_longer_than_it_may(world: World) -> None:
    await world.pipeline.submit(opened(1))

    async with asyncio.timeout(10):
        await world.pipeline.drain(0.05)

    assert await world.events() == []
