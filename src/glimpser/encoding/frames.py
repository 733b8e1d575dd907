"""Stored pictures as frames of one shape."""

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from glimpser.streaming import caption

Picture = NDArray[np.uint8]
"""BGR, (height, width, 3)."""

MAX_PIXELS = 64_000_000
DEFAULT_WIDTH_PX = 1920
MAX_HEIGHT_PX = 2160
_LEAST_PX = 16
_DIMMED = 0.35


def decode(jpeg: bytes) -> Picture | None:
    """Read a JPEG; None: it is broken, cut off or larger than anybody's."""
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(jpeg)
        if not 0 < height * width <= MAX_PIXELS:
            return None
        return np.array(simplejpeg.decode_jpeg(jpeg, colorspace="BGR"))
    except ValueError:
        return None


def size_of(first: Picture, width_px: int | None) -> tuple[int, int]:
    """Give width and height of a video whose first picture this is: even, as 4:2:0 wants them."""
    height, width = first.shape[:2]
    wanted = width_px or min(width, DEFAULT_WIDTH_PX)
    scale = min(wanted / width, MAX_HEIGHT_PX / height)
    return _even(width * scale), _even(height * scale)


def fitted(picture: Picture, size: tuple[int, int]) -> Picture:
    """Scale a picture into a frame of this size, whole, with black bars beside or above it if need be."""
    width, height = size
    scale = min(width / picture.shape[1], height / picture.shape[0])
    inner = (
        min(width, max(1, round(picture.shape[1] * scale))),
        min(height, max(1, round(picture.shape[0] * scale))),
    )
    scaled = picture
    if (picture.shape[1], picture.shape[0]) != inner:
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        scaled = np.asarray(cv2.resize(picture, inner, interpolation=method), np.uint8)
    frame = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    frame[top : top + inner[1], left : left + inner[0]] = scaled
    return frame


def dimmed(frame: Picture) -> Picture:
    return np.asarray(cv2.convertScaleAbs(frame, alpha=_DIMMED), np.uint8)


def captioned(frame: Picture, text: str) -> Picture:
    """Give a frame with a line in its corner; the one given stays as it is."""
    if not text:
        return frame
    written = frame.copy()
    caption.write(written, text)
    return written


def _even(length: float) -> int:
    return max(_LEAST_PX, round(length) & ~1)
