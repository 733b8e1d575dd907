"""Views that are asked for a picture at a time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import simplejpeg

from glimpser.core.errors import Conflict, Denied, InvalidInput, Unavailable
from glimpser.core.frames import NATIVE_WIDTH
from glimpser.core.health import WELL, HealthState, Judged, Verdict
from glimpser.core.live import Caption, FrameReady, State, StateChanged, StreamMeasured
from glimpser.core.sources import Shot, ViewFailed
from tests.unit.capture.polled.world import (
    ListedSource,
    World,
    a_pushed_spec,
    a_shot,
    a_spec,
    a_world,
    settle,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as made:
        yield made


def states(world: World) -> list[State]:
    return [event.status.state for event in world.log.events if isinstance(event, StateChanged)]


async def test_a_view_is_asked_at_once_and_is_live_with_its_size_and_rate(world: World) -> None:
    spec = a_spec(ListedSource(a_shot()), interval_s=50)

    await world.pool.start(spec)
    live = await world.log.state(spec.template_id, State.LIVE)

    assert states(world) == [State.CONNECTING, State.LIVE]
    assert (live.width, live.height, live.fps, live.epoch) == (640, 360, 0.02, 1)


async def test_it_is_asked_again_at_its_interval_and_not_sooner(world: World) -> None:
    source = ListedSource(a_shot())
    await world.pool.start(a_spec(source, interval_s=60))
    await world.timing.advance(59)
    before = source.asked

    await world.timing.advance(1.5)
    await world.timing.advance(60)
    between = source.asked
    await world.timing.advance(3.5)

    assert (before, between, source.asked) == (1, 2, 3)


async def test_who_begins_to_watch_sees_the_last_picture_at_once(world: World) -> None:
    source = ListedSource(a_shot())
    spec = a_spec(source)
    await world.pool.start(spec)
    live = await world.log.state(spec.template_id, State.LIVE)
    await world.timing.advance(30)

    with world.pool.want(spec.template_id, width=320, fps=5):
        frame = await world.log.frame(spec.template_id, 320)

    assert (frame.width, frame.height) == (320, 180)
    assert simplejpeg.decode_jpeg_header(frame.jpeg)[:2] == (180, 320)
    assert frame.captured_at == live.since
    assert source.asked == 1


async def test_every_new_picture_comes_in_each_width_that_is_wanted(world: World) -> None:
    spec = a_spec(ListedSource(a_shot(brightness=50), a_shot(brightness=90)))
    with (
        world.pool.want(spec.template_id, width=320, fps=None),
        world.pool.want(spec.template_id, width=NATIVE_WIDTH, fps=None),
    ):
        await world.pool.start(spec)
        first = await world.log.frame(spec.template_id, NATIVE_WIDTH)
        await world.timing.advance(70)
        second = await world.log.frame(spec.template_id, NATIVE_WIDTH)

    assert (first.sequence, second.sequence) == (1, 2)
    assert second.captured_at > first.captured_at
    small = [e for e in world.log.events if isinstance(e, FrameReady) and e.wanted_width == 320]
    assert [ready.frame.sequence for ready in small] == [1, 2]


async def test_the_same_picture_again_is_newer_and_not_scaled_again(world: World) -> None:
    spec = a_spec(ListedSource(a_shot(), a_shot()))
    await world.pool.start(spec)
    with world.pool.want(spec.template_id, width=320, fps=None):
        first = await world.log.frame(spec.template_id, 320)
        await world.timing.advance(70)
        second = await world.log.frame(spec.template_id, 320)

    assert second.captured_at > first.captured_at
    assert second.jpeg is first.jpeg


async def test_nothing_wider_than_the_picture_is_made(world: World) -> None:
    spec = a_spec(ListedSource(a_shot(width=200, height=100)))
    await world.pool.start(spec)
    await world.log.state(spec.template_id, State.LIVE)

    frame = await world.pool.snapshot(spec.template_id, 1280)

    assert (frame.width, frame.height) == (200, 100)


async def test_a_snapshot_younger_than_the_interval_asks_nobody(world: World) -> None:
    source = ListedSource(a_shot())
    spec = a_spec(source, interval_s=60)
    await world.pool.start(spec)
    await world.timing.advance(59)

    frame = await world.pool.snapshot(spec.template_id)

    assert source.asked == 1
    assert (world.timing.clock.now() - frame.captured_at).total_seconds() == 59


async def test_a_snapshot_of_an_old_picture_asks_the_source(world: World) -> None:
    source = ListedSource(a_shot())
    spec = a_spec(source, interval_s=60)
    await world.pool.start(spec)
    await world.timing.advance(61)

    frame = await world.pool.snapshot(spec.template_id)

    assert source.asked == 2
    assert frame.captured_at == world.timing.clock.now()


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        pytest.param(ViewFailed("It is away."), HealthState.DOWN, id="away"),
        pytest.param(
            ViewFailed("A sign-in stands before it.", state=HealthState.BLOCKED),
            HealthState.BLOCKED,
            id="blocked",
        ),
        pytest.param(Unavailable("No browser is free."), HealthState.UNKNOWN, id="own reason"),
    ],
)
async def test_a_view_that_fails_is_judged_and_tried_again(
    world: World, error: Exception, verdict: HealthState
) -> None:
    spec = a_spec(ListedSource(error, a_shot()))
    await world.pool.start(spec)

    status = await world.log.state(spec.template_id, State.BACKOFF)
    judged = await world.log.next(Judged)
    await world.timing.advance(6)
    await world.log.state(spec.template_id, State.LIVE)
    again = await world.log.next(Judged)

    assert status.reason == str(error)
    assert judged.verdict == Verdict(verdict, str(error))
    assert again.verdict == WELL


async def test_it_waits_as_long_as_the_failure_says(world: World) -> None:
    source = ListedSource(ViewFailed("Asked too often.", retry_after_s=40))
    await world.pool.start(a_spec(source, interval_s=5))

    await world.timing.advance(39)
    before = source.asked
    await world.timing.advance(2)

    assert (before, source.asked) == (1, 2)


@pytest.mark.parametrize(
    "error", [InvalidInput("No URL."), Denied("Closed.")], ids=lambda error: type(error).__name__
)
async def test_what_never_works_is_not_asked_again(world: World, error: Exception) -> None:
    source = ListedSource(error)
    spec = a_spec(source)
    await world.pool.start(spec)

    status = await world.log.state(spec.template_id, State.FAILED)
    await world.timing.advance(3600)

    assert status.reason == str(error)
    assert source.asked == 1
    with pytest.raises(Unavailable, match=str(error)):
        await world.pool.snapshot(spec.template_id)


async def test_a_source_that_breaks_takes_no_other_view_with_it(world: World) -> None:
    broken, well = a_spec(ListedSource(ZeroDivisionError("secret"))), a_spec(ListedSource(a_shot()))

    await world.pool.start(broken)
    await world.pool.start(well)

    status = await world.log.state(broken.template_id, State.BACKOFF)
    await world.log.state(well.template_id, State.LIVE)
    assert "secret" not in (status.reason or "")


async def test_a_picture_with_a_bad_verdict_is_shown_and_judged(world: World) -> None:
    verdict = Verdict(HealthState.ERROR_PAGE, "The site answers HTTP 500.")
    shot = a_shot()
    spec = a_spec(ListedSource(Shot(jpeg=shot.jpeg, width=640, height=360, verdict=verdict)))

    await world.pool.start(spec)
    await world.log.state(spec.template_id, State.LIVE)

    assert (await world.log.next(Judged)).verdict == verdict


async def test_only_so_many_sources_are_asked_at_one_time() -> None:
    sources = [ListedSource(a_shot()) for _ in range(5)]
    gate = asyncio.Event()
    async with a_world(max_asked=2) as world:
        for source in sources:
            source.gate = gate
            await world.pool.start(a_spec(source))
        await settle()
        at_once = sum(source.asked_now for source in sources)
        gate.set()
        await settle()

        assert at_once == 2
        assert all(source.asked == 1 for source in sources)


async def test_figures_tell_the_age_of_the_last_picture(world: World) -> None:
    spec = a_spec(ListedSource(a_shot()), interval_s=60)
    await world.pool.start(spec)
    await world.log.next(StreamMeasured)

    await world.timing.advance(25)

    figures = await world.log.next(StreamMeasured)
    assert (figures.last_packet_age_s, figures.restarts) == (25, 0)


async def test_a_view_that_was_stopped_says_so_and_nothing_after(world: World) -> None:
    source = ListedSource(a_shot())
    spec = a_spec(source)
    await world.pool.start(spec)
    await world.log.state(spec.template_id, State.LIVE)

    await world.pool.stop(spec.template_id)
    await world.timing.advance(600)

    assert states(world)[-1] is State.IDLE
    assert source.asked == 1
    with pytest.raises(Unavailable):
        await world.pool.snapshot(spec.template_id)


async def test_the_same_again_changes_nothing_and_another_source_begins_anew(world: World) -> None:
    old, new = ListedSource(a_shot()), ListedSource(a_shot())
    spec = a_spec(old)
    await world.pool.start(spec)
    await world.log.state(spec.template_id, State.LIVE)

    await world.pool.start(spec)
    await settle()
    unchanged = old.asked
    await world.pool.start(a_spec(new, template_id=spec.template_id))
    again = await world.log.state(spec.template_id, State.LIVE)

    assert (unchanged, new.asked, again.epoch) == (1, 1, 2)


async def test_what_is_masked_is_black_in_every_width(world: World) -> None:
    left_half = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    spec = a_spec(ListedSource(a_shot(brightness=200)), masks=(left_half,))
    await world.pool.start(spec)
    await world.log.state(spec.template_id, State.LIVE)

    for width in (NATIVE_WIDTH, 320):
        frame = await world.pool.snapshot(spec.template_id, width)
        picture = simplejpeg.decode_jpeg(frame.jpeg)
        middle = frame.width // 2
        assert picture[:, : middle - 8].max() < 12
        assert picture[:, middle + 8 :].min() > 180


async def test_what_is_sent_to_a_view_is_masked_too(world: World) -> None:
    whole = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    spec = replace(a_pushed_spec(), privacy_masks=(whole, whole))
    await world.pool.start(spec)

    await world.pool.offer(spec.template_id, a_shot(brightness=200))
    frame = await world.pool.snapshot(spec.template_id)

    assert simplejpeg.decode_jpeg(frame.jpeg).max() < 12


async def test_the_time_that_is_written_goes_on_while_the_picture_stays_the_same(world: World) -> None:
    source = ListedSource(a_shot())
    spec = replace(a_spec(source), caption=Caption(time=True))
    await world.pool.start(spec)
    await world.log.state(spec.template_id, State.LIVE)

    first = await world.pool.snapshot(spec.template_id)
    await world.timing.advance(61)
    second = await world.pool.snapshot(spec.template_id)

    assert source.asked == 2
    assert first.jpeg != second.jpeg


async def test_a_picture_that_cannot_be_masked_is_not_shown(world: World) -> None:
    whole = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    damaged = Shot(jpeg=a_shot().jpeg[:300], width=640, height=360)
    spec = a_spec(ListedSource(damaged), masks=(whole,))
    await world.pool.start(spec)

    await world.log.state(spec.template_id, State.BACKOFF, reason="damaged")

    assert not any(isinstance(event, FrameReady) for event in world.log.events)


# Pictures that are sent ------------------------------------------------------------------------------


async def test_a_picture_that_is_sent_is_shown(world: World) -> None:
    spec = a_pushed_spec()
    await world.pool.start(spec)
    waiting = await world.log.state(spec.template_id, State.CONNECTING)

    with world.pool.want(spec.template_id, width=320, fps=None):
        await world.pool.offer(spec.template_id, a_shot())
        await world.log.state(spec.template_id, State.LIVE)
        frame = await world.log.frame(spec.template_id, 320)

    assert "sent" in (waiting.reason or "")
    assert frame.width == 320
    assert (await world.pool.snapshot(spec.template_id)).width == 640


async def test_silence_is_noticed_and_ends_with_the_next_picture(world: World) -> None:
    spec = a_pushed_spec(expect_every_s=30)
    await world.pool.start(spec)
    await settle()
    await world.pool.offer(spec.template_id, a_shot())
    await world.timing.advance(29)
    await world.pool.offer(spec.template_id, a_shot())
    await world.timing.advance(29)
    before = states(world)[-1]

    await world.timing.advance(2)
    stalled = await world.log.state(spec.template_id, State.STALLED)
    judged = await world.log.next(Judged, lambda judged: judged.verdict != WELL)
    await world.pool.offer(spec.template_id, a_shot())
    await world.log.state(spec.template_id, State.LIVE)

    assert before is State.LIVE
    assert "30 s" in (stalled.reason or "")
    assert judged.verdict.state is HealthState.STALLED


async def test_a_view_that_expects_nothing_is_never_judged_for_silence(world: World) -> None:
    await world.pool.start(a_pushed_spec())

    await world.timing.advance(1_000_000)

    assert not any(isinstance(event, Judged) for event in world.log.events)


async def test_nothing_can_be_sent_to_a_view_that_fetches_or_does_not_run(world: World) -> None:
    spec = a_spec(ListedSource(a_shot()))
    await world.pool.start(spec)

    with pytest.raises(Conflict):
        await world.pool.offer(spec.template_id, a_shot())
    with pytest.raises(Unavailable):
        await world.pool.offer(a_pushed_spec().template_id, a_shot())
