"""Which of a view's zones something moved in."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from glimpser.core.motion import Box, Point, Polygon
from glimpser.core.templates import Zone

_Edges = tuple[float, float, float, float]
"""Left, top, right and bottom of a rectangle."""


def touched(boxes: Sequence[Box], zones: Iterable[Zone]) -> list[str]:
    """Give the names of the zones that at least one box overlaps or touches, in the order of `zones`."""
    return [zone.name for zone in zones if any(touches(box, zone.points) for box in boxes)]


def touches(box: Box, polygon: Polygon) -> bool:
    """Tell whether a box and a polygon have a point in common, borders included; exact for all floats.

    The inside of a polygon that crosses itself is told by the even-odd rule, as in the detector's masks.
    """
    edges = (box.x, box.y, box.x + box.width, box.y + box.height)
    sides = zip(polygon, (*polygon[1:], *polygon[:1]), strict=True)
    # A border that meets the box is common to both; if none does, the box lies wholly inside or outside.
    return any(_meets(edges, *side) for side in sides) or _encloses(polygon, (box.x, box.y))


def _meets(edges: _Edges, start: Point, end: Point) -> bool:
    """Separating axes: the box's own two, then the one across the segment."""
    left, top, right, bottom = edges
    if max(start[0], end[0]) < left or min(start[0], end[0]) > right:
        return False
    if max(start[1], end[1]) < top or min(start[1], end[1]) > bottom:
        return False
    sides = [_side(start, end, (x, y)) for x in (left, right) for y in (top, bottom)]
    return min(sides) <= 0 <= max(sides)


def _side(start: Point, end: Point, point: Point) -> Fraction:
    """Give twice the signed area of a triangle (a cross product): its sign tells the side of the line."""
    (ax, ay), (bx, by), (px, py) = _exact(start), _exact(end), _exact(point)
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


def _exact(point: Point) -> tuple[Fraction, Fraction]:
    return Fraction(point[0]), Fraction(point[1])


def _encloses(polygon: Polygon, point: Point) -> bool:
    """Count the borders that a ray from the point to the left crosses."""
    inside = False
    for start, end in zip(polygon, (*polygon[1:], *polygon[:1]), strict=True):
        if (start[1] > point[1]) != (end[1] > point[1]):
            upwards = end[1] > start[1]
            inside ^= (_side(start, end, point) < 0) == upwards
    return inside
