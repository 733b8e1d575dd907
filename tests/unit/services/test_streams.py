from datetime import timedelta

import pytest

from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId
from glimpser.core.live import FrameReady, State, StateChanged, StreamMeasured, StreamStatus
from glimpser.services.streams import Streams
from glimpser.streaming.hub import Hub
from glimpser.testing.clock import START, FakeClock
from tests.unit.services.viewing import Recorder

pytestmark = pytest.mark.anyio
A, B = TemplateId("A"), TemplateId("B")


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.metrics = Recorder()
        self.banners: list[str] = []
        self.hub = Hub(clock=self.clock, metrics=self.metrics, paint=self._paint)
        self.streams = Streams(hub=self.hub, clock=self.clock, metrics=self.metrics)

    async def _paint(self, picture: bytes | None, text: str, width: int) -> bytes:
        self.banners.append(text)
        return b"banner"

    def change(self, state: State, reason: str | None = None, **known: float) -> None:
        status = StreamStatus(state=state, since=self.clock.now(), reason=reason, fps=known.get("fps"))
        self.streams.state_changed(StateChanged(A, status))

    def measure(self, fps: float) -> None:
        self.streams.measured(StreamMeasured(A, fps=fps, last_packet_age_s=0, dropped_frames=0, restarts=0))

    def frame(self, sequence: int = 1) -> None:
        self.streams.frame_came(FrameReady(Frame(A, sequence, self.clock.now(), b"jpeg", 640, 360), 0))

    async def banner(self) -> str:
        """What a viewer who watches now is shown."""
        async with self.hub.subscribe(A, client="ann"):
            self.clock.advance(10)
            await self.hub.repeat_due()
        return self.banners[-1] if self.banners else ""


def test_a_stream_nobody_has_heard_of_is_idle_since_the_beginning() -> None:
    assert World().streams.status(A) == StreamStatus(state=State.IDLE, since=START)


def test_the_state_is_what_was_reported_last() -> None:
    world = World()
    world.change(State.CONNECTING)
    world.change(State.FAILED, "It is broken.")

    status = world.streams.status(A)

    assert (status.state, status.reason) == (State.FAILED, "It is broken.")
    assert world.streams.status(B).state is State.IDLE


def test_while_there_are_pictures_the_rate_is_the_measured_one() -> None:
    world = World()
    world.change(State.LIVE, fps=25.0)
    assert world.streams.status(A).fps == 25.0

    world.measure(fps=14.8)
    assert world.streams.status(A).fps == 14.8

    world.change(State.BACKOFF, "gone")
    assert world.streams.status(A).fps is None
    assert [figures.fps for figures in world.metrics.measured] == [14.8]


async def test_viewers_are_told_since_when_and_why_there_are_no_pictures() -> None:
    world = World()
    world.change(State.LIVE)
    world.frame()
    world.clock.advance(60)
    world.change(State.STALLED, "No picture has come for 8 s.")
    world.clock.advance(60)
    world.change(State.BACKOFF, "The camera does not answer.")

    shown = await world.banner()

    since = START + timedelta(seconds=60)
    assert shown == f"offline since {since:%Y-%m-%d %H:%M:%S} UTC: The camera does not answer."


async def test_connecting_again_does_not_take_the_reason_away() -> None:
    world = World()
    world.frame()
    world.change(State.BACKOFF, "The camera does not answer.")
    world.change(State.CONNECTING, "The camera does not answer.")

    assert "The camera does not answer." in await world.banner()


async def test_a_view_that_was_switched_off_says_so() -> None:
    world = World()
    world.frame()
    world.change(State.IDLE)

    assert "switched off" in await world.banner()


async def test_when_pictures_come_again_nothing_is_said_any_more() -> None:
    world = World()
    world.frame()
    world.change(State.BACKOFF, "gone")
    world.change(State.LIVE)
    world.frame(2)

    assert await world.banner() == ""


async def test_a_removed_view_is_forgotten_wholly() -> None:
    world = World()
    world.change(State.LIVE, fps=5.0)
    world.frame()
    world.measure(5.0)

    async with world.hub.subscribe(A, client="ann") as viewer:
        world.streams.forget(A)
        assert viewer.ended

    assert world.streams.status(A).state is State.IDLE
    assert world.hub.latest(A) is None
    assert world.metrics.forgotten == [A]


async def test_a_view_that_begins_again_shows_its_last_picture_as_it_was() -> None:
    world = World()
    world.change(State.LIVE)
    world.frame()
    world.change(State.IDLE)
    assert "switched off" in await world.banner()

    world.change(State.CONNECTING)

    async with world.hub.subscribe(A, client="ann") as viewer:
        shown = await viewer.next_picture()
    assert shown is not None
    assert shown.frame.jpeg == b"jpeg"


async def test_a_view_that_tries_again_is_still_offline() -> None:
    world = World()
    world.change(State.LIVE)
    world.frame()
    world.change(State.BACKOFF, "gone")

    world.change(State.CONNECTING)

    assert "gone" in await world.banner()
