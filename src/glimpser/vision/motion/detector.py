"""What every motion detector is, and how each of them reports what it found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from glimpser.core.motion import HEIGHT, STILL, WIDTH, Box, Motion
from glimpser.vision.masks import Region


class Detector(Protocol):
    """Finds motion in the successive pictures of one view. Keeps state: one instance, one thread a view."""

    def process(self, gray: NDArray[np.uint8]) -> Motion:
        """Look at the next picture.

        Args:
            gray: 180x320 uint8 luma, full or limited range, about five a second. It is only read, and not
                kept: the caller may reuse its memory.
        """
        ...


@dataclass(frozen=True, slots=True)
class Blob:
    """One connected changed area: its bounding box in pixels, and how many pixels in it changed."""

    x: int
    y: int
    width: int
    height: int
    changed_px: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the bounding box."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


def report(blobs: Sequence[Blob], region: Region, *, threshold: float) -> Motion:
    """Turn the blobs of one frame into its motion: largest first, none if the score misses the threshold."""
    if not blobs:
        return STILL
    score = min(1.0, sum(blob.changed_px for blob in blobs) / region.area_px)
    if score < threshold:
        return Motion(score=score, boxes=())
    ordered = sorted(blobs, key=lambda blob: blob.changed_px, reverse=True)
    return Motion(score=score, boxes=tuple(_normalised(blob) for blob in ordered))


def _normalised(blob: Blob) -> Box:
    return Box(x=blob.x / WIDTH, y=blob.y / HEIGHT, width=blob.width / WIDTH, height=blob.height / HEIGHT)
