"""Whether there is anything in a picture, for views that give one at a time."""

import numpy as np
import simplejpeg

from glimpser.core.health import WELL, HealthState, Verdict

_PARTS = 16
"""Of a picture, across and down: in the mean of each, what coding leaves of noise is gone."""
_LEAST_SPREAD = 8.0
"""Gray levels between the darkest and the brightest part; below this a camera's picture is blank too."""
BLANK = Verdict(HealthState.BLANK, "The picture is all of one colour: look at what gives it.")


def verdict_on_picture(jpeg: bytes) -> Verdict:
    """Judge a whole JPEG by its parts, at an eighth of its size. Blocks, for about a millisecond.

    One that cannot be decoded is for others to judge: it counts as well.
    """
    try:
        gray = simplejpeg.decode_jpeg(jpeg, colorspace="GRAY", min_width=1, min_height=1, min_factor=8.0)
    except ValueError:
        return WELL
    return BLANK if _spread(np.asarray(gray)[:, :, 0].astype(np.float32)) < _LEAST_SPREAD else WELL


def _spread(gray: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    rows = np.array_split(gray, min(_PARTS, gray.shape[0]), axis=0)
    parts = [part.mean() for row in rows for part in np.array_split(row, min(_PARTS, gray.shape[1]), axis=1)]
    return float(max(parts) - min(parts))
