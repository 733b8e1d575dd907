"""What every pool of live views does, the fake one as the one with worker processes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import simplejpeg

from glimpser.capture.ingest.pool import PoolSettings, open_pool
from glimpser.capture.pools import Pools
from glimpser.core.clock import SystemClock
from glimpser.core.errors import Unavailable
from glimpser.core.frames import NATIVE_WIDTH, Frame
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.live import FrameReady, LiveSpec, MediaInput, State, StateChanged
from glimpser.core.motion import OFF, MotionSettings
from glimpser.core.ports import LivePool
from glimpser.testing.clips import make_clip
from glimpser.testing.live import FakeLivePool, LiveLog, following

pytestmark = pytest.mark.anyio


@dataclass
class World:
    """A pool, what it reports, and a view it can run, whose picture is 64 pixels wide."""

    pool: LivePool
    log: LiveLog
    spec: LiveSpec[MediaInput]

    @property
    def id(self) -> TemplateId:
        return self.spec.template_id

    def states(self) -> list[State]:
        return [e.status.state for e in self.log.events if isinstance(e, StateChanged)]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder / "clip.mp4", seconds=1, width=64, height=64, fps=20, gop=5)
    return folder


@pytest.fixture(params=["fake", "processes"])
async def world(request: pytest.FixtureRequest, clips: Path) -> AsyncIterator[World]:
    media = MediaInput(address="clip.mp4", is_file=True, loop=True)
    spec = LiveSpec(template_id=TemplateId(new_id()), feed=media, motion=MotionSettings(detector=OFF))
    if request.param == "fake":
        fake = FakeLivePool(SystemClock())
        async with following(fake) as log:
            yield World(fake, log, spec)
        return
    settings = PoolSettings(
        workers=1, allowed_networks=(), own_sockets=(), file_roots=(str(clips),), stall_timeout_s=8
    )
    async with open_pool(settings, SystemClock()) as processes:
        pool = Pools({MediaInput: processes})
        async with following(pool) as log:
            yield World(pool, log, spec)


def check(frame: Frame, world: World, width: int) -> None:
    assert frame.template_id == world.id
    assert frame.width == width
    assert frame.captured_at.utcoffset() is not None
    rows, columns, *_ = simplejpeg.decode_jpeg_header(frame.jpeg)
    assert (columns, rows) == (frame.width, frame.height)


async def test_a_view_that_is_started_connects_and_is_live(world: World) -> None:
    await world.pool.start(world.spec)

    connecting = await world.log.state(world.id, State.CONNECTING)
    live = await world.log.state(world.id, State.LIVE)

    assert world.states() == [State.CONNECTING, State.LIVE]
    assert live.epoch == connecting.epoch + 1
    assert live.since.utcoffset() is not None
    assert live.fps
    assert live.width == 64


async def test_wanted_pictures_come_in_their_widths(world: World) -> None:
    await world.pool.start(world.spec)
    await world.log.state(world.id, State.LIVE)

    with (
        world.pool.want(world.id, width=32, fps=None),
        world.pool.want(world.id, width=NATIVE_WIDTH, fps=5),
    ):
        small = await world.log.frame(world.id, 32)
        native = await world.log.frame(world.id, NATIVE_WIDTH)

    check(small, world, 32)
    check(native, world, 64)


async def test_pictures_may_be_wanted_before_the_view_runs(world: World) -> None:
    with world.pool.want(world.id, width=32, fps=None):
        await world.pool.start(world.spec)

        check(await world.log.frame(world.id, 32), world, 32)


async def test_a_snapshot_is_a_picture_as_wide_as_asked(world: World) -> None:
    await world.pool.start(world.spec)
    await world.log.state(world.id, State.LIVE)

    native = await world.pool.snapshot(world.id)
    small = await world.pool.snapshot(world.id, 32)
    wide = await world.pool.snapshot(world.id, 5000)

    check(native, world, 64)
    check(small, world, 32)
    check(wide, world, 64)


async def test_of_a_view_that_does_not_run_there_is_no_snapshot(world: World) -> None:
    with pytest.raises(Unavailable):
        await world.pool.snapshot(world.id)


async def test_starting_what_runs_changes_nothing(world: World) -> None:
    await world.pool.start(world.spec)
    await world.log.state(world.id, State.LIVE)

    await world.pool.start(replace(world.spec))
    await world.pool.snapshot(world.id)

    assert world.states() == [State.CONNECTING, State.LIVE]


async def test_another_spec_begins_anew_in_the_next_epoch(world: World) -> None:
    await world.pool.start(world.spec)
    first = await world.log.state(world.id, State.LIVE)

    await world.pool.start(replace(world.spec, feed=replace(world.spec.feed, fps=10.0)))
    await world.log.state(world.id, State.CONNECTING)
    second = await world.log.state(world.id, State.LIVE)

    assert second.epoch == first.epoch + 1


async def test_a_view_that_is_stopped_is_idle_and_gives_nothing_more(world: World) -> None:
    with world.pool.want(world.id, width=32, fps=None):
        await world.pool.start(world.spec)
        await world.log.frame(world.id, 32)

        await world.pool.stop(world.id)
        idle = await world.log.state(world.id, State.IDLE)

    assert idle.reason is None
    assert world.states()[-1] is State.IDLE
    with pytest.raises(Unavailable):
        await world.pool.snapshot(world.id)


async def test_stopping_what_does_not_run_is_ignored(world: World) -> None:
    await world.pool.stop(world.id)
    await world.pool.start(world.spec)
    await world.log.state(world.id, State.LIVE)
    await world.pool.stop(world.id)
    await world.pool.stop(world.id)
    await world.log.state(world.id, State.IDLE)

    assert world.states().count(State.IDLE) == 1


async def test_a_view_stopped_and_started_at_once_begins_anew_and_nothing_of_before_comes_after(
    world: World,
) -> None:
    with world.pool.want(world.id, width=32, fps=None):
        await world.pool.start(world.spec)
        await world.log.frame(world.id, 32)

        await world.pool.stop(world.id)
        await world.pool.start(world.spec)
        await world.log.state(world.id, State.IDLE)
        await world.log.state(world.id, State.LIVE)
        await world.log.frame(world.id, 32)

    told = [event.status.state if isinstance(event, StateChanged) else event for event in world.log.events]
    stopped = told.index(State.IDLE)
    begun = told.index(State.LIVE, stopped)
    assert not [event for event in told[stopped:begun] if isinstance(event, FrameReady)]
    assert world.states() == [
        State.CONNECTING,
        State.LIVE,
        State.IDLE,
        State.CONNECTING,
        State.LIVE,
    ]
