"""One pool for views of every sort."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from glimpser.capture.pools import Pools
from glimpser.core.clock import SystemClock
from glimpser.core.errors import Unavailable
from glimpser.core.ids import TemplateId
from glimpser.core.live import Feed, LiveSpec, MediaInput, Polled, State
from glimpser.core.motion import MotionSettings
from glimpser.core.sources import Shot
from glimpser.testing.live import FakeLivePool, LiveLog, following

pytestmark = pytest.mark.anyio

VIEW = TemplateId("01JZZZZZZZZZZZZZZZZZZZZZZZ")
STREAM = MediaInput(address="rtsp://10.0.0.9/")


class NoSource:
    async def snapshot(self) -> Shot:
        raise NotImplementedError


STILL = Polled(source=NoSource(), key="a page", interval_s=60)


@dataclass
class World:
    pools: Pools
    streams: FakeLivePool
    stills: FakeLivePool
    log: LiveLog


@asynccontextmanager
async def a_world() -> AsyncIterator[World]:
    streams, stills = FakeLivePool(SystemClock()), FakeLivePool(SystemClock())
    pools = Pools({MediaInput: streams, Polled: stills})
    async with following(pools) as log:
        yield World(pools, streams, stills, log)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as made:
        yield made


def spec(feed: Feed) -> LiveSpec[Feed]:
    return LiveSpec(template_id=VIEW, feed=feed, motion=MotionSettings())


async def test_a_view_runs_in_the_pool_for_its_feed_and_its_events_are_heard(world: World) -> None:
    await world.pools.start(spec(STILL))
    await world.log.state(VIEW, State.LIVE)

    assert world.stills.is_live(VIEW)
    assert not world.streams.is_live(VIEW)


async def test_a_view_whose_feed_becomes_another_leaves_the_old_pool(world: World) -> None:
    await world.pools.start(spec(STILL))

    await world.pools.start(spec(STREAM))

    assert not world.stills.is_live(VIEW)
    assert world.streams.is_live(VIEW)


async def test_who_wants_pictures_gets_them_from_a_view_that_starts_later(world: World) -> None:
    with world.pools.want(VIEW, width=320, fps=None):
        await world.pools.start(spec(STREAM))

        assert world.streams.wanted(VIEW) == (320,)

    assert world.streams.wanted(VIEW) == ()


async def test_a_picture_comes_from_where_the_view_runs_and_from_nowhere_else(world: World) -> None:
    with pytest.raises(Unavailable):
        await world.pools.snapshot(VIEW)

    await world.pools.start(spec(STREAM))
    assert (await world.pools.snapshot(VIEW)).template_id == VIEW

    await world.pools.stop(VIEW)
    with pytest.raises(Unavailable):
        await world.pools.snapshot(VIEW)


async def test_one_pool_may_run_two_sorts_of_feed_and_is_heard_once() -> None:
    shared = FakeLivePool(SystemClock())
    pools = Pools({MediaInput: shared, Polled: shared})
    async with following(pools) as log:
        with pools.want(VIEW, width=320, fps=None):
            await pools.start(spec(STILL))
            await log.state(VIEW, State.LIVE)

            assert shared.wanted(VIEW) == (320,)
