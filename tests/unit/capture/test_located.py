import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from glimpser.capture.located import LocatedPool, open_located_pool
from glimpser.core.errors import Denied, InvalidInput, Unavailable
from glimpser.core.health import WELL, HealthState, Judged, Verdict
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.live import Address, LiveSpec, Located, MediaInput, OtherT, State, StateChanged
from glimpser.core.motion import OFF, MotionSettings
from glimpser.core.sources import ViewFailed
from glimpser.testing.clock import FakeClock
from glimpser.testing.live import FakeLivePool, LiveLog, following
from tests.unit.capture.polled.world import Timing, settle

pytestmark = pytest.mark.anyio

VIEW = TemplateId(new_id())
FIRST, SECOND = MediaInput(address="https://cdn/1"), MediaInput(address="https://cdn/2")


class Site:
    """Answers with what it was given, in order; the last answer again and again. `gate` holds it up."""

    def __init__(self, *answers: Address | Exception) -> None:
        self.answers = answers
        self.asked = 0
        self.gate: asyncio.Event | None = None

    async def locate(self) -> Address:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if self.gate:
            await self.gate.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class World:
    pool: LocatedPool
    inner: FakeLivePool
    timing: Timing
    log: LiveLog

    async def start(self, site: Site, key: str = "1") -> None:
        await self.pool.start(spec(Located(locate=site.locate, key=key)))
        await settle()

    def playing(self) -> list[str]:
        """Name the addresses that run in the inner pool."""
        feeds = [running.feed for running in self.inner.running.values()]
        return [feed.address for feed in feeds if isinstance(feed, MediaInput)]

    def states(self) -> list[tuple[State, str | None]]:
        changes = [event for event in self.log.events if isinstance(event, StateChanged)]
        return [(change.status.state, change.status.reason) for change in changes]

    def verdicts(self) -> list[Verdict]:
        return [event.verdict for event in self.log.events if isinstance(event, Judged)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = FakeClock()
    timing, inner = Timing(clock), FakeLivePool(clock)
    async with open_located_pool(inner, clock, wait=timing.wait) as pool, following(pool) as log:
        yield World(pool, inner, timing, log)


def spec(feed: OtherT) -> LiveSpec[OtherT]:
    return LiveSpec(template_id=VIEW, feed=feed, motion=MotionSettings(detector=OFF))


def found(media: MediaInput = FIRST, clock: FakeClock | None = None, *, life_s: float = 0) -> Address:
    expires_at = clock.now() + timedelta(seconds=life_s) if clock else None
    return Address(media=media, expires_at=expires_at)


async def test_what_is_found_is_played(world: World) -> None:
    await world.start(Site(found()))

    assert world.playing() == [FIRST.address]
    assert world.states()[0] == (State.CONNECTING, None)
    assert world.states()[-1] == (State.LIVE, None)


async def test_streams_whose_address_is_known_are_not_looked_up(world: World) -> None:
    await world.pool.start(spec(SECOND))
    await settle()

    assert world.playing() == [SECOND.address]
    await world.pool.stop(VIEW)
    assert world.playing() == []


async def test_the_same_config_again_changes_nothing(world: World) -> None:
    site = Site(found())
    await world.start(site)

    await world.start(site)

    assert site.asked == 1


async def test_another_config_is_looked_up_anew(world: World) -> None:
    await world.start(Site(found()))

    await world.start(Site(found(SECOND)), key="2")

    assert world.playing() == [SECOND.address]


async def test_a_site_that_fails_is_asked_again_after_the_time_it_needs(world: World) -> None:
    site = Site(ViewFailed("Too often.", 3600, state=HealthState.BLOCKED), found())
    await world.start(site)
    assert world.states()[-1] == (State.BACKOFF, "Too often.")
    assert world.verdicts() == [Verdict(HealthState.BLOCKED, "Too often.")]

    await world.timing.advance(3599)
    assert site.asked == 1
    await world.timing.advance(1)

    assert world.playing() == [FIRST.address]
    assert world.verdicts()[-1] == WELL


async def test_waits_grow_while_a_site_fails(world: World) -> None:
    site = Site(Unavailable("Not now.", 1))
    await world.start(site)

    for wait_s in (1, 5, 15, 60, 300, 300):
        before = site.asked
        await world.timing.advance(wait_s - 0.5)
        assert site.asked == before
        await world.timing.advance(0.5)
        assert site.asked == before + 1


@pytest.mark.parametrize("error", [InvalidInput("No video."), Denied("Closed.")])
async def test_what_a_person_must_mend_is_not_tried_again(world: World, error: Exception) -> None:
    site = Site(error)
    await world.start(site)

    await world.timing.advance(100_000)

    assert site.asked == 1
    assert world.states()[-1] == (State.FAILED, str(error))


async def test_a_mistake_of_ours_ends_one_view_and_says_so(world: World) -> None:
    await world.start(Site(RuntimeError("oops")))

    state, reason = world.states()[-1]
    assert state is State.FAILED
    assert reason is not None
    assert "log" in reason


async def test_an_address_is_renewed_before_it_expires(world: World) -> None:
    site = Site(found(clock=world.timing.clock, life_s=3600), found(SECOND))
    await world.start(site)

    await world.timing.advance(3600 - 121)
    assert world.playing() == [FIRST.address]
    await world.timing.advance(1)

    assert world.playing() == [SECOND.address]


async def test_the_old_stream_runs_on_while_a_new_address_is_looked_up(world: World) -> None:
    site = Site(found(clock=world.timing.clock, life_s=100), ViewFailed("Not now."), found(SECOND))
    await world.start(site)

    await world.timing.advance(95)

    assert site.asked == 2
    assert world.playing() == [FIRST.address]
    assert world.states()[-1][0] is State.LIVE


async def test_a_stream_that_fails_is_looked_up_at_once_and_begins_an_epoch(world: World) -> None:
    site = Site(found(), found(SECOND))
    await world.start(site)
    epoch = last_epoch(world)

    world.inner.change(VIEW, State.BACKOFF, "403")
    await settle()
    await world.timing.advance(0)

    assert world.playing() == [SECOND.address]
    assert last_epoch(world) == epoch + 1


async def test_one_that_fails_for_good_is_begun_anew_even_at_the_same_address(world: World) -> None:
    await world.start(Site(found()))

    world.inner.change(VIEW, State.FAILED, "broken")
    await settle()
    await world.timing.advance(0)

    assert len(world.inner.started) == 2


async def test_a_stream_that_always_fails_is_looked_up_ever_more_slowly(world: World) -> None:
    site = Site(found())
    await world.start(site)

    for wait_s in (0, 5, 15, 60, 300, 300):
        before = site.asked
        world.inner.change(VIEW, State.BACKOFF, "403")
        await settle()
        if wait_s:
            await world.timing.advance(wait_s - 0.5)
            assert site.asked == before
        await world.timing.advance(0.5)
        assert site.asked == before + 1


async def test_a_stream_that_comes_back_by_itself_is_left_alone(world: World) -> None:
    site = Site(found())
    await world.start(site)
    world.inner.change(VIEW, State.BACKOFF, "lost")
    await settle()
    await world.timing.advance(0)
    world.inner.change(VIEW, State.BACKOFF, "lost")
    await settle()

    world.inner.change(VIEW, State.LIVE)
    await settle()
    await world.timing.advance(1000)

    assert site.asked == 2


async def test_a_stream_that_is_gone_and_not_found_again_says_why(world: World) -> None:
    await world.start(Site(found(), ViewFailed("It is not live now.", 300)))

    world.inner.change(VIEW, State.BACKOFF, "The stream ended.")
    await settle()
    await world.timing.advance(0)

    assert world.playing() == []
    assert world.states()[-1] == (State.BACKOFF, "It is not live now.")


async def test_a_view_that_is_stopped_is_idle_and_looked_up_no_more(world: World) -> None:
    site = Site(found())
    site.gate = asyncio.Event()
    await world.start(site)

    await world.pool.stop(VIEW)
    site.gate.set()
    await settle()

    assert world.playing() == []
    assert world.states()[-1] == (State.IDLE, None)


async def test_a_view_that_plays_is_stopped_once(world: World) -> None:
    await world.start(Site(found()))

    await world.pool.stop(VIEW)
    await settle()

    assert [state for state, _ in world.states()].count(State.IDLE) == 1


async def test_pictures_are_those_of_the_stream_and_before_it_there_is_a_reason(world: World) -> None:
    site = Site(ViewFailed("Not live.", 60), found())
    await world.start(site)
    with pytest.raises(Unavailable, match="Not live"):
        await world.pool.snapshot(VIEW)

    await world.timing.advance(60)

    assert (await world.pool.snapshot(VIEW)).template_id == VIEW


def last_epoch(world: World) -> int:
    changes = [event for event in world.log.events if isinstance(event, StateChanged)]
    return changes[-1].status.epoch
