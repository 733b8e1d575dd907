"""Connected areas of changed pixels."""

from collections.abc import Iterator

import cv2
import numpy as np
from cv2.typing import MatLike

from glimpser.vision.motion.detector import Blob

MARGIN_PX = 2
"""Changed areas are widened by this much on each side, so that the parts of one thing join."""

_JOIN = np.ones((2 * MARGIN_PX + 1, 2 * MARGIN_PX + 1), np.uint8)


def widened(changed: MatLike) -> MatLike:
    """The changed pixels and all within the margin around them; uint8, 255 or 0."""
    return cv2.dilate(changed, _JOIN)


def connected(areas: MatLike, changed: MatLike, *, most: int) -> Iterator[Blob]:
    """The largest connected areas, at most so many, each with the changed pixels in its bounding box."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(areas, connectivity=8, ltype=cv2.CV_16U)
    order = np.arange(1, count)
    if count - 1 > most:
        order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:most]
    for label in order:
        x, y, width, height, _ = (int(value) for value in stats[label])
        changed_px = cv2.countNonZero(changed[y : y + height, x : x + width])
        yield Blob(x=x, y=y, width=width, height=height, changed_px=changed_px)
