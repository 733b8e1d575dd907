import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from glimpser.core.errors import Unavailable
from glimpser.core.events import Event, EventFilter, Level
from glimpser.core.frames import Frame
from glimpser.core.health import WELL, HealthState, Judged, Verdict
from glimpser.core.ids import ArtifactId, TemplateId, new_id
from glimpser.core.live import State, StateChanged, StreamMeasured, StreamStatus
from glimpser.core.pages import PageRequest
from glimpser.core.repositories import Transaction
from glimpser.core.templates import Template, TemplateSettings
from glimpser.db import SqlDatabase, open_database
from glimpser.services.alerting import Alerting
from glimpser.services.notices import EventNotice, HealthNotice, Notice
from glimpser.services.view_health import ViewHealths
from glimpser.testing.clock import FakeClock
from glimpser.testing.live import fake_jpeg
from glimpser.testing.storage import MemoryStore
from tests.contract.samples import at
from tests.unit.services.viewing import NoQueue, new_database

pytestmark = pytest.mark.anyio
T = TypeVar("T")
A, B = TemplateId(new_id()), TemplateId(new_id())
FROZEN = Verdict(HealthState.FROZEN, "Nothing has changed for a minute.")
BLOCKED = Verdict(HealthState.BLOCKED, "Sign in first.")
REASON = "The camera refuses the connection."


class Database:
    """The real one; while `away` it can take nothing."""

    def __init__(self, real: SqlDatabase) -> None:
        self._real = real
        self.away = False
        self.left: int | None = None
        """So many writes more succeed; None: all."""

    async def write(self, work: Callable[[Transaction], T]) -> T:
        if self.away or self.left == 0:
            raise Unavailable("The database is locked by somebody else.")
        if self.left is not None:
            self.left -= 1
        return await self._real.write(work)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


class Series:
    def __init__(self) -> None:
        self.states: dict[TemplateId, HealthState] = {}
        self.events: list[tuple[TemplateId, str]] = []

    def health_changed(self, template_id: TemplateId, state: HealthState) -> None:
        self.states[template_id] = state

    def event_recorded(self, template_id: TemplateId, kind: str) -> None:
        self.events.append((template_id, kind))


class World:
    """Health over a real database; `restart` takes it up as after a crash."""

    def __init__(self, real: SqlDatabase) -> None:
        self.database = Database(real)
        self.store = MemoryStore()
        self.clock = FakeClock(at(0))
        self.series = Series()
        self.notices: list[Notice] = []
        self.picture: Frame | None = None
        self.queue = NoQueue()
        self.health = self._begin()

    def _begin(self) -> ViewHealths:
        alerting = Alerting(self.database, self.store, self.queue, clock=self.clock)  # type: ignore[arg-type]  # the rest is the real one's
        return ViewHealths(
            alerting,
            self.database,  # type: ignore[arg-type]  # as above
            clock=self.clock,
            metrics=self.series,
            name_of={A: "Door", B: "Gate"}.__getitem__,
            picture_of=self._picture_of,
            grace_s=30,
            publish=self.notices.append,
        )

    async def _picture_of(self, _template_id: TemplateId) -> Frame | None:
        return self.picture

    async def restart(self, *templates: Template) -> None:
        self.health = self._begin()
        await self.health.load(templates)
        await self.health.settle()

    async def stream(self, state: State, *, of: TemplateId = A, epoch: int = 1) -> None:
        reason = REASON if state in (State.BACKOFF, State.FAILED) else None
        status = StreamStatus(state=state, since=self.clock.now(), reason=reason, epoch=epoch)
        self.health.stream_changed(StateChanged(of, status))
        await self.health.settle()

    async def judge(self, verdict: Verdict, *, of: TemplateId = A) -> None:
        self.health.pictures_judged(Judged(of, verdict, self.clock.now()))
        await self.health.settle()

    async def passes(self, seconds: float) -> float | None:
        self.clock.advance(seconds)
        return await self.health.settle()

    async def events(self) -> list[Event]:
        """Oldest first."""
        page = await self.database._real.read(lambda tx: tx.events.list(EventFilter(), PageRequest(200)))
        return list(page.items)[::-1]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_database(new_database(tmp_path)) as database:
        yield World(database)


def a_template(template_id: TemplateId = A, *, live: bool = True, enabled: bool = True) -> Template:
    settings = TemplateSettings(name="Door", kind="ffmpeg", config={}, live=live, enabled=enabled)
    return Template(id=template_id, settings=settings, version=1, created_at=at(0), updated_at=at(0))


# The verdict that stands


async def test_of_a_view_nobody_has_looked_at_nothing_is_known(world: World) -> None:
    assert world.health.of(A).state is HealthState.UNKNOWN
    assert world.health.of(A).since == at(0)


async def test_a_verdict_stands_at_once_with_its_reason_and_time(world: World) -> None:
    await world.stream(State.LIVE)
    world.clock.advance(5)
    await world.stream(State.BACKOFF)

    health = world.health.of(A)

    assert (health.state, health.reason, health.since) == (HealthState.DOWN, REASON, at(5))
    assert world.series.states == {A: HealthState.DOWN}
    assert [notice.health.state for notice in world.notices if isinstance(notice, HealthNotice)] == [
        HealthState.OK,
        HealthState.DOWN,
    ]


async def test_the_same_again_is_not_told_again_and_lasts(world: World) -> None:
    await world.stream(State.BACKOFF)
    world.clock.advance(5)
    await world.stream(State.CONNECTING)
    await world.stream(State.BACKOFF)

    assert world.health.of(A).since == at(0)
    assert len(world.notices) == 1


async def test_when_the_last_good_picture_came_is_known(world: World) -> None:
    await world.stream(State.LIVE)
    world.clock.advance(10)
    figures = StreamMeasured(A, fps=5, last_packet_age_s=2, dropped_frames=0, restarts=0)
    world.health.measured(figures)
    world.clock.advance(60)
    await world.stream(State.STALLED)
    world.health.measured(figures)
    await world.restart(a_template())

    assert world.health.of(A).last_good_at == at(8)


# Events


async def test_trouble_shorter_than_the_grace_time_is_no_event(world: World) -> None:
    await world.stream(State.BACKOFF)
    due_s = await world.passes(29)
    await world.stream(State.LIVE)
    await world.passes(60)

    assert due_s == pytest.approx(1, abs=0.1)
    assert await world.events() == []


async def test_trouble_that_lasts_is_one_event_from_its_beginning_to_its_end(world: World) -> None:
    await world.stream(State.LIVE)
    world.clock.advance(10)
    await world.stream(State.BACKOFF)
    await world.passes(31)
    (open_event,) = await world.events()
    await world.passes(100)
    await world.stream(State.LIVE, epoch=2)
    due_s = await world.passes(29)
    still_open = (await world.events())[0].ended_at
    done = await world.passes(2)
    (event,) = await world.events()

    assert (open_event.kind, open_event.level, open_event.ended_at) == ("health", Level.ERROR, None)
    assert open_event.message == f"Door gives no picture. {REASON}"
    assert open_event.metadata["state"] == "down"
    assert due_s == pytest.approx(1, abs=0.1)
    assert still_open is None
    assert done is None
    assert (event.started_at, event.ended_at) == (at(10), at(141))
    assert world.series.events == [(A, "health")]
    assert [notice.event.ended_at for notice in world.notices if isinstance(notice, EventNotice)] == [
        None,
        at(141),
    ]


async def test_a_view_that_comes_and_goes_makes_one_event(world: World) -> None:
    for epoch in range(20):
        await world.stream(State.BACKOFF)
        await world.passes(10)
        await world.stream(State.LIVE, epoch=epoch)
        await world.passes(10)
    await world.passes(31)

    (event,) = await world.events()
    assert (event.started_at, event.ended_at) == (at(0), at(390))


async def test_trouble_that_becomes_another_stays_the_same_event(world: World) -> None:
    await world.stream(State.LIVE)
    await world.judge(FROZEN)
    await world.passes(31)
    (before,) = await world.events()
    await world.stream(State.STALLED)
    await world.stream(State.BACKOFF)
    (after,) = await world.events()

    assert (before.level, before.metadata["state"]) == (Level.WARNING, "frozen")
    assert (after.id, after.level, after.metadata["state"]) == (before.id, Level.ERROR, "down")
    assert after.message == f"Door gives no picture. {REASON}"


async def test_each_view_has_its_own_event(world: World) -> None:
    await world.stream(State.BACKOFF)
    await world.stream(State.BACKOFF, of=B)
    await world.passes(31)

    assert [event.template_id for event in await world.events()] == [A, B]


async def test_the_event_of_a_view_that_gives_nothing_has_its_last_good_picture(world: World) -> None:
    world.picture = Frame(A, 1, at(0), fake_jpeg(64, 36), 64, 36)
    await world.stream(State.BACKOFF)
    await world.passes(31)

    (event,) = await world.events()
    assert event.artifact_id is not None
    assert world.health.of(A).last_good_artifact_id == event.artifact_id


async def test_the_picture_of_a_view_that_shows_something_wrong_is_no_good_one(world: World) -> None:
    world.picture = Frame(A, 1, at(0), fake_jpeg(64, 36), 64, 36)
    await world.stream(State.LIVE)
    await world.judge(FROZEN)
    await world.passes(31)

    (event,) = await world.events()
    assert event.artifact_id is not None
    assert world.health.of(A).last_good_artifact_id is None


async def test_a_view_that_is_switched_off_or_no_longer_watched_is_not_in_trouble(world: World) -> None:
    for template_id in (A, B):
        await world.stream(State.BACKOFF, of=template_id)
    await world.passes(31)

    await world.stream(State.IDLE)
    world.health.switched_off(B)
    await world.passes(0)

    assert {world.health.of(each).state for each in (A, B)} == {HealthState.UNKNOWN}
    assert [event.ended_at for event in await world.events()] == [at(31), at(31)]


async def test_a_removed_view_ends_its_event_and_is_forgotten(world: World) -> None:
    await world.stream(State.BACKOFF)
    await world.passes(31)

    world.health.forget(A)
    await world.passes(0)
    await world.restart()

    (event,) = await world.events()
    assert event.ended_at == at(31)
    assert world.health.of(A).state is HealthState.UNKNOWN
    assert await world.database._real.read(lambda tx: tx.healths.after(None, 10)) == []


async def test_a_reason_of_our_own_neither_begins_nor_ends_an_event(world: World) -> None:
    ours = Verdict(HealthState.UNKNOWN, "There is no browser.")
    await world.stream(State.BACKOFF)
    await world.judge(ours)
    await world.passes(100)
    none_yet = await world.events()
    await world.judge(BLOCKED)
    await world.passes(31)
    await world.judge(ours)
    await world.passes(100)

    (event,) = await world.events()
    assert none_yet == []
    assert event.ended_at is None
    assert world.health.of(A).state is HealthState.BLOCKED


# Scheduled captures


async def test_a_capture_judges_a_view_that_does_not_run(world: World) -> None:
    artifact_id = ArtifactId(new_id())
    world.health.judged(A, WELL, artifact_id=artifact_id)
    world.clock.advance(3600)
    world.health.judged(A, BLOCKED)
    await world.health.settle()
    await world.passes(31)

    health = world.health.of(A)
    (event,) = await world.events()
    assert (health.state, health.last_good_at, health.last_good_artifact_id) == (
        HealthState.BLOCKED,
        at(0),
        artifact_id,
    )
    assert event.metadata == {"state": "blocked", "last_good_at": "2025-03-30T00:59:59.123456Z"}


async def test_a_capture_that_failed_on_our_side_neither_begins_nor_ends_an_event(world: World) -> None:
    ours = Verdict(HealthState.UNKNOWN, "There is no browser.")
    world.health.judged(A, ours)
    await world.passes(100)
    none_yet = await world.events()
    world.health.judged(A, BLOCKED)
    await world.passes(31)
    world.health.judged(A, ours)
    await world.passes(100)

    (event,) = await world.events()
    assert none_yet == []
    assert event.ended_at is None
    assert world.health.of(A).state is HealthState.BLOCKED


async def test_a_view_that_runs_knows_better_than_a_capture(world: World) -> None:
    await world.stream(State.LIVE)
    await world.judge(FROZEN)

    world.health.judged(A, WELL)

    assert world.health.of(A).state is HealthState.FROZEN


# Restarts and a database that is away


async def test_a_restart_neither_repeats_nor_ends_an_event(world: World) -> None:
    await world.stream(State.BACKOFF)
    await world.passes(31)
    await world.restart(a_template())
    await world.stream(State.CONNECTING)
    await world.stream(State.BACKOFF)
    await world.passes(100)
    (during,) = await world.events()
    await world.stream(State.LIVE)
    await world.passes(31)

    (event,) = await world.events()
    assert during.ended_at is None
    assert (event.started_at, event.ended_at) == (at(0), at(131))


async def test_grace_goes_on_over_a_restart(world: World) -> None:
    await world.stream(State.BACKOFF)
    await world.passes(20)
    await world.restart(a_template())
    await world.passes(11)

    (event,) = await world.events()
    assert event.started_at == at(0)


@pytest.mark.parametrize("left", [0, 1, 2, 3])
async def test_wherever_a_crash_comes_the_event_is_told_once(world: World, left: int) -> None:
    world.picture = Frame(A, 1, at(0), fake_jpeg(64, 36), 64, 36)
    await world.stream(State.BACKOFF)
    world.database.left = left
    await world.passes(31)
    world.database.left = None

    await world.restart(a_template())
    await world.passes(1)

    (event,) = await world.events()
    assert (event.started_at, event.ended_at) == (at(0), None)


@pytest.mark.parametrize("left", [0, 1, 2])
async def test_wherever_a_crash_comes_the_event_ends_once(world: World, left: int) -> None:
    await world.stream(State.BACKOFF)
    await world.passes(31)
    await world.stream(State.LIVE)
    world.database.left = left
    await world.passes(31)
    world.database.left = None

    await world.restart(a_template())
    await world.stream(State.LIVE)
    await world.passes(31)
    await world.passes(100)

    (event,) = await world.events()
    assert event.ended_at == at(31)
    assert world.health.of(A).state is HealthState.OK


@pytest.mark.parametrize(
    "template",
    [a_template(enabled=False), a_template(live=False), None],
    ids=["switched off", "on demand", "removed"],
)
async def test_what_does_not_run_after_a_restart_is_no_longer_in_trouble(
    world: World, template: Template | None
) -> None:
    await world.stream(State.BACKOFF)
    await world.passes(31)

    await world.restart(*([template] if template else []))

    (event,) = await world.events()
    assert event.ended_at is not None
    assert world.health.of(A).state is HealthState.UNKNOWN


async def test_what_a_capture_said_outlives_a_restart(world: World) -> None:
    world.health.judged(A, BLOCKED)
    await world.health.settle()

    await world.restart(a_template(live=False))

    assert world.health.of(A).state is HealthState.BLOCKED


async def test_while_the_database_is_away_nothing_is_lost(world: World) -> None:
    world.database.away = True
    await world.stream(State.BACKOFF)
    again_s = await world.passes(31)
    world.database.away = False
    await world.passes(2)

    (event,) = await world.events()
    assert again_s == 2
    assert event.started_at == at(0)


async def test_an_event_that_was_deleted_is_no_trouble_for_the_others(world: World) -> None:
    await world.stream(State.LIVE)
    await world.judge(FROZEN)
    await world.passes(31)
    (event,) = await world.events()
    world.health._views[A].written = Event(  # as if retention had taken it
        id=type(event.id)(new_id()),
        template_id=A,
        kind="health",
        level=Level.WARNING,
        message="",
        started_at=at(0),
        created_at=at(0),
    )
    await world.stream(State.BACKOFF)
    await world.stream(State.BACKOFF, of=B)
    await world.passes(31)

    assert [found.template_id for found in await world.events()] == [A, B]


async def test_the_task_tells_of_trouble_when_it_is_due(world: World) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(world.health.run())
        status = StreamStatus(state=State.BACKOFF, since=at(0))
        world.health.stream_changed(StateChanged(A, status))
        await asyncio.sleep(0)
        world.clock.advance(31)
        world.health.stream_changed(StateChanged(B, status))
        async with asyncio.timeout(20):
            while not await world.events():  # noqa: ASYNC110 - the task is on its way
                await asyncio.sleep(0.01)
        task.cancel()

    assert [event.template_id for event in await world.events()] == [A]
