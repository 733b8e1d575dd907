"""Whether there is anything in a picture."""

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from glimpser.capture.pictures.blankness import BLANK, verdict_on_picture
from glimpser.core.health import WELL


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    grey = np.ascontiguousarray(pixels[:, :, None])
    return bytes(simplejpeg.encode_jpeg(grey, quality=85, colorspace="GRAY", colorsubsampling="Gray"))


def flat(level: int, height: int = 180, width: int = 320) -> NDArray[np.uint8]:
    return np.full((height, width), level, np.uint8)


def noisy(level: int, deviation: float) -> NDArray[np.uint8]:
    noise = np.random.default_rng(4).normal(level, deviation, (180, 320))
    return noise.clip(0, 255).astype(np.uint8)


def with_spot() -> NDArray[np.uint8]:
    pixels = flat(0)
    pixels[80:100, 150:170] = 120
    return pixels


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("size", [(180, 320), (1, 1), (8, 2000)], ids=str)
def test_a_picture_of_one_colour_is_blank(level: int, size: tuple[int, int]) -> None:
    assert verdict_on_picture(jpeg(flat(level, *size))) == BLANK


def test_noise_without_anything_in_it_is_blank() -> None:
    assert verdict_on_picture(jpeg(noisy(40, 4))) == BLANK


@pytest.mark.parametrize(
    "pixels",
    [with_spot(), noisy(128, 4) // 2 + np.linspace(0, 40, 320).astype(np.uint8)],
    ids=["a light in the dark", "fog that grows"],
)
def test_a_picture_with_something_in_it_is_well(pixels: NDArray[np.uint8]) -> None:
    assert verdict_on_picture(jpeg(pixels)) == WELL


def test_what_cannot_be_decoded_is_for_others_to_judge() -> None:
    assert verdict_on_picture(b"\xff\xd8 torn") == WELL
