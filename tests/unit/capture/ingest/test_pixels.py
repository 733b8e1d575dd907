from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from glimpser.capture.ingest.judging import HealthReporter
from glimpser.capture.ingest.motion import BurstReporter
from glimpser.capture.ingest.pixels import LINGER_S, Pixels
from glimpser.capture.ingest.wire import BurstReport, FrameReport, JudgedReport, SnapshotReport
from glimpser.core.health import WELL, HealthState, Verdict
from glimpser.core.motion import Box, BurstClosed, BurstEvent, BurstOpened, BurstPeak
from glimpser.testing.clock import FakeClock
from tests.unit.capture.media import Outlet, frame_of

BOXES = (Box(0.1, 0.1, 0.2, 0.2),)


class AtOnce(Executor):
    """Does what it is given on the spot."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@dataclass
class Seen:
    best: bool = False
    events: Sequence[BurstEvent] = ()


@dataclass
class ScriptedWatch:
    """Sees at each look what it was told to see."""

    script: list[Seen] = field(default_factory=list)
    at_the_end: Sequence[BurstEvent] = ()
    looked_at: list[datetime] = field(default_factory=list)

    def process(self, gray: NDArray[np.uint8], captured_at: datetime) -> Seen:
        assert gray.shape == (180, 320)
        self.looked_at.append(captured_at)
        return self.script.pop(0) if self.script else Seen()

    def flush(self) -> Sequence[BurstEvent]:
        return self.at_the_end


@dataclass
class ScriptedHealth:
    """Comes at each look to the verdict it was told to."""

    script: list[Verdict | None] = field(default_factory=list)
    looked_at: list[float] = field(default_factory=list)
    restarts: int = 0

    def look(self, gray: NDArray[np.uint8], at_s: float) -> Verdict | None:
        assert gray.shape == (180, 320)
        self.looked_at.append(at_s)
        return self.script.pop(0) if self.script else None

    def restart(self) -> None:
        self.restarts += 1


class World:
    def __init__(self, watch: ScriptedWatch | None = None, health: ScriptedHealth | None = None) -> None:
        self.clock = FakeClock()
        self.outlet = Outlet()
        self.pixels = Pixels(
            "A",
            outlet=self.outlet,
            bursts=BurstReporter("A", watch, self.outlet) if watch else None,
            health=HealthReporter("A", health, self.outlet) if health else None,
            detect_fps=5,
            encoders=AtOnce(),
            clock=self.clock,
        )
        self._shown = 0

    def show(self, count: int = 1, *, fps: float = 20, level: int = 128) -> None:
        for _ in range(count):
            self.pixels.show(frame_of(np.full((64, 64), level, np.uint8)), self._shown / fps)
            self._shown += 1
            self.clock.advance(1 / fps)

    @property
    def frames(self) -> list[FrameReport]:
        return [report for report, _ in self.outlet.sent if isinstance(report, FrameReport)]

    @property
    def shots(self) -> list[tuple[SnapshotReport, bytes]]:
        return [(r, payload) for r, payload in self.outlet.sent if isinstance(r, SnapshotReport)]

    @property
    def bursts(self) -> list[tuple[BurstReport, bytes]]:
        return [(r, payload) for r, payload in self.outlet.sent if isinstance(r, BurstReport)]


def brightness(jpeg: bytes) -> int:
    return int(simplejpeg.decode_jpeg(jpeg, colorspace="GRAY")[32, 32, 0])


def at(second: float) -> datetime:
    clock = FakeClock()
    clock.advance(second)
    return clock.now()


# Who wants what


def test_nobody_wants_pixels_at_first() -> None:
    assert not World().pixels.wanted


def test_motion_always_wants_pixels() -> None:
    assert World(ScriptedWatch()).pixels.wanted


def test_each_width_is_made_at_its_rate() -> None:
    world = World()
    world.pixels.set_wants({32: 5.0, 0: 0.0})
    assert world.pixels.wanted

    world.show(40)

    assert len([f for f in world.frames if f.wanted == 32]) == pytest.approx(10, abs=1)
    natives = [f for f in world.frames if f.wanted == 0]
    assert [f.seq for f in natives] == list(range(1, 41))
    assert {(f.w, f.h) for f in natives} == {(64, 64)}
    assert {f.w for f in world.frames if f.wanted == 32} == {32}


def test_wanting_again_what_is_made_does_not_change_its_rhythm() -> None:
    world = World()
    world.pixels.set_wants({0: 5.0})
    world.show()

    world.pixels.set_wants({0: 5.0, 32: 1.0})
    world.show()

    assert [f.wanted for f in world.frames] == [0, 32]


def test_what_nobody_wants_any_more_is_not_made() -> None:
    world = World()
    world.pixels.set_wants({0: 0.0})
    world.pixels.set_wants({})

    world.show(3)

    assert world.frames == []
    assert not world.pixels.wanted


def test_motion_is_looked_for_five_times_a_second_whatever_the_source_gives() -> None:
    watch = ScriptedWatch()

    World(watch).show(60)

    assert len(watch.looked_at) == pytest.approx(15, abs=1)


# Snapshots


def test_a_fresh_picture_answers_at_once() -> None:
    world = World()
    world.show(level=200)

    world.pixels.snapshot(7, 32)

    [(shot, jpeg)] = world.shots
    assert (shot.request, shot.w, shot.h, shot.seq, shot.error) == (7, 32, 32, 1, None)
    assert simplejpeg.decode_jpeg_header(jpeg)[:2] == (32, 32)


def test_an_old_picture_is_not_given_but_the_next_one() -> None:
    world = World()
    world.show(level=40)
    world.clock.advance(1.5)

    world.pixels.snapshot(1, 0)
    world.pixels.snapshot(2, 0)
    assert world.shots == []
    assert world.pixels.wanted
    world.show(level=200)

    assert [shot.request for shot, _ in world.shots] == [1, 2]
    assert all(brightness(jpeg) > 190 for _, jpeg in world.shots)


def test_decoding_goes_on_a_while_after_a_snapshot() -> None:
    world = World()
    world.show()
    world.pixels.snapshot(1, 0)

    assert world.pixels.wanted
    world.clock.advance(LINGER_S + 0.1)
    assert not world.pixels.wanted


def test_whoever_waits_for_a_picture_is_told_when_the_source_is_lost() -> None:
    world = World()
    world.pixels.snapshot(1, 0)

    world.pixels.flush("The camera does not answer.")

    [(shot, jpeg)] = world.shots
    assert (shot.request, shot.error, jpeg) == (1, "The camera does not answer.", b"")


# The end of a session


def test_the_last_picture_is_left_behind_in_its_native_width_and_once_only() -> None:
    world = World()
    world.show(5)

    world.pixels.flush("gone")
    world.pixels.flush("gone")

    assert [(f.wanted, f.w, f.seq) for f in world.frames] == [(0, 64, 5)]


def test_where_there_was_no_picture_none_is_left_behind() -> None:
    world = World()

    world.pixels.flush("gone")

    assert world.outlet.sent == []


# Bursts


def opened(second: float) -> BurstOpened:
    return BurstOpened(started_at=at(second), peak_at=at(second), score=0.1, boxes=BOXES)


def closed(second: float) -> BurstClosed:
    return BurstClosed(
        started_at=at(second), peak_at=at(second), ended_at=at(second + 1), score=0.5, boxes=BOXES
    )


def test_a_burst_is_told_with_the_picture_of_its_best_frame() -> None:
    peak = BurstPeak(started_at=at(0), peak_at=at(0.4), score=0.5, boxes=BOXES)
    watch = ScriptedWatch(
        [Seen(best=True, events=[opened(0)]), Seen(best=True), Seen(events=[peak]), Seen(events=[closed(0)])]
    )
    world = World(watch)

    for level in (40, 200, 60, 80):
        world.show(level=level, fps=5)

    assert [(burst.step, bool(jpeg)) for burst, jpeg in world.bursts] == [
        ("opened", True),
        ("peak", True),
        ("closed", False),
    ]
    assert brightness(world.bursts[0][1]) < 60
    assert brightness(world.bursts[1][1]) > 190
    assert world.bursts[2][0].ended_at == at(1)


def test_one_frame_may_end_a_burst_and_begin_the_next_and_its_picture_is_the_nexts() -> None:
    watch = ScriptedWatch(
        [Seen(best=True, events=[opened(0)]), Seen(best=True, events=[closed(0), opened(0.2)])]
    )
    world = World(watch)

    world.show(level=40, fps=5)
    world.show(level=200, fps=5)

    assert [burst.step for burst, _ in world.bursts] == ["opened", "closed", "opened"]
    assert world.bursts[1][1] == b""
    assert brightness(world.bursts[2][1]) > 190


def test_a_burst_ends_with_its_source() -> None:
    world = World(ScriptedWatch(at_the_end=[closed(0)]))
    world.show()

    world.pixels.flush("gone")

    assert [burst.step for burst, _ in world.bursts] == ["closed"]


# Health


def test_health_is_looked_at_once_a_second_and_told_when_it_changes() -> None:
    blank = Verdict(HealthState.BLANK, "There is nothing.")
    health = ScriptedHealth([None, blank, None, WELL])
    world = World(health=health)

    world.show(80)

    reports = [report for report, _ in world.outlet.sent if isinstance(report, JudgedReport)]
    assert health.looked_at == pytest.approx([0, 1, 2, 3, 4], abs=0.11)
    assert [(report.state, report.reason) for report in reports] == [
        (blank.state, blank.reason),
        (HealthState.OK, None),
    ]
    assert reports[0].at == at(health.looked_at[1])


def test_health_alone_wants_no_frame_but_a_glance_now_and_then() -> None:
    world = World(health=ScriptedHealth())

    glances = [second for second in range(31) if world.pixels.is_glance_due(float(second))]

    assert not world.pixels.wanted
    assert glances == pytest.approx([0, 10, 20, 30], abs=1)
    assert not World().pixels.is_glance_due(0.0)


def test_a_new_epoch_is_judged_anew() -> None:
    health = ScriptedHealth()

    World(health=health).pixels.begin_epoch()
    World().pixels.begin_epoch()

    assert health.restarts == 1
