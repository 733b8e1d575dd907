"""A camera that shakes: find the small shift of the whole picture and move the background along."""

import cv2
import numpy as np
from cv2.typing import MatLike

HALF_WIDTH, HALF_HEIGHT = 160, 90
"""Shifts are looked for at half size: a quarter of the work, and still finer than a pixel."""


class ShakeFinder:
    """Finds shifts by phase correlation (Kuglin and Hines, 1975) under a Hann window."""

    def __init__(self, *, least_response: float, least_shift_px: float, most_shift_px: float) -> None:
        self._least_response = least_response
        self._least_shift = least_shift_px / 2
        self._most_shift = most_shift_px / 2
        self._window = cv2.createHanningWindow((HALF_WIDTH, HALF_HEIGHT), cv2.CV_32F)

    def find(self, picture: MatLike, background: MatLike) -> tuple[float, float] | None:
        """Shift (right, down) in pixels from background to picture, both 180x320 uint8; None: no shake.

        A weak correlation peak, a shift too small to matter and one too large for a shake are none.
        """
        (right, down), response = cv2.phaseCorrelate(_half(background), _half(picture), self._window)
        largest = max(abs(right), abs(down))
        if response <= self._least_response or not self._least_shift < largest < self._most_shift:
            return None
        return 2 * right, 2 * down


def shifted(picture: MatLike, shift_px: tuple[float, float]) -> MatLike:
    """A copy of the picture moved right and down, its edge pixels repeated where nothing is known."""
    matrix = np.array([[1, 0, shift_px[0]], [0, 1, shift_px[1]]], np.float32)
    height, width = picture.shape[:2]
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def _half(picture: MatLike) -> MatLike:
    size = (HALF_WIDTH, HALF_HEIGHT)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
