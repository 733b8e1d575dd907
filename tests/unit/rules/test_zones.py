"""Boxes and zones: exact on every side, against the theorem of separating axes and against sampling."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.core.motion import Box, Point, Polygon
from glimpser.core.templates import Zone
from glimpser.rules.zones import touched, touches

SQUARE: Polygon = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
HOOK: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.75, 1.0), (0.75, 0.25), (0.0, 0.25))
"""An L lying on its side: the middle and the lower left are outside."""
TIE: Polygon = ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))


@pytest.mark.parametrize(
    ("box", "polygon", "expected"),
    [
        (Box(0.4, 0.4, 0.1, 0.1), SQUARE, True),  # inside
        (Box(0.0, 0.0, 1.0, 1.0), SQUARE, True),  # around
        (Box(0.0, 0.4, 1.0, 0.1), SQUARE, True),  # across, no corner of either in the other
        (Box(0.0, 0.0, 0.25, 0.25), SQUARE, True),  # one corner
        (Box(0.75, 0.3, 0.1, 0.1), SQUARE, True),  # one side
        (Box(0.0, 0.0, 0.24, 0.24), SQUARE, False),
        (Box(0.76, 0.3, 0.1, 0.1), SQUARE, False),
        (Box(0.1, 0.5, 0.4, 0.4), HOOK, False),  # within its bounds, beside its arms
        (Box(0.1, 0.5, 0.66, 0.1), HOOK, True),
        (Box(0.1, 0.1, 0.05, 0.05), HOOK, True),
        (Box(0.1, 0.5, 0.0, 0.0), TIE, True),
        (Box(0.45, 0.1, 0.1, 0.1), TIE, False),  # between its wings
        (Box(0.25, 0.25, 0.0, 0.0), SQUARE, True),  # a point on a corner
    ],
)
def test_a_box_touches_a_zone_or_not(box: Box, polygon: Polygon, *, expected: bool) -> None:
    assert touches(box, polygon) is expected
    assert touches(box, polygon[::-1]) is expected


def test_a_diagonal_is_missed_by_less_than_a_pixel_and_met_exactly() -> None:
    below: Polygon = ((0.0, 1.0), (1.0, 0.0), (1.0, 1.0))

    assert touches(Box(0.25, 0.25, 0.25, 0.25), below)
    assert not touches(Box(0.25, 0.25, 0.25, 0.25 - 2**-50), below)


def test_the_names_of_the_zones_come_in_their_order_and_once() -> None:
    zones = [Zone("yard", HOOK), Zone("door", SQUARE), Zone("roof", ((0, 0.9), (0.1, 0.9), (0, 1)))]

    assert touched([Box(0.7, 0.2, 0.1, 0.1), Box(0.8, 0.3, 0.1, 0.1)], zones) == ["yard", "door"]
    assert touched([], zones) == []
    assert touched([Box(0, 0, 1, 1)], []) == []


COORDINATE = st.integers(0, 16).map(lambda value: value / 16)
POINT = st.tuples(COORDINATE, COORDINATE)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    (x, y), (right, bottom) = draw(POINT), draw(POINT)
    left, top = min(x, right), min(y, bottom)
    return Box(left, top, max(x, right) - left, max(y, bottom) - top)


def separated(first: list[Point], second: list[Point]) -> bool:
    """Two convex shapes are apart if and only if an axis across one of their sides parts them."""
    for shape in (first, second):
        for (ax, ay), (bx, by) in zip(shape, shape[1:] + shape[:1], strict=True):
            along = (Fraction(by) - Fraction(ay), Fraction(ax) - Fraction(bx))
            spans = [
                [along[0] * Fraction(x) + along[1] * Fraction(y) for x, y in points]
                for points in (first, second)
            ]
            if max(spans[0]) < min(spans[1]) or max(spans[1]) < min(spans[0]):
                return True
    return False


@given(box=boxes(), corners=st.tuples(POINT, POINT, POINT))
def test_a_triangle_is_touched_unless_an_axis_parts_it_from_the_box(
    box: Box, corners: tuple[Point, Point, Point]
) -> None:
    (ax, ay), (bx, by), (cx, cy) = corners
    if (bx - ax) * (cy - ay) == (by - ay) * (cx - ax) or not (box.width and box.height):
        return  # a line has no side that the theorem could use
    rectangle = [(x, y) for x in (box.x, box.x + box.width) for y in (box.y, box.y + box.height)]
    around = [rectangle[index] for index in (0, 2, 3, 1)]

    assert touches(box, corners) is not separated(list(corners), around)


def inside(point: tuple[Fraction, Fraction], polygon: Polygon) -> bool:
    """Even-odd rule by a ray to the right; for points that no corner shares a height with."""
    x, y = point
    crossings = 0
    for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (ay > y) != (by > y):
            crossings += x < Fraction(ax) + (y - Fraction(ay)) * Fraction(bx - ax) / Fraction(by - ay)
    return crossings % 2 == 1


@given(box=boxes(), polygon=st.lists(POINT, min_size=3, max_size=7).map(tuple))
def test_a_place_in_both_means_touching(box: Box, polygon: Polygon) -> None:
    steps = [Fraction(2 * index + 1, 64) for index in range(32)]
    common = any(
        inside((x, y), polygon)
        for x, y in product(steps, steps)
        if box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height
    )

    assert touches(box, polygon) or not common
