"""Motion as values: what to watch for, what moved in one frame, and the bursts that moving frames add up to.

The ingest workers detect, the main process stores and judges; both speak in these types.
"""

import math
from dataclasses import dataclass
from datetime import datetime

from glimpser.core.errors import InvalidInput

WIDTH = 320
"""Width of the picture every detector looks at, in pixels."""

HEIGHT = 180
"""Height of that picture, in pixels; views of another shape are stretched to it, boxes being normalised."""

OFF = "off"
"""The detector of a view whose motion nobody asked for."""


Point = tuple[float, float]
"""A place in the picture as fractions of its width and height, from (0, 0) at the top left to (1, 1)."""

Polygon = tuple[Point, ...]
"""An area of the picture: its corners in drawing order, closed from the last one to the first."""


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """How one view is watched for motion.

    Attributes:
        detector: name of the detector; `off` watches nothing.
        sensitivity: 0 (only strong changes) to 1 (faint ones too); every half doubles it.
        threshold: least score, 0 to 1, that counts as motion.

    Raises:
        InvalidInput: sensitivity or threshold is no number between 0 and 1.
    """

    detector: str = "adaptive"
    sensitivity: float = 0.5
    threshold: float = 0.0

    def __post_init__(self) -> None:
        if not _is_fraction(self.sensitivity):
            raise InvalidInput.field("/sensitivity", "must be a number from 0 to 1")
        if not _is_fraction(self.threshold):
            raise InvalidInput.field("/threshold", "must be a number from 0 to 1")

    @property
    def enabled(self) -> bool:
        """Whether frames need to be decoded for motion at all."""
        return self.detector != OFF

    @property
    def tolerance_scale(self) -> float:
        """Factor on the difference a detector tolerates: 2 at sensitivity 0, 1 at 0.5, 0.5 at 1."""
        return math.exp2(1.0 - 2.0 * self.sensitivity)


@dataclass(frozen=True, slots=True)
class Box:
    """Where something moved: left, top, width and height as fractions of the picture."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Motion:
    """What moved in one frame; true when something did.

    Attributes:
        score: changed area inside the zones divided by the area of the zones, 0 to 1. A frame below the
            threshold keeps its score, so that the threshold can be tuned, and has no boxes.
        boxes: the moving things, largest first.
    """

    score: float
    boxes: tuple[Box, ...]

    def __bool__(self) -> bool:
        return bool(self.boxes)


STILL = Motion(score=0.0, boxes=())
"""A frame in which nothing moved."""


@dataclass(frozen=True, slots=True)
class BurstOpened:
    """An activity began: insert its row.

    `started_at` names the burst among those of its view, in all three events. Every event carries the whole
    state of the row, so a consumer that writes what it gets needs no memory of the burst.
    """

    started_at: datetime
    peak_at: datetime
    score: float
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class BurstPeak:
    """The activity grew noticeably: replace score, boxes and picture of its row.

    `peak_at` is the time of the best frame so far, which may be a little older than the announcement.
    """

    started_at: datetime
    peak_at: datetime
    score: float
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class BurstClosed:
    """The activity is over: `ended_at` is its last moving frame, `score` and `boxes` are those of its best.

    A `peak_at` later than the last announced one means that the picture changed once more.
    """

    started_at: datetime
    peak_at: datetime
    ended_at: datetime
    score: float
    boxes: tuple[Box, ...]


BurstEvent = BurstOpened | BurstPeak | BurstClosed


def check_polygon(polygon: Polygon, pointer: str = "") -> None:
    """Refuse what encloses nothing or lies outside the picture; `pointer` (RFC 6901) says which one it is.

    Raises:
        InvalidInput: fewer than three points, or a coordinate that is no number from 0 to 1.
    """
    if len(polygon) < 3:
        raise InvalidInput.field(pointer, "a polygon needs at least three points")
    for index, point in enumerate(polygon):
        if not all(_is_fraction(value) for value in point):
            raise InvalidInput.field(f"{pointer}/{index}", "a point is two numbers from 0 to 1")


def _is_fraction(value: float) -> bool:
    return math.isfinite(value) and 0.0 <= value <= 1.0
