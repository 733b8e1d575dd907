"""What a detector is asked for beyond the nine scenes: well-formed answers, zones, single situations."""

from collections.abc import Iterable, Iterator
from functools import cache

import cv2
import numpy as np
import pytest
from cv2.typing import MatLike
from numpy.typing import NDArray

from glimpser.core.errors import InvalidInput
from glimpser.core.motion import STILL, Box, Motion, Polygon
from glimpser.vision.masks import EVERYWHERE
from glimpser.vision.motion import HEIGHT, WIDTH, Detector, MotionSettings, build_detector, detector_names
from glimpser.vision.motion.adaptive import AdaptiveDetector
from glimpser.vision.motion.settings import AdaptiveSettings
from glimpser.vision.motion.shake import shifted

Gray = NDArray[np.uint8]

LEFT_HALF: Polygon = ((0, 0), (0.5, 0), (0.5, 1), (0, 1))
WARM_UP = 40


def room(seed: int = 5) -> MatLike:
    """A textured wall, float32."""
    coarse = np.random.default_rng(seed).normal(120, 30, (18, 32)).astype(np.float32)
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def shot(scene: MatLike, index: int) -> Gray:
    """The scene as a sensor sees it: with noise of its own in every frame, the same in every run."""
    gray: Gray = np.clip(scene + noise(index % 16), 0, 255).astype(np.uint8)
    return gray


@cache
def noise(field: int) -> MatLike:
    return np.random.default_rng(field).normal(0, 1.5, (HEIGHT, WIDTH)).astype(np.float32)


def with_box(scene: MatLike, left: int, top: int, *, size: int = 30, gray: float = 250) -> MatLike:
    picture = scene.copy()
    picture[max(0, top) : top + size, max(0, left) : left + size] = gray
    return picture


def warmed_up(detector: Detector, scene: MatLike) -> Detector:
    for index in range(WARM_UP):
        detector.process(shot(scene, index))
    return detector


def run(detector: Detector, scenes: Iterable[MatLike]) -> list[Motion]:
    return [detector.process(shot(scene, 1000 + index)) for index, scene in enumerate(scenes)]


def walk(scene: MatLike, *, start: int = 20, top: int = 60, frames: int = 8) -> Iterator[MatLike]:
    """A box that walks right, 10 pixels a frame."""
    return (with_box(scene, start + 10 * index, top) for index in range(frames))


def adaptive(**settings: float) -> Detector:
    return build_detector(MotionSettings(detector="adaptive", **settings))


@pytest.mark.parametrize("name", ["adaptive", "mog2", "pixel_diff"])
class TestEveryDetector:
    def test_finds_a_walking_box_where_it_is(self, name: str) -> None:
        detector = warmed_up(build_detector(MotionSettings(detector=name)), room())

        last = run(detector, walk(room()))[-1]

        assert last
        left = min(box.x for box in last.boxes) * WIDTH
        right = max(box.x + box.width for box in last.boxes) * WIDTH
        assert 70 <= left <= 95
        assert 115 <= right <= 130

    def test_says_nothing_of_a_still_room(self, name: str) -> None:
        detector = warmed_up(build_detector(MotionSettings(detector=name)), room())

        assert run(detector, [room()] * 10) == [STILL] * 10

    def test_gives_boxes_inside_the_picture_and_scores_from_0_to_1(self, name: str) -> None:
        detector = warmed_up(build_detector(MotionSettings(detector=name)), room())

        found = run(detector, walk(room(), start=-20, top=-10, frames=40))

        assert any(found)
        for motion in found:
            assert 0 <= motion.score <= 1
            assert all(_inside(box) for box in motion.boxes)

    def test_gives_the_same_answer_to_the_same_pictures(self, name: str) -> None:
        one, other = (
            run(warmed_up(build_detector(MotionSettings(detector=name)), room()), walk(room()))
            for _ in range(2)
        )

        assert one == other

    def test_does_not_write_to_or_keep_the_picture(self, name: str) -> None:
        kept = warmed_up(build_detector(MotionSettings(detector=name)), room())
        reused = warmed_up(build_detector(MotionSettings(detector=name)), room())
        buffer = np.empty((HEIGHT, WIDTH), np.uint8)
        expected, found = [], []

        for index, scene in enumerate(walk(room())):
            picture = shot(scene, index)
            picture.flags.writeable = False
            expected.append(kept.process(picture))
            buffer[:] = picture
            found.append(reused.process(buffer))
            buffer[:] = 0

        assert found == expected

    def test_ignores_what_moves_outside_the_zones(self, name: str) -> None:
        detector = build_detector(MotionSettings(detector=name), zones=[LEFT_HALF])

        found = run(warmed_up(detector, room()), walk(room(), start=200))

        assert not any(found)

    def test_ignores_what_moves_under_a_mask(self, name: str) -> None:
        detector = build_detector(MotionSettings(detector=name), masks=[LEFT_HALF])

        found = run(warmed_up(detector, room()), walk(room(), start=20))

        assert not any(found)

    def test_measures_the_score_against_the_zones(self, name: str) -> None:
        whole = warmed_up(build_detector(MotionSettings(detector=name)), room())
        half = warmed_up(build_detector(MotionSettings(detector=name), zones=[LEFT_HALF]), room())

        scores = [run(detector, walk(room()))[-1].score for detector in (whole, half)]

        assert scores[1] == pytest.approx(2 * scores[0], rel=0.02)

    def test_keeps_the_score_but_gives_no_box_below_the_threshold(self, name: str) -> None:
        lax = warmed_up(build_detector(MotionSettings(detector=name, threshold=0.001)), room())
        strict = warmed_up(build_detector(MotionSettings(detector=name, threshold=0.9)), room())

        counted, ignored = run(lax, walk(room()))[-1], run(strict, walk(room()))[-1]

        assert counted
        assert not ignored
        assert ignored.score == counted.score > 0

    def test_sees_fainter_things_when_more_sensitive(self, name: str) -> None:
        def changed(sensitivity: float) -> int:
            settings = MotionSettings(detector=name, sensitivity=sensitivity)
            detector = warmed_up(build_detector(settings), np.full((HEIGHT, WIDTH), 100, np.float32))
            steps = (20 + 10 * index for index in range(8))
            scenes = (with_box(np.full((HEIGHT, WIDTH), 100, np.float32), x, 60, gray=110) for x in steps)
            return sum(map(bool, run(detector, scenes)))

        assert changed(0) == 0
        assert changed(1) >= 5


def _inside(box: Box) -> bool:
    return min(box.x, box.y) >= 0 and box.x + box.width <= 1 and box.y + box.height <= 1


class TestAdaptive:
    def test_reports_nothing_while_it_learns_the_room(self) -> None:
        assert not any(run(adaptive(), walk(room(), frames=20)))

    def test_sees_somebody_come_stop_and_leave_and_is_not_fooled_by_the_place_left(self) -> None:
        detector = warmed_up(adaptive(), room())

        coming = run(detector, walk(room(), frames=10))
        standing = run(detector, [with_box(room(), 110, 60)] * 60)
        leaving = run(detector, walk(room(), start=120, frames=22))
        empty = run(detector, [room()] * 40)

        assert all(coming[2:])
        assert not any(standing[15:])
        assert all(leaving[2:-2])
        assert not any(empty[10:])

    def test_does_not_take_a_switched_light_for_motion_and_still_sees_in_the_new_light(self) -> None:
        detector = warmed_up(adaptive(), room())
        dim = room() * 0.5 + 5

        switched = run(detector, [dim] * 10)
        walking = run(detector, walk(dim))

        assert not any(switched)
        assert all(walking[2:])

    def test_does_not_take_limited_range_or_an_inky_night_for_an_error(self) -> None:
        limited = room() * (219 / 255) + 16
        black = np.zeros((HEIGHT, WIDTH), np.float32)

        assert all(run(warmed_up(adaptive(), limited), walk(limited))[2:])
        assert not any(run(warmed_up(adaptive(), black), [black] * 10))

    def test_learns_the_new_view_of_a_camera_that_was_turned(self) -> None:
        detector = warmed_up(adaptive(), room())
        elsewhere = 255 - room(seed=6)

        turned = run(detector, [elsewhere] * 60)
        walking = run(detector, walk(elsewhere))

        assert not any(turned[30:])
        assert all(walking[2:])

    def test_passes_over_a_single_flash(self) -> None:
        detector = warmed_up(adaptive(), room())
        flash = np.full((HEIGHT, WIDTH), 255, np.float32)

        found = run(detector, [flash, *[room()] * 10])

        assert not any(found)

    def test_does_not_take_a_shaken_camera_for_motion_and_sees_through_the_shake(self) -> None:
        detector = warmed_up(adaptive(), room())
        shifts = [(3, 1), (-2, 2), (4, -1), (-3, -2), (2, 3)]

        shaken = run(detector, [np.roll(room(), shift, (1, 0)) for shift in shifts])
        walking = run(
            detector,
            [np.roll(scene, shift, (1, 0)) for scene, shift in zip(walk(room()), shifts * 2, strict=False)],
        )

        assert not any(shaken)
        assert all(walking[2:])

    def test_takes_the_view_of_a_camera_pushed_aside_for_its_new_view(self) -> None:
        detector = AdaptiveDetector(EVERYWHERE, AdaptiveSettings())
        pushed = shifted(room(), (8, 4))

        aside = run(warmed_up(detector, room()), [pushed] * 100)
        walking = run(detector, walk(pushed))

        assert not any(aside)
        assert all(walking[2:])
        assert detector._background is not None
        assert np.abs(detector._background.picture - pushed).mean() < 1

    def test_does_not_take_a_passing_soft_shadow_for_motion(self) -> None:
        detector = warmed_up(adaptive(), room())
        cloud = np.ones((HEIGHT, WIDTH), np.float32)
        cloud[40:120, 100:180] = 0.8
        shadow = cv2.GaussianBlur(cloud, (0, 0), 6)

        found = run(detector, [room() * np.roll(shadow, 12 * index, 1) for index in range(10)])

        assert not any(found)

    def test_does_not_take_a_light_that_changes_bright_and_dark_unequally_for_motion(self) -> None:
        detector = warmed_up(adaptive(), room())

        found = run(detector, [255 * (room().clip(0, 255) / 255) ** 0.75] * 10)

        assert not any(found)

    def test_a_light_switched_beside_a_parked_thing_does_not_make_it_move(self) -> None:
        detector = warmed_up(adaptive(), room())
        parked = with_box(room(), 110, 60)
        run(detector, [*walk(room(), frames=10), *[parked] * 9])

        found = run(detector, [parked * 0.6] * 10)

        assert not any(found)

    def test_learns_a_parked_thing_in_seconds(self) -> None:
        detector = AdaptiveDetector(EVERYWHERE, AdaptiveSettings())
        parked = with_box(room(), 110, 60, gray=200)

        run(warmed_up(detector, room()), [parked] * 50)

        assert detector._background is not None
        assert abs(detector._background.picture[75, 125] - 200.0) < 9

    def test_learns_in_time_that_something_never_stops(self) -> None:
        detector = warmed_up(adaptive(), room())
        waving = [with_box(room(), 100 + 4 * (index % 3), 60, size=20, gray=170) for index in range(700)]

        found = run(detector, waving)

        assert sum(map(bool, found[:20])) >= 10
        assert not any(found[-20:])

    def test_a_zone_filled_by_somebody_is_motion_and_no_change_of_scene(self) -> None:
        door: Polygon = ((0.1, 0.2), (0.25, 0.2), (0.25, 0.6), (0.1, 0.6))
        detector = warmed_up(build_detector(MotionSettings(), zones=[door]), room())

        found = run(detector, [with_box(room(), left, 20, size=100) for left in (-60, -40, -20, -5)])

        assert found[-1]
        assert found[-1].score > 0.5

    @pytest.mark.parametrize(
        "picture",
        [
            np.zeros((WIDTH, HEIGHT), np.uint8),
            np.zeros((HEIGHT, WIDTH, 3), np.uint8),
            np.zeros((HEIGHT, WIDTH), np.uint16),
            np.zeros((0, 0), np.uint8),
        ],
    )
    def test_refuses_a_picture_of_another_shape(self, picture: NDArray[np.uint8]) -> None:
        with pytest.raises(ValueError, match="180x320 uint8"):
            adaptive().process(picture)

    def test_takes_a_picture_cut_out_of_a_wider_plane(self) -> None:
        plane = np.full((HEIGHT, WIDTH + 64), 90, np.uint8)

        assert adaptive().process(plane[:, :WIDTH]) == STILL


class TestRegistry:
    def test_knows_these_detectors(self) -> None:
        assert detector_names() == ("adaptive", "mog2", "off", "pixel_diff")

    @pytest.mark.parametrize("name", detector_names())
    def test_builds_each_of_them(self, name: str) -> None:
        detector = build_detector(MotionSettings(detector=name))

        assert detector.process(shot(room(), 0)) == STILL

    def test_refuses_an_unknown_name_and_says_which_are_known(self) -> None:
        with pytest.raises(InvalidInput, match="adaptive, mog2, off, pixel_diff") as refused:
            build_detector(MotionSettings(detector="crystal_ball"))

        assert [error.pointer for error in refused.value.errors] == ["/motion/detector"]

    def test_gives_every_view_a_detector_of_its_own(self) -> None:
        one, other = build_detector(MotionSettings()), build_detector(MotionSettings())
        warmed_up(one, room())

        found = run(one, walk(room()))

        assert any(found)
        assert not any(run(other, walk(room())))

    def test_off_sees_nothing(self) -> None:
        detector = warmed_up(build_detector(MotionSettings(detector="off")), room())

        assert not any(run(detector, walk(room())))
