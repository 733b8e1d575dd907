"""Two plain detectors to compare with: they take every change for motion, light and shake included."""

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from glimpser.core.motion import STILL, Motion
from glimpser.vision.masks import Region
from glimpser.vision.motion.blobs import connected, widened
from glimpser.vision.motion.detector import report

LEAST_BLOB_PX = 40
MOST_BLOBS = 24
WARM_UP_FRAMES = 10
MOG2_HISTORY_FRAMES = 150
"""30 s at five frames a second."""

_SPECK = np.ones((3, 3), np.uint8)


class OffDetector:
    """Sees nothing: for a view whose motion nobody asked for."""

    def process(self, gray: NDArray[np.uint8]) -> Motion:
        """See `Detector.process`."""
        del gray
        return STILL


class PixelDiffDetector:
    """The difference to the previous frame, smoothed and cut off at one fixed level."""

    def __init__(self, region: Region, *, cut_off: int, threshold: float) -> None:
        self._region = region
        self._cut_off = cut_off
        self._threshold = threshold
        self._previous: MatLike | None = None

    def process(self, gray: NDArray[np.uint8]) -> Motion:
        """See `Detector.process`."""
        picture = cv2.GaussianBlur(gray, (5, 5), 0)
        previous, self._previous = self._previous, picture
        if previous is None:
            return STILL
        difference = cv2.absdiff(picture, previous)
        _, changed = cv2.threshold(difference, self._cut_off, 255, cv2.THRESH_BINARY)
        return _all_blobs(changed, self._region, threshold=self._threshold)


class Mog2Detector:
    """A mixture of Gaussians per pixel (Zivkovic, ICPR 2004), as OpenCV implements it."""

    def __init__(self, region: Region, *, variances: float, threshold: float) -> None:
        self._region = region
        self._threshold = threshold
        self._frames = 0
        self._subtractor = cv2.createBackgroundSubtractorMOG2(
            history=MOG2_HISTORY_FRAMES, varThreshold=variances, detectShadows=False
        )

    def process(self, gray: NDArray[np.uint8]) -> Motion:
        """See `Detector.process`."""
        changed = self._subtractor.apply(cv2.GaussianBlur(gray, (3, 3), 0))
        self._frames += 1
        if self._frames <= WARM_UP_FRAMES:
            return STILL
        return _all_blobs(changed, self._region, threshold=self._threshold)


def _all_blobs(changed: MatLike, region: Region, *, threshold: float) -> Motion:
    opened = cv2.morphologyEx(region.keep(changed), cv2.MORPH_OPEN, _SPECK)
    blobs = connected(widened(opened), opened, most=MOST_BLOBS)
    return report([blob for blob in blobs if blob.changed_px >= LEAST_BLOB_PX], region, threshold=threshold)
