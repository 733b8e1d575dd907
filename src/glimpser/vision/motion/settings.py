"""Every threshold of the adaptive detector, with its unit and its meaning."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveSettings:
    """Defaults hold for 320x180 pictures at about five a second.

    Lengths and areas are pixels of that picture, differences gray levels 0 to 255, rates the weight of the
    newest frame in a running mean.

    Attributes:
        tolerance_deviations: a pixel changed when it differs by more than this many mean absolute deviations.
        tolerance_floor: … and by more than this many gray levels, however quiet the pixel is.
        tolerance_every_frames: how often the tolerance is measured anew.

        light_gain: gain, away from 1, above which a change of light is put into the background.
        light_offset: offset in gray levels above which it is, too.

        shake_changed_px: changed pixels above which a shake is looked for.
        shake_response: least height of the phase correlation's peak, 0 to 1.
        shake_least_px: smaller shifts are none.
        shake_most_px: larger shifts are no shake.
        shake_remaining: a shift is believed when no more than this share of the changes remains after it.
        shake_edge_share: share of the local contrast that is tolerated along edges after a shift.
        shake_longest_frames: a camera shifted for so many frames in a row has been moved.

        scene_share: share of the picture that changes when the scene, not a thing in it, is another.

        opened_px: changed pixels that must survive the opening before blobs are looked for.
        blob_px: least changed pixels of a blob.
        blob_side_px: least width and height of a blob, its margin of 4 included.
        most_blobs: at most so many blobs, the largest, are judged in a frame.
        confirmed_share: share of a blob's changed pixels that must have changed near by one frame before …
        compact_px: … unless it has at least so many changed pixels
        compact_fill: … and they fill this share of its box: a fast thing is at no place twice.
        recent_share: share of a blob's changed pixels that must differ from the recent past as well.
        recent_px: least number of such pixels.
        recent_tolerance: share of the typical tolerance above which a pixel differs.
        texture: standard deviation in gray levels from which on an area has structure to compare.
        same_structure: correlation of a blob with its background above which only the light on it differs.

        first_deviation: mean absolute deviation assumed in the first frame, in gray levels.
        first_frames: for so many frames no motion is reported, and …
        first_slow_rate: … the background is learnt at this rate, under moving things too.
        first_noise_frames: for so many frames …
        first_noise_rate: … the noise is learnt at this rate …
        first_tolerance: … and, known from few frames only, tolerated this many times.
        slow_rate: rate of the background.
        recent_rate: rate of the recent past.
        noise_rate: rate of the noise.
        noise_every_frames: how often noise is learnt: it changes slowly.
        leak_rate: rate of the background under moving things, every `noise_every_frames`; noise: half of it.
        absorb_rate: rate of the background under things that came to rest.
    """

    tolerance_deviations: float = 4.0
    tolerance_floor: int = 9
    tolerance_every_frames: int = 8

    light_gain: float = 0.008
    light_offset: float = 1.0

    shake_changed_px: int = 300
    shake_response: float = 0.2
    shake_least_px: float = 0.12
    shake_most_px: float = 16.0
    shake_remaining: float = 0.8
    shake_edge_share: float = 0.35
    shake_longest_frames: int = 75

    scene_share: float = 0.5

    opened_px: int = 9
    blob_px: int = 12
    blob_side_px: int = 7
    most_blobs: int = 24
    confirmed_share: float = 0.5
    compact_px: int = 90
    compact_fill: float = 0.35
    recent_share: float = 0.03
    recent_px: int = 4
    recent_tolerance: float = 0.7
    hole_stepped_share: float = 0.1
    hole_edge_ratio: float = 1.5
    texture: float = 4.0
    same_structure: float = 0.90

    first_deviation: float = 3.0
    first_frames: int = 25
    first_slow_rate: float = 0.2
    first_noise_frames: int = 60
    first_noise_rate: float = 0.15
    first_tolerance: float = 1.25
    slow_rate: float = 0.03
    recent_rate: float = 0.3
    noise_rate: float = 0.04
    noise_every_frames: int = 4
    leak_rate: float = 0.02
    absorb_rate: float = 0.15

    @classmethod
    def scaled(cls, scale: float) -> Self:
        """Tolerate that many times the difference; everything else stays."""
        return cls(tolerance_deviations=4.0 * scale, tolerance_floor=round(9 * scale))
