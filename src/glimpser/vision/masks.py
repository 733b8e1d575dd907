"""Zones and masks as pixels of the detection picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike

from glimpser.core.errors import InvalidInput
from glimpser.core.motion import HEIGHT, WIDTH, Polygon, check_polygon


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """The part of the picture that is watched.

    Attributes:
        mask: 180x320 uint8, 255 where motion counts and 0 elsewhere; None when it counts everywhere, which
            spares detectors the work.
        area_px: number of pixels watched, at least 1.
    """

    mask: MatLike | None
    area_px: int

    def keep(self, changed: MatLike) -> MatLike:
        """`changed` (180x320 uint8) without what lies outside."""
        return changed if self.mask is None else cv2.bitwise_and(changed, self.mask)


EVERYWHERE = Region(mask=None, area_px=WIDTH * HEIGHT)


def rasterise(polygons: Sequence[Polygon], pointer: str = "") -> MatLike:
    """Draw the union of the polygons: a new 180x320 uint8 picture, 255 inside, edges included, 0 elsewhere.

    Raises:
        InvalidInput: a polygon of fewer than three points or one outside the picture; `pointer` (RFC 6901)
            names the list they come from.
    """
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    last_pixel = np.array((WIDTH - 1, HEIGHT - 1), np.float64)
    for index, polygon in enumerate(
        polygons
    ):  # one by one: together, overlapping ones cut holes into each other
        check_polygon(polygon, f"{pointer}/{index}")
        corners = np.rint(np.array(polygon, np.float64) * last_pixel).astype(np.int32)
        cv2.fillPoly(picture, [corners], 255)
    return picture


def watched_region(zones: Sequence[Polygon], masks: Sequence[Polygon]) -> Region:
    """Zones (none: the whole picture) less masks.

    Raises:
        InvalidInput: a polygon is none, or the masks leave nothing to watch; a view that nobody wants watched
            is switched `off` instead.
    """
    if not zones and not masks:
        return EVERYWHERE
    watched = rasterise(zones, "/zones") if zones else np.full((HEIGHT, WIDTH), 255, np.uint8)
    watched[rasterise(masks, "/motion_masks") > 0] = 0
    area_px = cv2.countNonZero(watched)
    if area_px == 0:
        raise InvalidInput.field("/motion_masks", "the masks leave nothing of the zones to watch")
    return Region(mask=watched, area_px=area_px)
