"""The picture that viewers see while a source is down: the last one, dimmed, with a sentence on it.

Pure functions of bytes; they take milliseconds of processor time, so they run in a thread.
"""

import cv2
import numpy as np
import simplejpeg
from cv2.typing import MatLike

_QUALITY = 80
_DIMMED = 0.45
"""Part of its brightness that the old picture keeps."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE = (255, 255, 255)
_BAND = (40, 32, 28)
_EMPTY = (30, 26, 24)
_MAX_SIDE_PX = 8192


def burn(jpeg: bytes | None, text: str, width_px: int) -> bytes:
    """Give a JPEG of `width_px` with `text` on a band across its foot.

    `jpeg` gives the background and the shape; without one, or with one that cannot be read, the background is
    plain and 16:9. Characters outside ASCII become `?`: the font has no others.
    """
    picture = _background(jpeg, width_px)
    height = picture.shape[0]
    line = text.encode("ascii", "replace").decode().replace("\n", " ")
    scale = max(width_px / 1100, 0.35)
    thickness = max(1, round(scale * 1.6))
    (text_width, text_height), _ = cv2.getTextSize(line, _FONT, scale, thickness)
    if text_width > width_px * 0.94:
        scale *= width_px * 0.94 / text_width
        (text_width, text_height), _ = cv2.getTextSize(line, _FONT, scale, thickness)
    band = min(height, max(3 * text_height, height // 10))
    cv2.rectangle(picture, (0, height - band), (width_px, height), _BAND, cv2.FILLED)
    origin = ((width_px - text_width) // 2, height - (band - text_height) // 2)
    cv2.putText(picture, line, origin, _FONT, scale, _WHITE, thickness, cv2.LINE_AA)
    return bytes(simplejpeg.encode_jpeg(picture, quality=_QUALITY, colorspace="BGR"))


def _background(jpeg: bytes | None, width_px: int) -> MatLike:
    picture = _decoded(jpeg) if jpeg else None
    if picture is None:
        return np.full((max(2, width_px * 9 // 16), width_px, 3), _EMPTY, np.uint8)
    if picture.shape[1] != width_px:
        height = max(2, round(picture.shape[0] * width_px / picture.shape[1]))
        picture = cv2.resize(picture, (width_px, height), interpolation=cv2.INTER_AREA)
    return cv2.convertScaleAbs(picture, alpha=_DIMMED)


def _decoded(jpeg: bytes) -> MatLike | None:
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(jpeg)
        if max(height, width) > _MAX_SIDE_PX:
            return None
        return np.array(simplejpeg.decode_jpeg(jpeg, colorspace="BGR"))
    except ValueError:  # cut off or damaged
        return None
