"""Areas of a picture that nobody may see, painted over. Pure functions of pixels."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from glimpser.core.motion import Polygon

Pixels = NDArray[np.uint8]

_MAX_SIZES = 4
"""Of pictures whose areas are kept drawn: a view has one size, and hardly ever another."""


class Masks:
    """The covered areas of one view, as pixels of pictures of any size. Any thread.

    What the lines of an area enclose is covered, also where they cross, and one pixel more on every side:
    rounding must not uncover anything.
    """

    def __init__(self, polygons: Sequence[Polygon] = ()) -> None:
        """Points are fractions of width and height; those outside the picture count as on its edge."""
        self._polygons = [np.clip(np.array(polygon, np.float64), 0.0, 1.0) for polygon in polygons]
        self._drawn: dict[tuple[int, int], Pixels] = {}

    def __bool__(self) -> bool:
        return bool(self._polygons)

    def drawn(self, width: int, height: int) -> Pixels:
        """Give the areas in a picture of this size: 255 where covered, else 0. Not to be written to."""
        known = self._drawn.get((width, height))
        if known is None:
            if len(self._drawn) >= _MAX_SIZES:
                self._drawn.clear()
            known = self._drawn[width, height] = self._draw(width, height)
        return known

    def cover(self, picture: Pixels, colour: int | Sequence[int]) -> None:
        """Paint over the areas of a picture: rows, columns and, if there are some, channels."""
        where = self.drawn(picture.shape[1], picture.shape[0]) > 0
        picture[where] = colour

    def cover_chroma(self, chroma: Pixels, width: int, height: int, *, neutral: int = 128) -> None:
        """Take the colour out of a 4:2:0 plane that belongs to luma of `width` by `height`, both even."""
        halves = self.drawn(width, height).reshape(height // 2, 2, width // 2, 2)
        chroma[halves.max(axis=(1, 3)) > 0] = neutral

    def _draw(self, width: int, height: int) -> Pixels:
        drawn = np.zeros((height, width), np.uint8)
        for polygon in self._polygons:
            drawn |= _filled(polygon, width, height)
        return np.asarray(cv2.dilate(drawn, np.ones((3, 3), np.uint8)), np.uint8)


def _filled(polygon: NDArray[np.float64], width: int, height: int) -> Pixels:
    """Fill what the lines enclose; filling by the even-odd rule alone leaves holes where lines cross."""
    alone = np.zeros((height, width), np.uint8)
    corners = np.rint(polygon * (width - 1, height - 1)).astype(np.int32)
    cv2.fillPoly(alone, [corners], 255)
    outlines, _ = cv2.findContours(alone, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(alone, outlines, -1, 255, cv2.FILLED)
    return alone
