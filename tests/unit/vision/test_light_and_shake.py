import cv2
import numpy as np
import pytest
from cv2.typing import MatLike

from glimpser.core.motion import HEIGHT, WIDTH
from glimpser.vision.motion.light import SAME_LIGHT, fit_light
from glimpser.vision.motion.shake import ShakeFinder, shifted


def room() -> MatLike:
    coarse = np.random.default_rng(3).normal(120, 30, (18, 32)).astype(np.float32)
    picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return as_gray(picture)


def as_gray(picture: MatLike) -> MatLike:
    gray: MatLike = np.clip(picture, 0, 255).astype(np.uint8)
    return gray


def lit(picture: MatLike, gain: float, offset: float) -> MatLike:
    return as_gray(picture * gain + offset)


def finder() -> ShakeFinder:
    return ShakeFinder(least_response=0.2, least_shift_px=0.12, most_shift_px=16.0)


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 4.0), (0.8, 0.0), (1.2, 5.0), (1.0, 20.0)])
def test_gain_and_offset_of_a_change_of_light_are_found(gain: float, offset: float) -> None:
    light = fit_light(lit(room(), gain, offset), room())

    assert light.gain == pytest.approx(gain, abs=0.03)
    assert light.offset == pytest.approx(offset, abs=3)


def test_the_same_light_is_told_without_a_fit() -> None:
    assert fit_light(room(), room()) is SAME_LIGHT


def test_something_that_covers_a_fifth_of_the_picture_does_not_pull_the_light_along() -> None:
    dimmed = lit(room(), 0.7, 0.0)
    dimmed[:, 100:164] = 255

    light = fit_light(dimmed, room())

    assert light.gain == pytest.approx(0.7, abs=0.03)


def test_a_flat_wall_gives_an_offset_and_no_gain() -> None:
    wall = np.full((HEIGHT, WIDTH), 100, np.uint8)

    light = fit_light(lit(wall, 1.0, 30.0), wall)

    assert light.gain == 1.0
    assert light.offset == pytest.approx(30.0)


def test_no_light_explains_a_dazzled_or_covered_camera() -> None:
    assert fit_light(np.full((HEIGHT, WIDTH), 255, np.uint8), room()) is SAME_LIGHT
    assert fit_light(np.zeros((HEIGHT, WIDTH), np.uint8), room()) is SAME_LIGHT


@pytest.mark.parametrize("shift", [(3.0, -2.0), (0.5, 0.0), (-6.0, 4.0)])
def test_a_shift_is_found_to_half_a_pixel(shift: tuple[float, float]) -> None:
    found = finder().find(shifted(room(), shift), room())

    assert found == pytest.approx(shift, abs=0.55)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (30.0, 0.0)])
def test_no_shift_and_one_too_large_for_a_shake_are_none(shift: tuple[float, float]) -> None:
    assert finder().find(shifted(room(), shift), room()) is None


def test_another_scene_is_no_shift() -> None:
    other = np.random.default_rng(9).integers(0, 255, (HEIGHT, WIDTH)).astype(np.uint8)

    assert finder().find(other, room()) is None
