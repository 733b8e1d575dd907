import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from glimpser.core.motion import Polygon
from glimpser.streaming.masking import Masks

QUARTER: Polygon = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))
BOW_TIE: Polygon = ((0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9))
STAR: Polygon = tuple(
    (0.5 + 0.45 * float(np.sin(turn)), 0.5 - 0.45 * float(np.cos(turn)))
    for turn in (index * 4 * np.pi / 5 for index in range(5))
)
EVERYTHING: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def covered(*polygons: Polygon, width: int = 64, height: int = 48) -> NDArray[np.bool_]:
    picture = np.full((height, width), 200, np.uint8)
    Masks(polygons).cover(picture, 0)
    return np.asarray(picture == 0)


def enclosed(hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What is seen and yet not connected with the picture's edge: a hole."""
    seen = np.pad((~hidden).astype(np.uint8), 1, constant_values=1)
    cv2.floodFill(seen, None, (0, 0), 0)
    return np.asarray(seen[1:-1, 1:-1] > 0)


def test_without_areas_there_is_nothing_to_cover() -> None:
    assert not Masks()
    assert not covered().any()


def test_an_area_is_covered_with_a_margin_and_the_rest_is_left() -> None:
    hidden = covered(QUARTER)

    assert hidden[:25, :33].all()
    assert not hidden[27:].any()
    assert not hidden[:, 35:].any()


def test_areas_may_overlap() -> None:
    hidden = covered(QUARTER, QUARTER, ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)))

    assert hidden[:24, :32].all()
    assert hidden[13:36, 17:47].all()


@pytest.mark.parametrize("polygon", [BOW_TIE, STAR], ids=["bow tie", "star"])
def test_what_crossing_lines_enclose_is_covered_without_holes(polygon: Polygon) -> None:
    hidden = covered(polygon, width=200, height=200)

    assert hidden[100, 100]
    assert not hidden[0, 0]
    assert not enclosed(hidden).any()


def test_the_whole_picture_can_be_covered() -> None:
    assert covered(EVERYTHING).all()


@pytest.mark.parametrize("size", [(2, 2), (2, 500), (1920, 2), (63, 35)], ids=str)
def test_pictures_of_any_size_are_covered(size: tuple[int, int]) -> None:
    assert covered(EVERYTHING, width=size[0], height=size[1]).all()


def test_points_outside_the_picture_count_as_on_its_edge() -> None:
    assert covered(((-5.0, -1e300), (9.0, -5.0), (1e12, 7.0), (-1.0, 1e300))).all()


def test_an_area_without_extent_still_covers_its_line() -> None:
    hidden = covered(((0.5, 0.5), (0.5, 0.5), (0.5, 0.5)))

    assert hidden[22:26, 30:34].any()
    assert hidden.sum() <= 9


def test_ten_thousand_points_are_drawn_like_the_shape_they_make() -> None:
    turns = np.linspace(0, 2 * np.pi, 10_000, endpoint=False)
    circle = tuple((0.5 + 0.4 * float(np.cos(turn)), 0.5 + 0.4 * float(np.sin(turn))) for turn in turns)

    hidden = covered(circle, width=200, height=200)

    assert hidden[100, 25:175].all()
    assert hidden.mean() == pytest.approx(np.pi * 0.16, abs=0.02)


def test_no_colour_is_left_where_any_part_of_its_pixels_is_covered() -> None:
    masks = Masks((((0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1)),))
    chroma = np.full((24, 32), 30, np.uint8)

    masks.cover_chroma(chroma, 64, 48)

    luma = masks.drawn(64, 48).reshape(24, 2, 32, 2).max(axis=(1, 3)) > 0
    assert ((chroma == 128) == luma).all()
    assert (chroma == 30).any()


def test_only_a_few_sizes_are_kept() -> None:
    masks = Masks((QUARTER,))

    first = masks.drawn(64, 48)
    for width in range(100, 120):
        masks.drawn(width, 48)

    assert masks.drawn(64, 48) is not first
    assert (masks.drawn(64, 48) == first).all()
