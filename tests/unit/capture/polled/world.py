"""A pool of slow views whose time is turned by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from glimpser.capture.polled.desk import PolledSettings
from glimpser.capture.polled.pool import PolledPool, open_polled_pool
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.live import LiveSpec, Polled, Pushed
from glimpser.core.motion import OFF, MotionSettings, Polygon
from glimpser.core.sources import Shot
from glimpser.testing.clock import FakeClock
from glimpser.testing.live import LiveLog, fake_jpeg, following


def a_shot(*, width: int = 640, height: int = 360, brightness: int = 128) -> Shot:
    return Shot(jpeg=fake_jpeg(width, height, brightness=brightness), width=width, height=height)


class ListedSource:
    """Answers with what it was given, in order; the last answer again and again. `gate` holds it up."""

    def __init__(self, *answers: Shot | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.asked_now = 0
        self.gate: asyncio.Event | None = None

    async def snapshot(self) -> Shot:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        self.asked_now += 1
        try:
            if self.gate:
                await self.gate.wait()
        finally:
            self.asked_now -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Timing:
    """Sleeps that end when a test says that time has passed."""

    clock: FakeClock = field(default_factory=FakeClock)
    sleeping: list[tuple[float, asyncio.Future[None]]] = field(default_factory=list)

    async def wait(self, seconds: float) -> None:
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleeping.append((self.clock.monotonic() + seconds, over))
        await over

    async def advance(self, seconds: float) -> None:
        await settle()
        self.clock.advance(seconds)
        for due, over in self.sleeping:
            if due <= self.clock.monotonic() and not over.done():
                over.set_result(None)
        await settle()


async def settle() -> None:
    """Let every task go as far as it can by itself."""
    for _ in range(50):
        await asyncio.sleep(0)


@dataclass
class World:
    pool: PolledPool
    log: LiveLog
    timing: Timing


@asynccontextmanager
async def a_world(*, max_asked: int = 32) -> AsyncIterator[World]:
    timing = Timing()
    settings = PolledSettings(max_asked=max_asked, wait=timing.wait, vary=lambda _low, high: high)
    async with open_polled_pool(timing.clock, settings) as pool, following(pool) as log:
        yield World(pool, log, timing)


def a_spec(
    source: ListedSource,
    *,
    interval_s: float = 60,
    template_id: TemplateId | None = None,
    masks: tuple[Polygon, ...] = (),
) -> LiveSpec[Polled]:
    return LiveSpec(
        template_id=template_id or TemplateId(new_id()),
        feed=Polled(source=source, key=f"{id(source)}", interval_s=interval_s),
        motion=MotionSettings(detector=OFF),
        privacy_masks=masks,
    )


def a_pushed_spec(expect_every_s: float | None = None) -> LiveSpec[Pushed]:
    feed = Pushed(expect_every_s=expect_every_s)
    return LiveSpec(template_id=TemplateId(new_id()), feed=feed, motion=MotionSettings(detector=OFF))
