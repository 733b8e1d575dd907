import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from glimpser.core.errors import TooMany, Unavailable
from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId
from glimpser.streaming.hub import Hub, HubLimits, Paint
from glimpser.streaming.subscriptions import Client, Published, Subscription

CAM = TemplateId("01JD0000000000000000000CAM")
OTHER = TemplateId("01JD000000000000000000CAM2")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    seconds: float = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOW


@dataclass
class Counts:
    subscribers: list[tuple[str, int]] = field(default_factory=list)
    dropped: list[tuple[str, str]] = field(default_factory=list)

    def subscribers_changed(self, template_id: TemplateId, count: int) -> None:
        self.subscribers.append((template_id, count))

    def frame_dropped(self, template_id: TemplateId, consumer: str) -> None:
        self.dropped.append((template_id, consumer))


@dataclass
class Painter:
    """Paints by writing the text in front of the picture; remembers how often, can be made to wait."""

    texts: list[str] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.go_on.set()

    async def __call__(self, jpeg: bytes | None, text: str, width_px: int) -> bytes:
        self.texts.append(text)
        await self.go_on.wait()
        return f"{width_px}:".encode() + (jpeg or b"nothing")


@dataclass
class House:
    paint: Paint | None = None
    limits: HubLimits | None = None
    clock: Clock = field(default_factory=Clock)
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self.hub = Hub(clock=self.clock, metrics=self.counts, limits=self.limits, paint=self.paint)

    def publish(self, sequence: int, width: int = 0, template_id: TemplateId = CAM) -> None:
        jpeg = f"jpeg{sequence}".encode()
        self.hub.publish(
            Frame(template_id, sequence, NOW, jpeg, width or 1920, (width or 1920) * 9 // 16), width
        )

    def subscribe(self, width: int = 0, *, fps: float | None = None, client: Client = "me") -> Subscription:
        return self.hub.subscribe(CAM, width, fps=fps, client=client)


def play(scenario: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(5):
            await scenario

    asyncio.run(bounded())


async def taken(subscription: Subscription) -> int:
    picture = await subscription.next_picture()
    assert picture is not None
    return picture.frame.sequence


async def nothing_waits(subscription: Subscription) -> bool:
    waiting = asyncio.ensure_future(subscription.next_picture())
    await asyncio.sleep(0)
    waiting.cancel()
    return not waiting.done()


def test_a_viewer_gets_the_newest_and_what_it_missed_is_counted() -> None:
    async def scenario() -> None:
        house = House()
        with house.subscribe() as viewer:
            for sequence in (1, 2, 3):
                house.publish(sequence)

            assert await taken(viewer) == 3
            assert house.counts.dropped == [(CAM, "mjpeg")] * 2
            assert await nothing_waits(viewer)

    play(scenario())


def test_a_waiting_viewer_wakes_up_for_a_picture() -> None:
    async def scenario() -> None:
        house = House()
        with house.subscribe() as viewer:
            waiting = asyncio.ensure_future(taken(viewer))
            await asyncio.sleep(0)
            house.publish(1)

            assert await waiting == 1
            assert house.counts.dropped == []

    play(scenario())


def test_a_new_viewer_gets_the_latest_at_once() -> None:
    async def scenario() -> None:
        house = House()
        house.publish(1)
        with house.subscribe() as viewer:
            assert await taken(viewer) == 1

    play(scenario())


def test_widths_and_views_are_kept_apart() -> None:
    async def scenario() -> None:
        house = House()
        with house.subscribe(320) as small, house.subscribe() as native:
            house.publish(1, 320)
            house.publish(2)
            house.publish(3, template_id=OTHER)

            assert await taken(small) == 1
            assert await taken(native) == 2
            latest = house.hub.latest(CAM, 320)
            assert latest is not None
            assert latest.sequence == 1
            assert house.hub.latest(CAM, 640) is None
            assert house.hub.latest(TemplateId("unknown")) is None

    play(scenario())


@pytest.mark.parametrize(
    ("source_fps", "fps", "expected"),
    [(10, None, 100), (10, 10, 100), (10, 20, 100), (10, 5, 50), (15, 10, 100), (10, 1, 10), (30, 0.5, 5)],
)
def test_the_rate_is_kept_whatever_the_rhythm_of_the_source(
    source_fps: int, fps: float | None, expected: int
) -> None:
    async def scenario() -> None:
        house = House()
        count = 0

        def sink(_picture: Published) -> bool:
            nonlocal count
            count += 1
            return True

        with house.subscribe(fps=fps) as viewer:
            viewer.attach(sink)
            for sequence in range(10 * source_fps):
                # Early and late by turns, by a fifth of the period.
                house.clock.seconds = 1000 + (sequence + 0.2 * (-1) ** sequence) / source_fps
                house.publish(sequence)

            assert count == pytest.approx(expected, abs=1)
            assert house.counts.dropped == []

    play(scenario())


def test_after_a_pause_of_the_source_no_viewer_gets_a_burst() -> None:
    async def scenario() -> None:
        house = House()
        with house.subscribe(fps=1) as viewer:
            house.publish(1)
            await taken(viewer)
            house.clock.seconds += 60
            house.publish(2)
            assert await taken(viewer) == 2
            house.clock.seconds += 0.1
            house.publish(3)

            assert await nothing_waits(viewer)

    play(scenario())


def test_a_sink_that_cannot_take_a_picture_loses_it() -> None:
    async def scenario() -> None:
        house = House()
        with house.subscribe() as viewer:
            viewer.attach(lambda _picture: False)
            house.publish(1)

            assert house.counts.dropped == [(CAM, "mjpeg")]

    play(scenario())


def test_a_sink_gets_the_waiting_picture_when_it_is_attached() -> None:
    async def scenario() -> None:
        house = House()
        house.publish(1)
        seen: list[int] = []
        with house.subscribe() as viewer:
            viewer.attach(lambda picture: not seen.append(picture.frame.sequence))  # type: ignore[func-returns-value]  # append gives None, and True is what a sink answers
            house.publish(2)
        house.publish(3)

        assert seen == [1, 2]

    play(scenario())


def test_a_form_is_made_once_for_all() -> None:
    made: list[int] = []

    def make(frame: Frame) -> bytes:
        made.append(frame.sequence)
        return frame.jpeg

    picture = Published(Frame(CAM, 1, NOW, b"jpeg", 4, 3))

    assert picture.form(make) is picture.form(make)
    assert made == [1]


def test_the_number_of_viewers_is_reported() -> None:
    async def scenario() -> None:
        house = House()
        with house.subscribe(), house.subscribe(320):
            assert house.hub.subscriber_count(CAM) == 2

        assert house.counts.subscribers == [(CAM, 1), (CAM, 2), (CAM, 1), (CAM, 0)]

    play(scenario())


def test_a_client_is_refused_beyond_its_share_and_others_are_not() -> None:
    async def scenario() -> None:
        house = House(limits=HubLimits(subscribers=3, per_client=1))
        with house.subscribe(client="a"), house.subscribe(client="b"):
            with pytest.raises(TooMany, match="close one"), house.subscribe(client="a"):
                pass
            with house.subscribe(client="c"):
                pass
        with house.subscribe(client="a"):
            assert house.hub.subscriber_count(CAM) == 1

    play(scenario())


def test_a_viewer_of_two_names_is_counted_under_both() -> None:
    async def scenario() -> None:
        house = House(limits=HubLimits(subscribers=9, per_client=2))
        with house.subscribe(client=("here", "ann")), house.subscribe(client=("there", "ann")):
            with pytest.raises(TooMany), house.subscribe(client=("elsewhere", "ann")):
                pass
            with (
                house.subscribe(client=("here", "bob")),
                pytest.raises(TooMany),
                house.subscribe(client=("here", "eve")),
            ):
                pass
        with house.subscribe(client=("elsewhere", "ann")):
            assert house.hub.subscriber_count(CAM) == 1

    play(scenario())


def test_the_server_is_full_at_its_limit() -> None:
    async def scenario() -> None:
        house = House(limits=HubLimits(subscribers=1, per_client=5))
        with house.subscribe(client="a"):
            with pytest.raises(Unavailable, match="try later"), house.subscribe(client="b"):
                pass
            assert house.hub.subscriber_count(CAM) == 1

    play(scenario())


def test_closing_a_view_ends_its_viewers_alone() -> None:
    async def scenario() -> None:
        house = House()
        with house.subscribe() as viewer, house.hub.subscribe(OTHER, client="me") as other:
            waiting = asyncio.ensure_future(viewer.next_picture())
            await asyncio.sleep(0)
            house.publish(1)
            house.hub.close(CAM)

            assert await waiting is None
            assert await viewer.next_picture() is None
            await viewer.wait_ended()
            assert house.hub.latest(CAM) is None
            assert not other.ended
        assert house.counts.subscribers[-1] == (OTHER, 0)
        assert (CAM, 0) in house.counts.subscribers

    play(scenario())


def test_stopping_ends_everyone() -> None:
    async def scenario() -> None:
        house = House()
        with house.subscribe() as viewer, house.hub.subscribe(OTHER, client="me") as other:
            house.hub.end_all()

            assert viewer.ended
            assert other.ended

    play(scenario())


def test_an_ended_viewer_takes_no_sink() -> None:
    async def scenario() -> None:
        house = House()
        house.publish(1)
        with house.subscribe() as viewer:
            viewer.end()
            viewer.attach(lambda _picture: pytest.fail("it got a picture"))
            house.publish(2)

            assert await viewer.next_picture() is None

    play(scenario())


def test_a_quiet_picture_is_repeated_after_the_time_and_not_before() -> None:
    async def scenario() -> None:
        house = House()
        house.publish(1)
        with house.subscribe() as viewer:
            await taken(viewer)
            house.clock.seconds += 2.9
            await house.hub.repeat_due()
            assert await nothing_waits(viewer)

            house.clock.seconds += 0.2
            await house.hub.repeat_due()
            assert await taken(viewer) == 1

    play(scenario())


def test_an_outage_is_painted_once_and_shown_until_pictures_come_again() -> None:
    async def scenario() -> None:
        painter = Painter()
        house = House(paint=painter)
        house.publish(1)
        with house.subscribe() as viewer:
            await taken(viewer)
            house.hub.offline(CAM, NOW, "no route to host")
            for _ in range(3):
                await house.hub.repeat_due()
                picture = await viewer.next_picture()
                assert picture is not None
                assert picture.frame.jpeg == b"1920:jpeg1"
                house.clock.seconds += 3
            latest = house.hub.latest(CAM)
            assert latest is not None
            assert latest.jpeg == b"jpeg1"
            assert painter.texts == ["offline since 2026-11-22 12:00:00 UTC: no route to host"]

            house.hub.online(CAM)
            house.publish(2)
            assert await taken(viewer) == 2
            house.clock.seconds += 3
            await house.hub.repeat_due()
            picture = await viewer.next_picture()
            assert picture is not None
            assert picture.frame.jpeg == b"jpeg2"

    play(scenario())


def test_the_same_outage_told_again_changes_nothing() -> None:
    async def scenario() -> None:
        painter = Painter()
        house = House(paint=painter)
        house.publish(1)
        with house.subscribe() as viewer:
            for _ in range(2):
                house.hub.offline(CAM, NOW, "gone")
                await house.hub.repeat_due()
            await taken(viewer)
            assert await nothing_waits(viewer)
            assert len(painter.texts) == 1

            house.hub.offline(CAM, NOW, "refused")
            await house.hub.repeat_due()
            assert painter.texts[1].endswith("refused")

    play(scenario())


def test_a_view_that_never_gave_a_picture_gets_a_placeholder_of_its_width() -> None:
    async def scenario() -> None:
        house = House(paint=Painter())
        house.hub.offline(CAM, NOW, "gone")
        with house.subscribe(320) as small, house.subscribe() as native:
            await house.hub.repeat_due()

            picture = await small.next_picture()
            assert picture is not None
            assert (picture.frame.jpeg, picture.frame.width, picture.frame.height) == (
                b"320:nothing",
                320,
                180,
            )
            picture = await native.next_picture()
            assert picture is not None
            assert picture.frame.jpeg == b"640:nothing"

    play(scenario())


def test_a_width_without_a_picture_of_its_own_is_painted_from_another() -> None:
    async def scenario() -> None:
        house = House(paint=Painter())
        house.publish(1)
        house.hub.offline(CAM, NOW, "gone")
        with house.subscribe(640) as viewer:
            await house.hub.repeat_due()

            picture = await viewer.next_picture()
            assert picture is not None
            assert (picture.frame.jpeg, picture.frame.width, picture.frame.height) == (b"640:jpeg1", 640, 360)

    play(scenario())


def test_a_new_viewer_in_an_outage_sees_the_banner_at_once() -> None:
    async def scenario() -> None:
        house = House(paint=Painter())
        house.publish(1)
        house.hub.offline(CAM, NOW, "gone")
        with house.subscribe():
            await house.hub.repeat_due()
            with house.subscribe() as late:
                picture = await late.next_picture()
                assert picture is not None
                assert picture.frame.jpeg == b"1920:jpeg1"

    play(scenario())


def test_a_picture_that_comes_while_the_banner_is_painted_is_not_covered() -> None:
    async def scenario() -> None:
        painter = Painter()
        painter.go_on.clear()
        house = House(paint=painter)
        house.publish(1)
        with house.subscribe() as viewer:
            house.hub.offline(CAM, NOW, "gone")
            repeating = asyncio.ensure_future(house.hub.repeat_due())
            await asyncio.sleep(0)
            house.hub.online(CAM)
            house.publish(2)
            painter.go_on.set()
            await repeating

            assert await taken(viewer) == 2
            assert await nothing_waits(viewer)

    play(scenario())


def test_without_a_painter_the_last_picture_is_repeated_as_it_is() -> None:
    async def scenario() -> None:
        house = House()
        house.publish(1)
        with house.subscribe() as viewer:
            await taken(viewer)
            house.hub.offline(CAM, NOW, "gone")
            await house.hub.repeat_due()
            assert await taken(viewer) == 1

    play(scenario())


def test_nothing_is_painted_for_nobody() -> None:
    async def scenario() -> None:
        painter = Painter()
        house = House(paint=painter)
        house.publish(1)
        house.hub.offline(CAM, NOW, "gone")
        await house.hub.repeat_due()

        assert painter.texts == []

    play(scenario())


def test_the_task_wakes_up_for_an_outage() -> None:
    async def scenario() -> None:
        house = House(paint=Painter())
        async with asyncio.TaskGroup() as tasks:
            keeper = tasks.create_task(house.hub.run())
            with house.subscribe() as viewer:
                house.hub.offline(CAM, NOW, "gone")
                async with asyncio.timeout(0.5):
                    assert await viewer.next_picture() is not None
            keeper.cancel()

    play(scenario())
