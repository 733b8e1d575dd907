"""The adaptive detector on nine kinds of disturbance.

Measured at the standard sensitivity on eight seeds (61 to 68) that nothing was tuned on: no burst in 72 quiet
views, each of 172 passages exactly one burst; 4153 frames with motion found, 72 missed, none invented
(precision 1.000, recall 0.983). The worst recall of a single view was 0.80 (the small slow thing), and 0.88
among the others (shake). The seeds used here do no worse; the bounds leave room under that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from glimpser.core.motion import BurstClosed, BurstEvent
from glimpser.vision.bursts import BurstTracker
from glimpser.vision.motion import MotionSettings, build_detector
from tests.scenes import FPS, WARM_UP_FRAMES, Disturbance, Scene, make_scene

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SEEDS = (1, 12)

LEAST_RECALL = {Disturbance.SMALL_SLOW: 0.75}
QUIET = [kind for kind in Disturbance if kind not in (Disturbance.SMALL_SLOW, Disturbance.FAST)]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a detector made of a scene: a verdict for each frame, and bursts as first and last frame."""

    moving: NDArray[np.bool_]
    bursts: Sequence[tuple[int, int]]


def watch(scene: Scene, detector: str = "adaptive") -> Seen:
    motion = build_detector(MotionSettings(detector=detector))
    tracker = BurstTracker()
    moving: list[bool] = []
    events: list[BurstEvent] = []
    for index, frame in enumerate(scene.frames):
        found = motion.process(frame)
        moving.append(bool(found))
        events += tracker.feed(START + timedelta(seconds=index / FPS), found).events
    events += tracker.flush()
    bursts = [
        (_frame(event.started_at), _frame(event.ended_at))
        for event in events
        if isinstance(event, BurstClosed)
    ]
    return Seen(np.array(moving), bursts)


def _frame(moment: datetime) -> int:
    return round((moment - START).total_seconds() * FPS)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("disturbance", QUIET)
def test_a_disturbance_alone_opens_no_burst(disturbance: Disturbance, seed: int) -> None:
    scene = make_scene(disturbance, seed=seed, things=False)

    seen = watch(scene)

    assert seen.bursts == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("disturbance", Disturbance)
def test_each_passage_is_one_burst_and_frames_are_judged_rightly(disturbance: Disturbance, seed: int) -> None:
    scene = make_scene(disturbance, seed=seed, things=True)

    seen = watch(scene)

    assert [
        [burst for burst in seen.bursts if activity.overlaps(*burst)] for activity in scene.activities
    ] == [[burst] for burst in seen.bursts]
    right = np.count_nonzero(seen.moving & (scene.moving == 1))
    wrong = np.count_nonzero(seen.moving & (scene.moving == 0))
    missed = np.count_nonzero(~seen.moving & (scene.moving == 1))
    assert right / (right + wrong) >= 0.95
    assert right / (right + missed) >= LEAST_RECALL.get(disturbance, 0.85)


def test_the_bar_means_something_a_frame_difference_takes_a_light_switch_for_motion() -> None:
    scene = make_scene(Disturbance.LIGHT_SWITCH, seed=1, things=False)

    seen = watch(scene, detector="pixel_diff")

    assert len([burst for burst in seen.bursts if burst[0] >= WARM_UP_FRAMES]) >= 3


def test_the_bar_means_something_a_background_mixture_takes_a_light_switch_for_motion() -> None:
    scene = make_scene(Disturbance.LIGHT_SWITCH, seed=1, things=False)

    seen = watch(scene, detector="mog2")

    assert seen.bursts != []


def test_a_scene_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    one, same, other = (make_scene(Disturbance.RAIN, seed=seed, things=True) for seed in (7, 7, 8))

    assert all(np.array_equal(a, b) for a, b in zip(one.frames, same.frames, strict=True))
    assert not np.array_equal(one.frames[0], other.frames[0])
    assert len(one.activities) >= 2
