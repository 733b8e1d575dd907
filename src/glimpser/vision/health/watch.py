"""The verdict on the pictures of one view, about one look a second."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from glimpser.core.health import WELL, HealthState, Verdict
from glimpser.core.motion import Polygon
from glimpser.vision.health import structure
from glimpser.vision.health.lasting import Lasting
from glimpser.vision.health.structure import Outline, OutlineReader, Reference
from glimpser.vision.masks import rasterise

FROZEN_S = 60.0
"""Cameras do repeat pictures, and coders do where nothing happens; a sensor never does for so long."""
BLANK_S = 5.0
MOVED_S = 20.0
"""Longer than things take that fill the picture as they pass."""
SETTLED_S = 3600.0
COMPARE_EVERY_S = 4.0
"""Comparing outlines takes a millisecond, all the rest a twentieth of that."""
_WELL_AGAIN_S = 3.0
_BLANK_BELOW, _FULL_ABOVE = 8, 12
"""Gray levels between the darkest and the brightest part of a picture."""
_PARTS = (40, 20)
"""Of a picture, across and down: in the mean of each, noise is an eighth of what it is in a pixel.

Each is a whole number of pixels, of which OpenCV takes means eight times as fast as of parts of them.
"""
_LEAST_SEEN = 0.05
"""Less of a picture than this, beside privacy masks, is too little to judge by."""

FROZEN = Verdict(HealthState.FROZEN, "Not a single pixel has changed for a minute: restart the camera.")
BLANK = Verdict(
    HealthState.BLANK, "The picture is all of one colour: look at the lens, the light and the cable."
)
MOVED = Verdict(
    HealthState.MOVED,
    "It shows something else than it used to: the camera was turned or covered. What it shows for an hour is"
    " taken for normal.",
)
BLURRED = Verdict(
    HealthState.MOVED, "The picture has lost its sharpness: the lens is covered, dirty or out of focus."
)


class HealthWatch:
    """One view, one thread. Pictures are 180 rows of 320 gray pixels, times those of the stream in seconds.

    What a view looks like is learned in its first forty seconds that show anything, and goes with the light
    and the seasons from then on. A camera that tours between positions looks moved all the time.
    """

    def __init__(self, visible: NDArray[np.uint8] | None = None) -> None:
        """`visible`: 180x320, 0 where a privacy mask lies; None: there is none."""
        size = (structure.WIDTH, structure.HEIGHT)
        self._parts = None if visible is None else _shrunk(visible, _PARTS)
        self._reader = OutlineReader(None if visible is None else _shrunk(visible, size))
        self._can_judge = self._parts is None or float(self._parts.mean()) >= _LEAST_SEEN
        self._reference = Reference()
        self._last: NDArray[np.uint8] | None = None
        self._frozen = Lasting(FROZEN_S, 0.0, looks=5)
        self._blank = Lasting(BLANK_S, _WELL_AGAIN_S)
        self._moved = Lasting(MOVED_S, _WELL_AGAIN_S, looks=5)
        self._blurred = Lasting(MOVED_S, _WELL_AGAIN_S, looks=5)
        self._moved_at_s: float | None = None
        self._compared_at_s: float | None = None
        self._outlook = self._told = WELL

    def look(self, gray: NDArray[np.uint8], at_s: float) -> Verdict | None:
        """Look at the next picture; gives the verdict if it is another one than before."""
        if not self._can_judge:
            return None
        verdict = self._verdict(gray, at_s)
        if verdict == self._told:
            return None
        self._told = verdict
        return verdict

    def restart(self) -> None:
        """Begin with a new stream of the same view, of which nothing was said yet."""
        self._last = None
        for lasting in (self._frozen, self._blank, self._moved, self._blurred):
            lasting.reset()
        self._moved_at_s = self._compared_at_s = None
        self._outlook = self._told = WELL

    def _verdict(self, gray: NDArray[np.uint8], at_s: float) -> Verdict:
        blank = self._blank.update(self._is_blank(gray), at_s)
        frozen = self._frozen.update(self._is_same(gray), at_s)
        if blank:
            return BLANK
        if frozen:
            return FROZEN
        if self._compared_at_s is None or at_s - self._compared_at_s >= COMPARE_EVERY_S:
            self._compared_at_s = at_s
            self._outlook = self._compared(self._reader.read(gray), at_s)
        return self._outlook

    def _is_same(self, gray: NDArray[np.uint8]) -> bool:
        is_same = self._last is not None and np.array_equal(gray, self._last)
        self._last = gray
        return is_same

    def _is_blank(self, gray: NDArray[np.uint8]) -> bool:
        parts = cv2.resize(gray, _PARTS, interpolation=cv2.INTER_AREA)
        seen = parts if self._parts is None else parts[self._parts]
        return int(np.ptp(seen)) < (_FULL_ABOVE if self._blank.holds else _BLANK_BELOW)

    def _compared(self, outline: Outline, at_s: float) -> Verdict:
        """Compare with what the view used to show, which is learned from pictures that show it."""
        reference = self._reference
        if not reference.is_known:
            reference.learn(outline, at_s)
            return WELL
        is_moved = reference.is_moved(outline, was=self._moved.holds)
        is_blurred = reference.is_blurred(outline, was=self._blurred.holds)
        if is_moved is False and is_blurred is False:
            reference.learn(outline, at_s)
        moved = self._moved.update(is_moved, at_s)
        blurred = self._blurred.update(is_blurred, at_s) and not moved
        if moved and self._has_settled(at_s):
            self._take_for_normal(outline, at_s)
            return WELL
        if not moved:
            self._moved_at_s = None
        return MOVED if moved else BLURRED if blurred else WELL

    def _has_settled(self, at_s: float) -> bool:
        if self._moved_at_s is None:
            self._moved_at_s = at_s
        return at_s - self._moved_at_s >= SETTLED_S

    def _take_for_normal(self, outline: Outline, at_s: float) -> None:
        self._reference = Reference()
        self._reference.learn(outline, at_s)
        self._moved.reset()
        self._moved_at_s = None


def health_watch_for(privacy_masks: Sequence[Polygon] = ()) -> HealthWatch:
    """Build what watches a view.

    Raises:
        InvalidInput: a mask is no polygon.
    """
    if not privacy_masks:
        return HealthWatch()
    covered = rasterise(privacy_masks, "/privacy_masks")
    # Outlines reach a little beyond what is covered.
    return HealthWatch(np.asarray(255 - cv2.dilate(covered, np.ones((13, 13), np.uint8)), np.uint8))


def _shrunk(visible: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Give the parts that can be seen as a whole."""
    return np.asarray(cv2.resize(visible, size, interpolation=cv2.INTER_AREA) == 255)
