"""Changes of light: one gain and one offset that explain the whole picture."""

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT = 16, 9
"""Few enough cells to fit in microseconds, enough that something moving stays a minority of them."""

LEAST_CHANGE = 1.0
"""Gray levels by which the thumbnail's differences must shift or spread before a fit is tried at all."""

LEAST_CELLS = 20
"""A fit on fewer cells than this would follow a moving thing instead of the light."""

FLAT_VARIANCE = 20.0
"""Below this variance (gray levels squared) the cells cannot tell a gain from an offset."""

GAIN_LIMITS = (0.3, 3.0)
"""A gain beyond these is no light: the camera was covered, dazzled or cut to another scene."""


@dataclass(frozen=True, slots=True)
class Light:
    """How the light changed: new = gain * old + offset, in gray levels."""

    gain: float = 1.0
    offset: float = 0.0

    def exceeds(self, *, gain: float, offset: float) -> bool:
        """Whether either part of the change is larger than this."""
        return abs(self.gain - 1.0) > gain or abs(self.offset) > offset


SAME_LIGHT = Light()


def fit_light(picture: MatLike, background: MatLike) -> Light:
    """Estimate the change of light from the background to the picture; both 180x320 uint8.

    Least squares on thumbnails, repeated on the cells that the fit before explains (residual within three
    median residuals): what moves is an outlier and does not pull the light along. What no change of light can
    explain is none.
    """
    new, old = _thumbnail(picture), _thumbnail(background)
    difference = new - old
    shift = _median(difference)
    deviation = np.abs(difference - shift)
    spread = _median(deviation)
    if abs(shift) <= LEAST_CHANGE and spread <= LEAST_CHANGE:
        return SAME_LIGHT
    light = Light(offset=shift)
    explained = deviation <= max(3 * spread, 2.0)
    for _ in range(2):
        if np.count_nonzero(explained) < LEAST_CELLS:
            break
        light = _least_squares(new[explained], old[explained])
        if not GAIN_LIMITS[0] <= light.gain <= GAIN_LIMITS[1]:
            return SAME_LIGHT
        residual = np.abs(new - light.gain * old - light.offset)
        explained = residual <= max(3 * _median(residual), 2.0)
    return light


def _thumbnail(picture: MatLike) -> NDArray[np.float32]:
    size = (THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).ravel().astype(np.float32)


def _median(values: NDArray[np.float32]) -> float:
    """The upper median: NumPy's own costs as much as all the rest of the fit."""
    middle = values.size // 2
    return float(np.partition(values, middle)[middle])


def _least_squares(new: NDArray[np.float32], old: NDArray[np.float32]) -> Light:
    mean_new, mean_old = float(new.mean()), float(old.mean())
    variance = float(old.var())
    gain = 1.0
    if variance > FLAT_VARIANCE:
        covariance = float(((old - mean_old) * (new - mean_new)).mean())
        gain = covariance / variance
    return Light(gain=gain, offset=mean_new - gain * mean_old)
