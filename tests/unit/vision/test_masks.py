import math

import numpy as np
import pytest

from glimpser.core.errors import InvalidInput
from glimpser.core.motion import HEIGHT, WIDTH, Polygon
from glimpser.vision.masks import EVERYWHERE, rasterise, watched_region

LEFT_HALF: Polygon = ((0, 0), (0.5, 0), (0.5, 1), (0, 1))
RIGHT_HALF: Polygon = ((0.5, 0), (1, 0), (1, 1), (0.5, 1))
WHOLE: Polygon = ((0, 0), (1, 0), (1, 1), (0, 1))


def test_a_polygon_becomes_255_inside_and_0_outside() -> None:
    picture = rasterise([LEFT_HALF])

    assert picture.shape == (HEIGHT, WIDTH)
    assert picture.dtype == np.uint8
    assert (picture[:, :160] == 255).all()
    assert (picture[:, 161:] == 0).all()


def test_the_whole_picture_reaches_its_last_pixels() -> None:
    assert (rasterise([WHOLE]) == 255).all()


def test_where_polygons_overlap_there_is_no_hole() -> None:
    assert (rasterise([WHOLE, LEFT_HALF]) == 255).all()


def test_no_polygon_is_nothing() -> None:
    assert not rasterise([]).any()


@pytest.mark.parametrize(
    ("polygon", "pointer"),
    [
        (((0.0, 0.0), (1.0, 1.0)), "/zones/1"),
        ((), "/zones/1"),
        (((0.0, 0.0), (1.1, 0.0), (1.0, 1.0)), "/zones/1/1"),
        (((0.0, 0.0), (1.0, 0.0), (1.0, -0.01)), "/zones/1/2"),
        (((math.nan, 0.0), (1.0, 0.0), (1.0, 1.0)), "/zones/1/0"),
        (((0.0, math.inf), (1.0, 0.0), (1.0, 1.0)), "/zones/1/0"),
    ],
)
def test_what_encloses_nothing_or_lies_outside_is_refused_by_name(polygon: Polygon, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        rasterise([WHOLE, polygon], "/zones")

    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_the_smallest_and_largest_legal_polygons_are_taken() -> None:
    assert rasterise([((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))]).any()
    assert rasterise([((0.5, 0.5), (0.5, 0.5), (0.5, 0.5))]).any()


def test_without_zones_and_masks_everything_is_watched() -> None:
    assert watched_region([], []) is EVERYWHERE


def test_masks_are_cut_out_of_zones() -> None:
    region = watched_region([WHOLE], [LEFT_HALF])

    assert region.mask is not None
    assert not region.mask[:, :160].any()
    assert (region.mask[:, 161:] == 255).all()
    assert region.area_px == np.count_nonzero(region.mask)


def test_masks_are_cut_out_of_the_whole_picture_when_there_is_no_zone() -> None:
    region = watched_region([], [LEFT_HALF])

    assert region.area_px == 159 * HEIGHT


def test_masks_that_leave_nothing_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        watched_region([LEFT_HALF], [WHOLE])

    assert [error.pointer for error in refused.value.errors] == ["/motion_masks"]


def test_a_region_keeps_what_lies_inside() -> None:
    everything = np.full((HEIGHT, WIDTH), 255, np.uint8)

    kept = watched_region([RIGHT_HALF], []).keep(everything)

    assert not kept[:, :159].any()
    assert kept[:, 161:].all()
