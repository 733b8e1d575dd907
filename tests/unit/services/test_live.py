import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from glimpser.core.errors import GlimpserError, Unavailable
from glimpser.core.health import WELL, Judged
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.live import BurstReported, FrameReady, MediaInput, State, StateChanged, StreamMeasured
from glimpser.core.motion import OFF, BurstOpened, MotionSettings
from glimpser.core.templates import Template, TemplateSettings, Zone
from glimpser.db import SqlDatabase, open_database
from glimpser.services.feeds import Feeds
from glimpser.services.live import Live
from glimpser.services.streams import Streams
from glimpser.streaming.hub import Hub
from glimpser.testing.clock import FakeClock
from glimpser.testing.live import SIZE, FakeLivePool
from tests.unit.services.viewing import KIND, Recorder, new_database

pytestmark = pytest.mark.anyio
SETTINGS = TemplateSettings(name="Door", kind="ffmpeg", config={"url": "rtsp://10.0.0.9/"})
ON_DEMAND = replace(SETTINGS, live=False)


@dataclass
class HealthLog:
    """What was noted of the views' health, in order."""

    loaded: list[TemplateId] = field(default_factory=list)
    noted: list[object] = field(default_factory=list)
    off: list[TemplateId] = field(default_factory=list)
    gone: list[TemplateId] = field(default_factory=list)

    async def load(self, templates: Collection[Template]) -> None:
        self.loaded += [template.id for template in templates]

    def stream_changed(self, change: StateChanged) -> None:
        self.noted.append(change)

    def pictures_judged(self, judged: Judged) -> None:
        self.noted.append(judged)

    def measured(self, figures: StreamMeasured) -> None:
        self.noted.append(figures)

    def switched_off(self, template_id: TemplateId) -> None:
        self.off.append(template_id)

    def forget(self, template_id: TemplateId) -> None:
        self.gone.append(template_id)


class World:
    """The live views over a fake pool and a real database; `told` is what is to be recorded."""

    def __init__(self, database: SqlDatabase) -> None:
        self.clock = FakeClock()
        self.metrics = Recorder()
        self.database = database
        self.pool = FakeLivePool(self.clock)
        self.hub = Hub(clock=self.clock, metrics=self.metrics)
        self.streams = Streams(hub=self.hub, clock=self.clock, metrics=self.metrics)
        self.told: list[StateChanged | BurstReported] = []
        self.health = HealthLog()
        self.live = Live(
            pool=self.pool,
            streams=self.streams,
            database=database,
            feeds=Feeds({KIND.name: KIND}, clock=self.clock),
            clock=self.clock,
            tell=self._tell,
            health=self.health,
            linger_s=0.02,
        )

    async def _tell(self, report: StateChanged | BurstReported) -> None:
        self.told.append(report)

    async def add(self, settings: TemplateSettings = SETTINGS) -> Template:
        now = self.clock.now()
        template = Template(
            id=TemplateId(new_id()), settings=settings, version=1, created_at=now, updated_at=now
        )
        await self.database.write(lambda tx: tx.templates.add(template))
        return template

    async def change(self, template: Template, settings: TemplateSettings) -> Template:
        changed = await self.database.write(
            lambda tx: tx.templates.replace(
                template.id, settings, expected=template.version, now=self.clock.now()
            )
        )
        self.live.changed(template.id)
        return changed

    async def read(self, template: Template) -> Template:
        return await self.database.read(lambda tx: tx.templates.get(template.id))

    async def remove(self, template: Template) -> None:
        await self.database.write(lambda tx: tx.templates.remove(template.id, expected=template.version))
        self.live.changed(template.id)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - many small things may make it true
                await asyncio.sleep(0.002)

    async def until_live(self, template: Template) -> None:
        await self.until(lambda: self.live.status(template.id).state is State.LIVE)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Not running yet."""
    async with open_database(new_database(tmp_path)) as database:
        yield World(database)


@pytest.fixture
async def running(world: World) -> AsyncIterator[World]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(world.live.run())
        yield world
        task.cancel()


# What runs


async def test_at_the_start_every_view_that_is_to_be_live_is_started(world: World) -> None:
    templates = [await world.add() for _ in range(3)]
    await world.add(ON_DEMAND)
    await world.add(replace(SETTINGS, enabled=False))

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(world.live.run())
        for template in templates:
            await world.until_live(template)
        task.cancel()

    assert set(world.pool.running) == {template.id for template in templates}


async def test_more_views_than_a_page_holds_are_started(world: World) -> None:
    for _ in range(250):
        await world.add()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(world.live.run())
        await world.until(lambda: len(world.pool.running) == 250)
        task.cancel()


async def test_a_view_is_run_as_its_template_says(running: World) -> None:
    triangle = ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))
    motion = MotionSettings(sensitivity=0.9)
    template = await running.add(
        replace(SETTINGS, motion=motion, zones=(Zone("door", triangle),), motion_masks=(triangle,))
    )
    running.live.changed(template.id)
    await running.until_live(template)

    spec = running.pool.running[template.id]
    assert spec.feed == KIND.feed(SETTINGS.config)
    assert (spec.motion, spec.zones, spec.motion_masks) == (motion, (triangle,), (triangle,))
    assert running.live.name_of(template.id) == "Door"


async def test_a_change_restarts_the_view_it_was_made_to_and_no_other(running: World) -> None:
    one, other = await running.add(), await running.add()
    for template in (one, other):
        running.live.changed(template.id)
        await running.until_live(template)

    await running.change(one, replace(SETTINGS, config={"url": "rtsp://10.0.0.10/"}))
    await running.until(lambda: len(running.pool.started) == 3)

    assert running.pool.started[-1].template_id == one.id
    assert running.pool.started[-1].feed == MediaInput(address="rtsp://10.0.0.10/")


async def test_a_new_name_restarts_nothing(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)

    await running.change(template, replace(SETTINGS, name="Gate"))
    await running.until(lambda: running.live.name_of(template.id) == "Gate")

    assert len(running.pool.started) == 1


async def test_a_new_mask_makes_the_pictures_of_before_be_forgotten(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)
    async with running.live.watch(template, width=None, fps=None, client="me"):
        await running.until(lambda: running.hub.latest(template.id, 0) is not None)
        running.pool.answers = False

        await running.change(template, replace(SETTINGS, name="Gate"))
        await running.until(lambda: running.live.name_of(template.id) == "Gate")
        kept = running.hub.latest(template.id, 0)
        masked = replace(SETTINGS, name="Street", privacy_masks=(((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)),))
        await running.change(await running.read(template), masked)
        await running.until(lambda: running.hub.latest(template.id, 0) is None)

    assert kept is not None
    assert running.pool.started[-1].privacy_masks == masked.privacy_masks


async def test_a_view_that_is_switched_off_stops_and_says_so_to_the_record(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)

    await running.change(template, replace(SETTINGS, enabled=False))
    await running.until(lambda: running.live.status(template.id).state is State.IDLE)

    assert not running.pool.running
    states = [report.status.state for report in running.told if isinstance(report, StateChanged)]
    assert states == [State.CONNECTING, State.LIVE, State.IDLE]


async def test_the_health_of_views_is_noted(world: World) -> None:
    template = await world.add()
    other = await world.add(ON_DEMAND)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(world.live.run())
        await world.until_live(template)
        judged = Judged(template.id, WELL, world.clock.now())
        figures = StreamMeasured(template.id, fps=5, last_packet_age_s=0, dropped_frames=0, restarts=0)
        world.pool.put(judged)
        world.pool.put(figures)
        world.pool.put(Judged(TemplateId(new_id()), WELL, world.clock.now()))
        await world.until(lambda: figures in world.health.noted)
        await world.change(template, replace(SETTINGS, enabled=False))
        await world.until(lambda: world.health.off == [template.id])
        await world.remove(other)
        await world.until(lambda: world.health.gone == [other.id])
        task.cancel()

    assert world.health.loaded == [template.id, other.id]
    states = [note.status.state for note in world.health.noted if isinstance(note, StateChanged)]
    assert states[:2] == [State.CONNECTING, State.LIVE]
    assert [note for note in world.health.noted if isinstance(note, Judged)] == [judged]


async def test_the_newest_picture_of_a_view_that_is_down_is_its_last(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)
    async with running.live.watch(template, width=None, fps=None, client="me"):
        await running.until(lambda: running.hub.latest(template.id) is not None)
    now = await running.live.newest_picture(template.id)
    last = running.hub.latest(template.id)
    running.pool.change(template.id, State.BACKOFF, "gone")

    assert now is not None
    assert await running.live.newest_picture(template.id) == last
    assert await running.live.newest_picture(TemplateId(new_id())) is None


async def test_a_removed_view_is_stopped_recorded_and_forgotten_for_good(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)
    frame = await running.pool.snapshot(template.id)

    await running.remove(template)
    await running.until(lambda: bool(running.metrics.forgotten))
    running.pool.put(FrameReady(frame, 0))
    running.pool.put(StreamMeasured(template.id, fps=1, last_packet_age_s=0, dropped_frames=0, restarts=0))
    closing = StateChanged(template.id, running.live.status(template.id))
    running.pool.put(closing)
    await running.until(lambda: running.told[-1] is closing)

    assert not running.pool.running
    assert running.hub.latest(template.id) is None
    assert running.metrics.measured == []


async def test_a_view_of_a_kind_nobody_knows_has_failed_and_the_others_run(world: World) -> None:
    unknown = await world.add(replace(SETTINGS, kind="hologram"))
    known = await world.add()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(world.live.run())
        await world.until_live(known)
        task.cancel()

    status = world.live.status(unknown.id)
    assert status.state is State.FAILED
    assert "hologram" in (status.reason or "")


async def test_what_happens_in_a_view_is_told_in_order(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)
    step = BurstOpened(started_at=running.clock.now(), peak_at=running.clock.now(), score=0.5, boxes=())
    burst = BurstReported(template.id, step, None)

    running.pool.put(burst)
    running.pool.change(template.id, State.BACKOFF, "gone")
    await running.until(lambda: running.live.status(template.id).state is State.BACKOFF)

    assert running.told[-2] is burst
    last = running.told[-1]
    assert isinstance(last, StateChanged)
    assert last.status.reason == "gone"


# Watching


async def test_a_viewer_gets_pictures_in_the_next_shared_width(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)

    async with running.live.watch(template, width=300, fps=5, client="ann") as viewer:
        async with asyncio.timeout(30):
            picture = await viewer.next_picture()
        wanted = running.pool.wanted(template.id)

    assert picture is not None
    assert picture.frame.template_id == template.id
    assert wanted == (320,)
    assert running.pool.wanted(template.id) == ()


async def test_a_view_on_demand_runs_while_it_is_watched_without_motion_and_a_little_longer(
    running: World,
) -> None:
    template = await running.add(ON_DEMAND)
    running.live.changed(template.id)
    assert not running.pool.running

    async with running.live.watch(template, width=None, fps=None, client="ann") as viewer:
        async with asyncio.timeout(30):
            await viewer.next_picture()
        assert running.pool.running[template.id].motion.detector == OFF

    await running.until(lambda: not running.pool.running)
    assert running.live.status(template.id).state is not State.FAILED


async def test_a_second_viewer_keeps_a_view_on_demand_running(running: World) -> None:
    template = await running.add(ON_DEMAND)

    async with running.live.watch(template, width=None, fps=None, client="ann"):
        async with running.live.watch(template, width=None, fps=None, client="bob"):
            await running.until_live(template)
        await asyncio.sleep(0.06)  # longer than a view lingers
        assert template.id in running.pool.running

    await running.until(lambda: not running.pool.running)
    assert len(running.pool.started) == 1


async def test_a_view_that_is_made_one_on_demand_goes_on_for_who_watches_it(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)

    async with running.live.watch(template, width=None, fps=None, client="ann"):
        await running.change(template, ON_DEMAND)
        await running.until(lambda: len(running.pool.started) == 2)
        assert running.pool.running[template.id].motion.detector == OFF

    await running.until(lambda: State.IDLE in states_told(running))
    assert not running.pool.running
    assert states_told(running).count(State.IDLE) == 1


def states_told(running: World) -> list[State]:
    return [change.status.state for change in running.told if isinstance(change, StateChanged)]


async def test_a_viewer_with_an_old_copy_of_a_template_starts_it_as_it_is_now(running: World) -> None:
    old = await running.add(ON_DEMAND)
    await running.change(old, replace(ON_DEMAND, config={"url": "rtsp://10.0.0.77/"}))

    async with running.live.watch(old, width=None, fps=None, client="ann"):
        await running.until_live(old)

    assert running.pool.started[0].feed == MediaInput(address="rtsp://10.0.0.77/")


async def test_a_viewer_with_a_copy_of_a_removed_template_does_not_bring_it_back(running: World) -> None:
    template = await running.add(ON_DEMAND)
    await running.remove(template)
    await running.until(lambda: bool(running.metrics.forgotten))

    async with running.live.watch(template, width=None, fps=None, client="ann"):
        await running.until(lambda: len(running.metrics.forgotten) == 2)

    assert running.pool.started == []


async def test_a_view_that_is_switched_off_cannot_be_watched(running: World) -> None:
    template = await running.add(replace(SETTINGS, enabled=False))

    with pytest.raises(Unavailable, match="switched off"):
        async with running.live.watch(template, width=None, fps=None, client="ann"):
            pass
    with pytest.raises(Unavailable, match="switched off"):
        await running.live.snapshot(template, width=None, allow_stale=False)


# Snapshots


async def test_a_snapshot_of_a_live_view_is_taken_now(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)

    frame = await running.live.snapshot(template, width=None, allow_stale=False)

    assert (frame.width, frame.template_id) == (SIZE[0], template.id)


async def test_a_picture_that_was_just_shown_is_not_taken_again(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)
    async with running.live.watch(template, width=None, fps=None, client="ann") as viewer:
        async with asyncio.timeout(30):
            picture = await viewer.next_picture()
        assert picture is not None

        fresh = await running.live.snapshot(template, width=None, allow_stale=False)
        running.clock.advance(1)
        newer = await running.live.snapshot(template, width=None, allow_stale=False)

    assert fresh is picture.frame
    assert newer.sequence > picture.frame.sequence


async def test_a_snapshot_of_a_view_on_demand_waits_until_it_is_live(running: World) -> None:
    template = await running.add(ON_DEMAND)

    frame = await running.live.snapshot(template, width=320, allow_stale=False)

    assert frame.template_id == template.id
    await running.until(lambda: not running.pool.running)


async def test_a_lost_view_says_why_it_gives_no_picture_unless_an_old_one_will_do(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)
    last = await running.pool.snapshot(template.id)
    running.pool.put(FrameReady(last, 0))
    running.pool.change(template.id, State.BACKOFF, "The camera does not answer.")
    await running.until(lambda: running.live.status(template.id).state is State.BACKOFF)
    running.clock.advance(60)

    with pytest.raises(Unavailable, match="does not answer"):
        await running.live.snapshot(template, width=320, allow_stale=False)
    stale = await running.live.snapshot(template, width=320, allow_stale=True)

    assert stale is last


async def test_of_old_pictures_the_newest_is_given(running: World) -> None:
    template = await running.add()
    running.live.changed(template.id)
    await running.until_live(template)
    for width in (320, 0):
        frame = await running.pool.snapshot(template.id, width)
        running.pool.put(FrameReady(frame, width))
        running.clock.advance(10)
    running.pool.change(template.id, State.FAILED, "broken")
    await running.until(lambda: running.live.status(template.id).state is State.FAILED)

    stale = await running.live.snapshot(template, width=320, allow_stale=True)

    assert stale is frame


async def test_a_view_that_never_gave_a_picture_has_no_old_one(running: World) -> None:
    running.pool.answers = False
    template = await running.add()
    running.live.changed(template.id)
    await running.until(lambda: template.id in running.pool.running)
    running.pool.change(template.id, State.FAILED, "This is no camera.")
    await running.until(lambda: running.live.status(template.id).state is State.FAILED)

    with pytest.raises(GlimpserError, match="no camera"):
        await running.live.snapshot(template, width=None, allow_stale=True)
