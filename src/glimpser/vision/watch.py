"""Motion in one view, from picture to burst: a detector and the tracker that adds its findings up."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from glimpser.core.motion import BurstEvent, MotionSettings, Polygon
from glimpser.vision.bursts import BurstTracker, Step
from glimpser.vision.motion.detector import Detector
from glimpser.vision.motion.registry import build_detector


class MotionWatch:
    """One view, one thread."""

    def __init__(self, detector: Detector, tracker: BurstTracker) -> None:
        self._detector = detector
        self._tracker = tracker

    def process(self, gray: NDArray[np.uint8], captured_at: datetime) -> Step:
        """Take the next picture: 180 rows of 320 pixels, about five a second."""
        return self._tracker.feed(captured_at, self._detector.process(gray))

    def flush(self) -> Sequence[BurstEvent]:
        """End what is open: the source is gone."""
        return self._tracker.flush()


def watch_for(
    settings: MotionSettings, *, zones: Sequence[Polygon] = (), masks: Sequence[Polygon] = ()
) -> MotionWatch | None:
    """Build what watches a view; None when motion is off.

    Raises:
        InvalidInput: as `build_detector`.
    """
    if not settings.enabled:
        return None
    return MotionWatch(build_detector(settings, zones=zones, masks=masks), BurstTracker())
